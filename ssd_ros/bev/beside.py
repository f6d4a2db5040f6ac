# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What is seen all around, as it would be seen from the lane beside.

Who comes the other way passes there. Nothing new comes into view: what is hidden stays so.
"""

from __future__ import annotations

from functools import lru_cache
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid


def panorama_beside(
    panorama: NDArray[np.uint8], grid: PolarGrid, to_left_m: float
) -> NDArray[np.uint8]:
    """
    Return a panorama about a point to the left; cells farther than the first one reached are 0.

    :param panorama: shape (num_ranges, panorama_azimuths)
    :return: the same shape, with the same heading
    """
    beyond_is_last = np.append(panorama, np.uint8(0))
    return beyond_is_last[_cells_seen(grid, to_left_m)]


@lru_cache(maxsize=4)
def _cells_seen(grid: PolarGrid, to_left_m: float) -> NDArray[np.int64]:
    """Return which cell of the panorama each cell of the one beside lies in, -1 = beyond."""
    num_rows, num_columns = grid.num_ranges, grid.panorama_azimuths
    row_m, column_rad = grid.max_range_m / num_rows, 2 * math.pi / num_columns
    range_m = (np.arange(num_rows) + 0.5)[:, None] * row_m
    clockwise_rad = (np.arange(num_columns) + 0.5) * column_rad
    ahead_m = range_m * np.cos(clockwise_rad)
    to_right_m = range_m * np.sin(clockwise_rad) - to_left_m
    rows = (np.hypot(ahead_m, to_right_m) / row_m).astype(np.int64)
    columns = np.floor(np.arctan2(to_right_m, ahead_m) / column_rad).astype(np.int64) % num_columns
    return np.where(rows < num_rows, rows * num_columns + columns, -1)
