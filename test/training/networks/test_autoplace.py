# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check AutoPlace's sizes, what it sees, and that it trains and is exported like the others."""

from collections.abc import Callable
from dataclasses import replace
import math
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.shared_files import shared_file
from ssd_ros.training.batches.pairs import Batch, PlaceSampler
from ssd_ros.training.config import DistillationConfig, load_config, TrainingConfig
from ssd_ros.training.network_config import CartesianConfig, NetworkConfig, NETWORKS
from ssd_ros.training.networks.autoplace import CartesianImage
from ssd_ros.training.networks.encoders import multiplications, networks_of, TeacherStudent
from ssd_ros.training.runs.trainer import Trainer
import torch

TINY = NetworkConfig(
    architecture='autoplace',
    channels=(4, 8, 8),
    teacher_margin=0,
    num_views=6,
    cartesian=CartesianConfig(num_cells=48),
)


@pytest.fixture(scope='module')
def config(tiny_config: TrainingConfig) -> TrainingConfig:
    return replace(tiny_config, network=TINY)


@pytest.fixture(scope='module')
def batch(config: TrainingConfig, tiny_cache: Path) -> Batch:
    return PlaceSampler(load_drives(tiny_cache / 'train', config.preprocessing), config).draw(0)


def test_the_encoder_has_the_papers_size_but_for_the_two_repeated_channels() -> None:
    encoder = TeacherStudent(NETWORKS['autoplace'], seed=0).encoder('4d')
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    # 64 (9 + 1) + 64 (576 + 1) + 128 (576 + 1) + 128 (1152 + 1) + 256 (1152 + 1)
    # + 3 x 256 (2304 + 1); two more channels before the first layer are 2 x 64 x 9 weights.
    assert parameters == 2_324_416
    assert parameters + 2 * 64 * 9 == pytest.approx(2.33e6, rel=0.01)
    # 200^2 (576 + 36864) + 100^2 (73728 + 147456) + 50^2 (294912 + 589824) + 25^2 x 2 x 589824
    assert multiplications(encoder, PolarGrid()) == 6_658_560_000
    images = torch.zeros(1, 1, 384, 192, dtype=torch.uint8)
    assert encoder(images).shape == (1, 9216)
    assert NETWORKS['autoplace'].descriptor_size == 256 * 6 * 6


@pytest.mark.parametrize(('row', 'column'), [(100, 95), (150, 20), (140, 170), (240, 96)])
def test_a_return_lands_where_the_radar_saw_it(row: int, column: int) -> None:
    bev = torch.zeros(1, 1, 384, 192)
    bev[0, 0, row, column] = 1
    image = CartesianImage(CartesianConfig(), PolarGrid())(bev)[0, 0]
    range_m = (row + 0.5) * 150 / 384
    azimuth = math.radians(60 - (column + 0.5) * 120 / 192)
    x_m, y_m = range_m * math.cos(azimuth), range_m * math.sin(azimuth)
    rows, columns = torch.nonzero(image, as_tuple=True)
    weights = image[rows, columns] / image.sum()
    # Rows count from 100 m ahead, columns from 50 m to the left, 0.5 m each.
    assert float((rows + 0.5) @ weights) == pytest.approx((100 - x_m) / 0.5, abs=0.5)
    assert float((columns + 0.5) @ weights) == pytest.approx((50 - y_m) / 0.5, abs=0.5)


def test_nothing_is_seen_beside_the_field_of_view() -> None:
    image = CartesianImage(CartesianConfig(), PolarGrid())(torch.ones(1, 1, 384, 192))[0, 0]
    rows, columns = np.indices((200, 200))
    x_m, y_m = 100 - (rows + 0.5) / 2, 50 - (columns + 0.5) / 2
    is_visible = np.abs(np.arctan2(y_m, x_m)) <= math.radians(60)
    np.testing.assert_array_equal(image.numpy() > 0, is_visible)
    assert 0.84 < is_visible.mean() < 0.87  # without two triangles of 50 m x 28.9 m


def test_views_of_a_panorama_are_those_of_the_map_builder(config: TrainingConfig) -> None:
    networks = networks_of(config).eval()
    panorama = np.random.default_rng(4000).integers(0, 256, (64, 96), dtype=np.uint8)
    views = views_of_panorama(panorama, config.preprocessing.grid, 6)
    with torch.inference_mode():
        of_views = networks.encoder('4d')(torch.from_numpy(views)[:, None])
        at_once = networks.panorama_encoder()(torch.from_numpy(panorama)[None, None])
    assert at_once.shape == (1, 6, 72)
    torch.testing.assert_close(at_once[0], of_views, atol=1e-6, rtol=0)


def test_both_radars_share_one_network_after_a_checkpoint_too(config: TrainingConfig) -> None:
    trainer = Trainer(config)
    trainer.load_state(trainer.state())
    networks = trainer.networks
    assert networks.student is networks.teacher
    # 4 (9 + 1) + 4 (36 + 1) + 8 (36 + 1) + 3 x 8 (72 + 1), once
    weights = {weight.data_ptr(): weight for weight in networks.encoder('4d').parameters()}
    weights |= {weight.data_ptr(): weight for weight in networks.panorama_encoder().parameters()}
    assert sum(weight.numel() for weight in weights.values()) == 2236


def test_training_lowers_the_loss_of_a_batch(config: TrainingConfig, batch: Batch) -> None:
    trainer = Trainer(replace(config, bfloat16=True))
    losses = [trainer.step(batch, 0.1)['loss'] for _ in range(20)]
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0] - 0.1


def test_images_without_a_return_leave_finite_weights(
    config: TrainingConfig, batch: Batch
) -> None:
    trainer = Trainer(config)
    empty = replace(batch, student=0 * batch.student, teacher=0 * batch.teacher)
    for _ in range(2):
        assert math.isfinite(trainer.step(empty, 0.1)['loss'])
    assert all(weight.isfinite().all() for weight in trainer.networks.parameters())


def test_it_is_exported_and_judged_like_the_others(
    config: TrainingConfig, exported_card: Callable[..., str]
) -> None:
    options = ['--keyframe-distance', '3', '--query-spacing', '5']
    card = exported_card(Trainer(config), 'spinning', *options)
    assert "AutoPlace's spatial encoder" in card
    assert '4D queries every 5 m in a map of\nkeyframes every 3 m with 6 views each' in card
    assert '--config config/autoplace.yaml' in card
    assert '--run runs/run \\\n        --keyframe-distance 3 \\\n        --query-spacing 5' in card


def test_the_shipped_configuration_is_the_named_network() -> None:
    assert load_config(shared_file('config/autoplace.yaml')).network == NETWORKS['autoplace']


def test_what_needs_two_branches_is_refused(config: TrainingConfig) -> None:
    with pytest.raises(ValueError, match=r'autoplace has one backbone for both sensors'):
        replace(config, distillation=DistillationConfig(scheme='ssd'))
    with pytest.raises(ValueError, match=r'expected teacher joint'):
        replace(config, teacher='frozen')
    with pytest.raises(ValueError, match=r'teacher_margin is 8, expected 0'):
        replace(TINY, teacher_margin=8)
    with pytest.raises(ValueError, match=r"'vgg'; choose from resnet, autoplace, r"):
        replace(TINY, architecture='vgg')
    with pytest.raises(ValueError, match=r'num_cells is 15, expected at least 16 for 3 stages'):
        replace(TINY, cartesian=CartesianConfig(num_cells=15))
    with pytest.raises(ValueError, match=r'no image has 0 cells on 100\.0 m'):
        CartesianConfig(num_cells=0)
