# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Straight drives, of random returns or past poles, and a preprocessing small enough for tests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import CloudBevConfig, PolarGrid, ScanBevConfig
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.data_origin import Origin, SIMULATED
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad

STEP_NS = 100_000_000
LATER_NS = 10_000_000  # the LiDAR's stamps
LIDAR_YAW_RAD = np.pi / 2
LIDAR_IN_RADAR_M = np.array([-1.0, 0.5, 1.4])
_HEIGHTS_M = np.arange(0.1, 2.4, 0.4)
TINY_PREPROCESSING = PreprocessingConfig(
    grid=PolarGrid(num_ranges=64, num_azimuths=32),
    cloud=CloudBevConfig(threshold=109),
    scan=ScanBevConfig(threshold=90, rcs_correction=0.0),
    num_scans=2,
)


class StraightDrive(WithoutLidar):
    """A vehicle that goes east by 1 m from one scan to the next, seeing random returns."""

    def __init__(self, name: str, num_scans: int, seed: int) -> None:
        self.name = name
        self._seed = seed
        self.origin = Origin(SIMULATED, 'a test')
        self.cloud_stamps_ns = np.arange(num_scans, dtype=np.int64) * STEP_NS
        self.scan_stamps_ns = self.cloud_stamps_ns + 1_000_000
        positions = np.column_stack([np.arange(num_scans, dtype=float), np.zeros((num_scans, 2))])
        turns = quaternion_from_yaw(np.zeros(num_scans))
        self.cloud_poses = Trajectory(self.cloud_stamps_ns, positions, turns)
        self.scan_poses = Trajectory(self.scan_stamps_ns, positions, turns)

    def cloud(self, index: int) -> RadarPointCloud:
        rng = np.random.default_rng([self._seed, index])
        xyz = rng.uniform((1, -20, 0), (60, 20, 1), (40, 3)).astype(np.float32)
        rcs, speed = rng.uniform(-5, 20, (2, 40)).astype(np.float32)
        return RadarPointCloud(int(self.cloud_stamps_ns[index]), xyz, rcs, speed)

    def scan(self, index: int) -> SpinningRadarScan:
        rng = np.random.default_rng([self._seed, index, 1])
        power: NDArray[np.uint8] = rng.integers(0, 120, (150, 40)).astype(np.uint8)
        stamp_ns = int(self.scan_stamps_ns[index])
        return SpinningRadarScan(stamp_ns, power, uniform_azimuths_rad(40), 1.0)


@dataclass
class PolesDrive:
    """
    A vehicle that goes east by step_m from one scan to the next; satisfies RadarSequence.

    :param world: seed of the poles
    :param number: of the drive, seed of what the radar sees
    """

    world: int
    number: int
    num_scans: int = 10
    step_m: float = 8.0
    seen_share: float = 0.5
    has_lidar: bool = True

    @property
    def name(self) -> str:
        return f'Poles_{self.world}/{self.number:02d}'

    @property
    def origin(self) -> Origin:
        return Origin(SIMULATED, 'a test')

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        return np.arange(1, self.num_scans + 1) * STEP_NS

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        return np.empty(0, np.int64)

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        return (self.cloud_stamps_ns + LATER_NS)[: self.num_scans if self.has_lidar else 0]

    @property
    def cloud_poses(self) -> Trajectory:
        return Trajectory(self.cloud_stamps_ns, self._places_m(), self._turns(0.0))

    @property
    def scan_poses(self) -> Trajectory:
        return self.cloud_poses.select(np.zeros(0, np.int64))

    @property
    def lidar_poses(self) -> Trajectory:
        places_m = self._places_m() + LIDAR_IN_RADAR_M
        poses = Trajectory(self.cloud_stamps_ns + LATER_NS, places_m, self._turns(LIDAR_YAW_RAD))
        return poses.select(np.arange(len(self.lidar_stamps_ns)))

    def cloud(self, index: int) -> RadarPointCloud:
        """Return some of the poles, three returns of each a few decimetres apart."""
        rng = np.random.default_rng([self.world, self.number, index])
        poles_m = self._poles_m() - self._places_m()[index, :2]
        poles_m = poles_m[(rng.random(len(poles_m)) < self.seen_share) & (poles_m[:, 0] > 0)]
        xyz_m = _raised(poles_m, np.array([0.1, 0.5, 0.9]))
        zero = np.zeros(len(xyz_m), np.float32)
        return RadarPointCloud(int(self.cloud_stamps_ns[index]), xyz_m, zero, zero)

    def scan(self, index: int) -> SpinningRadarScan:
        raise IndexError(f'no spinning radar scan {index}')

    def lidar(self, index: int) -> LidarPointCloud:
        """Return all poles around, in the frame of the LiDAR, which looks to the left."""
        in_radar = _raised(self._poles_m() - self._places_m()[index, :2], _HEIGHTS_M)
        forward, left, up = (in_radar - LIDAR_IN_RADAR_M).T
        xyz_m = np.column_stack([left, -forward, up]).astype(np.float32)
        intensity = np.ones(len(xyz_m), np.float32)
        return LidarPointCloud(int(self.lidar_stamps_ns[index]), xyz_m, intensity)

    def _places_m(self) -> NDArray[np.float64]:
        along_m = self.step_m * np.arange(self.num_scans)
        aside_m = np.full(self.num_scans, 0.3 * self.number)
        return np.column_stack([along_m, aside_m, np.full(self.num_scans, 0.6)])

    def _turns(self, yaw_rad: float) -> NDArray[np.float64]:
        return np.tile(quaternion_from_yaw(yaw_rad), (self.num_scans, 1))

    def _poles_m(self) -> NDArray[np.float64]:
        rng = np.random.default_rng(self.world)
        return rng.uniform((-60, -40), (self.step_m * self.num_scans + 90, 40), (300, 2))


def _raised(xy_m: NDArray[np.float64], heights_m: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return points at all heights above each place."""
    places = np.repeat(xy_m, len(heights_m), axis=0)
    return np.column_stack([places, np.tile(heights_m, len(xy_m))]).astype(np.float32)
