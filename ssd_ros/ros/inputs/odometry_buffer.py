# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was a moment ago, by its odometry."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
from ssd_ros.ros.messages.geometry import Pose

LATE_NS = 100_000_000  # a scan may be so much newer than the newest pose
_MAX_GAP_NS = 1_000_000_000
_NUM_KEPT = 2000


class OdometryBuffer:
    """The newest poses, each T_odom_base with its stamp; between them straight lines."""

    def __init__(self) -> None:
        self._stamps_ns: list[int] = []
        self._poses: list[Pose] = []

    def __len__(self) -> int:
        """Return the number of poses."""
        return len(self._poses)

    def add(self, stamp_ns: int, pose: Pose) -> None:
        """Append a pose; an earlier stamp (a bag that loops) forgets those before."""
        if self._stamps_ns and stamp_ns < self._stamps_ns[-1]:
            self._stamps_ns.clear()
            self._poses.clear()
        if len(self) == 2 * _NUM_KEPT:
            del self._stamps_ns[:_NUM_KEPT], self._poses[:_NUM_KEPT]
        self._stamps_ns.append(stamp_ns)
        self._poses.append(pose)

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
        if not 0 < gap_ns <= _MAX_GAP_NS:
            return None
        share = (stamp_ns - self._stamps_ns[first]) / gap_ns
        return interpolated(self._poses[first], self._poses[second], share)


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
