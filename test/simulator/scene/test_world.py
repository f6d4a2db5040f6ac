# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Towns, their routes, and who may use which."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from ssd_ros.simulator.config import (
    Conditions,
    conditions_of,
    DEMO_SEED,
    PRESETS,
    TEST_SEEDS,
    TRAIN_SEEDS,
    UNIT_SEED,
    VALIDATION_SEEDS,
    WorldConfig,
)
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.scene.elements import Kind
from ssd_ros.simulator.scene.grid import kerbs
from ssd_ros.simulator.scene.streets import Streets
from ssd_ros.simulator.scene.world import World


def test_no_world_serves_two_purposes() -> None:
    purposes = [
        set(TRAIN_SEEDS),
        set(VALIDATION_SEEDS),
        set(TEST_SEEDS),
        {DEMO_SEED},
        {UNIT_SEED},
    ]
    for one, other in combinations(purposes, 2):
        assert one.isdisjoint(other)


def test_the_demo_and_the_unit_world_are_their_own() -> None:
    assert PRESETS['demo'].seeds == (DEMO_SEED,)
    assert PRESETS['unit'].seeds == (UNIT_SEED,)
    assert not set(PRESETS['native'].seeds) & set(TRAIN_SEEDS)


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_the_route_is_closed_and_about_as_long_as_asked(seed: int) -> None:
    route_m = World(seed).route_m
    steps_m = np.hypot(*np.diff(np.vstack([route_m, route_m[:1]]), axis=0).T)
    np.testing.assert_allclose(steps_m, 0.5, atol=0.06)
    assert steps_m.sum() == pytest.approx(1000, rel=0.2)


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_no_building_stands_on_the_road(seed: int) -> None:
    world = World(seed)
    is_wall = world.scatterers.kind == Kind.BUILDING
    walls = np.column_stack([world.scatterers.x, world.scatterers.y])[is_wall]
    route_m = world.route_m[::4]
    nearest_m = min(np.hypot(*(walls - point).T).min() for point in route_m)
    # Half of the narrowest street is 6 m; bending it squeezes that a little.
    assert nearest_m > 4.5


def test_worlds_differ_by_seed_and_only_by_seed() -> None:
    first, again, other = World(5), World(5), World(6)
    np.testing.assert_array_equal(first.scatterers.diffuse, again.scatterers.diffuse)
    assert len(first.scatterers.x) != len(other.scatterers.x)


def test_the_unit_world_is_the_one_of_all_versions() -> None:
    world = World(UNIT_SEED, PRESETS['unit'].world)
    assert (len(world.scatterers.x), len(world.occluders.ax)) == (39629, 1582)
    assert (world.num_owners, len(world.slots.xy_m), len(world.route_m)) == (1224, 273, 883)
    assert world.scatterers.x.mean(dtype=float) == pytest.approx(-128.40017, abs=1e-3)
    mean_dbsm = 10 * np.log10(world.scatterers.diffuse.mean(dtype=float))
    assert mean_dbsm == pytest.approx(-4.37588, abs=1e-4)
    np.testing.assert_allclose(world.route_m[0], [-7.00191, 8.40863], atol=1e-4)


def test_streams_depend_on_component_session_and_frame() -> None:
    draws = [
        stream(1, 'parked').random(),
        stream(1, 'facades').random(),
        stream(1, 'parked', session=1).random(),
        stream(1, 'parked', frame=1).random(),
        stream(2, 'parked').random(),
    ]
    assert len(set(draws)) == 5
    assert draws[0] == stream(1, 'parked').random()


def test_the_block_lies_behind_its_kerb_and_the_street_on_the_left() -> None:
    block = Streets(3, WorldConfig()).blocks()[0]
    centre = np.array([block.x_low + block.x_high, block.y_low + block.y_high]) / 2
    for kerb in kerbs(block):
        to_centre = centre - kerb.start
        along_x, along_y = kerb.direction
        assert along_x * to_centre[1] - along_y * to_centre[0] < 0  # right of the kerb
        assert kerb.inward @ to_centre > 0


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: World(-1), 'the world seed is -1, expected 0 or more'),
        (lambda: WorldConfig(size_m=50), 'size_m is 50, expected 150'),
        (lambda: WorldConfig(route_length_m=5), 'route_length_m is 5, expected 200'),
        (lambda: WorldConfig(style='village'), "style is 'village'; choose from town, equal"),
        (lambda: WorldConfig(copy_distance_m=5), 'copy_distance_m is 5, expected 10'),
        (lambda: WorldConfig(copy_changes=2), 'copy_changes is 2, expected 0 ... 1'),
        (lambda: WorldConfig(num_facade_templates=0), 'num_facade_templates is 0'),
        (lambda: WorldConfig(repeat_probability=1.5), 'repeat_probability is 1.5, expected 0'),
        (lambda: Conditions(parked_occupancy=-0.1), 'parked_occupancy is -0.1, expected 0'),
        (lambda: Conditions(rain_mm_per_h=-1), 'rain_mm_per_h is -1, expected 0 ... 200'),
        (lambda: Conditions(snow_mm_per_h=201), 'snow_mm_per_h is 201, expected 0 ... 200'),
        (lambda: conditions_of('harsh', 0), "no difficulty 'harsh'; choose from easy, default"),
    ],
)
def test_impossible_settings_are_refused_by_name(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
