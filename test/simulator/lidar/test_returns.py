# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scans of the simulated LiDARs: geometry, Doppler, weather, and that they disturb no radar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.simulator.config import Conditions, in_weather, PRESETS, UNIT_SEED, WEATHERS
from ssd_ros.simulator.lidar.returns import LidarReturns, Origin
from ssd_ros.simulator.lidar.weather import air_of
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.sensors import LidarConfig, LIDARS
from ssd_ros.simulator.visits.session import Session

FRAMES = range(20, 220, 40)


@pytest.fixture(scope='module')
def world() -> World:
    return World(UNIT_SEED, PRESETS['unit'].world)


def drive_of(
    world: World, lidar: str, weather: str = 'clear', session: int = 0
) -> SimulatedSequence:
    conditions = in_weather(Conditions(lidar=LIDARS[lidar]), weather)
    return SimulatedSequence(Session(world, session, conditions), lidar_rate_hz=10.0)


@pytest.fixture(scope='module')
def fmcw(world: World) -> SimulatedSequence:
    return drive_of(world, 'fmcw')


@pytest.fixture(scope='module')
def spinning(world: World) -> SimulatedSequence:
    return drive_of(world, 'spinning')


def scans(drive: SimulatedSequence) -> list[LidarReturns]:
    return [drive.lidar_returns(index) for index in FRAMES]


def share(found: list[LidarReturns], origin: Origin) -> float:
    return float(np.mean(np.concatenate([scan.origin for scan in found]) == origin))


def ranges_m(found: list[LidarReturns], origin: Origin) -> np.ndarray:
    xyz_m = np.concatenate([scan.xyz_m[scan.origin == origin] for scan in found])
    return np.linalg.norm(xyz_m, axis=1)


def test_a_drive_with_a_lidar_is_a_radar_sequence(fmcw: SimulatedSequence) -> None:
    assert isinstance(fmcw, RadarSequence)
    np.testing.assert_allclose(np.diff(fmcw.lidar_stamps_ns), 100_000_000, atol=1)
    assert set(fmcw.lidar_poses.positions_m[:, 2]) == {1.8}
    cloud = fmcw.lidar(3)
    assert cloud.stamp_ns == fmcw.lidar_stamps_ns[3]
    assert cloud.radial_velocity_mps is not None
    assert len(cloud) > 10_000
    with pytest.raises(IndexError, match='Sim_Town_4000/01 has no LiDAR scan 100000, only'):
        fmcw.lidar(100_000)


def test_one_scan_alone_equals_that_scan_of_a_run(
    world: World, spinning: SimulatedSequence
) -> None:
    for index in (40, 41):
        scan = spinning.lidar(index)
    alone = drive_of(World(UNIT_SEED, world.config), 'spinning').lidar(41)
    np.testing.assert_array_equal(alone.xyz_m, scan.xyz_m)
    np.testing.assert_array_equal(alone.intensity, scan.intensity)
    assert alone.radial_velocity_mps is None
    assert len(spinning.lidar(40)) != len(scan)


def test_the_views_are_those_of_the_sensors(
    spinning: SimulatedSequence, fmcw: SimulatedSequence
) -> None:
    for drive, half_deg, rings in ((spinning, 180, 32), (fmcw, 60, 64)):
        x, y, z = drive.lidar_returns(60).xyz_m.astype(float).T
        azimuth_deg = np.degrees(np.arctan2(y, x))
        elevation_deg = np.degrees(np.arctan2(z, np.hypot(x, y)))
        assert 0.95 * half_deg < np.abs(azimuth_deg).max() <= half_deg
        assert np.abs(elevation_deg).max() < 16.01
        assert len(np.unique(np.round(elevation_deg, 2))) <= rings


def test_what_stands_still_approaches_as_the_true_velocity_says(fmcw: SimulatedSequence) -> None:
    poses = fmcw.lidar_poses
    for index in FRAMES:
        scan = fmcw.lidar_returns(index)
        moved_m = poses.positions_m[index + 1] - poses.positions_m[index - 1]
        yaw = poses.yaws_rad[index]
        ahead = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
        velocity = ahead @ moved_m[:2] / 0.2
        still = (scan.origin == Origin.STATIC) | (scan.origin == Origin.GROUND)
        direction = scan.xyz_m[still] / np.linalg.norm(scan.xyz_m[still], axis=1, keepdims=True)
        residual = scan.velocity_mps[still] + direction[:, :2] @ velocity
        assert residual.std() == pytest.approx(0.03, abs=0.01)
        assert abs(residual.mean()) < 0.1  # the velocity is a mean over 0.2 s


def test_movers_have_a_velocity_of_their_own(fmcw: SimulatedSequence) -> None:
    found = scans(fmcw)
    assert 0.005 < share(found, Origin.MOVER) < 0.2
    assert share(found, Origin.AIRBORNE) == 0


def test_both_sensors_see_the_same_street(fmcw: SimulatedSequence) -> None:
    gaps_m = []
    for index in FRAMES:
        near = int(np.abs(fmcw.cloud_stamps_ns - fmcw.lidar_stamps_ns[index]).argmin())
        found = fmcw.detections(near)
        chosen = (found.origin == 0) & (found.range_m < 40) & (found.rcs_dbsm > 5)
        scan = fmcw.lidar_returns(index)
        points = scan.xyz_m[scan.origin == Origin.STATIC][:, :2].astype(float)
        for point in found.xyz_m[chosen][:, :2]:
            gaps_m.append(np.hypot(*(points - point).T).min())
    assert len(gaps_m) > 50
    assert np.median(gaps_m) < 0.7


def test_a_spinning_lidar_sees_walls_where_it_is_when_it_looks(world: World) -> None:
    """Points of a turn that takes time lie off those of a snapshot by up to half its way."""
    slow = LIDARS['spinning']
    drives = [
        SimulatedSequence(
            Session(world, 0, Conditions(lidar=replace(slow, sweep_s=sweep_s))), lidar_rate_hz=10.0
        )
        for sweep_s in (0.0, 0.1)
    ]
    still, turning = (by_beam(drive.lidar_returns(60)) for drive in drives)
    both = np.array([(*beam, turning[beam] - still[beam]) for beam in still.keys() & turning])
    azimuth_deg, _, farther_m = both.T
    # It begins to the right of ahead, before it is there, and ends to the left, beyond.
    right = (azimuth_deg < 0) & (azimuth_deg > -8)
    left = (azimuth_deg > 0) & (azimuth_deg < 8)
    assert min(right.sum(), left.sum()) > 50
    assert np.median(farther_m[right]) > 0.1
    assert np.median(farther_m[left]) < -0.1


def by_beam(scan: LidarReturns) -> dict[tuple[float, float], float]:
    """Return the range of what stands still by azimuth and elevation in degrees."""
    xyz_m = scan.xyz_m[scan.origin == Origin.STATIC].astype(float)
    azimuth_deg = np.degrees(np.arctan2(xyz_m[:, 1], xyz_m[:, 0])).round(1)
    elevation_deg = np.degrees(np.arctan2(xyz_m[:, 2], np.hypot(*xyz_m[:, :2].T))).round(1)
    ranges_m = np.linalg.norm(xyz_m, axis=1)
    beams = zip(azimuth_deg.tolist(), elevation_deg.tolist(), strict=True)
    return dict(zip(beams, ranges_m.tolist(), strict=True))


def test_weather_shortens_the_view_and_fills_the_air(world: World) -> None:
    reach_m, floating = {}, {}
    for weather in WEATHERS:
        found = scans(drive_of(world, 'spinning', weather))
        reach_m[weather] = float(np.percentile(ranges_m(found, Origin.STATIC), 99))
        floating[weather] = share(found, Origin.AIRBORNE)
    assert reach_m['fog'] < 0.5 * reach_m['clear']
    assert reach_m['wet_snow'] < reach_m['moderate_rain'] < reach_m['clear']
    assert reach_m['heavy_rain'] < reach_m['moderate_rain']
    assert floating['clear'] == floating['night'] == 0
    assert 0 < floating['moderate_rain'] < floating['heavy_rain'] < floating['wet_snow'] < 0.1
    assert 0.15 < floating['fog'] < 0.35


def test_night_is_as_day(world: World, spinning: SimulatedSequence) -> None:
    night = drive_of(world, 'spinning', 'night').lidar_returns(60)
    np.testing.assert_array_equal(night.xyz_m, spinning.lidar_returns(60).xyz_m)


def test_extinction_is_that_of_the_itu() -> None:
    def per_km(weather: str) -> float:
        return 1000 * air_of(in_weather(Conditions(), weather)).extinction_per_m

    # ln 20 over the visibility; 1.076 x 25^0.67 = 9.3 dB/km; 3.88 x 4^0.72 = 10.5 dB/km.
    assert per_km('fog') == pytest.approx(30.0, rel=0.01)
    assert per_km('heavy_rain') == pytest.approx(9.3 * 0.2303, rel=0.01)
    assert per_km('wet_snow') == pytest.approx(10.5 * 0.2303, rel=0.01)


def test_fog_is_nearly_nothing_to_a_radar(world: World) -> None:
    session = Session(world, 0, in_weather(Conditions(), 'fog'))
    # 4.9 x (0.024 / 0.1)^1.54 = 0.54 dB/km one way.
    assert session.attenuation_db_per_m == pytest.approx(2 * 0.54e-3, rel=0.02)
    assert Session(world, 0).attenuation_db_per_m == 0


def test_a_drive_without_a_lidar_is_what_it_was(world: World, fmcw: SimulatedSequence) -> None:
    plain = SimulatedSequence(Session(world, 0))
    assert len(plain.lidar_stamps_ns) == len(plain.lidar_poses) == 0
    np.testing.assert_array_equal(plain.cloud_stamps_ns, fmcw.cloud_stamps_ns)
    np.testing.assert_array_equal(plain.cloud(40).xyz_m, fmcw.cloud(40).xyz_m)
    np.testing.assert_array_equal(plain.scan(8).power, fmcw.scan(8).power)


def test_quick_scans_are_as_many_points(world: World, spinning: SimulatedSequence) -> None:
    session = Session(world, 0, Conditions(is_quick=True))
    quick = SimulatedSequence(session, lidar_rate_hz=10.0).lidar(60)
    assert len(quick) == pytest.approx(len(spinning.lidar(60)), rel=0.01)


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: LidarConfig(num_rings=0), 'num_rings is 0, expected 1 .. 512'),
        (lambda: LidarConfig(lowest_deg=20.0), 'lowest_deg is 20.0, expected at most highest_deg'),
        (lambda: Conditions(fog_visibility_m=1.0), r'fog_visibility_m is 1.0, expected 0 \(no'),
        (lambda: in_weather(Conditions(), 'hail'), "no weather 'hail'; choose from clear, night"),
    ],
)
def test_what_cannot_be_simulated_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_rate_below_zero_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match=r'lidar_rate_hz is -1, expected 0 or more'):
        SimulatedSequence(Session(world, 0), lidar_rate_hz=-1)
