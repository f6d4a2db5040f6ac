# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
HOLMES pooling: a feature map becomes one unit vector by optimal transport to clusters.

After SHeRLoc (arXiv 2506.15175), as collected in the project's method specification, section 7.
"""

from __future__ import annotations

import math

from ssd_ros.training.config import HolmesLevelConfig, NetworkConfig
import torch
from torch import nn, Tensor
from torch.nn import functional

_EPSILON = 1e-6


def transport_plan(
    scores: Tensor, ghost: Tensor, dust: Tensor, regularisation: Tensor, num_iterations: int
) -> Tensor:
    """
    Assign positions to clusters and two bins for what belongs to none, by log-domain Sinkhorn.

    :param scores: shape (B, m, n) of m clusters at n positions, n > m
    :param ghost: scalar score of the first bin
    :param dust: scalar score of the second bin
    :param regularisation: shape (B,), at least 1
    :return: shape (B, m + 2, n), bins last; each position's column sums to 1
    """
    batch, num_clusters, num_positions = scores.shape
    if num_positions <= num_clusters:
        raise ValueError(
            f'{num_positions} positions cannot fill {num_clusters} clusters: '
            'enlarge the image or choose fewer clusters'
        )
    bins = torch.stack([ghost, dust]).to(scores)[None, :, None]
    scores = torch.cat([scores, bins.expand(batch, 2, num_positions)], dim=1)
    scores = scores / regularisation[:, None, None]
    log_unit = -math.log(num_positions + num_clusters + 1)
    log_rows = scores.new_full((num_clusters + 2, 1), log_unit)
    log_rows[num_clusters:] += math.log(num_positions - num_clusters)
    columns = scores.new_zeros((batch, 1, num_positions))
    for _ in range(num_iterations):
        rows = log_rows - torch.logsumexp(scores + columns, dim=2, keepdim=True)
        columns = log_unit - torch.logsumexp(scores + rows, dim=1, keepdim=True)
    return torch.exp(scores + rows + columns - log_unit)


def spread_regularisation(features: Tensor) -> Tensor:
    """Return one factor in [1, 3) per sample: smoother transport where features vary more."""
    flat = features.flatten(1)
    spread = flat.var(dim=1) / (2 * (flat.abs().mean(dim=1) + _EPSILON))
    return 1 + 2 * torch.tanh(spread)


def _pointwise(channels: int, hidden: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, size, 1)
    )


class HolmesLevel(nn.Module):
    """One level: a global token beside the transported sums of local features."""

    def __init__(
        self, channels: int, hidden: int, num_iterations: int, config: HolmesLevelConfig
    ) -> None:
        super().__init__()
        self._num_iterations = num_iterations
        self._num_clusters = config.num_clusters
        self.token = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, config.token_size),
        )
        self.features = _pointwise(channels, hidden, config.cluster_size)
        self.scores = _pointwise(channels, hidden, config.num_clusters)
        self.ghost = nn.Parameter(torch.tensor(1.0))
        self.dust = nn.Parameter(torch.tensor(1.0))
        size = config.token_size + config.cluster_size * config.num_clusters
        self.projection = nn.Parameter(
            torch.randn(size, config.descriptor_size) / math.sqrt(config.descriptor_size)
        )
        self.norm = nn.BatchNorm1d(config.descriptor_size)

    def forward(self, feature_map: Tensor, power: Tensor) -> Tensor:
        """
        Return unit vectors, shape (B, descriptor_size).

        :param feature_map: shape (B, channels, h, w), not negative
        :param power: scalar, exponent of the generalised mean behind the token
        """
        mean = feature_map.clamp(min=_EPSILON).pow(power).mean(dim=(2, 3)).pow(1 / power)
        token = functional.normalize(self.token(mean), dim=1)
        plan = transport_plan(
            self.scores(feature_map).float().flatten(2),
            self.ghost,
            self.dust,
            spread_regularisation(feature_map.float()),
            self._num_iterations,
        )
        features = self.features(feature_map).flatten(2)
        assignment = plan[:, : self._num_clusters].to(features.dtype)
        clusters = torch.bmm(features, assignment.transpose(1, 2))  # (B, cluster_size, clusters)
        clusters = functional.normalize(clusters, dim=1).flatten(1)
        vector = torch.cat([token, clusters.to(token.dtype)], dim=1) @ self.projection
        return functional.normalize(self.norm(vector.float()), dim=1)


class PositionEncoding(nn.Module):
    """
    Add to every position a learned mixture of waves over range and azimuth.

    Pooling forgets where a feature was; at stride 8 a feature sees a part of the image only, so
    its place must travel with it. Not in the papers, whose features see the whole image. Adds
    nothing at first.
    """

    def __init__(self, channels: int, num_octaves: int) -> None:
        super().__init__()
        self._num_octaves = num_octaves
        self.mixture = nn.Conv2d(4 * num_octaves, channels, 1, bias=False)
        nn.init.zeros_(self.mixture.weight)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return shape (B, channels, h, w), like the input."""
        height, width = feature_map.shape[2:]
        rows = torch.linspace(0, 1, height, device=feature_map.device)[:, None].expand(-1, width)
        columns = torch.linspace(0, 1, width, device=feature_map.device).expand(height, -1)
        angles = [
            math.pi * 2**octave * axis
            for axis in (rows, columns)
            for octave in range(self._num_octaves)
        ]
        waves = torch.stack([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)])
        encoded: Tensor = feature_map + self.mixture(waves[None])
        return encoded


class Holmes(nn.Module):
    """One level (SHeRLoc-S) or two, the second on a coarser map; unit vectors out."""

    def __init__(self, channels: int, config: NetworkConfig) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.tensor(3.0))
        self.position: nn.Module = nn.Identity()
        if config.position_octaves:
            self.position = PositionEncoding(channels, config.position_octaves)
        iterations = config.sinkhorn_iterations
        self.mid = HolmesLevel(channels, config.hidden_size, iterations, config.mid)
        self.coarser: nn.Module | None = None
        self.high: HolmesLevel | None = None
        if config.two_levels:
            self.coarser = BasicBlock(channels, channels // 2, stride=2)
            self.high = HolmesLevel(channels // 2, config.hidden_size, iterations, config.high)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return unit vectors, shape (B, descriptor size), of maps (B, channels, h, w)."""
        feature_map = self.position(feature_map)
        mid: Tensor = self.mid(feature_map, self.power)
        if self.coarser is None or self.high is None:
            return mid
        high = self.high(self.coarser(feature_map), self.power)
        return functional.normalize(torch.cat([mid, high], dim=1), dim=1)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, as in ResNet-18."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return shape (B, out_channels, h / stride, w / stride)."""
        return functional.relu(self.convolutions(feature_map) + self.shortcut(feature_map))
