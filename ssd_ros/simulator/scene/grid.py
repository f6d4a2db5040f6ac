# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Straight grid coordinates, in which elements are placed, and the way from them to the world.

Blocks, kerbs and routes are drawn in the grid; `Grid.to_world` bends and turns them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CORNER_RADIUS_M = 9.0
ROUTE_STEP_M = 0.5


@dataclass(frozen=True, slots=True)
class Block:
    """
    A rectangle between streets in grid coordinates.

    :param street_sides: which of left, top, right, bottom face a street
    """

    x_low: float
    y_low: float
    x_high: float
    y_high: float
    street_sides: tuple[int, ...] = (0, 1, 2, 3)

    @property
    def area_m2(self) -> float:
        """Area in grid coordinates."""
        return (self.x_high - self.x_low) * (self.y_high - self.y_low)


@dataclass(frozen=True, slots=True)
class Kerb:
    """One side of a street between two crossings, with the street on the left."""

    start: NDArray[np.float64]
    end: NDArray[np.float64]

    @property
    def length_m(self) -> float:
        """Length in grid coordinates."""
        return float(np.hypot(*(self.end - self.start)))

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vector along the kerb."""
        return (self.end - self.start) / self.length_m

    @property
    def inward(self) -> NDArray[np.float64]:
        """Unit vector from the street to the block."""
        along_x, along_y = self.direction
        return np.array([along_y, -along_x])

    def points(
        self, along_m: NDArray[np.float64], inward_m: NDArray[np.float64] | float = 0.0
    ) -> NDArray[np.float64]:
        """Return points at a distance along the kerb and behind it, shape (N, 2)."""
        inward_m = np.broadcast_to(inward_m, np.shape(along_m))
        return self.start + np.outer(along_m, self.direction) + np.outer(inward_m, self.inward)


class Grid:
    """
    The map from grid to world coordinates.

    :param size_m: length over which it bends
    :param warp_m: amplitude of the bends, 0 = straight
    """

    def __init__(self, rng: np.random.Generator, size_m: float, warp_m: float) -> None:
        self._warp_m = warp_m
        self._wave_numbers = 2 * np.pi / (rng.uniform(0.7, 1.3, (2, 2)) * size_m)
        self._phases = rng.uniform(0, 2 * np.pi, (2, 2))
        angle = rng.uniform(0, 2 * np.pi)
        self._rotation = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )

    def to_world(self, grid_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Carry points from grid to world coordinates.

        :param grid_m: shape (N, 2)
        """
        x, y = grid_m[:, 0], grid_m[:, 1]
        bent = np.column_stack([x + self._bend(y, 0), y + self._bend(x, 1)])
        return bent @ self._rotation.T

    def heading_to_world(
        self, grid_m: NDArray[np.float64], heading_rad: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the world heading of a grid heading at each point, shape (N,)."""
        step = 0.5 * np.column_stack([np.cos(heading_rad), np.sin(heading_rad)])
        ahead = self.to_world(grid_m + step) - self.to_world(grid_m - step)
        return np.arctan2(ahead[:, 1], ahead[:, 0])

    def route(self, corners_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return a closed line through rectangular corners, in world coordinates.

        :param corners_m: grid coordinates, shape (C, 2)
        :return: shape (N, 2), N x 0.5 m; it begins with the first corner
        """
        # Sampled before and after: straight streets bend on the way to the world.
        in_grid = resample_loop(_rounded(corners_m), ROUTE_STEP_M)
        return resample_loop(self.to_world(in_grid), ROUTE_STEP_M)

    def _bend(self, along: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        (k0, k1), (p0, p1) = self._wave_numbers[axis], self._phases[axis]
        waves = np.sin(k0 * along + p0) + 0.5 * np.sin(1.7 * k1 * along + p1)
        return np.asarray(self._warp_m * waves)


def kerbs(block: Block) -> list[Kerb]:
    """Return the sides of a block that face a street."""
    corners = np.array(
        [
            [block.x_low, block.y_low],
            [block.x_low, block.y_high],
            [block.x_high, block.y_high],
            [block.x_high, block.y_low],
        ]
    )
    return [Kerb(corners[side], corners[(side + 1) % 4]) for side in block.street_sides]


def resample_loop(points_m: NDArray[np.float64], step_m: float) -> NDArray[np.float64]:
    """Return points of a closed line at equal distances of about step_m, the first kept."""
    closed = np.vstack([points_m, points_m[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    wanted = np.linspace(0.0, along[-1], round(along[-1] / step_m), endpoint=False)
    return np.column_stack([np.interp(wanted, along, closed[:, axis]) for axis in range(2)])


def _rounded(corners_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed line through rectangular corners with arcs in them, shape (N, 2)."""
    pieces = []
    for index, corner in enumerate(corners_m):
        before = corners_m[index - 1] - corner
        after = corners_m[(index + 1) % len(corners_m)] - corner
        before, after = before / np.hypot(*before), after / np.hypot(*after)
        centre = corner + CORNER_RADIUS_M * (before + after)
        angle = np.linspace(0, np.pi / 2, 30)[:, None]
        pieces.append(centre - CORNER_RADIUS_M * (after * np.cos(angle) + before * np.sin(angle)))
    return np.vstack(pieces)
