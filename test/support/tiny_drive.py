# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A straight drive of random returns, and a preprocessing small enough for tests."""

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import CloudBevConfig, PolarGrid, ScanBevConfig
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.data_origin import Origin, SIMULATED
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad

STEP_NS = 100_000_000
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
