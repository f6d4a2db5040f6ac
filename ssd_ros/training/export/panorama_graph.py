# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""PanoramaEncoder arranged for ONNX Runtime on one thread: the same descriptors, sooner."""

from __future__ import annotations

import copy
from typing import NamedTuple

from ssd_ros.training.networks.encoders import PanoramaEncoder, view_columns, ViewsEncoder
from ssd_ros.training.networks.holmes import HolmesLevel, spread_regularisation
import torch
from torch import nn, Tensor
from torch.nn import functional

_EPSILON = 1e-6
_TINY = 1e-30


class Strips(NamedTuple):
    """
    What is pooled, azimuth before range, with the columns before and behind repeated.

    A view is a slice of it.

    :param features: shape (B, cluster_size, width, height), with their place in range
    :param scores: shape (B, num_clusters + 1, width, height), with their place in range; at most
        0, the last row is 0
    :param at_features: shape (cluster_size, view width): their place in azimuth, to be added
    :param at_scores: shape (num_clusters + 1, view width), likewise
    """

    features: Tensor
    scores: Tensor
    at_features: Tensor
    at_scores: Tensor


def panorama_graph(encoder: PanoramaEncoder | ViewsEncoder) -> nn.Module:
    """Return what to export of an encoder of panoramas."""
    return PanoramaGraph(encoder) if isinstance(encoder, PanoramaEncoder) else encoder


class PanoramaGraph(nn.Module):
    """
    Encode panoramas as PanoramaEncoder does.

    What makes it fast: azimuth before range, so that a view is a slice; position encoding and
    means once for all views where they do not depend on the view; transport by matrix-vector
    products, one view at a time, so that its numbers stay in the cache.
    """

    def __init__(self, encoder: PanoramaEncoder) -> None:
        super().__init__()
        self._config = encoder.config
        self._backbone = _turned(encoder.backbone)
        self._pooling = encoder.pooling

    def forward(self, panorama: Tensor) -> Tensor:
        """
        Return unit descriptors, shape (B, num_views, D).

        :param panorama: shape (B, 1, num_ranges, panorama_azimuths) uint8
        """
        config, pooling = self._config, self._pooling
        margin, columns = config.teacher_margin, config.teacher_margin // config.stride
        around = torch.cat([panorama[..., -margin:], panorama, panorama[..., :margin]], dim=-1)
        feature_map = self._backbone(around.transpose(2, 3))
        feature_map = feature_map[:, :, columns : feature_map.shape[2] - columns]
        views = view_columns(feature_map.shape[2], config.num_views)
        mid = self._pool(pooling.mid, feature_map, views)
        if pooling.coarser is None or pooling.high is None:
            return mid
        cut = feature_map[:, :, views].permute(0, 2, 1, 4, 3).flatten(0, 1)
        local = pooling.high.local(pooling.coarser(cut), pooling.power)
        high = pooling.high.pool(local, pooling.power).unflatten(0, (-1, config.num_views))
        return functional.normalize(torch.cat([mid, high], dim=2), dim=2)

    def _pool(self, level: HolmesLevel, feature_map: Tensor, views: Tensor) -> Tensor:
        """
        Return unit vectors of all views, shape (B, num_views, descriptor_size).

        :param feature_map: shape (B, channels, width, height)
        :param views: shape (num_views, view width)
        """
        channels, height = feature_map.shape[1], feature_map.shape[3]
        num_columns, num_views, width = feature_map.shape[2], *views.shape
        window = functional.one_hot(views, num_columns).float().mean(dim=1).T
        mean, mean_square = (
            # One axis at a time: faster in ONNX Runtime.
            part.mean(dim=3).mean(dim=1) @ window
            for part in (feature_map, feature_map.square())
        )
        spread = spread_regularisation(mean, mean_square, channels * height * width)
        power = self._pooling.power
        powers = feature_map.clamp(min=_EPSILON).pow(power).mean(dim=3) @ window
        token = functional.normalize(level.token(powers.transpose(1, 2).pow(1 / power)), dim=2)
        step = num_columns // num_views
        strips = _strips(level, feature_map, width, step)
        clusters = [
            self._clusters(strips, view * step, width, spread[:, view])
            for view in range(num_views)
        ]
        sums = torch.stack(clusters, dim=1)[:, :, :-1]
        sums = functional.normalize(sums, dim=3).flatten(2)
        vectors = torch.cat([token, sums], dim=2) @ _turned_projection(level, token.shape[2])
        vectors = level.norm(vectors.flatten(0, 1)).unflatten(0, (-1, num_views))
        return functional.normalize(vectors, dim=2)

    def _clusters(self, strips: Strips, first: int, width: int, spread: Tensor) -> Tensor:
        """Return the transported sums of one view, shape (B, num_clusters + 1, cluster_size)."""
        features, scores = (part[:, :, first : first + width] for part in strips[:2])
        scores = (scores + strips.at_scores[:, :, None]) / spread[:, None, None, None]
        plan, rows = _transport(torch.exp(scores.flatten(2)), self._config.sinkhorn_iterations)
        sums = plan @ features.flatten(2).transpose(1, 2)
        by_column = plan.unflatten(2, (width, -1)).sum(dim=3)
        return (sums + by_column @ strips.at_features.T) * rows


def _turned(backbone: nn.Module) -> nn.Module:
    """Return the network for images whose rows and columns are swapped."""
    result = copy.deepcopy(backbone)
    for module in result.modules():
        if isinstance(module, nn.Conv2d):
            turned = module.weight.detach().transpose(2, 3).contiguous()
            module.weight = nn.Parameter(turned, requires_grad=False)
    return result


def _turned_projection(level: HolmesLevel, token_size: int) -> Tensor:
    """Return the projection for sums ordered by cluster first."""
    of_token, of_sums = level.projection[:token_size], level.projection[token_size:]
    num_clusters = level.scores[-1].out_channels
    of_sums = of_sums.unflatten(0, (-1, num_clusters)).transpose(0, 1).flatten(0, 1)
    return torch.cat([of_token, of_sums])


def _strips(level: HolmesLevel, feature_map: Tensor, width: int, step: int) -> Strips:
    features, scores = level.features(feature_map), level.scores(feature_map)
    at_features, at_scores = features.new_zeros((1, width)), scores.new_zeros((1, width))
    if level.position is not None:
        # A wave is one of range or of azimuth, so the encoding is a sum of the two.
        scores_at, features_at = level.position(feature_map.shape[3], width)
        scores, features = scores + scores_at[:, None, :, 0], features + features_at[:, None, :, 0]
        at_features = features_at[:, 0] - features_at[:, 0, :1]
        at_scores = scores_at[:, 0] - scores_at[:, 0].amax(dim=1, keepdim=True)
        at_scores = functional.pad(at_scores, (0, 0, 0, 1))
    # Any factor of a cluster's row leaves the transport as it is. The last row is for the bins.
    scores = scores - scores.amax(dim=(2, 3), keepdim=True)
    scores = torch.cat([scores, torch.zeros_like(scores[:, :1])], dim=1)
    before = width // 2
    behind = width - before - step
    features, scores = (
        torch.cat([part[:, :, part.shape[2] - before :], part, part[:, :, :behind]], dim=2)
        for part in (features, scores)
    )
    return Strips(features, scores, at_features, at_scores)


def _transport(kernel: Tensor, num_iterations: int) -> tuple[Tensor, Tensor]:
    """
    Return two factors of what each position gives to each cluster in holmes.transport_plan.

    Each of its two bins has one score everywhere, which the scaling cancels: one row of ones
    that takes as much as both stands for them.

    :param kernel: shape (B, m + 1, n), exponentials of the scores, ones last
    :return: shapes (B, m + 1, n) and (B, m + 1, 1)
    """
    num_clusters, num_positions = kernel.shape[1] - 1, kernel.shape[2]
    of_bins = kernel.new_full((1, 1, 1), 2.0 * (num_positions - num_clusters))
    row_sums = torch.cat([kernel.new_ones((1, num_clusters, 1)), of_bins], dim=1)
    columns = kernel.new_ones((1, num_positions, 1))
    for _ in range(num_iterations):
        rows = row_sums / (kernel @ columns + _TINY)
        columns = 1 / (rows.transpose(1, 2) @ kernel).transpose(1, 2)
    return kernel * columns.transpose(1, 2), rows
