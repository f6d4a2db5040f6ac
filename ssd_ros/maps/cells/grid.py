# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Squares of the ground: which one a keyframe lies in, and which ones a prior reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.neighbours import Prior

CELL_M = 512.0


def cells_of(positions_m: NDArray[np.float64]) -> NDArray[np.int32]:
    """
    Return the column and row of the square of each position, shape (N, 2).

    :param positions_m: shape (N, 2) or (N, 3), map frame
    """
    return np.floor(positions_m[:, :2] / CELL_M).astype(np.int32)


def are_reached(cells: NDArray[np.int32], prior: Prior) -> NDArray[np.bool_]:
    """
    Return which squares the circle of a prior touches, shape (C,).

    :param cells: shape (C, 2), columns and rows
    """
    centre_m = np.array([prior.x_m, prior.y_m])
    low_m = cells * CELL_M
    nearest_m = np.clip(centre_m, low_m, low_m + CELL_M)
    return np.asarray(np.hypot(*(nearest_m - centre_m).T) <= prior.radius_m)


def file_name(cell: Sequence[int] | NDArray[np.int32], sha256: bytes) -> str:
    """
    Return the name of the file of a square, such as `-3_12.0f8d62c1a97be354.cell`.

    :param sha256: of what it holds, by which its states have names of their own
    """
    return f'{cell[0]}_{cell[1]}.{sha256.hex()[:16]}.cell'
