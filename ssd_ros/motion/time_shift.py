# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How late one of two clocks is: speeding up and braking show in both, at different times."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUM_ITERATIONS = 8
_LEAST_MPS = 0.03  # of the robust scale
_MIN_SAMPLES = 20
_MIN_SPAN_S = 10.0
_MAX_STEP_S = 0.5  # over which a speed is interpolated
_HALF_S = 0.5  # of a window, and by which a guess is mended at most
_APART_S = (_HALF_S, -_HALF_S)


class TimeShift(NamedTuple):
    """
    By how much the stamps of some speeds are late; NaN = nothing tells.

    :param sigma_s: standard deviation
    """

    late_s: float
    sigma_s: float


def fit_time_shift(
    seconds: NDArray[np.float64],
    speeds_mps: NDArray[np.float64],
    positions_m: NDArray[np.float64],
) -> TimeShift:
    """
    Compare measured speeds with those of odometry, whose scale may be off.

    :param seconds: shape (N,), ascending stamps
    :param speeds_mps: shape (N,)
    :param positions_m: shape (N, 2), by odometry at these stamps
    """
    if len(seconds) < _MIN_SAMPLES or seconds[-1] - seconds[0] < _MIN_SPAN_S:
        return TimeShift(math.nan, math.nan)
    # Over windows: noise of positions would drown the speed from one to the next.
    middles = seconds[(seconds > seconds[0] + _HALF_S) & (seconds < seconds[-1] - _HALF_S)]
    steps_s = np.diff(seconds)
    way_m = np.append(0.0, np.cumsum((speeds_mps[1:] + speeds_mps[:-1]) / 2 * steps_s))
    num_gaps = np.append(0.0, np.cumsum(steps_s > _MAX_STEP_S))
    way, gaps, x, y = (
        np.interp(middles + _HALF_S, seconds, values)
        - np.interp(middles - _HALF_S, seconds, values)
        for values in (way_m, num_gaps, *positions_m.T)
    )
    measured, by_odometry = way / (2 * _HALF_S), np.hypot(x, y) / (2 * _HALF_S)
    usable = gaps == 0
    if np.count_nonzero(usable) < _MIN_SAMPLES:
        return TimeShift(math.nan, math.nan)
    later, earlier = (np.interp(middles + apart_s, middles, by_odometry) for apart_s in _APART_S)
    slope = (later - earlier) / (2 * _HALF_S)
    late_s, sigma_s = 0.0, math.nan
    for _ in range(_NUM_ITERATIONS):
        then = middles - late_s
        inside = usable & (then >= middles[0]) & (then <= middles[-1])
        rows = np.column_stack(
            [np.interp(then, middles, by_odometry), -np.interp(then, middles, slope)]
        )[inside]
        found, sigma_s = _robust_step(rows, measured[inside])
        late_s += min(max(found, -_HALF_S), _HALF_S)
    # What overlaps is alike.
    num_alike = 2 * _HALF_S / float(np.median(steps_s))
    return TimeShift(late_s, sigma_s * math.sqrt(max(num_alike, 1.0)))


def _robust_step(
    rows: NDArray[np.float64], speeds_mps: NDArray[np.float64]
) -> tuple[float, float]:
    """Return by how much later the speeds are, and its deviation."""
    solution = np.array([1.0, 0.0])
    information, scale = np.eye(2), _LEAST_MPS
    for _ in range(3):
        residual = speeds_mps - rows @ solution
        scale = max(1.4826 * float(np.median(np.abs(residual))), _LEAST_MPS)
        weights = 1 / (1 + (residual / (2 * scale)) ** 2)
        information = (rows.T * weights) @ rows + 1e-6 * np.eye(2)
        solution = np.linalg.solve(information, rows.T @ (weights * speeds_mps))
    deviation = scale * math.sqrt(float(np.linalg.inv(information)[1, 1]))
    return float(solution[1] / max(solution[0], 0.1)), deviation
