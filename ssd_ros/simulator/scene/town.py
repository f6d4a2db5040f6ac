# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A town: blocks of houses, halls, parks and parking lots between its streets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.buildings import BuildingMaker, Houses
from ssd_ros.simulator.scene.copies import ParkingSlots, Scene, scene_of
from ssd_ros.simulator.scene.elements import ElementBuilder
from ssd_ros.simulator.scene.furniture import (
    add_fence,
    add_hedge,
    add_kerb_furniture,
    add_lamp_posts,
    add_trees,
)
from ssd_ros.simulator.scene.grid import Block, Grid, Kerb, kerbs
from ssd_ros.simulator.scene.ground import add_grass, add_kerb_and_road
from ssd_ros.simulator.scene.streets import drawn_lines, Streets

_SLOT_LENGTH_M = 6.5
_FOREST_M2_PER_TREE = 25


@dataclass(frozen=True, slots=True)
class TownStyle:
    """
    What blocks there are and what stands on them.

    :param shares: of the kinds of blocks, see `TownMaker.fill_block`
    :param block_m: length of their sides
    :param kerb_parking: share of the kerbs at which vehicles may be parked
    """

    shares: dict[str, float]
    block_m: tuple[float, float] = (60, 110)
    street_width_m: tuple[float, float] = (12, 20)
    houses: Houses = field(default_factory=Houses)
    kerb_parking: float = 0.7


_COTTAGES = Houses((8, 14), (8, 12), (4, 8), (4, 9), (4.0, 6.0, 8.0, 12.0))
STYLES = {
    'town': TownStyle({'urban': 0.5, 'campus': 0.2, 'park': 0.15, 'parking lot': 0.15}),
    'suburb': TownStyle(
        {'urban': 0.75, 'park': 0.2, 'parking lot': 0.05}, (50, 90), (11, 15), _COTTAGES
    ),
    'industrial': TownStyle(
        {'campus': 0.55, 'parking lot': 0.3, 'urban': 0.1, 'park': 0.05}, (80, 140), (14, 24)
    ),
    'forest_edge': TownStyle(
        {'forest': 0.6, 'park': 0.15, 'urban': 0.25}, (60, 110), (11, 16), _COTTAGES, 0.3
    ),
    'old_town': TownStyle(
        {'urban': 0.9, 'park': 0.1},
        (35, 60),
        (10, 12),
        Houses((6, 12), (8, 11), (8, 18), (0.3, 1.2), (0.0,)),
        0.4,
    ),
    'campus': TownStyle(
        {'campus': 0.6, 'park': 0.3, 'parking lot': 0.1}, (90, 150), (12, 16), Houses(), 0.3
    ),
}


def make_town(
    seed: int, config: WorldConfig, kind: str = 'town'
) -> tuple[Scene, NDArray[np.float64]]:
    """
    Return a town and the centre line of its route, shape (N, 2).

    :param kind: one of STYLES
    """
    style = STYLES[kind]
    draw_lines = partial(drawn_lines, block_m=style.block_m, width_m=style.street_width_m)
    streets = Streets(seed, config, draw_lines)
    route_m = streets.drawn_route(stream(seed, 'route'))
    maker = TownMaker(seed, config, streets, style)
    maker.fill(streets.blocks())
    return maker.scene(), route_m


class TownMaker:
    """Fills blocks and the streets around them."""

    def __init__(
        self, seed: int, config: WorldConfig, grid: Grid, style: TownStyle = STYLES['town']
    ) -> None:
        self._seed = seed
        self._grid = grid
        self._style = style
        self._buildings = BuildingMaker(seed, config, grid)
        self._slots: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        self._builder = ElementBuilder()

    def scene(self) -> Scene:
        """Return all that was filled so far."""
        if not self._slots:
            return scene_of(self._builder)
        grid_m = np.vstack([xy for xy, _ in self._slots])
        heading = np.concatenate([heading for _, heading in self._slots])
        return scene_of(
            self._builder,
            ParkingSlots(
                self._grid.to_world(grid_m), self._grid.heading_to_world(grid_m, heading)
            ),
        )

    def fill(self, blocks: list[Block]) -> None:
        """Fill all blocks of a town, each with something drawn for it."""
        shares = self._style.shares
        kinds = stream(self._seed, 'block-kinds').choice(
            list(shares), len(blocks), p=list(shares.values())
        )
        for index, block in enumerate(blocks):
            self.fill_block(block, str(kinds[index]), index)

    def fill_block(self, block: Block, kind: str, index: int) -> None:
        """
        Fill a block and line the streets around it.

        :param kind: urban, campus, park, forest or parking lot
        :param index: its number, for its random streams
        """
        facades = stream(self._seed, 'facades', frame=index)
        plants = stream(self._seed, 'plants', frame=index)
        match kind:
            case 'urban':
                self._buildings.add_rows(self._builder, block, facades, self._style.houses)
                add_grass(self._builder, self._grid, block, 0.08, -14, plants)
            case 'campus':
                self._buildings.add_halls(self._builder, block, facades)
                self._add_park(block, plants, 200)
            case 'park' | 'forest':
                self._add_park(block, plants, 60 if kind == 'park' else _FOREST_M2_PER_TREE)
            case _:
                self._add_lot(block, plants)
        for side, kerb in enumerate(kerbs(block)):
            self.line_street(kerb, 4 * index + side)

    def line_street(self, kerb: Kerb, index: int) -> None:
        """
        Furnish one side of a street.

        :param index: its number, for its random streams
        """
        road = stream(self._seed, 'kerb', frame=index)
        add_kerb_and_road(self._builder, self._grid, kerb, road)
        furniture = stream(self._seed, 'furniture', frame=index)
        add_kerb_furniture(self._builder, self._grid, kerb, furniture)
        parked = self._style.kerb_parking
        if stream(self._seed, 'kerb-parking', frame=index).random() < parked:
            along_m = np.asarray(np.arange(10.0, kerb.length_m - 10, _SLOT_LENGTH_M))
            heading = np.arctan2(*kerb.direction[::-1])
            self._slots.append((kerb.points(along_m, -1.1), np.full(len(along_m), heading)))

    def _add_park(self, block: Block, rng: np.random.Generator, m2_per_tree: float) -> None:
        low = np.array([block.x_low, block.y_low])
        high = np.array([block.x_high, block.y_high])
        trees = rng.uniform(low + 3, high - 3, (int(block.area_m2 / m2_per_tree), 2))
        builder, grid = self._builder, self._grid
        add_trees(builder, grid.to_world(trees), rng)
        for _ in range(int(rng.integers(3, 8))):
            start = rng.uniform(low + 2, high - 2)
            end = np.clip(start + rng.uniform(-25, 25, 2), low + 2, high - 2)
            add_hedge(builder, grid, start, end, rng)
        for kerb in kerbs(block):
            ends = kerb.points(np.array([4.0, kerb.length_m - 4.0]), 2.0)
            style = rng.random()
            if style < 0.35:
                add_fence(builder, grid, ends[0], ends[1], rng)
            elif style < 0.5:
                add_fence(builder, grid, ends[0], ends[1], rng, is_rail=True)
            elif style < 0.75:
                add_hedge(builder, grid, ends[0], ends[1], rng)
        add_grass(builder, grid, block, 0.3, -16, rng)

    def _add_lot(self, block: Block, rng: np.random.Generator) -> None:
        width = block.x_high - block.x_low
        y_rows = np.arange(block.y_low + 6, block.y_high - 5, rng.uniform(11, 16))
        x_slots = np.arange(block.x_low + 5, block.x_high - 5, 2.7)
        grid_m = np.stack(np.meshgrid(x_slots, y_rows), axis=-1).reshape(-1, 2)
        self._slots.append((grid_m, np.full(len(grid_m), np.pi / 2)))
        lamps_x = np.arange(block.x_low + 8, block.x_low + width - 5, 25.0)
        lamps = np.stack(np.meshgrid(lamps_x, y_rows[::2] + 3.5), axis=-1).reshape(-1, 2)
        builder, grid = self._builder, self._grid
        add_lamp_posts(builder, grid.to_world(lamps), rng)
        for kerb in kerbs(block):
            if rng.random() < 0.5:
                ends = kerb.points(np.array([6.0, kerb.length_m - 6.0]), 1.5)
                add_fence(builder, grid, ends[0], ends[1], rng)
        add_grass(builder, grid, block, 0.1, -14, rng)
