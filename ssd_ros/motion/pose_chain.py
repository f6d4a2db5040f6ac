# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where an odometry begins anew: poses before and after a jump are of two frames, two segments.

A vehicle gets from one pose to the next no faster than it can (see `steps`, which judges whole
recordings), and does not stand exactly at the origin all at once, far from where it was: that is
what a restarted odometry says. Poses that are always as rough as a GPS's may be off by more. A
single pose that jumps, contradicted by the next one, is left out. The limits are reconstructed.
"""

from __future__ import annotations

from collections import deque
import math
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.steps import MAX_SPEED_MPS, reach_m, TOLERANCE_M
from ssd_ros.motion.trajectory import Trajectory

Values = tuple[float, ...]

_TOLERANCE_RAD, _MAX_TURN_RADPS = 0.3, 3.5
_NUM_ROUGH = 9  # poses whose median roughness is usual
_ROUGH = 3.0  # so many times as much is no jump
_NUM_SPEEDS = 3
_ORIGIN_M, _ORIGIN_RAD = 0.05, 0.01
_STAYS_M, _FASTER, _LONG_S = 1.0, 3.0, 2.0  # who is near, or drives up to it, may reach it


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
        self._before: StampedPose | None = None  # the one before the last
        self._last: StampedPose | None = None
        self._held: StampedPose | None = None
        self._heard: Values | None = None  # held or not
        self._start_ns = 0  # of the segment
        self._speeds_mps: deque[float] = deque(maxlen=_NUM_SPEEDS)
        self._rough_m: deque[float] = deque(maxlen=_NUM_ROUGH)
        self._turns_rad: deque[float] = deque(maxlen=_NUM_ROUGH)

    def begin_anew(self) -> None:
        """Expect the first pose of another segment."""
        if self._last is not None:
            self.segment += 1
        self.change_clock()

    def change_clock(self) -> None:
        """Expect a pose of another time in the same frame."""
        self._before = self._last = self._held = None
        self._speeds_mps.clear()

    def add(self, stamp_ns: int, values: Values) -> list[StampedPose]:
        """Return the poses that are known to be right now that this one has come."""
        new = StampedPose(stamp_ns, values, self.segment)
        if self._last is None:
            self._last, self._start_ns, self._heard = new, stamp_ns, values
            return [new]
        if stamp_ns == self._last.stamp_ns:  # a vehicle has one pose at a time
            return [self._last]
        if stamp_ns < self._last.stamp_ns:  # late
            is_right = stamp_ns >= self._start_ns and self._follows(self._last, new)
            self.num_jumps += not is_right
            return [new] if is_right else []
        if self._heard is not None:
            self._turns_rad.append(_turn_rad(self._heard[3:], values[3:]))
        self._heard = values
        if self._follows(self._last, new) and not self._is_nearer_to_held(new):
            self.num_jumps += self._held is not None
            self._go_on(new)
            return [new]
        held, self._held = self._held, new
        if held is None:
            return []
        if stamp_ns <= held.stamp_ns or not self._follows(held, new, MAX_SPEED_MPS):
            self.num_jumps += 1
            return []
        self.segment += 1
        self.change_clock()
        self._last = first = held._replace(segment=self.segment)
        self._start_ns = first.stamp_ns
        self._go_on(new._replace(segment=self.segment))
        return [first, self._last]

    def _is_nearer_to_held(self, new: StampedPose) -> bool:
        """Return whether a pose goes on from the one that jumped, not from the one before."""
        if self._held is None or self._last is None:
            return False
        by_held_m, by_last_m = _apart_m(self._held, new), _apart_m(self._last, new)
        return 2 * by_held_m < by_last_m

    def _go_on(self, new: StampedPose) -> None:
        before, last = self._before, self._last
        assert last is not None
        elapsed_s = (new.stamp_ns - last.stamp_ns) / 1e9
        self._speeds_mps.append(min(_apart_m(last, new) / elapsed_s, MAX_SPEED_MPS))
        if before is not None:
            straight = [2 * b - a for a, b in zip(before.values[:3], last.values[:3], strict=True)]
            self._rough_m.append(math.dist(straight, new.values[:3]))
        self._before, self._last, self._held = last, new, None

    def _follows(
        self, before: StampedPose, after: StampedPose, speed_mps: float | None = None
    ) -> bool:
        """
        Return whether a vehicle gets from one pose to the other.

        :param speed_mps: at which it may be; None = by what it was, told by odd stamps, too
        """
        if speed_mps is None:
            speed_mps = _FASTER * max(self._speeds_mps, default=MAX_SPEED_MPS)
        elapsed_s = abs(after.stamp_ns - before.stamp_ns) / 1e9
        come_m = float(reach_m(elapsed_s, speed_mps))
        if _apart_m(before, after) > come_m + max(TOLERANCE_M, _ROUGH * _usual(self._rough_m)):
            return False
        tolerance_rad = max(_TOLERANCE_RAD, _ROUGH * _usual(self._turns_rad))
        turned_rad = _turn_rad(before.values[3:], after.values[3:])
        if turned_rad > _MAX_TURN_RADPS * elapsed_s + tolerance_rad:
            return False
        if not _is_origin(after.values):
            return True
        back_m = speed_mps * min(elapsed_s, _LONG_S)
        return math.hypot(*before.values[:3]) <= _STAYS_M + back_m


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


def _apart_m(first: StampedPose, second: StampedPose) -> float:
    return math.dist(first.values[:3], second.values[:3])


def _usual(values: deque[float]) -> float:
    return median(values) if len(values) >= _NUM_SPEEDS else 0.0


def _is_origin(values: Values) -> bool:
    return (
        math.hypot(*values[:3]) < _ORIGIN_M
        and _turn_rad(values[3:], (0.0, 0.0, 0.0, 1.0)) < _ORIGIN_RAD
    )


def _turn_rad(first: Values, second: Values) -> float:
    """Return the angle between two orientations."""
    cosine = abs(sum(a * b for a, b in zip(first, second, strict=True)))
    return 2 * math.acos(min(cosine, 1.0))
