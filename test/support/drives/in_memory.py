# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive of two clouds and three scans that exists only in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad

# 19 digits that a float64 cannot tell from its neighbours.
START_NS = 1_700_000_000_123_456_789


@dataclass(frozen=True)
class DriveInMemory:
    """Two clouds and three scans along a line."""

    name: str
    cloud_stamps_ns: NDArray[np.int64]
    scan_stamps_ns: NDArray[np.int64]
    cloud_poses: Trajectory
    scan_poses: Trajectory
    num_bins: int = 856
    range_resolution_m: float = 150 / 856
    lidar_stamps_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    lidar_poses: Trajectory = field(default_factory=empty_trajectory)

    def cloud(self, index: int) -> RadarPointCloud:
        xyz_m = np.array([[3 + index, 4, 0], [10.5, -5, 1]], np.float32)
        rcs_dbsm, velocity_mps = np.array([-7, 30]), np.array([-2.5, 1.5])
        stamp_ns = int(self.cloud_stamps_ns[index])
        return RadarPointCloud(
            stamp_ns, xyz_m, rcs_dbsm.astype(np.float32), velocity_mps.astype(np.float32)
        )

    def lidar(self, index: int) -> LidarPointCloud:
        xyz_m = np.array([[3 + index, 4, 0], [10.5, -5, 1], [2, 0, 7]], np.float32)
        intensity, velocity_mps = np.float32([[1, 2, 3], [-2.5, 1.5, 0]])
        return LidarPointCloud(int(self.lidar_stamps_ns[index]), xyz_m, intensity, velocity_mps)

    def scan(self, index: int) -> SpinningRadarScan:
        rng = np.random.default_rng(index)
        power = rng.integers(0, 256, (self.num_bins, 400), dtype=np.uint8)
        stamp_ns = int(self.scan_stamps_ns[index])
        return SpinningRadarScan(
            stamp_ns, power, uniform_azimuths_rad(400), self.range_resolution_m
        )


def with_lidar() -> DriveInMemory:
    """Return the drive with two scans of a LiDAR."""
    stamps_ns = START_NS + np.array([5, 100_000_005])
    return replace(drive(), lidar_stamps_ns=stamps_ns, lidar_poses=line_of_poses(stamps_ns))


def line_of_poses(stamps_ns: NDArray[np.int64]) -> Trajectory:
    positions_m = np.arange(len(stamps_ns) * 3).reshape(-1, 3) / 7
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(positions_m[:, 0]))


def drive() -> DriveInMemory:
    clouds, scans = START_NS + np.array([0, 50_000_001]), START_NS + np.array([3, 7, 250_000_000])
    return DriveInMemory('x', clouds, scans, line_of_poses(clouds), line_of_poses(scans))


def assert_same_data(sequence: RadarSequence, expected: RadarSequence) -> None:
    """Compare stamps, clouds and scans; angles within what a radian of the file can hold."""
    np.testing.assert_array_equal(sequence.cloud_stamps_ns, expected.cloud_stamps_ns)
    np.testing.assert_array_equal(sequence.scan_stamps_ns, expected.scan_stamps_ns)
    for index in range(len(expected.cloud_stamps_ns)):
        cloud, original = sequence.cloud(index), expected.cloud(index)
        np.testing.assert_array_equal(cloud.xyz_m, original.xyz_m)
        np.testing.assert_array_equal(cloud.rcs_dbsm, original.rcs_dbsm)
        np.testing.assert_array_equal(cloud.radial_velocity_mps, original.radial_velocity_mps)
        assert cloud.stamp_ns == original.stamp_ns
    for index in range(len(expected.scan_stamps_ns)):
        scan, recorded = sequence.scan(index), expected.scan(index)
        np.testing.assert_array_equal(scan.power, recorded.power)
        np.testing.assert_array_equal(scan.azimuths_rad, recorded.azimuths_rad)
        assert scan.stamp_ns == recorded.stamp_ns
        assert abs(scan.range_resolution_m - recorded.range_resolution_m) < 1e-12


def assert_same_poses(poses: Trajectory, expected: Trajectory) -> None:
    np.testing.assert_array_equal(poses.stamps_ns, expected.stamps_ns)
    np.testing.assert_allclose(poses.positions_m, expected.positions_m, rtol=1e-14)
    np.testing.assert_allclose(poses.quaternions_xyzw, expected.quaternions_xyzw, atol=1e-14)
