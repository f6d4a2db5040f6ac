# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The plan of a town: a grid of streets, bent and turned, and the closed route driven in it.

Elements are placed in straight grid coordinates and carried to the world by `Streets.to_world`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream

CORNER_RADIUS_M = 9.0
ROUTE_STEP_M = 0.5
RIM_M = 30.0  # depth of the blocks around the town


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


class Streets:
    """Street lines, blocks between them and the map from grid to world coordinates."""

    def __init__(self, seed: int, config: WorldConfig) -> None:
        self._config = config
        rng = stream(seed, 'streets')
        self._size_m = config.size_m
        self._lines = [_street_lines(rng, config.size_m) for _ in range(2)]
        self._wave_numbers = 2 * np.pi / (rng.uniform(0.7, 1.3, (2, 2)) * config.size_m)
        self._phases = rng.uniform(0, 2 * np.pi, (2, 2))
        angle = rng.uniform(0, 2 * np.pi)
        self._rotation = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        self.route_m = self._route(stream(seed, 'route'))

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

    def blocks(self) -> list[Block]:
        """Return the blocks between the streets and those that close the town to the outside."""
        (xs, x_widths), (ys, y_widths) = self._lines
        inner = [
            Block(
                xs[i] + x_widths[i] / 2,
                ys[j] + y_widths[j] / 2,
                xs[i + 1] - x_widths[i + 1] / 2,
                ys[j + 1] - y_widths[j + 1] / 2,
            )
            for i, j in product(range(len(xs) - 1), range(len(ys) - 1))
        ]
        left, right = xs[0] - x_widths[0] / 2, xs[-1] + x_widths[-1] / 2
        bottom, top = ys[0] - y_widths[0] / 2, ys[-1] + y_widths[-1] / 2
        rim = []
        for low, high in pairwise([left - RIM_M, *xs[1:-1], right + RIM_M]):
            rim.append(Block(low, bottom - RIM_M, high, bottom, (1,)))
            rim.append(Block(low, top, high, top + RIM_M, (3,)))
        for low, high in pairwise([bottom, *ys[1:-1], top]):
            rim.append(Block(left - RIM_M, low, left, high, (2,)))
            rim.append(Block(right, low, right + RIM_M, high, (0,)))
        return inner + rim

    def _bend(self, along: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        (k0, k1), (p0, p1) = self._wave_numbers[axis], self._phases[axis]
        waves = np.sin(k0 * along + p0) + 0.5 * np.sin(1.7 * k1 * along + p1)
        return np.asarray(self._config.warp_amplitude_m * waves)

    def _route(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the centre line of the closed route, world frame, shape (N, 2), N x 0.5 m."""
        corners = self._corners(rng)
        if rng.random() < 0.5:
            corners = corners[::-1]
        # Sampled before and after: straight streets bend on the way to the world.
        in_grid = resample_loop(_rounded(corners), ROUTE_STEP_M)
        return resample_loop(self.to_world(in_grid), ROUTE_STEP_M)

    def _corners(self, rng: np.random.Generator) -> NDArray[np.float64]:
        (xs, _), (ys, _) = self._lines
        candidates: list[tuple[float, list[int]]] = []
        for (i0, i1), (j0, j1) in product(
            combinations(range(len(xs)), 2), combinations(range(len(ys)), 2)
        ):
            length_m = 2 * (xs[i1] - xs[i0] + ys[j1] - ys[j0])
            error = float(abs(np.log(length_m / self._config.route_length_m)))
            candidates.append((error, [i0, i1, j0, j1]))
        best = min(error for error, _ in candidates)
        close = [corners for error, corners in candidates if error < best + 0.05]
        i0, i1, j0, j1 = close[int(rng.integers(len(close)))]
        if i1 - i0 < 2 or j1 - j0 < 2:
            return np.array([[xs[i], ys[j]] for i, j in [(i0, j0), (i1, j0), (i1, j1), (i0, j1)]])
        # Leaving out one corner keeps the length and gives left and right turns.
        i, j = int(rng.integers(i0 + 1, i1)), int(rng.integers(j0 + 1, j1))
        loop = [(i0, j0), (i1, j0), (i1, j), (i, j), (i, j1), (i0, j1)]
        return np.array([[xs[a], ys[b]] for a, b in loop])


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


def _street_lines(
    rng: np.random.Generator, size_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres and widths of the streets along one axis."""
    centres, widths = [0.0], [rng.uniform(12, 20)]
    while centres[-1] < size_m - 60:
        width = rng.uniform(12, 20)
        centres.append(centres[-1] + widths[-1] / 2 + rng.uniform(60, 110) + width / 2)
        widths.append(width)
    return np.array(centres), np.array(widths)


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
