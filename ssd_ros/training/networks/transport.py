# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Optimal transport from positions to clusters by Sinkhorn scaling, for use and for training."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

_TINY = 1e-30


def transport_plan(
    scores: Tensor, ghost: Tensor, dust: Tensor, regularisation: Tensor, num_iterations: int
) -> Tensor:
    """
    Assign positions to clusters and two bins for what belongs to none, by Sinkhorn scaling.

    :param scores: shape (B, m, n) of m clusters at n positions, n > m
    :param ghost: scalar score of the first bin
    :param dust: scalar score of the second bin
    :param regularisation: shape (B,), at least 1
    :return: shape (B, m + 2, n), bins last; each position's column sums to 1
    """
    batch, num_clusters, num_positions = scores.shape
    _check_sizes(num_clusters, num_positions)
    bins = torch.stack([ghost, dust]).to(scores)[None, :, None]
    scores = torch.cat([scores, bins.expand(batch, 2, num_positions)], dim=1)
    scores = scores / regularisation[:, None, None]
    kernel = torch.exp(scores - scores.amax(dim=(1, 2), keepdim=True))
    row_sums = scores.new_ones((num_clusters + 2, 1))
    row_sums[num_clusters:] *= num_positions - num_clusters
    columns = scores.new_ones((batch, 1, num_positions))
    for _ in range(num_iterations):
        rows = row_sums / (kernel * columns).sum(dim=2, keepdim=True).clamp(min=_TINY)
        columns = 1 / (kernel * rows).sum(dim=1, keepdim=True).clamp(min=_TINY)
    return rows * kernel * columns


def trained_plan(scores: Tensor, regularisation: Tensor, num_iterations: int) -> Tensor:
    """
    Return the clusters' rows of `transport_plan`, shape (B, m, n), with a gradient that is cheap.

    The bins need no scores: each has one everywhere, which the scaling cancels.
    """
    _check_sizes(*scores.shape[1:])
    return cast(Tensor, _Plan.apply(scores, regularisation, num_iterations))


def _check_sizes(num_clusters: int, num_positions: int) -> None:
    if num_positions <= num_clusters:
        raise ValueError(
            f'{num_positions} positions cannot fill {num_clusters} clusters: '
            'enlarge the image or choose fewer clusters'
        )


class _Plan(torch.autograd.Function):
    """
    Exponentials of the scores, scaled to sums of one a cluster, then of one a position.

    Written out, all steps of the scaling give the scores their gradient by one product of
    matrices; automatic differentiation would go through the memory for each of them.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, regularisation: Tensor, num_iterations: int) -> Tensor:
        num_clusters, num_positions = scores.shape[1:]
        with torch.autocast(scores.device.type, enabled=False):
            # Any factor of a cluster's row leaves the plan as it is.
            kernel = scores - scores.amax(dim=2, keepdim=True)
            kernel.div_(regularisation[:, None, None]).exp_()
            turned, all_rows, all_bins = kernel.transpose(1, 2), [], []
            # Vectors lie in rows: many products of a column are several times slower.
            all_columns = [kernel.new_ones((len(kernel), 1, num_positions))]
            for _ in range(num_iterations):
                columns = all_columns[-1]
                rows = 1 / (columns @ turned + _TINY)
                bins = 2 * (num_positions - num_clusters) / columns.sum(dim=2, keepdim=True)
                all_columns.append(1 / (rows @ kernel + bins))
                all_rows.append(rows)
                all_bins.append(bins)
        ctx.num_iterations = num_iterations
        ctx.save_for_backward(scores, regularisation, kernel, *all_rows, *all_bins, *all_columns)
        return all_rows[-1].transpose(1, 2) * kernel * all_columns[-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        num, (scores, regularisation, kernel, *saved) = ctx.num_iterations, ctx.saved_tensors
        all_rows, all_bins, all_columns = saved[:num], saved[num : 2 * num], saved[2 * num :]
        num_rest = 2 * (kernel.shape[2] - kernel.shape[1])
        turned = kernel.transpose(1, 2)
        weighted = gradient * kernel
        of_rows = all_columns[-1] @ weighted.transpose(1, 2)
        of_columns = all_rows[-1] @ weighted
        left, right = [], []
        for rows, bins, before, columns in zip(
            all_rows[::-1], all_bins[::-1], all_columns[-2::-1], all_columns[:0:-1], strict=True
        ):
            of_sums = -of_columns * columns.square()
            of_rows = -(of_rows + of_sums @ turned) * rows.square()
            left += [rows, of_rows]
            right += [of_sums, before]
            of_columns = of_rows @ kernel
            of_columns -= of_sums.sum(dim=2, keepdim=True) * bins.square() / num_rest
            of_rows = torch.zeros_like(of_rows)
        steps = torch.cat(left, dim=1).transpose(1, 2) @ torch.cat(right, dim=1)
        scaled = weighted.mul_(all_rows[-1].transpose(1, 2)).mul_(all_columns[-1])
        scaled.addcmul_(steps, kernel).div_(regularisation[:, None, None])
        product = scaled.flatten(1)[:, None] @ scores.flatten(1)[:, :, None]
        return scaled, -product.flatten() / regularisation, None
