# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare metres of UTM with published ones, and with what the projection must be."""

from __future__ import annotations

import math

import pytest
from ssd_ros.datasets.utm import utm_of, zone_of


@pytest.mark.parametrize(
    ('latitude_deg', 'longitude_deg', 'zone', 'east_m', 'north_m'),
    [
        (0.0, 3.0, 31, 500_000.0, 0.0),
        (45.0, 3.0, 31, 500_000.0, 0.9996 * 4_984_944.378),  # the meridian arc of WGS 84 to 45
        (-45.0, 3.0, 31, 500_000.0, 1e7 - 0.9996 * 4_984_944.378),
        (0.0, 179.0, 1, None, 0.0),  # beyond the date line
    ],
)
def test_it_gives_published_metres(
    latitude_deg: float, longitude_deg: float, zone: int, east_m: float | None, north_m: float
) -> None:
    east, north = utm_of(latitude_deg, longitude_deg, zone)
    assert north == pytest.approx(north_m, abs=0.002)
    if east_m is not None:
        assert east == pytest.approx(east_m, abs=0.002)


def test_the_cn_tower_is_where_the_map_has_it() -> None:
    assert utm_of(43.642_567, -79.387_139, 17) == pytest.approx((630_084, 4_833_438), abs=1)


@pytest.mark.parametrize(('latitude_deg', 'longitude_deg'), [(52.0, 8.0), (-33.0, 12.0)])
def test_it_keeps_angles_and_the_size_of_the_earth(
    latitude_deg: float, longitude_deg: float
) -> None:
    """A step north and one east of as many metres stay so, at a right angle."""
    latitude_rad, squared = math.radians(latitude_deg), 0.006_694_379_990_14
    shrunk = math.sqrt(1 - squared * math.sin(latitude_rad) ** 2)
    meridian_m = 6_378_137 * (1 - squared) / shrunk**3
    parallel_m = 6_378_137 * math.cos(latitude_rad) / shrunk
    here = utm_of(latitude_deg, longitude_deg, 32)
    up = utm_of(latitude_deg + math.degrees(10 / meridian_m), longitude_deg, 32)
    right = utm_of(latitude_deg, longitude_deg + math.degrees(10 / parallel_m), 32)
    to_north = up[0] - here[0], up[1] - here[1]
    to_east = right[0] - here[0], right[1] - here[1]
    assert to_east == pytest.approx((to_north[1], -to_north[0]), abs=1e-4)
    assert 0.9995 < math.hypot(*to_north) / 10 < 1.001


@pytest.mark.parametrize(
    ('origin', 'zone'),
    [
        *(('UTM 52N', 52), ('utm 17 N', 17), ('UTM zone 32', 32), ('UTM 52S', 52)),
        *(('', None), ('UTM 61N', None), ('UTM 0N', None), ('odometry of the drive', None)),
        ('UTM 52N less 300 km', None),
    ],
)
def test_an_origin_names_its_zone(origin: str, zone: int | None) -> None:
    assert zone_of(origin) == zone


@pytest.mark.parametrize(
    ('latitude_deg', 'longitude_deg', 'expected'),
    [
        (math.nan, 3.0, 'no place on Earth'),
        (45.0, math.nan, 'no place on Earth'),
        (91.0, 3.0, 'no place on Earth'),
        (45.0, 120.0, 'far from UTM zone 31'),
        (89.0, 3.0, 'far from UTM zone 31'),
    ],
)
def test_what_is_no_place_of_the_zone_is_refused(
    latitude_deg: float, longitude_deg: float, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        utm_of(latitude_deg, longitude_deg, 31)
