# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where a keyframe explains a point: its returns as two grids, to look up many shifts at once.

The coarse grid holds for each cell the row of cells about it, so that all shifts along x come
with one look-up. Widths and cells are reconstructed, chosen on simulated validation worlds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.verification.returns import NO_RETURN

PEAK = 100  # value on a return, so that the sum over 650 points fits into 16 bits
REACH_M = 80.0  # of a query's point
SEARCH_M = 6  # by which the coarse search shifts to each side
FINE_M, COARSE_M = 0.25, 1.0
_FINE_WIDTH_M, _COARSE_WIDTH_M = 0.75, 1.2  # how far from its middle a return explains a point
_HALF_M = 88.0  # half the side of the grids: reach, search, and 2 m for the fine search
_NUM_FINE, _NUM_COARSE = round(2 * _HALF_M / FINE_M), round(2 * _HALF_M / COARSE_M)
_ROW = 16  # shifts along x, filled up to a power of two for the look-up


class KeyframeGrids:
    """The returns of one keyframe, spread out."""

    def __init__(self, returns_cm: NDArray[np.int16]) -> None:
        """
        Draw the returns; those outside the grids are left out.

        :param returns_cm: shape (M, 2), keyframe frame, NO_RETURN in unused rows
        """
        points_m = returns_cm[returns_cm[:, 0] != NO_RETURN] / 100
        points_m = points_m[(np.abs(points_m) < _HALF_M - 2 * COARSE_M).all(axis=1)]
        self.num_returns = len(points_m)
        self._fine = _drawn(points_m, FINE_M, _FINE_WIDTH_M).ravel()
        coarse = _drawn(points_m, COARSE_M, _COARSE_WIDTH_M)
        rows = np.zeros((_NUM_COARSE, _NUM_COARSE, _ROW), np.uint16)
        for column in range(2 * SEARCH_M + 1):
            shift = column - SEARCH_M
            first, last = max(0, -shift), _NUM_COARSE - max(0, shift)
            rows[:, first:last, column] = coarse[:, first + shift : last + shift]
        self._coarse_rows = rows.reshape(-1, _ROW)

    def coarse_sums(
        self, x_m: NDArray[np.float32], y_m: NDArray[np.float32]
    ) -> NDArray[np.uint16]:
        """
        Return the sums over points for all shifts by whole metres.

        :param x_m: shape (Y, P), of P points at Y headings, keyframe frame
        :param y_m: shape (Y, P)
        :return: shape (Y, shifts along y, shifts along x), each from -SEARCH_M to SEARCH_M
        """
        cells = _indices(x_m, y_m, COARSE_M)
        along_y = np.arange(-SEARCH_M, SEARCH_M + 1) * _NUM_COARSE
        rows = self._coarse_rows.take(cells[:, :, None] + along_y, axis=0)
        sums: NDArray[np.uint16] = np.add.reduce(rows, axis=1)
        return sums[:, :, : 2 * SEARCH_M + 1]

    def fine_sums(
        self,
        x_m: NDArray[np.float32],
        y_m: NDArray[np.float32],
        steps: NDArray[np.int64],
    ) -> NDArray[np.uint32]:
        """
        Return the sums over points for shifts by fine cells.

        :param x_m: as in `coarse_sums`
        :param steps: shape (S,), the shifts along either axis, at most 2 m
        :return: shape (Y, S along y, S along x)
        """
        cells = _indices(x_m, y_m, FINE_M)
        shifts = (steps[:, None] * _NUM_FINE + steps).ravel()
        values = self._fine.take(cells[:, None, :] + shifts[:, None])
        sums: NDArray[np.uint32] = np.add.reduce(values, axis=2, dtype=np.uint32)
        return sums.reshape(len(x_m), len(steps), len(steps))

    def fine_values(self, x_m: NDArray[np.float32], y_m: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return how well each point is explained, 0 to PEAK, of the shape of x_m."""
        return self._fine.take(_indices(x_m, y_m, FINE_M))


def _drawn(points_m: NDArray[np.float64], cell_m: float, width_m: float) -> NDArray[np.uint8]:
    """Return a grid, row = y, that falls from PEAK on a return to 0 at a width from it."""
    num = round(2 * _HALF_M / cell_m)
    cells = _indices(points_m[:, 0], points_m[:, 1], cell_m)
    steps = np.arange(-int(width_m / cell_m), int(width_m / cell_m) + 1)
    square = (steps[:, None] ** 2 + steps**2) * (cell_m / width_m) ** 2
    grid = np.zeros(num * num, np.uint8)
    # The greatest value is written last and stays.
    for row, column in np.argwhere(square < 1)[np.argsort(-square[square < 1])]:
        shift = steps[row] * num + steps[column]
        grid[cells + shift] = round(PEAK * (1 - float(square[row, column])))
    return grid.reshape(num, num)


def _indices(
    x_m: NDArray[np.floating], y_m: NDArray[np.floating], cell_m: float
) -> NDArray[np.int64]:
    """Return the place of points in a flattened grid; they lie within it."""
    column = ((x_m + _HALF_M) * (1 / cell_m)).astype(np.int64)
    row = ((y_m + _HALF_M) * (1 / cell_m)).astype(np.int64)
    return row * round(2 * _HALF_M / cell_m) + column
