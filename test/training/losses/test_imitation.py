# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the divergences of feature maps with numbers of a hand calculation."""

import math

import pytest
from ssd_ros.training.losses.imitation import imitation_loss
from ssd_ros.training.schemes import DIVERGENCES
import torch


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


STUDENT, TEACHER = torch.tensor([0.2, 0.5, 0.9]), torch.tensor([0.0, 1.0, 3.0])


@pytest.mark.parametrize(
    ('divergence', 'expected'),
    [
        ('bernoulli', 0.7 * math.log(0.7 / 0.6) + 0.3 * math.log(0.3 / 0.4)),
        ('elementwise', 0.7 * math.log(0.7 / 0.6)),
        ('mse', 0.1**2),
    ],
)
def test_features_as_probabilities_of_their_own(divergence: str, expected: float) -> None:
    student = torch.full((2, 3, 2, 2), logit(0.6))
    teacher = torch.full((2, 3, 2, 2), logit(0.7))
    loss = imitation_loss(student, teacher, divergence)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_the_bernoulli_divergence_of_seven_and_six_tenths() -> None:
    loss = imitation_loss(
        torch.full((1, 1, 1, 1), logit(0.6)), torch.full((1, 1, 1, 1), logit(0.7))
    )
    assert loss.item() == pytest.approx(0.0216009, abs=1e-6)


@pytest.mark.parametrize(
    ('divergence', 'shape', 'other'),
    [
        ('channel', (1, 3, 1, 1), (1, 1, 2, 2)),
        ('spatial', (1, 1, 1, 3), (1, 4, 1, 1)),
        ('all', (1, 3, 1, 1), (1, 1, 1, 1)),
        ('all', (1, 1, 1, 3), (1, 1, 1, 1)),
    ],
)
def test_a_softmax_runs_over_the_axes_of_its_name(
    divergence: str, shape: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """The rest is a mean: repeated along the other axes it is the same."""
    student, teacher = (
        values.reshape(shape).repeat(2, *other[1:]) for values in (STUDENT, TEACHER)
    )
    loss = imitation_loss(student, teacher, divergence)
    assert loss.item() == pytest.approx(0.3241185, abs=1e-6)


@pytest.mark.parametrize('divergence', DIVERGENCES)
def test_only_the_student_gets_a_gradient(divergence: str) -> None:
    torch.manual_seed(0)
    student = torch.randn(2, 4, 3, 3).requires_grad_()
    teacher = torch.rand(2, 4, 3, 3).requires_grad_()
    imitation_loss(student, teacher, divergence).backward()
    assert student.grad is not None
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


@pytest.mark.parametrize('divergence', sorted({*DIVERGENCES} - {'elementwise', 'mse'}))
def test_a_true_account_costs_nothing(divergence: str) -> None:
    features = torch.rand(2, 4, 3, 3)
    assert imitation_loss(features, features, divergence).item() == pytest.approx(0, abs=1e-6)
