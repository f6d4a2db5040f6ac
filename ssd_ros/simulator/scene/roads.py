# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Long straight roads where every piece is like the last: an avenue, a motorway, a tunnel.

Two carriageways run side by side and a lap uses both. The pieces go on beyond the turns at the
ends, farther than a radar sees, so that neither end tells where a vehicle is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import WorldConfig
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.buildings import add_wall, Facade
from ssd_ros.simulator.scene.copies import joined, repeated, Scene, scene_of
from ssd_ros.simulator.scene.elements import ElementBuilder
from ssd_ros.simulator.scene.furniture import (
    add_fence,
    add_hedge,
    add_lamp_posts,
    add_small_furniture,
    add_trees,
)
from ssd_ros.simulator.scene.grid import Block, CORNER_RADIUS_M, Grid, Kerb
from ssd_ros.simulator.scene.ground import add_grass, add_kerb_and_road

_BEYOND_M = 200.0  # more than any radar sees
_INNER_M, _OUTER_M = 4.0, 14.5  # kerbs of a carriageway from the middle between the two
_VERGE_M = 30.0
_TUNNEL_HEIGHT_M = 6.0
_CONCRETE = Facade(
    period_m=5.0,  # joints
    window_dbsm=-4.0,
    diffuse_dbsm=-14.0,
    specular_dbsm=12.0,
    normal_jitter_deg=1.0,
    relief_m=0.05,
    num_window_rows=1,
    corner_probability=0.0,
)

Side = Callable[[ElementBuilder, Grid, Kerb, np.random.Generator], None]


def _avenue(builder: ElementBuilder, grid: Grid, kerb: Kerb, rng: np.random.Generator) -> None:
    add_trees(builder, grid.to_world(kerb.points(np.arange(5.0, kerb.length_m, 10.0), 1.5)), rng)
    _add_lamps(builder, grid, kerb, rng)
    posts = kerb.points(np.arange(0.0, kerb.length_m, 25.0), 0.3)
    add_small_furniture(builder, grid.to_world(posts), rng)
    start, end = kerb.points(np.array([0.0, kerb.length_m]), 3.0)
    add_hedge(builder, grid, start, end, rng)


def _motorway(builder: ElementBuilder, grid: Grid, kerb: Kerb, rng: np.random.Generator) -> None:
    start, end = kerb.points(np.array([0.0, kerb.length_m]), 0.6)
    add_fence(builder, grid, start, end, rng, is_rail=True)
    _add_lamps(builder, grid, kerb, rng)


def _tunnel(builder: ElementBuilder, grid: Grid, kerb: Kerb, rng: np.random.Generator) -> None:
    start, end = kerb.points(np.array([0.0, kerb.length_m]), 0.8)
    add_wall(builder, grid, _CONCRETE, _TUNNEL_HEIGHT_M, start, end, rng)
    _add_lamps(builder, grid, kerb, rng)


def _add_lamps(builder: ElementBuilder, grid: Grid, kerb: Kerb, rng: np.random.Generator) -> None:
    """Add one lamp in the middle of the piece."""
    add_lamp_posts(builder, grid.to_world(kerb.points(np.array([kerb.length_m / 2]), 0.4)), rng)


class _Road(NamedTuple):
    """
    What a kind of road repeats.

    :param piece_m: length of what is repeated
    :param grass_m: width of the grass behind the outer kerbs
    """

    add_side: Side
    piece_m: float
    grass_m: float


_ROADS = {
    'avenue': _Road(_avenue, 50.0, _VERGE_M),
    'motorway': _Road(_motorway, 50.0, _VERGE_M),
    'tunnel': _Road(_tunnel, 25.0, 0.0),
}


def make_road(seed: int, config: WorldConfig, kind: str) -> tuple[Scene, NDArray[np.float64]]:
    """
    Return a road and the centre line of its route, which turns to the left at both ends.

    :param kind: avenue, motorway or tunnel
    """
    road = _ROADS[kind]
    grid = Grid(stream(seed, 'streets'), config.size_m, 0.0)
    straight_m = (config.route_length_m - 2 * np.pi * CORNER_RADIUS_M) / 2
    num = max(1, round(straight_m / road.piece_m))
    beyond = int(np.ceil(_BEYOND_M / road.piece_m))
    pieces = np.arange(-beyond, num + beyond)
    is_turn = (pieces == -1) | (pieces == num)

    def laid(scene: Scene, numbers: NDArray[np.int64]) -> Scene:
        shifts_m = grid.to_world(np.column_stack([road.piece_m * numbers, np.zeros(len(numbers))]))
        return repeated(scene, shifts_m, seed, config.copy_changes)

    scene = joined(
        [
            laid(_piece(seed, grid, road, _OUTER_M), pieces),
            laid(_piece(seed, grid, road, _INNER_M), pieces[~is_turn]),
        ]
    )
    end_m, radius_m = num * road.piece_m + CORNER_RADIUS_M, CORNER_RADIUS_M
    corners = np.array(
        [[-radius_m, -radius_m], [end_m, -radius_m], [end_m, radius_m], [-radius_m, radius_m]]
    )
    return scene, grid.route(corners)


def _piece(seed: int, grid: Grid, road: _Road, from_middle_m: float) -> Scene:
    """Return what stands at the two inner or at the two outer kerbs, each facing its road."""
    builder = ElementBuilder()
    is_outer = from_middle_m == _OUTER_M
    for number, side in enumerate((-1.0, 1.0)):
        ends = np.array([[0.0, side * from_middle_m], [road.piece_m, side * from_middle_m]])
        # The road is on the left of a kerb.
        is_forward = (side < 0) == is_outer
        kerb = Kerb(*(ends if is_forward else ends[::-1]))
        rng = stream(seed, 'road', frame=2 * is_outer + number)
        add_kerb_and_road(builder, grid, kerb, rng)
        road.add_side(builder, grid, kerb, rng)
        if is_outer and road.grass_m > 0:
            low, high = sorted([side * _OUTER_M, side * (_OUTER_M + road.grass_m)])
            add_grass(builder, grid, Block(0.0, low, road.piece_m, high), 0.1, -16, rng)
    return scene_of(builder)
