# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of towns that are built again: equal blocks, car parks, a district and its copy."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.copies import joined, repeated, Scene
from ssd_ros.simulator.scene.grid import Block
from ssd_ros.simulator.scene.streets import equal_lines, one_row, RIM_M, Streets
from ssd_ros.simulator.scene.town import TownMaker

BEYOND_M = 160.0  # more than any radar sees
_ENDS = (0,), (2,)  # street sides of the blocks at the left and at the right end
_BETWEEN = 1000  # number of the first block between the copies, beyond those of a district


def make_equal_blocks(
    seed: int, config: WorldConfig, kind: str
) -> tuple[Scene, NDArray[np.float64]]:
    """
    Return a grid of blocks that are all the same, and the route through them.

    They reach farther beyond the streets that are driven than a radar sees.

    :param kind: of the block, see `TownMaker.fill_block`
    """
    streets = Streets(seed, _straight(config), equal_lines)
    maker = TownMaker(seed, config, streets)
    maker.fill_block(streets.inner_blocks()[0], kind, 0)
    (xs, _), (ys, _) = streets.lines
    beyond = [int(np.ceil(BEYOND_M / lines[1])) for lines in (xs, ys)]
    across, along = (
        range(-num, len(lines) - 1 + num) for num, lines in zip(beyond, (xs, ys), strict=True)
    )
    numbers = np.array(list(product(across, along)), float)
    shifts_m = streets.to_world(numbers * [xs[1], ys[1]])
    scene = repeated(maker.scene(), shifts_m, seed, config.copy_changes)
    return scene, streets.drawn_route(stream(seed, 'route'))


def make_doubled(seed: int, config: WorldConfig) -> tuple[Scene, NDArray[np.float64]]:
    """
    Return a district, its copy, the two streets between them, and the route.

    The route passes the first copy, then the second one, and comes back on the other street past
    the second and the first: with size_m 420, about 450 m each time. A drive of one copy, or of
    both, is part of a lap.
    """
    streets = Streets(seed, _straight(config), one_row)
    x_lines, y_lines = streets.lines
    left, right = x_lines.low_m, x_lines.high_m
    district = TownMaker(seed, config, streets)
    # Without what would stand across the two streets.
    district.fill(
        [
            replace(block, x_low=max(block.x_low, left), x_high=min(block.x_high, right))
            for block in streets.blocks()
            if block.street_sides not in _ENDS
        ]
    )
    pitch_m = right - left + config.copy_distance_m
    shifts_m = streets.to_world(np.array([[0.0, 0.0], [pitch_m, 0.0]]))
    copies = repeated(district.scene(), shifts_m, seed, config.copy_changes)
    (bottom, bottom_width), (top, top_width) = zip(*y_lines, strict=True)
    gap = right, right + config.copy_distance_m
    between = TownMaker(seed, config, streets)
    for number, (y_low, y_high, sides) in enumerate(
        [
            (y_lines.low_m - RIM_M, y_lines.low_m, (1,)),
            (bottom + bottom_width / 2, top - top_width / 2, (1, 3)),
            (y_lines.high_m, y_lines.high_m + RIM_M, (3,)),
        ]
    ):
        block = Block(gap[0], y_low, gap[1], y_high, sides)
        between.fill_block(block, 'park', _BETWEEN + number)
    first, last = x_lines.centres_m[0], x_lines.centres_m[-1] + pitch_m
    corners = np.array([[first, bottom], [last, bottom], [last, top], [first, top]])
    return joined([copies, between.scene()]), streets.route(corners)


def _straight(config: WorldConfig) -> WorldConfig:
    """Return the settings without bends, where copies would differ."""
    return replace(config, warp_amplitude_m=0.0)
