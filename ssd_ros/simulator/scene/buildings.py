# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Buildings: plans along the streets, facades drawn from few templates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind
from ssd_ros.simulator.scene.grid import Block, Grid, Kerb, kerbs

WALL_TRANSMISSION = 0.02
FACET_STEP_M = 0.45  # more, and the rings of single facets become visible
MAX_PIECE_M = 14.0  # of a wall that follows a bend
_WINDOW_HEIGHTS_M = (1.6, 4.6, 7.6)


@dataclass(frozen=True, slots=True)
class Facade:
    """A style of walls, such as buildings of a town share."""

    period_m: float
    window_dbsm: float
    diffuse_dbsm: float
    specular_dbsm: float
    normal_jitter_deg: float
    relief_m: float
    num_window_rows: int
    corner_probability: float  # of a balcony or door, per window bay


@dataclass(frozen=True, slots=True)
class _Plan:
    """What clones share: size, style and the seed of all details."""

    length_m: float
    depth_m: float
    height_m: float
    facade: int
    detail: int


@dataclass(frozen=True, slots=True)
class Houses:
    """From and to which size houses in a row are drawn, and what lies between them."""

    length_m: tuple[float, float] = (10, 28)
    depth_m: tuple[float, float] = (10, 14)
    height_m: tuple[float, float] = (6, 22)
    set_back_m: tuple[float, float] = (1.5, 4)
    gaps_m: tuple[float, ...] = (0.0, 0.0, 2.0, 5.0)


class BuildingMaker:
    """Fills blocks with buildings."""

    def __init__(self, seed: int, config: WorldConfig, grid: Grid) -> None:
        self._seed = seed
        self._config = config
        self._grid = grid
        rng = stream(seed, 'facade-templates')
        self._facades = [_draw_facade(rng) for _ in range(config.num_facade_templates)]
        self._num_details = 0

    def add_rows(
        self, builder: ElementBuilder, block: Block, rng: np.random.Generator, houses: Houses
    ) -> None:
        """Line all four sides of a block with buildings."""
        sizes = houses.length_m, houses.depth_m, houses.height_m
        for kerb in kerbs(block):
            set_back = rng.uniform(*houses.set_back_m)
            along, plan = set_back, self._draw_plan(rng, *sizes)
            while along + plan.length_m < kerb.length_m - 14 - set_back:
                self._add_building(builder, plan, kerb, along, set_back)
                along += plan.length_m + rng.choice(houses.gaps_m)
                fresh = self._draw_plan(rng, *sizes)
                plan = plan if rng.random() < self._config.repeat_probability else fresh

    def add_halls(self, builder: ElementBuilder, block: Block, rng: np.random.Generator) -> None:
        """Put one to three large halls on a block."""
        sides = kerbs(block)
        kerb = sides[rng.integers(len(sides))]
        num = int(rng.integers(1, 4))
        room_m = kerb.length_m / num
        inside_m = block.area_m2 / kerb.length_m
        for index in range(num):
            length = (0.5 * room_m, 0.8 * room_m)
            plan = self._draw_plan(rng, length, (0.35 * inside_m, 0.55 * inside_m), (8, 18))
            along = index * room_m + 0.1 * room_m
            self._add_building(builder, plan, kerb, along, rng.uniform(6, 0.3 * inside_m))

    def _draw_plan(
        self,
        rng: np.random.Generator,
        length: tuple[float, float],
        depth: tuple[float, float],
        height: tuple[float, float],
    ) -> _Plan:
        self._num_details += 1
        return _Plan(
            rng.uniform(*length),
            rng.uniform(*depth),
            rng.uniform(*height),
            int(rng.integers(len(self._facades))),
            self._num_details,
        )

    def _add_building(
        self, builder: ElementBuilder, plan: _Plan, kerb: Kerb, along_m: float, set_back_m: float
    ) -> None:
        near, far = set_back_m, set_back_m + plan.depth_m
        corners = kerb.points(
            along_m + np.array([0.0, plan.length_m, plan.length_m, 0.0]),
            np.array([near, near, far, far]),
        )
        rng = stream(self._seed, 'facade-details', frame=plan.detail)
        facade = self._facades[plan.facade]
        for side in range(4):
            ends = corners[side], corners[(side + 1) % 4]
            add_wall(builder, self._grid, facade, plan.height_m, *ends, rng)


def add_wall(
    builder: ElementBuilder,
    grid: Grid,
    facade: Facade,
    height_m: float,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """
    Add a wall whose outer side is on its left.

    :param start: grid coordinates, shape (2,); so is end
    """
    length_m = float(np.hypot(*(end - start)))
    num_pieces = int(np.ceil(length_m / MAX_PIECE_M))
    stops = np.linspace(0, 1, num_pieces + 1)[:, None]
    ends = grid.to_world(start + stops * (end - start))
    owner = builder.new_owners(1)[0]
    builder.add_walls(Kind.BUILDING, ends[:-1], ends[1:], 0.0, height_m, WALL_TRANSMISSION, owner)
    details = _wall_details(facade, length_m, height_m, rng)
    fraction = details.along_m / length_m
    piece = np.minimum((fraction * num_pieces).astype(int), num_pieces - 1)
    run = (ends[1:] - ends[:-1])[piece]
    run_m = np.hypot(*run.T)[:, None]
    outward = np.column_stack([-run[:, 1], run[:, 0]]) / run_m
    on_wall = ends[piece] + (fraction * num_pieces - piece)[:, None] * run
    builder.add_scatterers(
        Kind.BUILDING,
        on_wall + details.relief_m[:, None] * outward,
        np.minimum(details.z_m, height_m),
        details.diffuse_dbsm,
        width_deg=details.width_deg,
        specular_dbsm=details.specular_dbsm,
        specular_width_deg=3.0,
        normal_rad=np.arctan2(*outward.T[::-1]) + details.normal_offset_rad,
        owner=owner,
    )


@dataclass(frozen=True, slots=True)
class _WallDetails:
    """Scatterers of a wall, all of shape (N,); relief is measured outwards."""

    along_m: NDArray[np.float64]
    relief_m: NDArray[np.float64]
    z_m: NDArray[np.float64]
    diffuse_dbsm: NDArray[np.float64]
    width_deg: NDArray[np.float64]
    specular_dbsm: NDArray[np.float64]
    normal_offset_rad: NDArray[np.float64]


def _draw_facade(rng: np.random.Generator) -> Facade:
    return Facade(
        period_m=rng.choice([2.4, 3.0, 3.6, 4.2, 5.0]),
        window_dbsm=rng.normal(-1, 3),
        diffuse_dbsm=rng.normal(-10, 2.5),
        specular_dbsm=rng.normal(14, 3.5),
        normal_jitter_deg=rng.uniform(0.3, 2.5),
        relief_m=rng.uniform(0.02, 0.3),
        num_window_rows=int(rng.integers(1, 4)),
        corner_probability=rng.uniform(0.03, 0.2),
    )


def _wall_details(
    facade: Facade, length_m: float, height_m: float, rng: np.random.Generator
) -> _WallDetails:
    """Draw the facets, window bays, balconies, pipes and corners of one wall."""
    facets = np.arange(FACET_STEP_M / 2, length_m, FACET_STEP_M)
    bays = np.arange(facade.period_m / 2, length_m, facade.period_m)
    rows = np.array(_WINDOW_HEIGHTS_M[: facade.num_window_rows])
    rows = rows[rows < height_m]
    windows = np.repeat(bays, len(rows))
    niches = bays[rng.random(len(bays)) < facade.corner_probability]
    extras = rng.uniform(0, length_m, int(length_m // 9))
    corners = np.array([0.05, length_m - 0.05])
    counts = [len(part) for part in (facets, windows, niches, extras, corners)]
    total = sum(counts)

    def by_class(*values: float) -> NDArray[np.float64]:
        return np.repeat(values, counts)

    mean_dbsm = by_class(facade.diffuse_dbsm, facade.window_dbsm, 13, 5, 6)
    spread_db = by_class(2.5, 2, 4.5, 3, 3)
    specular_dbsm = facade.specular_dbsm + 2 * rng.standard_normal(total)
    z_m = rng.uniform(by_class(0.4, 0, 0.3, 0.4, 0.4), by_class(3.2, 1, 5, 3.2, 3.2))
    z_m[counts[0] : counts[0] + counts[1]] = np.tile(rows, len(bays))
    jitter_rad = np.deg2rad(facade.normal_jitter_deg) * rng.standard_normal(total)
    return _WallDetails(
        along_m=np.concatenate([facets, windows, niches, extras, corners]),
        relief_m=facade.relief_m * rng.random(total),
        z_m=z_m,
        diffuse_dbsm=mean_dbsm + spread_db * rng.standard_normal(total),
        width_deg=by_class(35, 50, 28, 60, 60),
        specular_dbsm=np.where(np.arange(total) < counts[0], specular_dbsm, -90.0),
        normal_offset_rad=jitter_rad,
    )
