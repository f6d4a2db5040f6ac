# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the distances between places with the numbers of a hand calculation."""

import math

import pytest
from ssd_ros.training.losses.relational import cross_modal, excess, relational
import torch
from torch import Tensor


def unit(*degrees: float) -> Tensor:
    """Return unit vectors in the plane; two of them are 2 sin(half their angle) apart."""
    angles = torch.tensor(degrees).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_the_loss_is_the_mean_squared_difference_of_distances_less_the_margin() -> None:
    # Distances between places: teacher 1, 1, sqrt 3; student sqrt 2, sqrt 2, 2.
    teacher, student = unit(0, 60, 120), unit(0, 90, 180)
    squares = [(math.sqrt(2) - 1) ** 2] * 2 + [(2 - math.sqrt(3)) ** 2]
    loss, difference = relational(student, teacher, 0.01)
    assert loss.item() == pytest.approx(sum(squares) / 3 - 0.01, abs=1e-6)  # 0.128316
    assert difference.item() == pytest.approx(math.sqrt(sum(squares) / 3), abs=1e-6)


def test_differences_within_the_margin_cost_nothing_and_give_no_gradient() -> None:
    student = unit(0, 63).requires_grad_()  # 1.045 apart, the teacher's 1: squared .0020
    loss, difference = relational(student, unit(0, 60), 0.01)
    loss.backward()
    assert loss.item() == 0
    assert difference.item() == pytest.approx(2 * math.sin(math.radians(31.5)) - 1, abs=1e-6)
    assert student.grad is not None
    assert student.grad.abs().max() == 0


def test_another_turn_of_all_descriptors_costs_nothing() -> None:
    loss, _ = relational(unit(10, 50, 170, 200), unit(100, 140, 260, 290), 0.0)
    assert loss.item() == pytest.approx(0, abs=1e-10)


def test_only_the_student_gets_a_gradient_also_where_two_places_coincide() -> None:
    student, teacher = unit(0, 0, 80).requires_grad_(), unit(0, 60, 120).requires_grad_()
    relational(student, teacher, 0.01)[0].backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert student.grad.isfinite().all()
    assert student.grad.abs().max() > 0


def with_distances(*distances: float) -> Tensor:
    """Return three unit vectors that lie so far apart: 1 from 0, 2 from 0, 2 from 1."""
    gram = torch.eye(3, dtype=torch.float64)
    for (row, column), distance in zip([(1, 0), (2, 0), (2, 1)], distances, strict=True):
        gram[row, column] = gram[column, row] = 1 - distance**2 / 2
    return torch.linalg.cholesky(gram).float()


def test_distances_of_a_few_tenths_and_a_margin() -> None:
    teacher = with_distances(1.0, 1.2, 0.8)
    loss, _ = relational(with_distances(0.9, 1.3, 0.5), teacher, 0.01)
    assert loss.item() == pytest.approx(0.0266667, abs=1e-6)
    loss, _ = relational(with_distances(0.95, 1.15, 0.85), teacher, 0.01)
    assert loss.item() == 0


def test_descriptors_of_both_sensors_and_the_teacher_are_pulled_together() -> None:
    radar, teacher = torch.tensor([[0.5, 0.0]]), torch.tensor([[0.0, 0.0]])
    lidar = torch.tensor([[0.2, 0.0]])
    # 0.5, 0.2 and 0.3 apart, each less the margin
    assert cross_modal(radar, lidar, teacher, 0.01).item() == pytest.approx(0.97, abs=1e-6)
    assert cross_modal(lidar, lidar, lidar, 0.01).item() == 0


def test_only_what_is_beyond_the_margin_counts() -> None:
    parts = [excess(torch.tensor([length]), 0.01) for length in (0.5, 0.2, 0.005)]
    assert sum(part.item() for part in parts) == pytest.approx(0.68, abs=1e-6)


def test_the_teacher_of_both_sensors_gets_no_gradient() -> None:
    teacher = unit(0, 60).requires_grad_()
    first, second = unit(20, 70).requires_grad_(), unit(30, 90).requires_grad_()
    cross_modal(first, second, teacher, 0.01).backward()
    assert teacher.grad is None
    assert first.grad is not None
    assert second.grad is not None
