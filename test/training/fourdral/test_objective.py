# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which images and descriptors meet in the loss of a batch."""

from dataclasses import replace
import math

import numpy as np
import pytest
from ssd_ros.bev.density_image import DensityConfig
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.training.fourdral.config import FourdralConfig, LossWeights, PlaceBatchConfig
from ssd_ros.training.fourdral.frames import FrameBatch
from ssd_ros.training.fourdral.objective import objective, turned
from ssd_ros.training.losses.enhancement import enhancement_loss
from ssd_ros.training.losses.imitation import imitation_loss
from ssd_ros.training.losses.metric import fixed_triplet
from ssd_ros.training.losses.relational import cross_modal, relational
from ssd_ros.training.network_config import DensityNetworkConfig
from ssd_ros.training.networks.density_encoders import DensityEncoder
import torch
from torch import Tensor

SIDE, QUERIES, NEGATIVES = 48, 2, 3
CONFIG = FourdralConfig(
    preprocessing=PreprocessingConfig(density=DensityConfig(num_cells=SIDE), num_scans=1),
    network=DensityNetworkConfig(width=8),
    batch=PlaceBatchConfig(num_queries=QUERIES, num_negatives=NEGATIVES),
    bfloat16=False,
)


def batch() -> FrameBatch:
    rng = np.random.default_rng(0)
    shape = (QUERIES * (2 + NEGATIVES), 1, SIDE, SIDE)
    lidar = (rng.integers(0, 256, shape) * (rng.random(shape) < 0.2)).astype(np.uint8)
    clouds = (lidar * (rng.random(shape) < 0.4)).astype(np.uint8)
    return FrameBatch(clouds, lidar, np.zeros(shape[0], np.float32), QUERIES)


def network(task: str, seed: int = 0) -> DensityEncoder:
    """Return a network in use: one in training normalises by the batch."""
    torch.manual_seed(seed)
    return DensityEncoder(CONFIG.network.of_task(task)).eval()


TEACHER = network('l2l', seed=1)


def images(pixels: np.ndarray | None) -> Tensor:  # type: ignore[type-arg]
    assert pixels is not None
    return torch.from_numpy(pixels).float() / 255


def negatives(descriptors: Tensor) -> Tensor:
    return descriptors[2 * QUERIES :].reshape(QUERIES, NEGATIVES, -1)


def test_a_student_in_maps_of_its_own_kind_learns_by_four_terms() -> None:
    config, student, drawn = replace(CONFIG, task='r2r'), network('r2r'), batch()
    loss, terms = objective(student, TEACHER, drawn, config)
    clouds, lidar = images(drawn.clouds), images(drawn.lidar)
    seen, taught = student(clouds), TEACHER(lidar)
    assert seen.imitated is not None
    described = seen.descriptors
    expected = {
        'metric_loss': fixed_triplet(described[:2], described[2:4], negatives(described), 0.3),
        'enhancement_loss': enhancement_loss(seen.images, clouds, lidar),
        'imitation_loss': imitation_loss(seen.imitated, taught.features),
        'relational_loss': relational(described, taught.descriptors, 0.01)[0],
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value.detach(), atol=1e-4, rtol=1e-4)
    total = torch.stack(list(expected.values())).sum()
    torch.testing.assert_close(loss, total, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('sensors', ['lidar', '4d', 'both'])
def test_a_student_in_lidar_maps_is_pulled_to_the_teachers_positives(sensors: str) -> None:
    weights = LossWeights(negatives=sensors)
    config, student, drawn = replace(CONFIG, task='r2l', loss=weights), network('r2l'), batch()
    loss, terms = objective(student, TEACHER, drawn, config)
    clouds, lidar = images(drawn.clouds), images(drawn.lidar)
    of_clouds, of_lidar, taught = student(clouds), student(lidar), TEACHER(lidar)
    parts = {'lidar': [of_lidar], '4d': [of_clouds], 'both': [of_lidar, of_clouds]}[sensors]
    far = torch.cat([negatives(part.descriptors) for part in parts], dim=1)
    expected = {
        'metric_loss': fixed_triplet(of_clouds.descriptors[:2], taught.descriptors[2:4], far, 0.3),
        'enhancement_loss': enhancement_loss(of_clouds.images, clouds, lidar),
        'relational_loss': cross_modal(
            of_clouds.descriptors, of_lidar.descriptors, taught.descriptors, 0.01
        ),
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value.detach(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        loss, torch.stack(list(expected.values())).sum(), atol=1e-5, rtol=1e-4
    )


def test_features_can_be_imitated_in_lidar_maps_too() -> None:
    network_config = replace(CONFIG.network, imitates=('r2r', 'r2l'))
    torch.manual_seed(0)
    student = DensityEncoder(network_config.of_task('r2l')).eval()
    config = replace(CONFIG, task='r2l', network=network_config)
    drawn = batch()
    _, terms = objective(student, TEACHER, drawn, config)
    imitated = student(images(drawn.clouds)).imitated
    assert imitated is not None
    expected = imitation_loss(imitated, TEACHER(images(drawn.lidar)).features)
    torch.testing.assert_close(terms['imitation_loss'], expected.detach(), atol=1e-5, rtol=1e-4)


def test_what_lidar_loses_by_being_redrawn_can_be_kept_small() -> None:
    student, drawn = network('r2l'), batch()
    plain, kept = (
        objective(
            student,
            TEACHER,
            drawn,
            replace(CONFIG, task='r2l', loss=LossWeights(lidar_identity=weight)),
        )[1]['enhancement_loss']
        for weight in (0.0, 0.5)
    )
    lidar = images(drawn.lidar)
    expected = 0.5 * (student(lidar).images - lidar).square().mean()
    torch.testing.assert_close(kept - plain, expected.detach(), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize('task', ['r2r', 'r2l'])
def test_without_weights_the_triplet_is_left_alone(task: str) -> None:
    weights = LossWeights(enhancement=0.0, imitation=0.0, relational=0.0)
    loss, terms = objective(
        network(task), TEACHER, batch(), replace(CONFIG, task=task, loss=weights)
    )
    assert list(terms) == ['metric_loss']
    torch.testing.assert_close(loss.detach(), terms['metric_loss'])


def test_a_teacher_learns_from_lidar_alone_and_is_then_left_as_it_is() -> None:
    drawn, teacher = batch(), network('l2l')
    loss, terms = objective(
        teacher, None, replace(drawn, clouds=None), replace(CONFIG, task='l2l')
    )
    described = teacher(images(drawn.lidar)).descriptors
    expected = fixed_triplet(described[:2], described[2:4], negatives(described), 0.3)
    assert list(terms) == ['metric_loss']
    torch.testing.assert_close(loss, expected)
    for task in ('r2r', 'r2l'):
        student = network(task)
        objective(student, teacher, drawn, replace(CONFIG, task=task))[0].backward()
        assert all(weight.grad is None for weight in teacher.parameters())
        assert all(weight.grad is not None for weight in student.parameters())


def test_images_turn_counter_clockwise_about_their_middle() -> None:
    shown = torch.zeros(1, 1, 5, 5)
    shown[..., 2, 4] = 1.0  # right of the middle
    quarter = torch.tensor([math.pi / 2])
    places = [
        torch.nonzero(turned(shown, angle)[0, 0] > 0.5).tolist() for angle in (quarter, -quarter)
    ]
    assert places == [[[0, 2]], [[4, 2]]]  # above, below
    torch.testing.assert_close(turned(shown, torch.zeros(1)), shown)


@pytest.mark.parametrize('task', ['l2l', 'r2r', 'r2l'])
def test_mixed_precision_reaches_about_the_same_loss(task: str) -> None:
    turns = replace(CONFIG.batch, turns_teacher=True, turns_students=True)
    config = replace(CONFIG, task=task, batch=turns)
    angles = np.linspace(-0.5, 0.5, QUERIES * (2 + NEGATIVES), dtype=np.float32)
    drawn, student = replace(batch(), turns_rad=angles), network(task)
    teacher = None if task == 'l2l' else TEACHER
    exact, _ = objective(student, teacher, drawn, config)
    with torch.autocast('cpu', torch.bfloat16):
        mixed, _ = objective(student, teacher, drawn, config)
    assert mixed.dtype == torch.float32
    assert mixed.item() == pytest.approx(exact.item(), abs=0.05)


def test_both_images_of_a_frame_are_turned_alike() -> None:
    config = replace(CONFIG, task='r2r', batch=replace(CONFIG.batch, turns_students=True))
    angles = torch.linspace(-0.5, 0.5, QUERIES * (2 + NEGATIVES))
    drawn = replace(batch(), turns_rad=angles.numpy())
    student = network('r2r')
    _, terms = objective(student, TEACHER, drawn, config)
    clouds, lidar = (turned(images(part), angles) for part in (drawn.clouds, drawn.lidar))
    expected = enhancement_loss(student(clouds).images, clouds, lidar)
    torch.testing.assert_close(terms['enhancement_loss'], expected.detach())
