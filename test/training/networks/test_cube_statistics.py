# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the means of training are those of use, their gradient included."""

from ssd_ros.training.networks.statistics import cube_statistics
import torch
from torch import Tensor


def by_definition(feature_map: Tensor, min_feature: float) -> tuple[Tensor, Tensor]:
    cubes = feature_map.clamp(min=min_feature).pow(3).mean(dim=2)
    means = [part.mean(dim=(1, 2)) for part in (feature_map, feature_map.square())]
    return cubes, torch.stack(means, dim=1)


def test_means_and_gradient_are_those_of_automatic_differentiation() -> None:
    generator = torch.Generator().manual_seed(0)
    features = (torch.randn(2, 3, 5, 4, generator=generator)).relu()
    features[0, 1, :, 2] = 0  # whose mean is held up
    of_cubes, of_means = torch.rand(2, 3, 4, generator=generator), torch.rand(2, 2, 4)
    results = []
    for statistics in (by_definition, cube_statistics):
        inputs = features.clone().requires_grad_()
        cubes, means = statistics(inputs, 1e-6)
        ((cubes * of_cubes).sum() + (means * of_means).sum()).backward()
        results.append((cubes, means, inputs.grad))
    for expected, given in zip(*results, strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-5, atol=1e-7)
    assert results[0][2].abs().max() > 0.1
