# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles that stand, creep and drive in reverse."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity, Motion
from ssd_ros.simulator.config import Conditions, Driving, PRESETS, UNIT_SEED
from ssd_ros.simulator.radars.fourd import Origin
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session

WORLD = World(UNIT_SEED, PRESETS['unit'].world)


def drive_of(**options: float) -> SimulatedSequence:
    return SimulatedSequence(Session(WORLD, 1, Conditions(driving=Driving(**options))))


def speeds_mps(sequence: SimulatedSequence) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.hypot(*np.diff(sequence.session.drive.xy_m, axis=0).T) / 0.05


def test_a_vehicle_drives_20_s_stands_10_minutes_and_goes_on() -> None:
    sequence, usual = drive_of(stand_after_s=20.0, stand_s=600.0), drive_of()
    is_still = speeds_mps(sequence) == 0
    assert is_still.sum() * 0.05 == pytest.approx(600, abs=0.1)
    # It brakes at 1.5 m/s^2 from 6 m/s, which takes 2 s more than going on.
    assert np.argmax(is_still) * 0.05 == pytest.approx(22, abs=1)
    drive = sequence.session.drive
    assert drive.duration_s == pytest.approx(usual.session.drive.duration_s + 605, abs=3)
    assert drive.length_m == usual.session.drive.length_m
    assert np.diff(drive.yaws_rad)[is_still].max() == 0
    assert speeds_mps(sequence)[~is_still][-200:].mean() > 3


def test_a_standing_radar_has_new_noise_in_each_scan_while_traffic_moves_on() -> None:
    sequence = drive_of(stand_s=300.0)
    one, other = sequence.detections(1000), sequence.detections(1001)
    assert one.ego_velocity_mps == (0, 0)
    is_static = one.origin == Origin.STATIC
    assert np.abs(one.velocity_mps[is_static]).max() < 0.4
    assert len(np.intersect1d(one.range_m, other.range_m)) == 0
    vehicles_m = [sequence.session.traffic.at(time_s, 0)[0].x for time_s in (50.0, 51.0)]
    moved = np.abs(vehicles_m[1] - vehicles_m[0]) > 0.5
    assert moved.mean() > 0.5
    assert not moved[:14].any()  # but for the one ahead, which waits, too


@pytest.mark.parametrize(
    ('options', 'motion'),
    [
        ({'stand_s': 300.0}, Motion.STANDSTILL),
        ({'speed_mps': 0.28}, Motion.MOVING),
        ({'is_reverse': True}, Motion.MOVING),
    ],
)
def test_doppler_tells_who_stands_in_traffic_from_who_creeps(
    options: dict[str, float], motion: Motion
) -> None:
    sequence = drive_of(**options)
    clouds = [sequence.cloud(index) for index in range(0, 600, 30)]
    found = [
        estimate_ego_velocity(
            cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, EgoVelocityConfig()
        )
        for cloud in clouds
    ]
    assert [each.motion for each in found] == [motion] * len(clouds)


def test_a_creeping_vehicle_drives_1_km_an_hour() -> None:
    sequence = drive_of(speed_mps=0.28)
    assert speeds_mps(sequence).mean() == pytest.approx(0.28, rel=0.05)
    assert speeds_mps(sequence).max() < 0.4
    assert len(sequence.cloud_stamps_ns) > 25_000  # 400 m


def test_in_reverse_the_radar_looks_back_and_recedes_from_what_it_sees() -> None:
    forth, back = drive_of(), drive_of(is_reverse=True)
    np.testing.assert_array_equal(forth.cloud_poses.positions_m, back.cloud_poses.positions_m)
    turned = back.session.drive.yaws_rad - forth.session.drive.yaws_rad
    np.testing.assert_allclose(turned, np.pi, atol=1e-12)
    scan = back.detections(300)
    assert np.median(scan.velocity_mps[scan.origin == Origin.STATIC]) > 3


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'speed_mps': 0.0}, 'speed_mps is 0.0, expected 0.05'),
        ({'stand_s': -1.0}, 'stand_s is -1.0, expected 0 ... 86400'),
        ({'stand_after_s': 500.0, 'stand_s': 5.0}, 'stand_after_s is 500, but .* over after 7'),
    ],
)
def test_impossible_drives_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        drive_of(**options)
