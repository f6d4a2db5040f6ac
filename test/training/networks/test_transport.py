# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the transport of training is that of use, its gradient included."""

import pytest
from ssd_ros.training.networks.transport import trained_plan, transport_plan
import torch
from torch import Tensor


def scores_and_regularisation() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    scores = 5 * torch.rand(2, 4, 11, generator=generator, dtype=torch.float64)
    regularisation = 1 + torch.rand(2, generator=generator, dtype=torch.float64)
    return scores.requires_grad_(), regularisation.requires_grad_()


def plan_of_use(scores: Tensor, regularisation: Tensor, num_iterations: int) -> Tensor:
    bins = torch.tensor(1.0, dtype=torch.float64), torch.tensor(-2.0, dtype=torch.float64)
    plan = transport_plan(scores, *bins, regularisation, num_iterations)
    return plan[:, : scores.shape[1]]


@pytest.mark.parametrize('num_iterations', [1, 3])
def test_the_plan_and_its_gradient_are_those_of_automatic_differentiation(
    num_iterations: int,
) -> None:
    inputs = scores_and_regularisation()
    weights = torch.rand(2, 4, 11, generator=torch.Generator().manual_seed(1)).double()
    results = []
    for plan_of in (plan_of_use, trained_plan):
        plan = plan_of(*inputs, num_iterations)
        results.append((plan, *torch.autograd.grad((plan * weights).sum(), inputs)))
    for expected, given in zip(*results, strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-10, atol=1e-14)
    assert results[0][1].abs().max() > 0.01


def test_scores_beyond_the_range_of_exponentials_give_finite_plans() -> None:
    scores, regularisation = scores_and_regularisation()
    plan = trained_plan(300 * scores.float(), regularisation.float(), 3)
    assert plan.isfinite().all()
    assert plan.sum(dim=1).max() <= 1 + 1e-5


def test_too_few_positions_are_refused_in_training_as_well() -> None:
    with pytest.raises(ValueError, match='6 positions cannot fill 6 clusters'):
        trained_plan(torch.rand(1, 6, 6), torch.ones(1), 3)
