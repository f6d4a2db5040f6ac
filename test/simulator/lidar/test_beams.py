# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where single beams end among walls, fences, leaves and vehicles put up by hand."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.simulator.lidar.beams import cast, Columns, GROUND, NOTHING
from ssd_ros.simulator.lidar.surfaces import GROUND_REFLECTANCE, LEAVES, SOLID, VEHICLE
from ssd_ros.simulator.scene.elements import ElementBuilder, Kind
from ssd_ros.simulator.scene.visibility import panorama, Place

HEIGHT_M, REACH_M = 1.9, 100.0


def wall(builder: ElementBuilder, x_m: float, high_m: float, passing: float = 0.0) -> None:
    """Put up a wall across the line ahead."""
    ends = np.array([[x_m, -50.0]]), np.array([[x_m, 50.0]])
    builder.add_walls(Kind.BUILDING, *ends, 0.0, high_m, passing)


def look(
    builder: ElementBuilder,
    tangent: float = 0.0,
    matter: int = SOLID,
    draws: NDArray[np.float32] | None = None,
    yaw_rad: float = 0.0,
    start_m: tuple[float, float] = (0.0, 0.0),
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Return ranges, strengths and surfaces of one beam for each draw; surfaces reflect half."""
    shapes = builder.occluders()
    num = len(shapes.ax)
    shapes = shapes._replace(owner=np.arange(num, dtype=np.int32))
    draws = np.float32([0.5]) if draws is None else draws
    columns = Columns(
        np.tile(np.array(start_m), (len(draws), 1)),
        np.tile([math.cos(yaw_rad), math.sin(yaw_rad)], (len(draws), 1)),
    )
    ranges, strengths, rows = cast(
        panorama(shapes, Place(0.0, 0.0, 5.0, REACH_M + 5)),
        np.full(num, 0.5, np.float32),
        np.full(num, matter, np.int32),
        columns,
        np.array([tangent]),
        HEIGHT_M,
        REACH_M,
        draws[:, None],
    )
    return ranges[:, 0], strengths[:, 0], rows[:, 0]


def test_a_beam_ends_at_the_first_of_two_walls() -> None:
    builder = ElementBuilder()
    wall(builder, 40.0, 12.0)
    wall(builder, 20.0, 3.0)
    ranges, strengths, rows = look(builder)
    assert (ranges[0], strengths[0], rows[0]) == (pytest.approx(20), pytest.approx(0.5), 1)


def test_a_beam_over_a_low_wall_ends_at_a_high_one_behind() -> None:
    builder = ElementBuilder()
    wall(builder, 40.0, 12.0)
    wall(builder, 20.0, 3.0)
    # 5.4 m high at the first, 9 m at the second.
    ranges, _, rows = look(builder, math.tan(math.radians(10)))
    assert (ranges[0], rows[0]) == (pytest.approx(40), 0)
    assert look(builder, math.tan(math.radians(30)))[2][0] == NOTHING


def test_a_beam_downwards_ends_on_the_ground() -> None:
    ranges, strengths, rows = look(ElementBuilder(), -0.2)
    assert (ranges[0], rows[0]) == (pytest.approx(9.5), GROUND)
    assert strengths[0] == pytest.approx(GROUND_REFLECTANCE * math.sin(math.atan(0.2)))


def test_a_surface_sends_less_back_at_a_slant_but_never_nothing() -> None:
    builder = ElementBuilder()
    wall(builder, 10.0, 3.0)
    assert look(builder, yaw_rad=math.radians(60))[1][0] == pytest.approx(0.25, rel=1e-5)
    along = ElementBuilder()
    along.add_walls(Kind.BUILDING, np.array([[5.0, -0.01]]), np.array([[50.0, 0.01]]), 0, 3, 0.0)
    assert look(along)[1][0] == pytest.approx(0.5 * 0.1)


def test_each_column_starts_where_the_sensor_then_is() -> None:
    builder = ElementBuilder()
    wall(builder, 10.0, 3.0)
    assert look(builder, start_m=(3.0, 2.0))[0][0] == pytest.approx(7.0)


def test_half_of_the_beams_pass_a_fence() -> None:
    builder = ElementBuilder()
    wall(builder, 10.0, 2.0, passing=0.5)
    wall(builder, 20.0, 3.0)
    draws = ((np.arange(1000) + 0.5) / 1000).astype(np.float32)
    ranges, _, _ = look(builder, draws=draws)
    assert np.count_nonzero(np.isclose(ranges, 10)) == 500
    assert np.count_nonzero(np.isclose(ranges, 20)) == 500


def test_beams_end_anywhere_in_the_front_half_of_a_canopy() -> None:
    builder = ElementBuilder()
    builder.add_discs(Kind.VEGETATION, np.array([[20.0, 0.0]]), 2.0, 1.0, 8.0, 0.0)
    draws = np.random.default_rng(0).random(500).astype(np.float32)
    ranges, strengths, _ = look(builder, matter=LEAVES, draws=draws)
    assert 18 <= ranges.min() < 18.1
    assert 19.9 < ranges.max() <= 20
    assert strengths.std() > 0.05


@pytest.mark.parametrize(
    ('tangent', 'range_m'),
    [
        (-0.05, 10.0),  # 1.4 m high at the near side
        (-0.03, 0.4 / 0.03),  # 1.6 m there, 1.48 m at the far side: through the roof
        (-0.02, 95.0),  # over all of it, 1.62 m at the far side
    ],
)
def test_a_car_is_seen_from_the_side_and_from_above(tangent: float, range_m: float) -> None:
    corners = np.array([[14.0, 1.0], [14.0, -1.0], [10.0, -1.0], [10.0, 1.0]])  # clockwise
    builder = ElementBuilder()
    builder.add_walls(Kind.VEHICLE, corners, np.roll(corners, -1, axis=0), 0.25, 1.5, 0.0)
    ranges, strengths, _ = look(builder, tangent, VEHICLE)
    assert ranges[0] == pytest.approx(range_m, rel=1e-5)
    if tangent == -0.03:
        assert strengths[0] == pytest.approx(0.5 * 0.1)  # at a grazing angle
