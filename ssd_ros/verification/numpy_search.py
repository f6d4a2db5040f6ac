# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The search for a pose in NumPy, see PoseSearch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.verification.likelihood import (
    AT_ONCE,
    COARSE_M,
    COARSE_STAMP,
    DRAWN_M,
    FINE_M,
    FINE_STAMP,
    HALF_M,
    KeyframeGrids,
    NUM_COARSE,
    NUM_FINE,
    SEARCH_M,
)
from ssd_ros.verification.pose_search import (
    CLOSER,
    CLOSER_STEP,
    FINE,
    FINE_POSES,
    FINE_YAWS_RAD,
    Fit,
    Headings,
    NUM_RIVALS,
    NUM_STARTS,
    RIVAL_M,
)
from ssd_ros.verification.returns import NO_RETURN

_SHIFTS_M = np.arange(-SEARCH_M, SEARCH_M + 1) * COARSE_M
_CLOSER_M = np.arange(-CLOSER, CLOSER + 1, CLOSER_STEP) * FINE_M


def draw(returns_cm: NDArray[np.int16], grids: KeyframeGrids) -> None:
    """Draw a keyframe, see PoseSearch."""
    points_m = returns_cm[returns_cm[:, 0] != NO_RETURN] / 100
    x_m, y_m = points_m[(np.abs(points_m) < DRAWN_M).all(axis=1)].T
    grids.num_returns = len(x_m)
    _stamp(_cells(x_m, y_m, FINE_M), FINE_STAMP, grids.fine, NUM_FINE)
    _stamp(_cells(x_m, y_m, COARSE_M), COARSE_STAMP, grids.coarse, NUM_COARSE)


def fit(points_m: NDArray[np.float32], headings: Headings, grids: KeyframeGrids) -> Fit:
    """Find a pose, see PoseSearch."""
    _, cos, sin = headings
    half = points_m[::2]
    cells = _cells(*_placed(half, cos[:, 0], sin[:, 0]), COARSE_M)
    sums = _window_sums(grids.coarse, cells, NUM_COARSE, SEARCH_M)
    turn, x_m, y_m, _ = _best_of(sums, NUM_STARTS, half, headings, grids)
    is_near = np.square(_SHIFTS_M - x_m) + np.square(_SHIFTS_M[:, None] - y_m) <= RIVAL_M**2
    sums[:, is_near] = -1
    _, _, _, elsewhere = _best_of(sums, NUM_RIVALS, points_m, headings, grids)
    cos, sin = cos[turn, 1:], sin[turn, 1:]
    cells = _cells(*_placed(points_m, cos, sin, x_m, y_m), FINE_M)
    fine = _window_sums(grids.fine, cells, NUM_FINE, FINE).ravel()
    best = int(fine.argmax())
    yaw = best * len(FINE_YAWS_RAD) // len(FINE_POSES)
    x, y = x_m + FINE_POSES[best, 0], y_m + FINE_POSES[best, 1]
    placed = _placed(points_m, cos[yaw : yaw + 1], sin[yaw : yaw + 1], x, y)
    explained = grids.fine[_cells(*placed, FINE_M)[:, 0]]
    return Fit(turn, x_m, y_m, elsewhere, fine.astype(np.uint32), explained)


def _best_of(
    sums: NDArray[np.int64],
    num: int,
    points: NDArray[np.float32],
    headings: Headings,
    grids: KeyframeGrids,
) -> tuple[int, float, float, int]:
    """Return turn, x, y and sum of the best, looked at closely, of the num greatest sums."""
    keys = sums.ravel() * sums.size - np.arange(sums.size)  # the first of equal ones is greater
    best = np.argpartition(keys, -num)[-num:]
    turn, row, column = np.unravel_index(best[np.argsort(-keys[best])], sums.shape)
    cos, sin = headings.cos[turn, 0], headings.sin[turn, 0]
    cells = _cells(*_placed(points, cos, sin, _SHIFTS_M[column], _SHIFTS_M[row]), FINE_M)
    closer = _window_sums(grids.fine, cells, NUM_FINE, CLOSER, CLOSER_STEP)
    start, y, x = np.unravel_index(closer.argmax(), closer.shape)
    x_m, y_m = _SHIFTS_M[column[start]] + _CLOSER_M[x], _SHIFTS_M[row[start]] + _CLOSER_M[y]
    return int(turn[start]), float(x_m), float(y_m), int(closer.max())


def _window_sums(
    grid: NDArray[np.uint8], cells: NDArray[np.int64], num: int, reach: int, step: int = 1
) -> NDArray[np.int64]:
    """
    Return the sums over points for all shifts by cells.

    :param cells: shape (P, Y), of P points at Y poses
    :param num: cells of the grid along an axis
    :param reach: of the shifts to each side
    :return: shape (Y, shifts along y, shifts along x)
    """
    shifts = np.arange(-reach, reach + 1, step)
    side = 2 * reach + 1
    row = 1 << (side - 1).bit_length()
    rows = np.ndarray(len(grid) - row + 1, f'V{row}', grid, strides=(1,))
    windows = rows[cells[:, :, None] + (shifts * num - reach)].view(np.uint8)
    windows = windows.reshape(len(cells), -1)
    sums = np.zeros(windows.shape[1], np.int64)
    for first in range(0, len(cells), AT_ONCE):
        sums += np.add.reduce(windows[first : first + AT_ONCE], axis=0, dtype=np.uint16)
    return sums.reshape(-1, len(shifts), row)[:, :, :side:step]


def _placed(
    points: NDArray[np.float32],
    cos: NDArray[np.float32],
    sin: NDArray[np.float32],
    x_m: NDArray[np.floating] | float = 0.0,
    y_m: NDArray[np.floating] | float = 0.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of the points at each pose, shape (points, poses)."""
    x, y = points.T
    placed_x, placed_y = np.outer(x, cos) - np.outer(y, sin), np.outer(x, sin) + np.outer(y, cos)
    placed_x += np.asarray(x_m, np.float32)
    placed_y += np.asarray(y_m, np.float32)
    return placed_x, placed_y


def _cells(
    x_m: NDArray[np.floating], y_m: NDArray[np.floating], cell_m: float
) -> NDArray[np.int64]:
    """Return where points lie in a flat grid; they lie within it."""
    column = ((x_m + HALF_M) * (1 / cell_m)).astype(np.int64)
    row = ((y_m + HALF_M) * (1 / cell_m)).astype(np.int64)
    return row * round(2 * HALF_M / cell_m) + column


def _stamp(
    cells: NDArray[np.int64], stamp: NDArray[np.uint8], grid: NDArray[np.uint8], num: int
) -> None:
    """Clear a grid and stamp cells; the greatest value is written last and stays."""
    grid.fill(0)
    for row, column in np.argwhere(stamp)[np.argsort(stamp[stamp > 0], kind='stable')]:
        shift = (row - len(stamp) // 2) * num + column - len(stamp) // 2
        grid[cells + shift] = stamp[row, column]
