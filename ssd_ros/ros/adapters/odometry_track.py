# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the vehicle moved between two times of this drive, by its odometry."""

from __future__ import annotations

from array import array
from bisect import bisect_left
import time

from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from ssd_ros.motion.pose_chain import StampedPose
from ssd_ros.motion.pose_stream import PoseStream
from ssd_ros.ros.inputs.odometry_buffer import interpolated, pose_of, values_of
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
        self._segments = array('l')
        self._stream = PoseStream()
        self._subscription = node.create_subscription(
            Odometry, ODOMETRY.name, self._on_odometry, qos_profile_sensor_data
        )

    def __len__(self) -> int:
        """Return the number of poses."""
        return len(self._stamps_ns)

    def destroy(self) -> None:
        """Take the topic down."""
        self._node.destroy_subscription(self._subscription)

    def motion(self, start_ns: int, end_ns: int) -> Pose | None:
        """
        Return the pose of the base at the end in the base at the start; None = not known.

        That is so where odometry has begun anew in between, too.
        """
        start, end = self._at(start_ns), self._at(end_ns)
        if start is None or end is None or start[1] != end[1]:
            return None
        return start[0].inverse() @ end[0]

    def _on_odometry(self, msg: Odometry) -> None:
        stamp_ns = msg.header.stamp.sec * 1_000_000_000 + msg.header.stamp.nanosec
        pose = pose_from_msg(msg.pose.pose)
        arrived = self._stream.add(stamp_ns, values_of(pose), time.monotonic_ns())
        self._keep(arrived.num_kept(self._stamps_ns))
        for known in arrived.poses:
            self._insert(known)

    def _keep(self, num: int) -> None:
        del self._stamps_ns[num:], self._poses[num * _POSE_SIZE :], self._segments[num:]

    def _insert(self, known: StampedPose) -> None:
        """Put a pose where it belongs, unless one near in time is there; the newest stays."""
        stamps_ns, place = self._stamps_ns, bisect_left(self._stamps_ns, known.stamp_ns)
        if place < len(stamps_ns):
            near_ns = stamps_ns[max(place - 1, 0) : place + 1]
            if any(abs(near - known.stamp_ns) < _SPACING_NS for near in near_ns):
                return
        elif (
            place > 1
            and stamps_ns[-1] < stamps_ns[-2] + _SPACING_NS
            and self._segments[-1] == self._segments[-2] == known.segment
        ):
            self._keep(place - 1)
            place -= 1
        if place == _NUM_KEPT:
            del stamps_ns[: _NUM_KEPT // 2], self._poses[: _NUM_KEPT // 2 * _POSE_SIZE]
            del self._segments[: _NUM_KEPT // 2]
            place -= _NUM_KEPT // 2
        stamps_ns.insert(place, known.stamp_ns)
        self._segments.insert(place, known.segment)
        self._poses[place * _POSE_SIZE : place * _POSE_SIZE] = array('d', known.values)

    def _at(self, stamp_ns: int) -> tuple[Pose, int] | None:
        """Interpolate; T_odom_base and its segment."""
        after = bisect_left(self._stamps_ns, stamp_ns)
        if after == len(self._stamps_ns):
            return None
        segment = self._segments[after]
        if self._stamps_ns[after] == stamp_ns:
            return self._pose(after), segment
        if after == 0:
            return None
        gap_ns = self._stamps_ns[after] - self._stamps_ns[after - 1]
        if gap_ns > _MAX_GAP_NS or self._segments[after - 1] != segment:
            return None
        share = (stamp_ns - self._stamps_ns[after - 1]) / gap_ns
        return interpolated(self._pose(after - 1), self._pose(after), share), segment

    def _pose(self, index: int) -> Pose:
        return pose_of(self._poses[index * _POSE_SIZE : (index + 1) * _POSE_SIZE])
