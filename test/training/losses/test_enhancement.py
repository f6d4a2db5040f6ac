# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check where redrawn images are compared with the teacher's, by hand."""

import pytest
from ssd_ros.training.losses.enhancement import enhancement_loss
import torch
from torch import Tensor


def image(value: float, row: int, column: int) -> Tensor:
    pixels = torch.zeros(1, 1, 4, 4)
    pixels[..., row, column] = value
    return pixels


STUDENT, TEACHER = image(1.0, 1, 1), image(0.5, 1, 2)
DRAWN = torch.full((1, 1, 4, 4), 0.2)


def test_cells_near_returns_of_both_sensors_count_of_all_cells() -> None:
    # Both are spread over rows 0 to 2; columns 0 to 2 and 1 to 3 share two: 6 cells.
    loss = enhancement_loss(DRAWN, STUDENT, TEACHER)
    assert loss.item() == pytest.approx((0.3**2 + 5 * 0.2**2) / 16, abs=1e-6)
    assert loss.item() == pytest.approx(0.018125, abs=1e-6)


def test_the_mean_over_the_cells_compared_is_as_much_larger() -> None:
    loss = enhancement_loss(DRAWN, STUDENT, TEACHER, by_mask=True)
    assert loss.item() == pytest.approx(0.29 / 6, abs=1e-6)


def test_everywhere_counts_what_one_sensor_sees_alone() -> None:
    loss = enhancement_loss(DRAWN, STUDENT, TEACHER, is_local=False)
    assert loss.item() == pytest.approx((0.3**2 + 15 * 0.2**2) / 16, abs=1e-6)


def test_cells_that_do_not_count_give_no_gradient() -> None:
    drawn = DRAWN.clone().requires_grad_()
    enhancement_loss(drawn, STUDENT, TEACHER).backward()
    assert drawn.grad is not None
    assert torch.count_nonzero(drawn.grad) == 6


def test_images_without_a_return_in_common_cost_nothing() -> None:
    far = image(0.5, 3, 3)
    for by_mask in (False, True):
        assert enhancement_loss(DRAWN, image(1.0, 0, 0), far, by_mask=by_mask).item() == 0
