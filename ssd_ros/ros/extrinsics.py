# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where the radar sits on the vehicle: from TF where ROS has it, else from a parameter.

The wheels of rclpy come without tf2_ros; every real ROS installation has it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rclpy.node import Node
from rclpy.time import Time
from ssd_ros.ros.geometry import Pose

try:
    import tf2_ros
except ImportError:
    tf2_ros = None

# (base frame, radar frame) -> T_base_radar, or None while TF does not know it.
Lookup = Callable[[str, str], Pose | None]


class Extrinsics:
    """T_base_radar of each radar frame, looked up until found, then kept."""

    def __init__(
        self, base_frame: str, fallback: Pose, lookup: Lookup | None, warn: Callable[[str], None]
    ) -> None:
        """
        Start with nothing known.

        :param fallback: T_base_radar while the lookup does not find it
        :param warn: gets a sentence each time it does not; the caller throttles
        """
        self._warn = warn
        self._base_frame = base_frame
        self._fallback = fallback
        self._lookup = lookup
        self._known: dict[str, Pose] = {}

    def pose_of(self, radar_frame: str) -> tuple[Pose, str]:
        """Return T_base_radar and where it comes from: `tf` or `parameter`."""
        if radar_frame not in self._known and self._lookup is not None and radar_frame:
            pose = self._lookup(self._base_frame, radar_frame)
            if pose is None:
                self._warn(
                    f'TF does not know {radar_frame!r} in {self._base_frame!r}: '
                    'using radar_extrinsics'
                )
            else:
                self._known[radar_frame] = pose
        if radar_frame in self._known:
            return self._known[radar_frame], 'tf'
        return self._fallback, 'parameter'


def tf_lookup(node: Node) -> Lookup | None:
    """Listen to TF and return a lookup that never waits; None where there is no tf2_ros."""
    if tf2_ros is None:
        return None
    buffer = tf2_ros.Buffer()
    listener = tf2_ros.TransformListener(buffer, node)

    def lookup(base_frame: str, radar_frame: str) -> Pose | None:
        assert listener is not None  # held: it ends with its last reference
        try:
            found = buffer.lookup_transform(base_frame, radar_frame, Time()).transform
        except tf2_ros.TransformException:
            return None
        shift, quaternion = found.translation, found.rotation
        return Pose(
            np.array([shift.x, shift.y, shift.z]),
            np.array([quaternion.x, quaternion.y, quaternion.z, quaternion.w]),
        )

    return lookup
