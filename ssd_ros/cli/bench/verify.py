# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time to verify one candidate, beside a search of every pose on the same fine grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.verification import NO_RETURN, NUM_RETURNS, returns_of_points

QUERY_IN_KEYFRAME = (3.0, 1.0, 0.08)  # x, y in metres, yaw in radians
_NUM_POINTS = 800
_CELL_M, _HALF_WIDTH_M, _SEARCH_M = 0.25, 100.0, 6.0
_YAWS_RAD = np.radians(np.arange(-8.0, 8.1, 0.6))


def query_and_keyframe() -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return points in the frame of a query and the returns of a keyframe that saw them too."""
    generator = np.random.default_rng(0)
    range_m = generator.uniform(5, 80, NUM_RETURNS)
    azimuth_rad = generator.uniform(-np.pi, np.pi, NUM_RETURNS)
    seen = np.stack([range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)], axis=1)
    x_m, y_m, yaw_rad = QUERY_IN_KEYFRAME
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    moved = (seen - [x_m, y_m]) @ np.array([[cos, -sin], [sin, cos]])
    ahead = np.abs(np.arctan2(moved[:, 1], moved[:, 0])) < np.radians(60)
    points = np.repeat(moved[ahead], 2, axis=0)[:_NUM_POINTS]
    points = points + generator.normal(0, 0.2, points.shape)
    return points.astype(np.float32), returns_of_points(seen.astype(np.float32))


def match_exhaustively(
    points_m: NDArray[np.float32], returns_cm: NDArray[np.int16]
) -> tuple[float, float]:
    """Count, for every pose of the grid, the points that fall next to a return."""
    num = round(2 * _HALF_WIDTH_M / _CELL_M)
    grid = np.zeros((num, num), np.uint8)
    seen_cm = returns_cm[returns_cm[:, 0] != NO_RETURN]
    cells = ((seen_cm / 100 + _HALF_WIDTH_M) / _CELL_M).astype(np.int64)
    for step_x in range(-2, 3):
        for step_y in range(-2, 3):
            grid[cells[:, 1] + step_y, cells[:, 0] + step_x] = 1
    shifts = np.arange(-round(_SEARCH_M / _CELL_M), round(_SEARCH_M / _CELL_M) + 1)
    best, pose = -1, (0.0, 0.0)
    for yaw_rad in _YAWS_RAD:
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        turned = points_m @ np.array([[cos, sin], [-sin, cos]], np.float32)
        column, row = ((turned + _HALF_WIDTH_M) / _CELL_M).astype(np.int64).T
        for shift_y in shifts:
            counts = grid[(row + shift_y)[:, None], column[:, None] + shifts].sum(axis=0)
            if counts.max() > best:
                best = int(counts.max())
                pose = float(shifts[counts.argmax()] * _CELL_M), float(shift_y * _CELL_M)
    return pose
