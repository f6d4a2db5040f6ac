# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check Radar-to-LiDAR's contexts and spectra, and that it trains and is exported like others."""

from collections.abc import Callable
from dataclasses import replace
import math
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.shared_files import shared_file
from ssd_ros.training.batches.pairs import Batch, PlaceSampler
from ssd_ros.training.config import load_config, TrainingConfig
from ssd_ros.training.network_config import NetworkConfig, NETWORKS
from ssd_ros.training.networks.encoders import TeacherStudent
from ssd_ros.training.networks.radar_to_lidar import (
    ContextBackbone,
    mean_weights,
    SpectrumPooling,
)
from ssd_ros.training.runs.overrides import with_settings
from ssd_ros.training.runs.trainer import Trainer
import torch

TINY = NetworkConfig(architecture='radar_to_lidar', channels=(4, 8), teacher_margin=0, num_views=6)


@pytest.fixture(scope='module')
def config(tiny_config: TrainingConfig) -> TrainingConfig:
    return replace(tiny_config, network=TINY)


@pytest.fixture(scope='module')
def batch(config: TrainingConfig, tiny_cache: Path) -> Batch:
    return PlaceSampler(load_drives(tiny_cache / 'train', config.preprocessing), config).draw(0)


@pytest.fixture(scope='module')
def run_of_20(config: TrainingConfig, batch: Batch) -> tuple[Trainer, list[float]]:
    trainer = Trainer(config)
    return trainer, [trainer.step(batch, 0.1)['loss'] for _ in range(20)]


def test_the_encoder_has_the_stated_size() -> None:
    encoder = TeacherStudent(NETWORKS['radar_to_lidar'], seed=0).encoder('4d')
    widths = [(1, 64), (64, 128), (128, 256), (256, 256), (512, 256), (384, 128), (192, 64)]
    # Each pair of convolutions without bias, with scale and shift of two batch norms; then 1x1.
    expected = sum(9 * (a * b + b * b) + 4 * b for a, b in widths) + 64 + 1
    assert sum(parameter.numel() for parameter in encoder.parameters()) == expected == 4_834_433
    assert encoder.eval()(torch.zeros(1, 1, 384, 192, dtype=torch.uint8)).shape == (1, 1024)
    assert NETWORKS['radar_to_lidar'].descriptor_size == 1024


def test_means_are_by_area() -> None:
    np.testing.assert_allclose(
        mean_weights(5, 2, 1.5), [[2 / 3, 1 / 3, 0, 0, 0], [0, 1 / 3, 2 / 3, 0, 0]], atol=1e-6
    )


def test_a_return_lies_in_the_ring_and_sector_of_its_place() -> None:
    backbone = ContextBackbone(TINY, PolarGrid())
    assert (backbone.rings.shape, backbone.sectors.shape) == ((40, 384), (192, 40))
    bev = torch.zeros(384, 192)
    bev[100, 10] = 1.0  # 39.26 m; 53.4 degrees to the left
    rings, sectors = torch.nonzero(backbone.rings @ bev @ backbone.sectors, as_tuple=True)
    assert rings.tolist() == [19]  # of 2 m
    assert sectors.tolist() == [2]  # of 3 degrees, from 60 degrees to the left
    bev = torch.zeros(384, 192)
    bev[250] = 1.0  # 97.9 m
    assert not (backbone.rings @ bev @ backbone.sectors).any()


def test_the_spectrum_is_the_middle_of_a_shifted_fft_and_blind_to_cyclic_turns() -> None:
    contexts = torch.rand(2, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    spectra = np.fft.fftshift(np.abs(np.fft.fft2(contexts[:, 0].numpy())), axes=(1, 2))
    expected = spectra[:, 4:36, 4:36].reshape(2, 1024)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    pooled = SpectrumPooling()(contexts)
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    turned = SpectrumPooling()(contexts.roll(7, dims=3))
    np.testing.assert_allclose(turned, pooled, atol=1e-5)


def test_training_lowers_the_loss_of_a_batch(
    config: TrainingConfig, run_of_20: tuple[Trainer, list[float]], batch: Batch
) -> None:
    losses = run_of_20[1]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0] - 0.1
    trainer = Trainer(config)
    empty = replace(batch, student=0 * batch.student, teacher=0 * batch.teacher)
    assert math.isfinite(trainer.step(empty, 0.1)['loss'])
    assert all(weight.isfinite().all() for weight in trainer.networks.parameters())


def test_the_slips_of_the_released_training_can_be_put_back(
    config: TrainingConfig, batch: Batch
) -> None:
    published = with_settings(config, ['loss.name=cross_triplet'])
    released = with_settings(published, ['optimiser.forgets=true', 'loss.blends=true'])
    trainer, mended = Trainer(released), Trainer(published)
    steps = [[one.step(batch, 0.1) for _ in range(2)] for one in (trainer, mended)]
    assert steps[0][0]['loss'] != pytest.approx(steps[1][0]['loss'], abs=1e-6)
    assert {int(state['step']) for state in trainer.optimiser.state.values()} == {1}
    assert {int(state['step']) for state in mended.optimiser.state.values()} == {2}
    with pytest.raises(ValueError, match="goes with cross_triplet: loss\\.name is 'triplet'"):
        with_settings(released, ['loss.name=triplet'])


def test_it_is_exported_and_judged_like_the_others(
    run_of_20: tuple[Trainer, list[float]], exported_card: Callable[..., str]
) -> None:
    card = exported_card(run_of_20[0], 'lidar')
    assert 'Radar-to-LiDAR (Yin et al., 2021), mended' in card
    assert '--config config/radar_to_lidar.yaml' in card


def test_the_shipped_configuration_is_the_named_network() -> None:
    path = shared_file('config/radar_to_lidar.yaml')
    assert load_config(path).network == NETWORKS['radar_to_lidar']
