# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A place: everything that stays the same from one session to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.buildings import BuildingMaker
from ssd_ros.simulator.scene.elements import ElementBuilder
from ssd_ros.simulator.scene.furniture import (
    add_fence,
    add_hedge,
    add_kerb_furniture,
    add_lamp_posts,
    add_trees,
)
from ssd_ros.simulator.scene.ground import add_grass, add_kerb_and_road
from ssd_ros.simulator.scene.streets import Block, kerbs, Streets

_BLOCK_SHARES = {'urban': 0.5, 'campus': 0.2, 'park': 0.15, 'parking lot': 0.15}
_KERB_PARKING_SHARE = 0.7
_SLOT_LENGTH_M = 6.5


class ParkingSlots(NamedTuple):
    """
    Where cars can be parked.

    :param xy_m: shape (N, 2), world frame
    :param heading_rad: shape (N,), world frame
    """

    xy_m: NDArray[np.float64]
    heading_rad: NDArray[np.float64]


class World:
    """
    A procedural town with a closed route through it.

    :param seed: 0 or more; see config.py for which seeds serve which purpose
    """

    def __init__(self, seed: int, config: WorldConfig | None = None) -> None:
        if seed < 0:
            raise ValueError(f'the world seed is {seed}, expected 0 or more')
        self.seed = seed
        self.config = config or WorldConfig()
        self._streets = Streets(seed, self.config)
        self._buildings = BuildingMaker(seed, self.config, self._streets)
        self._slots: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
        builder = ElementBuilder()
        kinds = stream(seed, 'block-kinds').choice(
            list(_BLOCK_SHARES), len(self._streets.blocks()), p=list(_BLOCK_SHARES.values())
        )
        for index, block in enumerate(self._streets.blocks()):
            self._fill_block(builder, block, str(kinds[index]), index)
        self.scatterers = builder.scatterers()
        self.occluders = builder.occluders()
        self.num_owners = builder.num_owners
        self.slots = self._world_slots()

    @property
    def route_m(self) -> NDArray[np.float64]:
        """Centre line of the closed route, shape (N, 2), about 0.5 m apart."""
        return self._streets.route_m

    def _fill_block(self, builder: ElementBuilder, block: Block, kind: str, index: int) -> None:
        facades = stream(self.seed, 'facades', frame=index)
        plants = stream(self.seed, 'plants', frame=index)
        match kind:
            case 'urban':
                self._buildings.add_rows(builder, block, facades)
                add_grass(builder, self._streets, block, 0.08, -14, plants)
            case 'campus':
                self._buildings.add_halls(builder, block, facades)
                self._add_park(builder, block, plants, 200)
            case 'park':
                self._add_park(builder, block, plants, 60)
            case _:
                self._add_lot(builder, block, plants)
        for side, kerb in enumerate(kerbs(block)):
            frame = 4 * index + side
            add_kerb_and_road(builder, self._streets, kerb, stream(self.seed, 'kerb', frame=frame))
            furniture = stream(self.seed, 'furniture', frame=frame)
            add_kerb_furniture(builder, self._streets, kerb, furniture)
            if stream(self.seed, 'kerb-parking', frame=frame).random() < _KERB_PARKING_SHARE:
                along_m = np.asarray(np.arange(10.0, kerb.length_m - 10, _SLOT_LENGTH_M))
                heading = np.arctan2(*kerb.direction[::-1])
                self._slots.append((kerb.points(along_m, -1.1), np.full(len(along_m), heading)))

    def _add_park(
        self, builder: ElementBuilder, block: Block, rng: np.random.Generator, m2_per_tree: float
    ) -> None:
        low = np.array([block.x_low, block.y_low])
        high = np.array([block.x_high, block.y_high])
        trees = rng.uniform(low + 3, high - 3, (int(block.area_m2 / m2_per_tree), 2))
        add_trees(builder, self._streets.to_world(trees), rng)
        for _ in range(int(rng.integers(3, 8))):
            start = rng.uniform(low + 2, high - 2)
            end = np.clip(start + rng.uniform(-25, 25, 2), low + 2, high - 2)
            add_hedge(builder, self._streets, start, end, rng)
        for kerb in kerbs(block):
            ends = kerb.points(np.array([4.0, kerb.length_m - 4.0]), 2.0)
            style = rng.random()
            if style < 0.35:
                add_fence(builder, self._streets, ends[0], ends[1], rng)
            elif style < 0.5:
                add_fence(builder, self._streets, ends[0], ends[1], rng, is_rail=True)
            elif style < 0.75:
                add_hedge(builder, self._streets, ends[0], ends[1], rng)
        add_grass(builder, self._streets, block, 0.3, -16, rng)

    def _add_lot(self, builder: ElementBuilder, block: Block, rng: np.random.Generator) -> None:
        width = block.x_high - block.x_low
        y_rows = np.arange(block.y_low + 6, block.y_high - 5, rng.uniform(11, 16))
        x_slots = np.arange(block.x_low + 5, block.x_high - 5, 2.7)
        grid = np.stack(np.meshgrid(x_slots, y_rows), axis=-1).reshape(-1, 2)
        self._slots.append((grid, np.full(len(grid), np.pi / 2)))
        lamps_x = np.arange(block.x_low + 8, block.x_low + width - 5, 25.0)
        lamps = np.stack(np.meshgrid(lamps_x, y_rows[::2] + 3.5), axis=-1).reshape(-1, 2)
        add_lamp_posts(builder, self._streets.to_world(lamps), rng)
        for kerb in kerbs(block):
            if rng.random() < 0.5:
                ends = kerb.points(np.array([6.0, kerb.length_m - 6.0]), 1.5)
                add_fence(builder, self._streets, ends[0], ends[1], rng)
        add_grass(builder, self._streets, block, 0.1, -14, rng)

    def _world_slots(self) -> ParkingSlots:
        grid = np.vstack([xy for xy, _ in self._slots])
        heading = np.concatenate([heading for _, heading in self._slots])
        return ParkingSlots(
            self._streets.to_world(grid), self._streets.heading_to_world(grid, heading)
        )
