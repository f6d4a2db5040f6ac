# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Steps from pose to pose that no vehicle makes: stray poses, GPS steps, and changes of the frame.

The thresholds are reconstructed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import Trajectory

MAX_SPEED_MPS = 70.0
TOLERANCE_M = 5.0  # noise of positions, and corrections of a filter
_MAX_GAP_S = 1.5  # for which the speed before tells the speed after
_MAX_ACCELERATION_MPS2 = 10.0
_NEIGHBOURS = 5  # steps whose median is the speed there: a stray pose makes two fast ones


@dataclass(frozen=True, slots=True)
class Jump:
    """
    A step that no vehicle makes.

    :param stamp_ns: of the pose after it
    :param before_m: shape (3,)
    :param after_m: shape (3,)
    """

    stamp_ns: int
    before_m: NDArray[np.float64]
    after_m: NDArray[np.float64]

    @property
    def distance_m(self) -> float:
        """Length of the step in xy."""
        return float(np.hypot(*(self.after_m - self.before_m)[:2]))


def reach_m(
    elapsed_s: NDArray[np.float64] | float, speed_mps: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return how far a vehicle comes at most that is usually so fast there."""
    elapsed_s = np.asarray(elapsed_s)
    sped_up_m = speed_mps * elapsed_s + _MAX_ACCELERATION_MPS2 / 2 * elapsed_s**2
    sped_up_m = np.where(elapsed_s > _MAX_GAP_S, np.inf, sped_up_m)
    return np.minimum(sped_up_m, MAX_SPEED_MPS * elapsed_s)


def implausible_steps(poses: Trajectory) -> NDArray[np.bool_]:
    """Return which steps, from pose i to pose i + 1, no vehicle makes: shape (N - 1,)."""
    elapsed_s = np.diff(poses.stamps_ns) / 1e9
    step_m = _lengths_m(np.diff(poses.positions_m, axis=0))
    return step_m > reach_m(elapsed_s, _usual_speed_mps(step_m / elapsed_s)) + TOLERANCE_M


def jumps_of(poses: Trajectory) -> list[Jump]:
    """Return the steps that no vehicle makes."""
    return [
        Jump(int(poses.stamps_ns[i + 1]), poses.positions_m[i], poses.positions_m[i + 1])
        for i in np.flatnonzero(implausible_steps(poses)).tolist()
    ]


def tracks_of(poses: Trajectory) -> NDArray[np.int64]:
    """
    Return the number of the track that each pose lies on, shape (N,): 0 has the most poses.

    After a jump that track goes on that was left last and that a vehicle can be on by now, so that
    a stray pose makes a track of its own and does not part the drive.
    """
    elapsed_s = np.diff(poses.stamps_ns) / 1e9
    step_m = _lengths_m(np.diff(poses.positions_m, axis=0))
    speed_mps = _usual_speed_mps(step_m / elapsed_s)
    track_of = np.zeros(len(poses), np.int64)
    tails = [0]  # the last pose of each track
    jumps = np.flatnonzero(step_m > reach_m(elapsed_s, speed_mps) + TOLERANCE_M) + 1
    for start, end in pairwise([*jumps.tolist(), len(poses)]):
        left = int(track_of[start - 1])
        tails[left] = start - 1
        away_m = _lengths_m(poses.positions_m[start] - poses.positions_m[tails])
        since_s = (poses.stamps_ns[start] - poses.stamps_ns[tails]) / 1e9
        is_near = away_m <= reach_m(since_s, float(speed_mps[start - 1])) + TOLERANCE_M
        is_near[left] = False
        track = int(np.argmin(np.where(is_near, since_s, np.inf))) if is_near.any() else len(tails)
        tails[track : track + 1] = [start]
        track_of[start:end] = track
    by_size = np.argsort(-np.bincount(track_of, minlength=1), kind='stable')
    return np.argsort(by_size)[track_of]


def _lengths_m(steps_m: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(steps_m[:, 0], steps_m[:, 1]))


def _usual_speed_mps(speeds_mps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median over the neighbours of each step."""
    if len(speeds_mps) == 0:
        return speeds_mps
    padded = np.pad(speeds_mps, _NEIGHBOURS // 2, mode='reflect')
    windows = np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS)
    return np.asarray(np.median(windows, axis=1))
