# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
HOLMES pooling: a feature map becomes one unit vector by optimal transport to clusters.

After SHeRLoc (arXiv 2506.15175), as collected in the project's method specification, section 7.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ssd_ros.training.network_config import HolmesLevelConfig, NetworkConfig
from ssd_ros.training.networks.backbone import BasicBlock
from ssd_ros.training.networks.statistics import cube_statistics
from ssd_ros.training.networks.transport import trained_plan, transport_plan
import torch
from torch import nn, Tensor
from torch.nn import functional

_EPSILON = 1e-6


def spread_regularisation(mean: Tensor, mean_square: Tensor, num_values: int) -> Tensor:
    """
    Return one factor in [1, 3) per sample: smoother transport where features vary more.

    :param mean: shape (B,), of the features, which are not negative
    :param mean_square: shape (B,)
    :param num_values: that the means are over
    """
    variance = (mean_square - mean.square()).clamp(min=0) * (num_values / (num_values - 1))
    return 1 + 2 * torch.tanh(variance / (2 * (mean + _EPSILON)))


class LocalFeatures(NamedTuple):
    """
    What one level needs to know of each position, whatever part of the map is pooled.

    :param features: shape (B, cluster_size, h, w)
    :param scores: shape (B, num_clusters, h, w)
    :param powers: shape (B, channels, w): mean over range of the features' powers
    :param moments: shape (B, 2, w): mean over range and channels of the features and their squares
    """

    features: Tensor
    scores: Tensor
    powers: Tensor
    moments: Tensor

    def columns(self, index: Tensor) -> LocalFeatures:
        """
        Cut views out of the map.

        :param index: shape (V, width): columns of each view
        :return: of V times the batch size, all views of an image together
        """
        return LocalFeatures(*(_views(part, index) for part in self))


def _views(part: Tensor, index: Tensor) -> Tensor:
    cut = part[..., index].movedim(-2, 1)  # (B, V, ..., width)
    return cut.flatten(0, 1)


def _pointwise(channels: int, hidden: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, size, 1)
    )


class HolmesLevel(nn.Module):
    """One level: a global token beside the transported sums of local features."""

    def __init__(self, channels: int, network: NetworkConfig, config: HolmesLevelConfig) -> None:
        super().__init__()
        hidden = network.hidden_size
        self._num_iterations = network.sinkhorn_iterations
        self._num_clusters = config.num_clusters
        self._channels = channels
        self.token = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, config.token_size),
        )
        self.features = _pointwise(channels, hidden, config.cluster_size)
        self.scores = _pointwise(channels, hidden, config.num_clusters)
        self.position: PositionEncoding | None = None
        if network.position_octaves:
            self.position = PositionEncoding(config.num_clusters, config.cluster_size, network)
        self.ghost = nn.Parameter(torch.tensor(1.0))
        self.dust = nn.Parameter(torch.tensor(1.0))
        size = config.token_size + config.cluster_size * config.num_clusters
        self.projection = nn.Parameter(
            torch.randn(size, config.descriptor_size) / math.sqrt(config.descriptor_size)
        )
        self.norm = nn.BatchNorm1d(config.descriptor_size)

    def local(self, feature_map: Tensor, power: Tensor | float) -> LocalFeatures:
        """
        Return what does not depend on which part of the map is pooled.

        :param feature_map: shape (B, channels, h, w), not negative
        :param power: exponent of the generalised mean behind the token; a number means the cube
        """
        if self.training and isinstance(power, float):
            powers, moments = cube_statistics(feature_map, _EPSILON)
        else:
            exact = feature_map.float()
            means = [part.mean(dim=2).mean(dim=1) for part in (exact, exact.square())]
            moments = torch.stack(means, dim=1)
            powers = exact.clamp(min=_EPSILON).pow(power).mean(dim=2)
        return LocalFeatures(
            self.features(feature_map).float(), self.scores(feature_map).float(), powers, moments
        )

    def pool(self, local: LocalFeatures, power: Tensor | float) -> Tensor:
        """Return unit vectors, shape (B, descriptor_size), of what `local` returned."""
        features, scores = local.features, local.scores
        height, width = features.shape[2:]
        if self.position is not None:
            at_scores, at_features = self.position(height, width)
            features, scores = features + at_features, scores + at_scores
        mean = local.powers.mean(dim=2).pow(1 / power)
        token = functional.normalize(self.token(mean).float(), dim=1)
        moments = local.moments.mean(dim=2)
        regularisation = spread_regularisation(
            moments[:, 0], moments[:, 1], self._channels * height * width
        )
        assignment = self._plan(scores.flatten(2), regularisation).transpose(1, 2)
        clusters = torch.bmm(features.flatten(2), assignment)  # (B, cluster_size, clusters)
        clusters = functional.normalize(clusters.float(), dim=1).flatten(1)
        vector = torch.cat([token, clusters], dim=1) @ self.projection
        return functional.normalize(self.norm(vector.float()), dim=1)

    def _plan(self, scores: Tensor, regularisation: Tensor) -> Tensor:
        if self.training:
            return trained_plan(scores, regularisation, self._num_iterations)
        bins = self.ghost, self.dust
        plan = transport_plan(scores, *bins, regularisation, self._num_iterations)
        return plan[:, : self._num_clusters]


class PositionEncoding(nn.Module):
    """
    Learned mixtures of waves over range and azimuth, for the scores and for the features.

    Pooling forgets where a feature was; at stride 8 a feature sees a part of the image only, so
    its place must travel with it. Not in the papers, whose features see the whole image. Added
    behind the pointwise layers, so that these need not know which view is pooled.
    """

    def __init__(self, num_clusters: int, cluster_size: int, network: NetworkConfig) -> None:
        super().__init__()
        self._sizes = (num_clusters, cluster_size)
        self._num_octaves = network.position_octaves
        num_waves = 4 * network.position_octaves
        # Clusters that prefer a region from the start learn within hundreds of steps what
        # clusters that see all positions alike learn within thousands.
        at_scores = network.position_spread * torch.randn(num_clusters, num_waves)
        self.mixture = nn.Parameter(torch.cat([at_scores, torch.zeros(cluster_size, num_waves)]))

    def forward(self, height: int, width: int) -> tuple[Tensor, ...]:
        """Return what to add, shapes (num_clusters, height, width), (cluster_size, ...)."""
        mixtures = self.mixture.chunk(2, dim=1)
        rows, columns = (
            self._along(weights, size)
            for weights, size in zip(mixtures, (height, width), strict=True)
        )
        maps = rows[:, :, None] + columns[:, None]
        return maps.split(self._sizes)

    def _along(self, mixture: Tensor, size: int) -> Tensor:
        """Return the waves over one axis, mixed, shape (rows of the mixture, size)."""
        axis = torch.linspace(0, 1, size, device=mixture.device)
        angles = [math.pi * 2**octave * axis for octave in range(self._num_octaves)]
        waves = torch.stack([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)])
        # Spelt out: mixed precision would round the product of two matrices.
        return (mixture[:, :, None] * waves).sum(dim=1)


class Holmes(nn.Module):
    """One level (SHeRLoc-S) or two, the second on a coarser map; unit vectors out."""

    def __init__(self, channels: int, config: NetworkConfig) -> None:
        super().__init__()
        self.power: Tensor | float = 3.0
        if config.learns_power:
            self.power = nn.Parameter(torch.tensor(self.power))
        self.mid = HolmesLevel(channels, config, config.mid)
        self.coarser: nn.Module | None = None
        self.high: HolmesLevel | None = None
        if config.two_levels:
            self.coarser = BasicBlock(channels, channels // 2, stride=2)
            self.high = HolmesLevel(channels // 2, config, config.high)

    def forward(self, feature_map: Tensor, views: Tensor | None = None) -> Tensor:
        """
        Return unit vectors of maps (B, channels, h, w).

        :param views: shape (V, width): columns of the map that are pooled together; None pools
            the whole map
        :return: shape (B, descriptor size), or (B * V, descriptor size)
        """
        local = self.mid.local(feature_map, self.power)
        mid = self.mid.pool(local if views is None else local.columns(views), self.power)
        if self.coarser is None or self.high is None:
            return mid
        if views is not None:
            feature_map = _views(feature_map, views)
        high = self.high.pool(self.high.local(self.coarser(feature_map), self.power), self.power)
        return functional.normalize(torch.cat([mid, high], dim=1), dim=1)
