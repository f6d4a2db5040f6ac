# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All odometry of a drive, to be asked where the base was at a stamp."""

from __future__ import annotations

from bisect import bisect_left

import gtsam


class OdometryTrack:
    """Poses of the base in the odometry frame, in order of time."""

    def __init__(self) -> None:
        self.stamps_ns: list[int] = []
        self.poses: list[gtsam.Pose2] = []
        self.segments: list[int] = []

    def __len__(self) -> int:
        return len(self.poses)

    def append(self, stamp_ns: int, pose: gtsam.Pose2, segment: int = 0) -> None:
        """
        Add the newest pose.

        :param segment: poses of two of them are of frames not related
        :raise ValueError: it is not newer than the last one
        """
        if self.stamps_ns and stamp_ns <= self.stamps_ns[-1]:
            raise ValueError(
                f'odometry of {stamp_ns} ns comes after that of {self.stamps_ns[-1]} ns, '
                'expected ascending stamps'
            )
        self.stamps_ns.append(stamp_ns)
        self.poses.append(pose)
        self.segments.append(segment)

    def covers(self, stamp_ns: int) -> bool:
        """Return whether the stamp lies at a pose or between two of one segment."""
        right = bisect_left(self.stamps_ns, stamp_ns)
        if right == len(self):
            return False
        if self.stamps_ns[right] == stamp_ns:
            return True
        return right > 0 and self.segments[right - 1] == self.segments[right]

    def at(self, stamp_ns: int) -> gtsam.Pose2:
        """Return the pose at a stamp that the track covers, between two poses if need be."""
        right = bisect_left(self.stamps_ns, stamp_ns)
        if self.stamps_ns[right] == stamp_ns:
            return self.poses[right]
        before, after = self.poses[right - 1], self.poses[right]
        start_ns = self.stamps_ns[right - 1]
        share = (stamp_ns - start_ns) / (self.stamps_ns[right] - start_ns)
        step = gtsam.Pose2.Logmap(before.between(after))
        return before.compose(gtsam.Pose2.Expmap(share * step))
