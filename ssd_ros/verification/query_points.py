# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The points of a query, and how many of them say something of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.verification.likelihood import PEAK, REACH_M

_POINT_CELL_M = 0.25  # points in one cell count once
_SCENE_CELL_M = 2.0  # points in one cell are explained together or not at all


@dataclass(frozen=True, slots=True)
class QueryPoints:
    """
    Points of a query that are laid over keyframes.

    :param points_m: shape (P, 2), within REACH_M, query frame
    :param cells: shape (P,), of the cell of the scene that a point lies in, from 0
    """

    points_m: NDArray[np.float32]
    cells: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.points_m)

    @property
    def num_distinct(self) -> float:
        """How many points, none near another, would say as much: P^2 / sum of squared counts."""
        counts = np.bincount(self.cells).astype(np.float64)
        return float(len(self) ** 2 / np.square(counts).sum()) if len(self) else 0.0

    def variance(self, explained: NDArray[np.uint8]) -> float:
        """
        Return by how much the explained share varies from scene to scene.

        That is its variance if each cell were there as often as a Poisson process of mean 1 has
        events: few points, or many in few places, vary much.

        :param explained: shape (P,), 0 .. PEAK, see KeyframeGrids.fine_values
        """
        of_cell = np.bincount(self.cells, explained) / (PEAK * len(self))
        return float(np.square(of_cell).sum())


def thinned(points_m: NDArray[np.float32], max_points: int) -> QueryPoints:
    """
    Return at most max_points points within reach, one per cell, spread over the view.

    :param points_m: shape (P, 2), NaN in unusable rows
    """
    near = points_m[np.hypot(points_m[:, 0], points_m[:, 1]) < REACH_M]  # a NaN is not
    first = np.unique(_numbered(near, _POINT_CELL_M), return_index=True)[1]
    points = near[first[:: max(1, -(-len(first) // max_points))]]
    cells = np.unique(_numbered(points, _SCENE_CELL_M), return_inverse=True)[1]
    return QueryPoints(points, cells)


def _numbered(points_m: NDArray[np.float32], cell_m: float) -> NDArray[np.int64]:
    """Return a number of the cell that each point lies in."""
    column, row = np.floor(points_m * (1 / cell_m)).astype(np.int64).T
    return np.asarray(column * 65536 + row)
