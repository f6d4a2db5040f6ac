# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what of an FMCW LiDAR's scan is left when it stands for a 4D radar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.lidar_as_radar import LidarAsRadar, thinned, Thinning
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.lidar.types import LidarPointCloud
from support.drives.in_memory import with_lidar

# No noise, and nothing taken for the ground.
EXACT = Thinning(
    range_noise_m=0.0,
    azimuth_noise_deg=0.0,
    elevation_noise_deg=0.0,
    velocity_noise_mps=0.0,
    clearance_m=0.0,
)


def cloud(
    xyz_m: NDArray[np.float64], intensity: NDArray[np.float64] | None = None
) -> LidarPointCloud:
    num = len(xyz_m)
    levels = np.arange(num) if intensity is None else intensity
    return LidarPointCloud(
        7, xyz_m.astype(np.float32), levels.astype(np.float32), -np.arange(num, dtype=np.float32)
    )


def left_of(scan: LidarPointCloud, thinning: Thinning = EXACT) -> NDArray[np.float32]:
    return thinned(scan, thinning, np.random.default_rng(0)).xyz_m


def test_the_strongest_point_of_a_cell_stays() -> None:
    # Two 0.1 m apart share a cell of 0.3 m, a third does not.
    xyz_m = np.array([[30.05, 0.1, 0.1], [30.15, 0.1, 0.1], [31.0, 0.1, 0.1]])
    scan = cloud(xyz_m, np.array([1.0, 5.0, 3.0]))
    radar = thinned(scan, EXACT, np.random.default_rng(0))
    np.testing.assert_allclose(radar.xyz_m, xyz_m[1:], rtol=1e-6)
    assert radar.radial_velocity_mps.tolist() == [-1, -2]
    assert radar.rcs_dbsm[0] > radar.rcs_dbsm[1]
    assert radar.stamp_ns == 7


def test_only_what_a_radar_sees_stays() -> None:
    seen = np.array([[30.0, 0.1, 0.1], [16.0, 27.0, 1.0]])  # 59 degrees to the left
    hidden = np.array([[15.0, 27.0, 1.0], [200.0, 0.0, 0.0], [10.0, 0.0, 3.0], [-30.0, 0, 0]])
    assert len(left_of(cloud(np.concatenate([seen, hidden])))) == 2
    np.testing.assert_allclose(left_of(cloud(seen)), seen, rtol=1e-6)


def test_the_ground_is_left_out() -> None:
    rng = np.random.default_rng(1)
    ground = np.column_stack([rng.uniform(5, 14, (500, 1)), rng.uniform(-5, 5, (500, 1))])
    ground = np.column_stack([ground, np.full(500, -1.8)])
    posts = np.array([[10.1, 0.1, -0.5], [12.1, 3.1, 0.5]])
    scan = cloud(np.concatenate([ground, posts]))
    np.testing.assert_allclose(left_of(scan, replace(EXACT, clearance_m=0.3)), posts, rtol=1e-6)


def test_no_more_points_stay_than_the_radar_sends_and_always_the_same() -> None:
    rng = np.random.default_rng(2)
    scan = cloud(rng.uniform([5, -20, 0], [80, 20, 2], (5000, 3)))
    few = replace(EXACT, max_points=120)
    assert len(left_of(scan)) > 250
    assert len(left_of(scan, few)) == 120
    np.testing.assert_array_equal(left_of(scan, few), left_of(scan, few))


def test_the_noise_is_that_of_a_radar() -> None:
    place = np.tile([[50.0, 0.0, 0.0]], (2000, 1))
    place[:, 1] = np.linspace(-80, 80, 2000)
    scan = cloud(place)
    thinning = Thinning(clearance_m=0.0, max_points=5000, azimuth_cell_deg=0.1, range_cell_m=0.05)
    noisy = thinned(scan, thinning, np.random.default_rng(0))
    exact = thinned(
        scan,
        replace(EXACT, max_points=5000, azimuth_cell_deg=0.1, range_cell_m=0.05),
        np.random.default_rng(0),
    )
    range_m = np.linalg.norm(noisy.xyz_m, axis=1) - np.linalg.norm(exact.xyz_m, axis=1)
    assert range_m.std() == pytest.approx(0.06, rel=0.15)
    velocity_mps = noisy.radial_velocity_mps - exact.radial_velocity_mps
    assert velocity_mps.std() == pytest.approx(0.055, rel=0.15)


def test_an_empty_scan_is_an_empty_cloud() -> None:
    assert len(left_of(cloud(np.empty((0, 3))))) == 0
    assert len(left_of(cloud(np.array([[-5.0, 0, 0]])))) == 0


def test_a_lidar_without_doppler_cannot_stand_for_a_radar() -> None:
    scan = replace(cloud(np.ones((3, 3))), radial_velocity_mps=None)
    with pytest.raises(ValueError, match='the LiDAR has no Doppler'):
        thinned(scan, EXACT, np.random.default_rng(0))


def test_a_thinning_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r'max_points is 0, expected 1 \.\. 100000'):
        Thinning(max_points=0)


def test_a_drive_asks_with_its_lidar() -> None:
    drive = with_lidar()
    radar = LidarAsRadar(drive, EXACT)
    assert isinstance(radar, RadarSequence)
    assert radar.cloud_stamps_ns.tolist() == drive.lidar_stamps_ns.tolist()
    assert radar.cloud_poses is drive.lidar_poses
    np.testing.assert_array_equal(radar.scan(1).power, drive.scan(1).power)
    # Of the three points one is 74 degrees up.
    np.testing.assert_allclose(radar.cloud(1).xyz_m, [[4, 4, 0], [10.5, -5, 1]], atol=1e-5)
    assert radar.lidar(1).stamp_ns == radar.cloud(1).stamp_ns == drive.lidar_stamps_ns[1]
