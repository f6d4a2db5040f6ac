# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How high the points of a LiDAR stand above the ground, on hills, too; all is reconstructed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CELL_M = 2.0
_LOW_SHARE = 0.05  # of the points of a cell that lie below the ground: echoes of puddles
_SLOPE = 0.25  # the ground is nowhere steeper, so that no tree crown is taken for it
_REACH = 8  # cells over which a neighbour's ground counts


def heights_above_ground(xyz_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return how high points stand above the lowest ones around them, shape (N,).

    :param xyz_m: shape (N, 3), level axes; the memory grows with the square that they cover
    """
    if len(xyz_m) == 0:
        return np.zeros(0, np.float32)
    column = np.floor(xyz_m[:, :2] / _CELL_M).astype(np.int64)
    column -= column.min(axis=0)
    shape = column.max(axis=0) + 1
    cell = column[:, 0] * shape[1] + column[:, 1]
    order = np.lexsort((xyz_m[:, 2], cell))
    cells, first, count = np.unique(cell[order], return_index=True, return_counts=True)
    ground_m = np.full(shape, np.inf, np.float32)
    ground_m.flat[cells] = xyz_m[order[first + (_LOW_SHARE * count).astype(np.int64)], 2]
    for _ in range(_REACH):
        for axis in (0, 1):
            before = np.moveaxis(ground_m, axis, 0).copy()
            rows = np.moveaxis(ground_m, axis, 0)
            np.minimum(rows[1:], before[:-1] + _SLOPE * _CELL_M, out=rows[1:])
            np.minimum(rows[:-1], before[1:] + _SLOPE * _CELL_M, out=rows[:-1])
    return xyz_m[:, 2] - ground_m.flat[cell]
