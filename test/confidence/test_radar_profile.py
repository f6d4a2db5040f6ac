# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the running statistics of a radar against scans worked out by hand."""

import math

import numpy as np
import pytest
from ssd_ros.confidence.radar_profile import NAMES, RadarProfile
from ssd_ros.radar.ego_velocity import EgoVelocity, Motion
from ssd_ros.radar.types import RadarPointCloud


def scan_of(
    ranges_m: list[float], azimuths_deg: list[float], rcs_dbsm: list[float], stamp_s: float = 0.0
) -> RadarPointCloud:
    azimuths = np.radians(azimuths_deg)
    x, y = np.array(ranges_m) * [np.cos(azimuths), np.sin(azimuths)]
    xyz_m = np.column_stack([x, y, np.zeros(len(x))]).astype(np.float32)
    rcs = np.array(rcs_dbsm, np.float32)
    return RadarPointCloud(round(stamp_s * 1e9), xyz_m, rcs, np.zeros_like(rcs))


def motion_of(cloud: RadarPointCloud, num_moving: int = 0, stands: bool = False) -> EgoVelocity:
    usable = np.arange(len(cloud)) >= num_moving
    kind = Motion.STANDSTILL if stands else Motion.MOVING
    return EgoVelocity(kind, np.zeros(3), np.ones(3), usable)


def num_points_scan(num_points: int, stamp_s: float) -> RadarPointCloud:
    return scan_of([20.0] * num_points, np.linspace(-50, 50, num_points).tolist(),
                   [0.0] * num_points, stamp_s)  # fmt: skip


def test_the_statistics_of_one_scan_worked_out_by_hand() -> None:
    # The first point moves; of the others, two share a cell of 2 m and a direction of 2 degrees.
    cloud = scan_of([5, 10.5, 10.6, 40, 80], [0, -30.5, -30.6, 15, 41], [9, 0, 0, 10, 20])
    found = dict(zip(NAMES, RadarProfile().add(cloud, motion_of(cloud, 1)), strict=True))
    assert found == pytest.approx(
        {
            'points': 4,
            'directions': 3,
            'cells': 0.75,
            'near_m': 40,  # the upper of two in the middle
            'far_m': 80,
            'width_deg': 71.6,
            'rcs_db': 20,
            'moving': 0.2,
            'rate_hz': math.nan,  # of one scan
            'yaw_deg': math.nan,  # not given
        },
        rel=1e-5,
        nan_ok=True,
    )


def test_an_odd_scan_changes_nothing_and_another_radar_tells_after_half_of_the_horizon() -> None:
    profile = RadarProfile()
    for number in range(200):
        cloud = num_points_scan(5 if number == 100 else 300, number / 10)
        values = profile.add(cloud, motion_of(cloud))
    assert values[NAMES.index('points')] == 300
    assert values[NAMES.index('rate_hz')] == pytest.approx(10)
    after = []
    for number in range(200, 320):
        cloud = num_points_scan(12, number / 10)
        after.append(profile.add(cloud, motion_of(cloud))[NAMES.index('points')])
    assert after.index(12) == 98  # with the odd one, 100 of 200


def test_a_vehicle_that_stands_adds_a_second_of_scans_and_then_nothing() -> None:
    profile = RadarProfile()
    for number in range(300):
        cloud = num_points_scan(100, number / 20)
        values = profile.add(cloud, motion_of(cloud, stands=True))
    assert values[NAMES.index('points')] == 100  # parked from the start, it is known
    for number in range(300, 321):
        cloud = num_points_scan(40, number / 20)
        values = profile.add(cloud, motion_of(cloud))
    assert values[NAMES.index('points')] == 40  # 21 scans of the way against 20 of standing
    for number in range(321, 900):
        cloud = num_points_scan(9, number / 20)
        values = profile.add(cloud, motion_of(cloud, stands=True))
    assert values[NAMES.index('points')] == 40


@pytest.mark.parametrize('num_points', [0, 1, 2])
def test_of_a_scan_with_hardly_a_point_only_the_number_counts(num_points: int) -> None:
    cloud = num_points_scan(num_points, 0.0)
    values = RadarProfile().add(cloud, motion_of(cloud))
    known = [NAMES[number] for number in np.flatnonzero(np.isfinite(values))]
    assert known == ['points', 'moving']
    assert values[0] == max(num_points, 0.5)


def test_a_clock_that_goes_back_spoils_no_rate() -> None:
    profile = RadarProfile()
    for stamp_s in (0.0, 0.05, 0.10, 0.05, 0.10, 0.10, 0.15):
        cloud = num_points_scan(50, stamp_s)
        values = profile.add(cloud, motion_of(cloud))
    assert values[NAMES.index('rate_hz')] == pytest.approx(20)


def test_a_radar_whose_rcs_is_one_number_has_no_spread() -> None:
    cloud = num_points_scan(50, 0.0)
    values = RadarProfile().add(cloud, motion_of(cloud))
    assert values[NAMES.index('rcs_db')] == 0
