# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives small enough to train on in a test."""

from pathlib import Path

import pytest
from ssd_ros.evaluation.bev_cache import cache_drive, Spacing
from ssd_ros.training.config import BatchConfig, OptimiserConfig, TrainingConfig
from ssd_ros.training.network_config import HolmesLevelConfig, NetworkConfig
from support.drives.tiny import StraightDrive, TINY_PREPROCESSING


@pytest.fixture(scope='session')
def tiny_config() -> TrainingConfig:
    """Return a run on images of 64 x 32 cells with a few thousand weights."""
    return TrainingConfig(
        preprocessing=TINY_PREPROCESSING,
        network=NetworkConfig(
            channels=(4, 8),
            num_blocks=(1, 1),
            strides=(1, 2),
            hidden_size=8,
            teacher_margin=8,
            num_views=12,
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
  teacher_margin: 8
  num_views: 12
  mid: {num_clusters: 6, cluster_size: 4, token_size: 4, descriptor_size: 8}
batch: {num_places: 4, num_worlds: 2, num_distractors: 2, negative_radius_m: 5.0}
optimiser: {num_steps: 4}
num_threads: 1
bfloat16: false
"""
    )
    return path
