# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The plan of a town: streets that cross, the blocks between them and a closed route."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.grid import Block, Grid

RIM_M = 30.0  # depth of the blocks around the town
_STREET_WIDTH_M = (12, 20)
_BLOCK_M = (60, 110)


class Lines(NamedTuple):
    """
    Streets along one axis of the grid.

    :param centres_m: shape (N,), ascending
    :param widths_m: shape (N,)
    """

    centres_m: NDArray[np.float64]
    widths_m: NDArray[np.float64]

    @property
    def low_m(self) -> float:
        """Where the first street begins."""
        return float(self.centres_m[0] - self.widths_m[0] / 2)

    @property
    def high_m(self) -> float:
        """Where the last street ends."""
        return float(self.centres_m[-1] + self.widths_m[-1] / 2)


def drawn_lines(
    rng: np.random.Generator,
    size_m: float,
    block_m: tuple[float, float] = _BLOCK_M,
    width_m: tuple[float, float] = _STREET_WIDTH_M,
) -> tuple[Lines, Lines]:
    """Draw streets over a square, each with its width and distance."""
    return _drawn(rng, size_m, block_m, width_m), _drawn(rng, size_m, block_m, width_m)


def one_row(rng: np.random.Generator, size_m: float) -> tuple[Lines, Lines]:
    """Draw two streets along x and as many across as the length needs."""
    return _drawn(rng, size_m), _drawn(rng, _BLOCK_M[0] + 1)


def equal_lines(rng: np.random.Generator, size_m: float) -> tuple[Lines, Lines]:
    """Draw streets over a square, all of one width and, along each axis, at one distance."""
    width = rng.uniform(*_STREET_WIDTH_M)
    pitches = width + rng.uniform(*_BLOCK_M, 2)
    nums = 2 + ((size_m - _BLOCK_M[0]) / pitches).astype(int)
    x_lines, y_lines = (
        Lines(pitch * np.arange(num), np.full(num, width))
        for pitch, num in zip(pitches, nums, strict=True)
    )
    return x_lines, y_lines


class Streets(Grid):
    """
    Street lines and the blocks between them.

    :param draw_lines: draws those across x and those across y
    """

    def __init__(
        self,
        seed: int,
        config: WorldConfig,
        draw_lines: Callable[[np.random.Generator, float], tuple[Lines, Lines]] = drawn_lines,
    ) -> None:
        self._config = config
        rng = stream(seed, 'streets')
        self.lines = draw_lines(rng, config.size_m)
        super().__init__(rng, config.size_m, config.warp_amplitude_m)

    def inner_blocks(self) -> list[Block]:
        """Return the blocks between the streets."""
        (xs, x_widths), (ys, y_widths) = self.lines
        return [
            Block(
                xs[i] + x_widths[i] / 2,
                ys[j] + y_widths[j] / 2,
                xs[i + 1] - x_widths[i + 1] / 2,
                ys[j + 1] - y_widths[j + 1] / 2,
            )
            for i, j in product(range(len(xs) - 1), range(len(ys) - 1))
        ]

    def blocks(self) -> list[Block]:
        """Return the blocks between the streets and those that close the town to the outside."""
        x_lines, y_lines = self.lines
        xs, ys = x_lines.centres_m, y_lines.centres_m
        left, right = x_lines.low_m, x_lines.high_m
        bottom, top = y_lines.low_m, y_lines.high_m
        rim = []
        for low, high in pairwise([left - RIM_M, *xs[1:-1], right + RIM_M]):
            rim.append(Block(low, bottom - RIM_M, high, bottom, (1,)))
            rim.append(Block(low, top, high, top + RIM_M, (3,)))
        for low, high in pairwise([bottom, *ys[1:-1], top]):
            rim.append(Block(left - RIM_M, low, left, high, (2,)))
            rim.append(Block(right, low, right + RIM_M, high, (0,)))
        return self.inner_blocks() + rim

    def drawn_route(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the centre line of a closed route, world frame, shape (N, 2), N x 0.5 m."""
        corners = self._corners(rng)
        if rng.random() < 0.5:
            corners = corners[::-1]
        return self.route(corners)

    def _corners(self, rng: np.random.Generator) -> NDArray[np.float64]:
        (xs, _), (ys, _) = self.lines
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


def _drawn(
    rng: np.random.Generator,
    size_m: float,
    block_m: tuple[float, float] = _BLOCK_M,
    width_m: tuple[float, float] = _STREET_WIDTH_M,
) -> Lines:
    centres, widths = [0.0], [rng.uniform(*width_m)]
    while centres[-1] < size_m - block_m[0]:
        width = rng.uniform(*width_m)
        centres.append(centres[-1] + widths[-1] / 2 + rng.uniform(*block_m) + width / 2)
        widths.append(width)
    return Lines(np.array(centres), np.array(widths))
