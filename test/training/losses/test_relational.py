# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the distances between places with the numbers of a hand calculation."""

import math

import pytest
from ssd_ros.training.losses.relational import relational
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
