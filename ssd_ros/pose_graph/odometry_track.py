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

    def __len__(self) -> int:
        return len(self.poses)

    def append(self, stamp_ns: int, pose: gtsam.Pose2) -> None:
        """
        Add the newest pose.

        :raise ValueError: it is not newer than the last one
        """
        if self.stamps_ns and stamp_ns <= self.stamps_ns[-1]:
            raise ValueError(
                f'odometry of {stamp_ns} ns comes after that of {self.stamps_ns[-1]} ns, '
                'expected ascending stamps'
            )
        self.stamps_ns.append(stamp_ns)
        self.poses.append(pose)

    def covers(self, stamp_ns: int) -> bool:
        """Return whether the stamp lies between the first pose and the last."""
        return bool(self.poses) and self.stamps_ns[0] <= stamp_ns <= self.stamps_ns[-1]

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
