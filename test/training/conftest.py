# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives small enough to train on in a test."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.polar_bev import CloudBevConfig, PolarGrid, ScanBevConfig
from ssd_ros.preprocessing import PreprocessingConfig
from ssd_ros.radar import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad
from ssd_ros.training.bev_cache import cache_drive, Spacing
from ssd_ros.training.config import (
    BatchConfig,
    HolmesLevelConfig,
    NetworkConfig,
    OptimiserConfig,
    TrainingConfig,
)
from ssd_ros.trajectory import quaternion_from_yaw, Trajectory

STEP_NS = 100_000_000


class StraightDrive:
    """A vehicle that goes east by 1 m from one scan to the next, seeing random returns."""

    def __init__(self, name: str, num_scans: int, seed: int) -> None:
        self.name = name
        self._seed = seed
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


@pytest.fixture
def straight_drive() -> type[StraightDrive]:
    return StraightDrive


@pytest.fixture(scope='session')
def tiny_config() -> TrainingConfig:
    """Return a run on images of 64 x 32 cells with a few thousand weights."""
    return TrainingConfig(
        preprocessing=PreprocessingConfig(
            grid=PolarGrid(num_ranges=64, num_azimuths=32),
            cloud=CloudBevConfig(threshold=109),
            scan=ScanBevConfig(threshold=90, rcs_correction=0.0),
            num_scans=2,
        ),
        network=NetworkConfig(
            channels=(4, 8),
            num_blocks=(1, 1),
            strides=(1, 2),
            hidden_size=8,
            mid=HolmesLevelConfig(6, 4, 4, 8),
        ),
        batch=BatchConfig(num_places=4, num_worlds=2, num_distractors=2, negative_radius_m=5.0),
        optimiser=OptimiserConfig(num_steps=4),
        num_threads=1,
        bfloat16=False,
    )


@pytest.fixture(scope='session')
def tiny_cache(tmp_path_factory: pytest.TempPathFactory, tiny_config: TrainingConfig) -> Path:
    """Cache two worlds to train on and two to validate on, with two drives each."""
    root = tmp_path_factory.mktemp('cache')
    for use in ('train', 'validation'):
        for world in range(2):
            for drive in range(2):
                name = f'{use}_{world}/{drive:02d}'
                sequence = StraightDrive(name, 16, seed=10 * world + drive)
                directory = root / use / name.replace('/', '_')
                cache_drive(sequence, directory, tiny_config.preprocessing, Spacing())
    return root


@pytest.fixture(scope='session')
def tiny_config_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the options of tiny_config as YAML."""
    path = tmp_path_factory.mktemp('config') / 'tiny.yaml'
    path.write_text(
        """
preprocessing:
  grid: {num_ranges: 64, num_azimuths: 32}
  cloud: {threshold: 109}
  scan: {threshold: 90, rcs_correction: 0.0}
  num_scans: 2
network:
  channels: [4, 8]
  num_blocks: [1, 1]
  strides: [1, 2]
  hidden_size: 8
  mid: {num_clusters: 6, cluster_size: 4, token_size: 4, descriptor_size: 8}
batch: {num_places: 4, num_worlds: 2, num_distractors: 2, negative_radius_m: 5.0}
optimiser: {num_steps: 4}
num_threads: 1
bfloat16: false
"""
    )
    return path
