# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Places that repeat themselves: copies are exact where they should be, and roads go on alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.simulator.config import UNIT_SEED, WORLD_STYLES, WorldConfig
from ssd_ros.simulator.radars.fourd import Origin
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.elements import Kind
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session

SIZE_M = 200.0
REPEATING = WORLD_STYLES[1 : 1 + WORLD_STYLES.index('tunnel')]


def world_of(style: str, copy_changes: float = 0.0, copy_distance_m: float = 60.0) -> World:
    config = WorldConfig(
        size_m=SIZE_M,
        route_length_m=400.0,
        style=style,
        copy_changes=copy_changes,
        copy_distance_m=copy_distance_m,
    )
    return World(UNIT_SEED, config)


def xy_of(world: World) -> NDArray[np.float64]:
    return np.column_stack([world.scatterers.x, world.scatterers.y]).astype(np.float64)


def pairs_of(world: World) -> NDArray[np.int64]:
    """Return the rows of the scatterers that are there twice, shape (N, 2)."""
    order = np.argsort(world.looks, kind='stable')
    looks = world.looks[order]
    first = np.flatnonzero(looks[:-1] == looks[1:])
    return np.column_stack([order[first], order[first + 1]])


@pytest.mark.parametrize('distance_m', [60.0, 1000.0])
def test_the_second_district_is_the_first_one_moved(distance_m: float) -> None:
    world = world_of('doubled', copy_distance_m=distance_m)
    one, other = pairs_of(world).T
    assert len(one) > 10_000
    move_m = (xy_of(world)[other] - xy_of(world)[one]).mean(axis=0)
    np.testing.assert_allclose(xy_of(world)[other], xy_of(world)[one] + move_m, atol=5e-4, rtol=0)
    # A district of 200 m ends with the block that reaches beyond 140 m.
    assert distance_m + 140 < np.hypot(*move_m) < distance_m + 280
    for name in ('z', 'diffuse', 'specular', 'kind'):
        column = getattr(world.scatterers, name)
        np.testing.assert_array_equal(column[one], column[other])


def test_both_radars_see_exact_copies_alike() -> None:
    world = world_of('doubled')
    one, other = pairs_of(world).T
    session = Session(world, 0)
    for rows in (session.spinning_scatterers, session.cloud_scatterers):
        np.testing.assert_array_equal(rows.diffuse[one], rows.diffuse[other])
    assert np.mean(session.cloud_scatterers.diffuse[one] == 0) == pytest.approx(0.075, abs=0.01)


def test_disturbed_copies_lack_things_and_differ_by_decibels() -> None:
    exact, disturbed = world_of('doubled'), world_of('doubled', copy_changes=0.2)
    plants = (Kind.STREET_FURNITURE, Kind.VEGETATION)
    one, other = pairs_of(disturbed).T
    kept = np.isin(disturbed.scatterers.kind[one], plants).sum()
    there = np.isin(exact.scatterers.kind[pairs_of(exact)[:, 0]], plants).sum()
    # Each of the two copies has 80 % of them.
    assert kept / there == pytest.approx(0.64, abs=0.05)
    decibels = 10 * np.log10(
        disturbed.scatterers.diffuse[one] / disturbed.scatterers.diffuse[other]
    )
    assert decibels.std() == pytest.approx(1.5 * np.sqrt(2), rel=0.05)
    walls = [np.sum(world.scatterers.kind == Kind.BUILDING) for world in (exact, disturbed)]
    assert walls[0] == walls[1]


def test_the_route_passes_one_copy_and_then_the_other() -> None:
    world = world_of('doubled', copy_distance_m=1000.0)
    one, other = pairs_of(world).T
    first_m, second_m = xy_of(world)[one].mean(axis=0), xy_of(world)[other].mean(axis=0)
    lap = world.route_m[:: len(world.route_m) // 100]
    is_first = np.hypot(*(lap - first_m).T) < np.hypot(*(lap - second_m).T)
    half = len(lap) // 2
    assert is_first[: half // 2].mean() > 0.9
    assert is_first[half // 2 : half].mean() < 0.1
    assert is_first[-half // 2 :].mean() > 0.9


@pytest.mark.parametrize('style', ['equal_blocks', 'car_park'])
def test_all_blocks_are_alike(style: str) -> None:
    world = world_of(style)
    _, counts = np.unique(world.looks, return_counts=True)
    assert set(counts) == {counts[0]}
    assert counts[0] >= 9
    # Parked cars have the same slots in all of them.
    assert len(world.slots.xy_m) % counts[0] == 0
    assert len(world.slots.xy_m) > (1000 if style == 'car_park' else 100)


@pytest.mark.parametrize(('style', 'lamp_m'), [('tunnel', 25), ('motorway', 50), ('avenue', 50)])
def test_a_road_has_its_lamps_at_equal_distances(style: str, lamp_m: float) -> None:
    world = world_of(style)
    ahead = world.route_m[200] - world.route_m[100]
    ahead = ahead / np.hypot(*ahead)
    is_lamp = (world.scatterers.kind == Kind.STREET_FURNITURE) & (world.scatterers.z == 2.0)
    along_m = np.unique(np.round(xy_of(world)[is_lamp] @ ahead, 2))
    steps_m = np.diff(along_m)
    np.testing.assert_allclose(steps_m[steps_m > 1], lamp_m, atol=0.03)
    # Half of 400 m without the turns, and 200 m beyond either end.
    assert along_m[-1] - along_m[0] >= 499


@pytest.mark.parametrize('style', REPEATING)
def test_no_building_stands_on_a_road_that_is_driven(style: str) -> None:
    world = world_of(style)
    walls = xy_of(world)[world.scatterers.kind == Kind.BUILDING]
    for point in world.route_m[::8]:
        assert np.hypot(*(walls - point).T).min(initial=np.inf) > 4.5


@pytest.mark.parametrize('style', REPEATING)
def test_a_drive_sees_something_everywhere_most_of_which_stands_still(style: str) -> None:
    sequence = SimulatedSequence(Session(world_of(style), 1, from_start=True))
    num = len(sequence.cloud_stamps_ns)
    found = [sequence.detections(index) for index in range(0, num, num // 12)]
    assert min(len(scan.range_m) for scan in found) > 50
    assert np.mean(np.concatenate([scan.origin for scan in found]) == Origin.STATIC) > 0.7
    assert sequence.scan(10).power.mean() > 8
    assert sequence.place == {'car_park': 'Sim_CarPark_4000'}.get(style, sequence.place)
    assert SimulatedSequence(Session(World(7), 0)).place == 'Sim_Town_0007'
