# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What TF knows, asked without ever waiting.

The wheels of rclpy come without tf2_ros; every real ROS installation has it.
"""

from __future__ import annotations

from geometry_msgs.msg import TransformStamped
import numpy as np
from rclpy.node import Node
from rclpy.time import Time
from ssd_ros.ros.messages.geometry import Pose

try:
    import tf2_ros
except ImportError:
    tf2_ros = None


class Transforms:
    """A buffer of TF and its listener."""

    def __init__(self, node: Node) -> None:
        """Listen; needs tf2_ros."""
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def newest(self, target: str, source: str) -> Pose | None:
        """Return T_target_source as last heard, None if TF does not know it."""
        found = self._lookup(target, source, 0)
        return None if found is None else pose_of(found)

    def near(self, target: str, source: str, stamp_ns: int, late_ns: int) -> Pose | None:
        """
        Return T_target_source at a time, or as last heard if that is nearly as new.

        :param late_ns: how much older than the time it may be
        """
        found = self._lookup(target, source, stamp_ns)
        if found is not None:
            return pose_of(found)
        found = self._lookup(target, source, 0)
        if found is None:
            return None
        stamp = found.header.stamp
        age_ns = stamp_ns - (stamp.sec * 1_000_000_000 + stamp.nanosec)
        return pose_of(found) if 0 <= age_ns <= late_ns else None

    def clear(self) -> None:
        """Forget what moves: time went back. Fixed transforms stay."""
        self._buffer.clear()

    def destroy(self) -> None:
        """Stop to listen."""
        self._listener.unregister()

    def _lookup(self, target: str, source: str, stamp_ns: int) -> TransformStamped | None:
        """Return a transform; stamp 0 = as last heard."""
        try:
            return self._buffer.lookup_transform(target, source, Time(nanoseconds=stamp_ns))
        except tf2_ros.TransformException:
            return None


def listen_to_tf(node: Node) -> Transforms | None:
    """Return what TF knows; None where there is no tf2_ros."""
    return None if tf2_ros is None else Transforms(node)


def pose_of(found: TransformStamped) -> Pose:
    """Return a transform as a pose; tf2 lets lengths of quaternions from 0.995 to 1.005 pass."""
    shift, turned = found.transform.translation, found.transform.rotation
    quaternion = np.array([turned.x, turned.y, turned.z, turned.w])
    return Pose(np.array([shift.x, shift.y, shift.z]), quaternion / np.linalg.norm(quaternion))
