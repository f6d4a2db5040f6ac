# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where an odometry begins anew: poses before and after a jump are of two frames, two segments.

A vehicle gets from one pose to the next no faster than vehicles are, and does not stand exactly
at the origin all at once, far from where it was: that is what a restarted odometry says. A single
pose that jumps, contradicted by the next one, is left out. The limits are reconstructed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import Trajectory

Values = tuple[float, ...]

_NOISE_M, _NOISE_RAD = 0.5, 0.3
_MAX_SPEED_MPS, _MAX_TURN_RADPS = 70.0, 3.5
_LONG_S, _MEAN_SPEED_MPS = 2.0, 40.0  # nobody is at the limit for longer
_ORIGIN_M, _ORIGIN_RAD = 0.05, 0.01


class StampedPose(NamedTuple):
    """
    One pose.

    :param values: x, y, z (m), qx, qy, qz, qw, the quaternion of unit length
    :param segment: 0, 1 ...; how two segments lie to each other is not known
    """

    stamp_ns: int
    values: Values
    segment: int = 0


class PoseChain:
    """Poses of one odometry in order of time."""

    def __init__(self) -> None:
        self.segment = 0
        self.num_jumps = 0  # single ones, left out
        self._last: StampedPose | None = None
        self._held: StampedPose | None = None
        self._start_ns = 0  # of the segment
        self._speed_mps = 0.0

    def begin_anew(self) -> None:
        """Expect the first pose of another segment."""
        if self._last is not None:
            self.segment += 1
        self.change_clock()

    def change_clock(self) -> None:
        """Expect a pose of another time in the same frame."""
        self._last = self._held = None

    def add(self, stamp_ns: int, values: Values) -> list[StampedPose]:
        """Return the poses that are known to be right now that this one has come."""
        new = StampedPose(stamp_ns, values, self.segment)
        if self._last is None:
            self._last, self._start_ns = new, stamp_ns
            return [new]
        if stamp_ns < self._last.stamp_ns:  # late
            is_right = stamp_ns >= self._start_ns and self._follows(self._last, new)
            self.num_jumps += not is_right
            return [new] if is_right else []
        if self._follows(self._last, new) and not self._is_nearer_to_held(new):
            self.num_jumps += self._held is not None
            self._go_on(new)
            return [new]
        held, self._held = self._held, new
        if held is None:
            return []
        if stamp_ns <= held.stamp_ns or not self._follows(held, new):
            self.num_jumps += 1
            return []
        self.segment += 1
        first = held._replace(segment=self.segment)
        self._last, self._start_ns, self._speed_mps = first, first.stamp_ns, 0.0
        self._go_on(new._replace(segment=self.segment))
        return [first, self._last]

    def _is_nearer_to_held(self, new: StampedPose) -> bool:
        """Return whether a pose goes on from the one that jumped, not from the one before."""
        if self._held is None or self._last is None:
            return False
        place = new.values[:3]
        by_held_m, by_last_m = (
            math.dist(before.values[:3], place) for before in (self._held, self._last)
        )
        return 2 * by_held_m < by_last_m

    def _go_on(self, new: StampedPose) -> None:
        assert self._last is not None
        elapsed_s = (new.stamp_ns - self._last.stamp_ns) / 1e9
        if elapsed_s > 0:
            self._speed_mps = math.dist(self._last.values[:3], new.values[:3]) / elapsed_s
        self._last, self._held = new, None

    def _follows(self, before: StampedPose, after: StampedPose) -> bool:
        """Return whether a vehicle gets from one pose to the other."""
        elapsed_s = abs(after.stamp_ns - before.stamp_ns) / 1e9
        short_s, long_s = min(elapsed_s, _LONG_S), max(elapsed_s - _LONG_S, 0.0)
        reach_m = _NOISE_M + _MAX_SPEED_MPS * short_s + _MEAN_SPEED_MPS * long_s
        if math.dist(before.values[:3], after.values[:3]) > reach_m:
            return False
        if _turn_rad(before.values[3:], after.values[3:]) > _NOISE_RAD + _MAX_TURN_RADPS * (
            elapsed_s
        ):
            return False
        if not _is_origin(after.values):
            return True
        come_m = 3 * self._speed_mps * short_s
        return math.hypot(*before.values[:3]) <= 2 * _NOISE_M + come_m


def segments_of(poses: Trajectory) -> NDArray[np.int64]:
    """Return the segment of each pose, shape (N,); -1 = a single one that jumps."""
    chain = PoseChain()
    found = np.full(len(poses), -1, np.int64)
    numbers = {stamp_ns: number for number, stamp_ns in enumerate(poses.stamps_ns.tolist())}
    rows = np.column_stack([poses.positions_m, poses.quaternions_xyzw]).tolist()
    for stamp_ns, values in zip(numbers, rows, strict=True):
        for known in chain.add(stamp_ns, tuple(values)):
            found[numbers[known.stamp_ns]] = known.segment
    return found


def _is_origin(values: Values) -> bool:
    return (
        math.hypot(*values[:3]) < _ORIGIN_M
        and _turn_rad(values[3:], (0.0, 0.0, 0.0, 1.0)) < _ORIGIN_RAD
    )


def _turn_rad(first: Values, second: Values) -> float:
    """Return the angle between two orientations."""
    cosine = abs(sum(a * b for a, b in zip(first, second, strict=True)))
    return 2 * math.acos(min(cosine, 1.0))
