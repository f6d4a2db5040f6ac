# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Verification by plain look-ups in NumPy, all shifts of all points at once.

It finds what ssd_ros.verification finds, to rounding. Of poses that explain equally much the
first is taken.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import symmetric
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.verification import NO_RETURN, Verification, VerificationConfig
from ssd_ros.verification.query_points import thinned

Points = NDArray[np.floating]
_HALF_M, _SEARCH_M, _PEAK = 88.0, 6, 100
_FINE_M, _COARSE_M = 0.25, 1.0
_COARSE_YAWS_RAD = np.radians(np.linspace(-8, 8, 9))
_FINE_YAWS_RAD = np.radians(np.linspace(-1.2, 1.2, 5))
_CONFIG = VerificationConfig()
# Of the search of every pose.
_GRID_M, _HALF_WIDTH_M, _REACH_M = 0.25, 100.0, 6.0
_GRID_YAWS_RAD = np.radians(np.arange(-8.0, 8.1, 0.6))


class _Pose(NamedTuple):
    x_m: float
    y_m: float
    yaw_rad: float
    share: float  # of the points, explained


def verify_plainly(
    points_m: NDArray[np.float32], returns_cm: NDArray[np.int16], yaw_rad: float
) -> Verification:
    """Return what Verifier.verify does of enough points and returns."""
    query = thinned(points_m, _CONFIG.max_points)
    seen_m = returns_cm[returns_cm[:, 0] != NO_RETURN] / 100
    seen_m = seen_m[(np.abs(seen_m) < _HALF_M - 2 * _COARSE_M).all(axis=1)]
    fine, coarse = _drawn(seen_m, _FINE_M, 0.75), _drawn(seen_m, _COARSE_M, 1.2)
    points, yaws = query.points_m, yaw_rad + _COARSE_YAWS_RAD
    half, shifts_m = points[::2], np.arange(-_SEARCH_M, _SEARCH_M + 1)
    placed = [_placed(half, 0.0, 0.0, yaw) for yaw in yaws]
    sums = np.stack([_sums(coarse, moved, _COARSE_M, shifts_m) for moved in placed])
    start = _best_of(sums, 12, half, fine, yaws)
    sums[:, np.hypot(shifts_m - start.x_m, shifts_m[:, None] - start.y_m) <= 2.5] = 0
    elsewhere = _best_of(sums, 6, points, fine, yaws).share

    steps, headings = np.arange(-4, 5), start.yaw_rad + _FINE_YAWS_RAD
    placed = [_placed(points, start.x_m, start.y_m, yaw) for yaw in headings]
    counted = np.stack([_sums(fine, moved, _FINE_M, steps) for moved in placed])
    scores = counted / (_PEAK * len(points))
    yaw, y, x = np.meshgrid(headings, steps, steps, indexing='ij')
    x_m, y_m = start.x_m + x.ravel() * _FINE_M, start.y_m + y.ravel() * _FINE_M
    poses = np.column_stack([x_m, y_m, yaw.ravel()])
    weights = np.exp((scores.ravel() - scores.max()) / _CONFIG.surface_scale)
    weights /= weights.sum()
    mean = weights @ poses
    floor = [_CONFIG.position_floor_m, _CONFIG.position_floor_m, _CONFIG.yaw_floor_rad]
    covariance = symmetric((weights * (poses - mean).T) @ (poses - mean)) + np.diag(floor) ** 2
    chance = 0.75 * scores.mean() + 0.25 * elsewhere
    explained = fine[_cells(_placed(points, *poses[scores.argmax()]), _FINE_M)]
    std = math.sqrt(_CONFIG.share_std**2 + query.variance(explained))
    over_rival = (scores.max() - elsewhere) / std
    deviations = min((scores.max() - chance) / std, max(2 * over_rival, 1.5))
    overlap = min(max(deviations / _CONFIG.full_deviations, 0.0), 1.0)
    mean_x, mean_y, mean_yaw = mean.tolist()
    return Verification(mean_x, mean_y, float(wrap_angle(mean_yaw)), covariance, float(overlap))


def _best_of(
    sums: NDArray[np.uint32], num: int, points: Points, fine: NDArray[np.uint8], yaws: Points
) -> _Pose:
    """Return the best, to half a metre, of the num greatest coarse sums."""
    best = np.argsort(-sums.ravel().astype(np.int64), kind='stable')[:num]
    found = _Pose(0.0, 0.0, 0.0, -1.0)
    for turn, row, column in zip(*np.unravel_index(best, sums.shape), strict=True):
        x_m, y_m = column - _SEARCH_M, row - _SEARCH_M
        steps = np.array([-2, 0, 2])
        closer = _sums(fine, _placed(points, x_m, y_m, yaws[turn]), _FINE_M, steps)
        y, x = np.unravel_index(closer.argmax(), closer.shape)
        share = closer.max() / (_PEAK * len(points))
        if share > found.share:
            shift_x, shift_y = steps[x] * _FINE_M, steps[y] * _FINE_M
            found = _Pose(x_m + shift_x, y_m + shift_y, yaws[turn], share)
    return found


def _sums(
    grid: NDArray[np.uint8], placed: Points, cell_m: float, steps: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """Return the sums over points for shifts by cells, shape (along y, along x)."""
    shifts = (steps[:, None] * round(2 * _HALF_M / cell_m) + steps).ravel()
    values = grid.take(_cells(placed, cell_m) + shifts[:, None])
    return np.add.reduce(values, axis=1, dtype=np.uint32).reshape(len(steps), len(steps))


def _placed(points: Points, x_m: float, y_m: float, yaw_rad: float) -> Points:
    """Return points at a pose, shape (2, P)."""
    cos, sin = np.cos(yaw_rad, dtype=np.float32), np.sin(yaw_rad, dtype=np.float32)
    x, y = points.T
    moved = np.stack([cos * x - sin * y, sin * x + cos * y])
    return moved + np.array([[x_m], [y_m]], np.float32)


def _cells(placed: Points, cell_m: float) -> NDArray[np.int64]:
    column, row = ((placed + _HALF_M) * (1 / cell_m)).astype(np.int64)
    return np.asarray(row * round(2 * _HALF_M / cell_m) + column)


def _drawn(seen_m: Points, cell_m: float, width_m: float) -> NDArray[np.uint8]:
    """Return a grid, row = y, that falls from its peak on a return to 0 at a width from it."""
    num = round(2 * _HALF_M / cell_m)
    cells = _cells(seen_m.T, cell_m)
    steps = np.arange(-int(width_m / cell_m), int(width_m / cell_m) + 1)
    square = (steps[:, None] ** 2 + steps**2) * (cell_m / width_m) ** 2
    grid = np.zeros(num * num, np.uint8)
    for row, column in np.argwhere(square < 1)[np.argsort(-square[square < 1])]:
        shift = steps[row] * num + steps[column]
        grid[cells + shift] = round(_PEAK * (1 - float(square[row, column])))
    return grid


def match_exhaustively(
    points_m: NDArray[np.float32], returns_cm: NDArray[np.int16]
) -> tuple[float, float]:
    """Count, for every pose of the grid, the points that fall next to a return."""
    num = round(2 * _HALF_WIDTH_M / _GRID_M)
    grid = np.zeros((num, num), np.uint8)
    seen_cm = returns_cm[returns_cm[:, 0] != NO_RETURN]
    cells = ((seen_cm / 100 + _HALF_WIDTH_M) / _GRID_M).astype(np.int64)
    for step_x in range(-2, 3):
        for step_y in range(-2, 3):
            grid[cells[:, 1] + step_y, cells[:, 0] + step_x] = 1
    shifts = np.arange(-round(_REACH_M / _GRID_M), round(_REACH_M / _GRID_M) + 1)
    best, pose = -1, (0.0, 0.0)
    for yaw_rad in _GRID_YAWS_RAD:
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        turned = points_m @ np.array([[cos, sin], [-sin, cos]], np.float32)
        column, row = ((turned + _HALF_WIDTH_M) / _GRID_M).astype(np.int64).T
        for shift_y in shifts:
            counts = grid[(row + shift_y)[:, None], column[:, None] + shifts].sum(axis=0)
            if counts.max() > best:
                best = int(counts.max())
                pose = float(shifts[counts.argmax()] * _GRID_M), float(shift_y * _GRID_M)
    return pose
