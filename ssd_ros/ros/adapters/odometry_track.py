# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the vehicle moved between two times of this drive, by its odometry."""

from __future__ import annotations

from array import array
from bisect import bisect_left

from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from ssd_ros.ros.inputs.odometry_buffer import interpolated
from ssd_ros.ros.messages.conversions import pose_from_msg
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.messages.topics import ODOMETRY

_SPACING_NS = 100_000_000  # straight lines in between are centimetres off
_NUM_KEPT = 200_000  # five hours, 13 MB
_MAX_GAP_NS = 1_000_000_000
_POSE_SIZE = 7  # x, y, z and the quaternion


class OdometryTrack:
    """The poses of the topic `odom`, kept for the whole drive."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stamps_ns = array('q')
        self._poses = array('d')
        self._subscription = node.create_subscription(
            Odometry, ODOMETRY.name, self._on_odometry, qos_profile_sensor_data
        )

    def destroy(self) -> None:
        """Take the topic down."""
        self._node.destroy_subscription(self._subscription)

    def motion(self, start_ns: int, end_ns: int) -> Pose | None:
        """Return the pose of the base at the end in the base at the start; None = not known."""
        start, end = self._at(start_ns), self._at(end_ns)
        return None if start is None or end is None else start.inverse() @ end

    def _on_odometry(self, msg: Odometry) -> None:
        stamp_ns = msg.header.stamp.sec * 1_000_000_000 + msg.header.stamp.nanosec
        pose = pose_from_msg(msg.pose.pose)
        if pose is None:
            return
        if self._stamps_ns and stamp_ns < self._stamps_ns[-1]:  # a bag started again
            del self._stamps_ns[:], self._poses[:]
        if len(self._stamps_ns) > 1 and self._stamps_ns[-1] < self._stamps_ns[-2] + _SPACING_NS:
            del self._stamps_ns[-1:], self._poses[-_POSE_SIZE:]  # the newest always stays
        if len(self._stamps_ns) == _NUM_KEPT:
            del self._stamps_ns[: _NUM_KEPT // 2]
            del self._poses[: _NUM_KEPT // 2 * _POSE_SIZE]
        self._stamps_ns.append(stamp_ns)
        self._poses.extend([*pose.position_m, *pose.quaternion_xyzw])

    def _at(self, stamp_ns: int) -> Pose | None:
        """Interpolate; T_odom_base."""
        after = bisect_left(self._stamps_ns, stamp_ns)
        if after == len(self._stamps_ns):
            return None
        if self._stamps_ns[after] == stamp_ns:
            return self._pose(after)
        if after == 0:
            return None
        gap_ns = self._stamps_ns[after] - self._stamps_ns[after - 1]
        if gap_ns > _MAX_GAP_NS:
            return None
        share = (stamp_ns - self._stamps_ns[after - 1]) / gap_ns
        return interpolated(self._pose(after - 1), self._pose(after), share)

    def _pose(self, index: int) -> Pose:
        row = np.array(self._poses[index * _POSE_SIZE : (index + 1) * _POSE_SIZE])
        return Pose(row[:3], row[3:])
