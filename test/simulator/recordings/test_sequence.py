# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated drives: reproducible frame by frame, with the statistics of real radars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.simulator.config import Conditions, conditions_of, PRESETS, UNIT_SEED
from ssd_ros.simulator.radars.fourd import Origin
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.recordings.statistics import cloud_statistics, sequence_statistics
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session

NOBODY = Conditions(lead_probability=0.0, num_vehicles=0, num_pedestrians=0)


@pytest.fixture(scope='module')
def world() -> World:
    return World(UNIT_SEED, PRESETS['unit'].world)


@pytest.fixture(scope='module')
def drive(world: World) -> SimulatedSequence:
    return SimulatedSequence(Session(world, 0))


def test_a_simulated_drive_is_a_radar_sequence(drive: SimulatedSequence) -> None:
    assert isinstance(drive, RadarSequence)
    assert drive.name == 'Sim_Town_4000/01'
    assert drive.scan(3).power.shape == (856, 400)
    assert drive.scan(3).stamp_ns == drive.scan_stamps_ns[3] > 1_691_936_557_946_849_179


def test_stamps_come_at_4_and_20_hz(drive: SimulatedSequence) -> None:
    np.testing.assert_allclose(np.diff(drive.scan_stamps_ns), 250_000_000, atol=1)
    np.testing.assert_allclose(np.diff(drive.cloud_stamps_ns), 50_000_000, atol=1)


def test_one_frame_alone_equals_that_frame_of_a_run(
    world: World, drive: SimulatedSequence
) -> None:
    for index in (40, 41):
        cloud, scan = drive.cloud(index), drive.scan(index)
    alone = SimulatedSequence(Session(World(UNIT_SEED, world.config), 0))
    np.testing.assert_array_equal(alone.cloud(41).xyz_m, cloud.xyz_m)
    np.testing.assert_array_equal(alone.scan(41).power, scan.power)


def test_another_seed_session_or_frame_gives_another_scan(
    world: World, drive: SimulatedSequence
) -> None:
    scan = drive.scan(20).power
    others = [
        drive.scan(21),
        SimulatedSequence(Session(world, 1, from_start=True)).scan(20),
        SimulatedSequence(Session(World(UNIT_SEED + 1, world.config), 0)).scan(20),
    ]
    for other in others:
        assert np.mean(other.power == scan) < 0.5


def test_parked_cars_change_neither_walls_nor_the_drive_nor_the_noise(world: World) -> None:
    with_cars = SimulatedSequence(Session(world, 1, NOBODY))
    without = SimulatedSequence(Session(world, 1, replace(NOBODY, parked_occupancy=0.0)))
    num_of_world = len(world.scatterers.x)
    for name in ('x', 'diffuse', 'specular'):
        np.testing.assert_array_equal(
            getattr(with_cars.session.cloud_scatterers, name)[:num_of_world],
            getattr(without.session.cloud_scatterers, name)[:num_of_world],
        )
    np.testing.assert_array_equal(with_cars.scan_poses.positions_m, without.scan_poses.positions_m)
    same = with_cars.scan(50).power == without.scan(50).power
    assert 0.7 < same.mean() < 1


def test_a_town_has_the_statistics_of_real_radars() -> None:
    drive = SimulatedSequence(Session(World(0), 0))
    outside = [statistic for statistic in sequence_statistics(drive) if not statistic.is_in_band]
    assert outside == []


def test_statistics_outside_the_bands_are_found(drive: SimulatedSequence) -> None:
    clouds = [drive.cloud(index) for index in (0, 10)]
    thinned = [cloud.select(np.arange(len(cloud)) % 10 == 0) for cloud in clouds]
    counts = [
        statistic for statistic in cloud_statistics(thinned) if 'detections' in statistic.name
    ]
    assert [statistic.is_in_band for statistic in counts] == [False, False, False]


def test_static_detections_move_as_the_true_velocity_says(drive: SimulatedSequence) -> None:
    residuals = []
    for index in range(0, 200, 20):
        found = drive.detections(index)
        is_static = found.origin == Origin.STATIC
        direction = found.xyz_m / found.range_m[:, None]
        expected = -direction[:, :2] @ np.array(found.ego_velocity_mps)
        residuals.append((found.velocity_mps - expected)[is_static])
    # Noise of 0.055 m/s, and the echoes that share a cell.
    assert 0.04 < np.concatenate(residuals).std() < 0.1


def test_most_detections_stand_still_and_rcs_is_whole_and_bounded(
    drive: SimulatedSequence,
) -> None:
    frames = [drive.detections(index) for index in range(0, 400, 40)]
    origin = np.concatenate([found.origin for found in frames])
    rcs_dbsm = np.concatenate([found.rcs_dbsm for found in frames])
    assert np.mean(origin == Origin.STATIC) > 0.8
    assert set(origin) == set(Origin) - {Origin.SNOW}
    assert rcs_dbsm.min() >= -20
    assert rcs_dbsm.max() <= 40
    np.testing.assert_array_equal(rcs_dbsm, np.round(rcs_dbsm))


def test_a_static_detection_is_seen_again_in_the_next_scan(drive: SimulatedSequence) -> None:
    poses = drive.cloud_poses

    def in_world(index: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        yaw = poses.yaws_rad[index]
        turn = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
        return drive.detections(index).xyz_m[:, :2] @ turn + poses.positions_m[index, :2]

    shares = []
    for index in range(20, 320, 60):
        now, later = in_world(index), in_world(index + 1)
        gap_m = np.hypot(*(now[:, None] - later[None]).transpose(2, 0, 1)).min(axis=1)
        shares.append(np.mean(gap_m < 0.7))
    assert 0.5 < np.mean(shares) < 0.8


def test_sessions_drive_the_same_road_within_about_a_metre(world: World) -> None:
    first = SimulatedSequence(Session(world, 0)).scan_poses.positions_m[:, :2]
    second = SimulatedSequence(Session(world, 1)).cloud_poses.positions_m[::10, :2]
    gap_m = np.hypot(*(second[:, None] - first[None]).transpose(2, 0, 1)).min(axis=1)
    assert np.percentile(gap_m, 95) < 2.5
    assert np.median(gap_m) > 0.05


def test_the_hard_third_session_drives_the_other_way_round(world: World) -> None:
    forth = SimulatedSequence(Session(world, 1, conditions_of('hard', 1))).scan_poses
    back = SimulatedSequence(Session(world, 2, conditions_of('hard', 2))).scan_poses
    offset_m = back.positions_m[:, None, :2] - forth.positions_m[None, :, :2]
    nearest = np.hypot(*offset_m.transpose(2, 0, 1)).argmin(axis=1)
    turned = np.abs(wrap_angle(back.yaws_rad - forth.yaws_rad[nearest]))
    assert np.median(turned) == pytest.approx(np.pi, abs=0.1)


def test_changes_remove_about_their_share_of_the_posts(world: World) -> None:
    posts = np.flatnonzero(world.scatterers.kind == 1)
    later = Session(world, 1, replace(NOBODY, change_fraction=0.2)).spinning_scatterers
    first = Session(world, 0, NOBODY).spinning_scatterers
    was_there = first.diffuse[posts] > 0
    gone = np.mean(later.diffuse[posts][was_there] == 0)
    assert 0.15 < gone < 0.5


def test_a_frame_that_is_not_there_is_named(drive: SimulatedSequence) -> None:
    with pytest.raises(IndexError, match='Sim_Town_4000/01 has no scan 100000, only'):
        drive.scan(100_000)
    with pytest.raises(IndexError, match='has no cloud -1'):
        drive.cloud(-1)


def test_rates_must_be_positive(world: World) -> None:
    with pytest.raises(ValueError, match=r'rates are 0 and 20\.0 Hz, expected more than 0'):
        SimulatedSequence(Session(world, 0), scan_rate_hz=0)


def test_a_negative_session_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match='session index is -1, expected 0 or more'):
        Session(world, -1)


def test_wet_snow_thins_the_cloud_and_fills_the_space_before_the_radar(world: World) -> None:
    snow = replace(NOBODY, snow_mm_per_h=4.0, cover_loss_db=4.0)
    dry, wet = (SimulatedSequence(Session(world, 1, which)) for which in (NOBODY, snow))
    # 3 x 1.17 x 4^0.711 = 9.4 dB/km one way.
    assert wet.session.attenuation_db_per_m == pytest.approx(0.0188, abs=1e-4)
    frames = range(20, 120, 20)
    seen_dry = [dry.detections(index) for index in frames]
    seen_wet = [wet.detections(index) for index in frames]
    static_dry, static_wet = (
        sum(int((found.origin == Origin.STATIC).sum()) for found in seen)
        for seen in (seen_dry, seen_wet)
    )
    assert 0.4 < static_wet / static_dry < 0.9
    flakes_m = np.concatenate([found.range_m[found.origin == Origin.SNOW] for found in seen_wet])
    assert 12 < len(flakes_m) / len(seen_wet) < 28  # 5 a scan for each mm/h
    assert np.median(flakes_m) < 10
    assert all(not (found.origin == Origin.SNOW).any() for found in seen_dry)
    # Near the radar flakes lift the noise of the spinning radar from 3.4 counts by 2.
    assert wet.scan(5).power.mean() > dry.scan(5).power.mean()


def test_a_part_of_the_lap_begins_and_ends_there(world: World) -> None:
    session = Session(world, 0)
    whole, part = SimulatedSequence(session), SimulatedSequence(session, part=(0.25, 0.5))
    assert 0.2 < len(part.scan_stamps_ns) / len(whole.scan_stamps_ns) < 0.3
    driven_m = session.drive.lap_m / 4
    steps_m = np.hypot(*np.diff(part.cloud_poses.positions_m[:, :2], axis=0).T)
    assert steps_m.sum() == pytest.approx(driven_m, abs=1.0)


def test_laps_follow_each_other_without_a_stop_and_without_repeating_themselves(
    world: World,
) -> None:
    once, thrice = Session(world, 0).drive, Session(world, 0, num_laps=3).drive
    assert thrice.length_m == pytest.approx(3 * once.length_m, rel=0.02)
    starts = np.searchsorted(thrice.along_m, thrice.lap_m * np.array([0, 1, 2]))
    first, second, third = thrice.xy_m[starts]
    # On the same road, each time in another place of the lane.
    assert 0.05 < np.hypot(*(second - first)) < 4
    assert 0.05 < np.hypot(*(third - second)) < 4
    speed_mps = np.hypot(*np.diff(thrice.xy_m, axis=0).T) / 0.05
    assert speed_mps.max() < 12
    with pytest.raises(ValueError, match='num_laps is 0, expected 1 or more'):
        Session(world, 0, num_laps=0)
