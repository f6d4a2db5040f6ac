# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Means of a feature map's powers with a gradient that is cheap, for training."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor


def cube_statistics(feature_map: Tensor, min_feature: float) -> tuple[Tensor, Tensor]:
    """
    Return means of the features' cubes over range, and of features and squares over channels, too.

    :param feature_map: shape (B, C, h, w), not negative
    :param min_feature: means of cubes are at least its cube
    :return: shapes (B, C, w) and (B, 2, w) float32
    """
    return cast(tuple[Tensor, Tensor], _Cubes.apply(feature_map, min_feature**3))


class _Cubes(torch.autograd.Function):
    """
    All three means; their gradient is one polynomial of the features.

    Automatic differentiation would go through the memory for each power and each mean.
    """

    @staticmethod
    def forward(ctx: Any, feature_map: Tensor, min_cube: float) -> tuple[Tensor, Tensor]:
        exact = feature_map.float()
        squares = exact.square()
        means = [part.mean(dim=2).mean(dim=1) for part in (exact, squares)]
        cubes = squares.mul_(exact).mean(dim=2)
        ctx.save_for_backward(feature_map, cubes > min_cube)
        return cubes.clamp(min=min_cube), torch.stack(means, dim=1)

    @staticmethod
    def backward(ctx: Any, of_cubes: Tensor, of_means: Tensor) -> tuple[Tensor, None]:
        feature_map, is_free = ctx.saved_tensors
        num_channels, height = feature_map.shape[1:3]
        constant, linear = (of_means / (num_channels * height)).unbind(dim=1)
        quadratic = (3 / height) * of_cubes * is_free
        exact = feature_map.float()
        gradient = exact * quadratic[:, :, None]
        gradient.add_(2 * linear[:, None, None]).mul_(exact).add_(constant[:, None, None])
        return gradient.to(feature_map.dtype), None
