# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was a moment ago, by its odometry."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from ssd_ros.motion.pose_chain import StampedPose
from ssd_ros.motion.pose_stream import Arrived, PoseStream
from ssd_ros.ros.messages.geometry import Pose

LATE_NS = 100_000_000  # a scan may be so much newer than the newest pose
_MAX_GAP_NS = 1_000_000_000
_NUM_KEPT = 2000


class OdometryBuffer:
    """The newest poses, each T_odom_base with its stamp; in a segment, straight lines between."""

    def __init__(self) -> None:
        self.stream = PoseStream()
        self._stamps_ns: list[int] = []
        self._poses: list[Pose] = []
        self._segments: list[int] = []

    def __len__(self) -> int:
        """Return the number of poses."""
        return len(self._poses)

    def add(self, stamp_ns: int, pose: Pose, arrival_ns: int | None = None) -> Arrived:
        """
        Take a pose and return what came of it; what is late is sorted in.

        :param arrival_ns: on a clock that nobody sets; None = not known
        """
        arrived = self.stream.add(stamp_ns, values_of(pose), arrival_ns)
        self._take(arrived)
        return arrived

    def outlast(self, arrival_ns: int) -> None:
        """Believe what is held and ahead, if nothing has contradicted it for long."""
        self._take(self.stream.outlast(arrival_ns))

    def _take(self, arrived: Arrived) -> None:
        self._keep(arrived.num_kept(self._stamps_ns))
        for known in arrived.poses:
            self._insert(known)

    def _keep(self, num: int) -> None:
        del self._stamps_ns[num:], self._poses[num:], self._segments[num:]

    def _insert(self, known: StampedPose) -> None:
        if len(self) == 2 * _NUM_KEPT:
            del self._stamps_ns[:_NUM_KEPT], self._poses[:_NUM_KEPT], self._segments[:_NUM_KEPT]
        place = bisect_left(self._stamps_ns, known.stamp_ns)
        if known.stamp_ns in self._stamps_ns[place : place + 1]:
            return
        self._stamps_ns.insert(place, known.stamp_ns)
        self._poses.insert(place, pose_of(known.values))
        self._segments.insert(place, known.segment)

    @property
    def newest_ns(self) -> int:
        """Stamp of the newest pose; there must be one."""
        return self._stamps_ns[-1]

    def segment_at(self, stamp_ns: int) -> int:
        """Return the segment of the pose at or before a time: see PoseChain."""
        place = max(bisect_right(self._stamps_ns, stamp_ns) - 1, 0)
        return self._segments[place] if self._segments else 0

    def at(self, stamp_ns: int) -> Pose | None:
        """
        Return the pose at a time, None if it is not known.

        Up to LATE_NS after the newest pose, the motion of the last LATE_NS goes on.
        """
        stamps_ns = self._stamps_ns
        after = bisect_left(stamps_ns, stamp_ns)
        if after < len(self) and stamps_ns[after] == stamp_ns:
            return self._poses[after]
        if after == 0:
            return None
        if after < len(self):
            return self._between(after - 1, after, stamp_ns)
        if stamp_ns - stamps_ns[-1] > LATE_NS:
            return None
        # One step of fast odometry would be mostly noise.
        before = max(bisect_right(stamps_ns, stamps_ns[-1] - LATE_NS) - 1, 0)
        return self._between(before, after - 1, stamp_ns) or self._poses[-1]

    def _between(self, first: int, second: int, stamp_ns: int) -> Pose | None:
        gap_ns = self._stamps_ns[second] - self._stamps_ns[first]
        is_one_frame = self._segments[first] == self._segments[second]
        if not (0 < gap_ns <= _MAX_GAP_NS and is_one_frame):
            return None
        share = (stamp_ns - self._stamps_ns[first]) / gap_ns
        return interpolated(self._poses[first], self._poses[second], share)


def pose_of(values: Sequence[float]) -> Pose:
    """Return x, y, z, qx, qy, qz, qw as a pose."""
    return Pose(np.array(values[:3]), np.array(values[3:]))


def values_of(pose: Pose) -> tuple[float, ...]:
    """Return a pose as x, y, z, qx, qy, qz, qw."""
    return (*pose.position_m.tolist(), *pose.quaternion_xyzw.tolist())


def interpolated(first: Pose, second: Pose, share: float) -> Pose:
    """
    Return the pose on the straight line through two poses that are near each other.

    :param share: 0 = the first, 1 = the second; beyond, the line goes on
    """
    start, end = first.quaternion_xyzw, second.quaternion_xyzw
    if start @ end < 0:  # q and -q are the same turn
        end = -end
    turned = (1 - share) * start + share * end
    position_m = (1 - share) * first.position_m + share * second.position_m
    return Pose(position_m, turned / np.linalg.norm(turned))
