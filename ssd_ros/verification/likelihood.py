# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where a keyframe explains a point: its returns, spread out over two grids.

Widths and cells are reconstructed, chosen on simulated validation worlds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

PEAK = 100  # value on a return
AT_ONCE = 65535 // PEAK  # points whose values sum up in 16 bits
REACH_M = 80.0  # of a query's point
SEARCH_M = 6  # by which the coarse search shifts to each side
FINE_M, COARSE_M = 0.25, 1.0
_FINE_WIDTH_M, _COARSE_WIDTH_M = 0.75, 1.2  # how far from its middle a return explains a point
HALF_M = 88.0  # half the side of the grids: reach, search, and 2 m for the fine search
DRAWN_M = HALF_M - 2 * COARSE_M  # returns farther along an axis are left out
NUM_FINE, NUM_COARSE = round(2 * HALF_M / FINE_M), round(2 * HALF_M / COARSE_M)
ROW = 16  # cells that are read at once, the last of them past the end of a grid


class KeyframeGrids:
    """
    The returns of one keyframe, .53 MB, see PoseSearch.draw.

    :ivar fine: shape (NUM_FINE^2 + ROW,), row after row, row = y, of cells of FINE_M
    :ivar coarse: shape (NUM_COARSE^2 + ROW,), of cells of COARSE_M
    :ivar num_returns: that were drawn
    """

    def __init__(self) -> None:
        """Make room for the returns."""
        self.fine = np.zeros(NUM_FINE**2 + ROW, np.uint8)
        self.coarse = np.zeros(NUM_COARSE**2 + ROW, np.uint8)
        self.num_returns = 0


def _stamp(cell_m: float, width_m: float) -> NDArray[np.uint8]:
    """Return the cells about a return: they fall from PEAK on it to 0 at a width from it."""
    reach = math.ceil(width_m / cell_m) - 1
    steps = np.arange(-reach, reach + 1)
    square = (steps[:, None] ** 2 + steps**2) * (cell_m / width_m) ** 2
    return np.rint(PEAK * np.maximum(1 - square, 0)).astype(np.uint8)


FINE_STAMP, COARSE_STAMP = _stamp(FINE_M, _FINE_WIDTH_M), _stamp(COARSE_M, _COARSE_WIDTH_M)
