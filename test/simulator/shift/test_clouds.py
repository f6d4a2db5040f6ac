# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what other radars make of a scan, point by point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.simulator.shift.clouds import CloudChange, thinned, turned


def cloud_of(xyz_m: NDArray[np.floating] | list[list[float]]) -> RadarPointCloud:
    points_m = np.asarray(xyz_m, np.float32)
    num = len(points_m)
    return RadarPointCloud(
        7, points_m, np.arange(num, dtype=np.float32), np.zeros(num, np.float32), 'radar'
    )


def changed(cloud: RadarPointCloud, **options: Any) -> RadarPointCloud:
    return CloudChange(**options).of(cloud, np.random.default_rng(3))


@pytest.fixture
def fan() -> RadarPointCloud:
    """Return 1000 points at 1 to 100 m and -50 to 50 degrees on the ground of the radar."""
    rng = np.random.default_rng(0)
    range_m, azimuth = rng.uniform(1, 100, 1000), np.radians(rng.uniform(-50, 50, 1000))
    return cloud_of(
        np.column_stack([range_m * np.cos(azimuth), range_m * np.sin(azimuth), 0 * range_m])
    )


def test_a_change_of_nothing_changes_nothing(fan: RadarPointCloud) -> None:
    same = changed(fan)
    np.testing.assert_array_equal(same.xyz_m, fan.xyz_m)
    np.testing.assert_array_equal(same.rcs_dbsm, fan.rcs_dbsm)


def test_the_plain_radar_sees_60_degrees_to_either_side() -> None:
    at_59, at_61 = (10 * np.tan(np.radians(angle)) for angle in (59, 61))
    seen = changed(cloud_of([[10, at_59, 0], [10, at_61, 0], [10, -at_61, 0]]))
    assert seen.rcs_dbsm.tolist() == [0]


@pytest.mark.parametrize('num_points', [10, 100])
def test_so_many_points_are_kept_from_all_over_the_scan(
    fan: RadarPointCloud, num_points: int
) -> None:
    few = changed(fan, num_points=num_points)
    assert len(few) == num_points
    assert set(few.rcs_dbsm.tolist()) <= set(range(1000))
    assert 300 < few.rcs_dbsm.mean() < 700  # not the first ones


def test_a_scan_with_fewer_points_stays_as_it_is(fan: RadarPointCloud) -> None:
    assert len(thinned(fan, 2000, np.random.default_rng(0))) == 1000


def test_range_and_field_of_view_are_cut_off(fan: RadarPointCloud) -> None:
    near = changed(fan, max_range_m=50.0, half_fov_deg=30.0)
    assert np.linalg.norm(near.xyz_m, axis=1).max() < 50
    azimuth_deg = np.degrees(np.arctan2(near.xyz_m[:, 1], near.xyz_m[:, 0]))
    assert 29 < np.abs(azimuth_deg).max() <= 30
    assert len(near) == pytest.approx(1000 * 49 / 99 * 30 / 50, abs=45)  # three deviations


def test_a_yawed_radar_sees_what_is_ahead_to_its_right() -> None:
    x, y, _ = turned(cloud_of([[10, 0, 0]]), 5.0, 0.0, 0.0).xyz_m[0]
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(-5)


def test_a_radar_pitched_down_sees_what_is_ahead_above() -> None:
    x, _, z = turned(cloud_of([[10, 0, 0]]), 0.0, 3.0, 0.0).xyz_m[0]
    assert np.degrees(np.arctan2(z, x)) == pytest.approx(3)


def test_a_radar_rolled_to_the_right_sees_its_left_below() -> None:
    _, y, z = turned(cloud_of([[0, 10, 0]]), 0.0, 0.0, 3.0).xyz_m[0]
    assert np.degrees(np.arctan2(z, y)) == pytest.approx(-3)


def test_doppler_tells_the_yaw_of_a_radar_on_a_car_that_drives_ahead(fan: RadarPointCloud) -> None:
    directions = fan.xyz_m / np.linalg.norm(fan.xyz_m, axis=1, keepdims=True)
    seen = changed(replace(fan, radial_velocity_mps=-10 * directions[:, 0]), yaw_deg=3.0)
    found = estimate_ego_velocity(
        seen.xyz_m, seen.rcs_dbsm, seen.radial_velocity_mps, EgoVelocityConfig()
    )
    vx, vy, _ = found.velocity_mps
    assert np.hypot(vx, vy) == pytest.approx(10, abs=0.01)
    assert np.degrees(np.arctan2(vy, vx)) == pytest.approx(-3, abs=0.05)


def test_ranges_are_two_per_cent_too_long(fan: RadarPointCloud) -> None:
    np.testing.assert_allclose(
        np.linalg.norm(changed(fan, range_scale=1.02).xyz_m, axis=1),
        1.02 * np.linalg.norm(fan.xyz_m, axis=1),
        rtol=1e-5,
    )


def test_gain_is_added_to_the_rcs(fan: RadarPointCloud) -> None:
    np.testing.assert_allclose(changed(fan, gain_db=-12.0).rcs_dbsm, fan.rcs_dbsm - 12)


def test_an_rcs_without_meaning_has_nothing_to_do_with_the_echoes(fan: RadarPointCloud) -> None:
    drawn = changed(fan, rcs_std_db=10.0).rcs_dbsm
    assert drawn.std() == pytest.approx(10, abs=0.7)  # three deviations
    assert abs(np.corrcoef(drawn, fan.rcs_dbsm)[0, 1]) < 0.1
    assert set(changed(fan, rcs_std_db=0.0).rcs_dbsm.tolist()) == {5.0}


def test_false_alarms_are_as_strong_as_echoes_and_anywhere(fan: RadarPointCloud) -> None:
    seen = changed(fan, num_false_alarms=400.0)
    alarms = seen.select(np.arange(len(seen)) >= 1000)
    assert len(alarms) == pytest.approx(400, abs=60)
    assert set(alarms.rcs_dbsm.tolist()) <= set(range(1000))
    assert alarms.rcs_dbsm.mean() == pytest.approx(500, abs=50)
    assert alarms.radial_velocity_mps.std() == pytest.approx(15 / np.sqrt(3), rel=0.1)


def test_an_empty_scan_stays_empty() -> None:
    empty = cloud_of(np.zeros((0, 3)))
    changes = {'num_points': 10, 'num_false_alarms': 50.0, 'rcs_std_db': 3.0, 'yaw_deg': 3.0}
    assert len(changed(empty, **changes)) == 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'num_points': 0}, 'num_points is 0, expected 1 or more'),
        ({'half_fov_deg': 120.0}, 'half_fov_deg is 120.0, expected 1 .. 90'),
        ({'range_scale': 0.0}, r'range_scale is 0.0, expected 0\.5 \.\. 2'),
        ({'rcs_std_db': -1.0}, 'rcs_std_db is -1.0'),
    ],
)
def test_changes_that_no_radar_has_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CloudChange(**options)
