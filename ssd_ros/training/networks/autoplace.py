# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
AutoPlace's spatial encoder (arXiv 2109.08652): a VGG on Cartesian images of both radars.

The learned method outside our own family that both papers compare with, of one frame, without its
temporal encoder and its re-ranking. The images are cut out of our polar BEVs. It sees one channel
where the paper repeats an image three times: summed over the copies, the first layer's weights
describe the same functions.
"""

from __future__ import annotations

import math

from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.training.network_config import CartesianConfig, NetworkConfig
import torch
from torch import nn, Tensor
from torch.nn import functional

_OUTSIDE = 2.0  # in coordinates of grid_sample, which are -1 .. 1 within the image


class CartesianImage(nn.Module):
    """
    Resample polar BEVs to the square ahead of the radar, seen from above.

    Row 0 is farthest ahead, column 0 farthest left, the radar stands below the middle of the last
    row. 0 outside the field of view.
    """

    polar: Tensor

    def __init__(self, config: CartesianConfig, grid: PolarGrid) -> None:
        super().__init__()
        self.register_buffer('polar', polar_coordinates(config, grid), persistent=False)

    def forward(self, bevs: Tensor) -> Tensor:
        """
        Return images of shape (B, 1, num_cells, num_cells), bilinear.

        :param bevs: shape (B, 1, num_ranges, num_azimuths) float32
        """
        polar = self.polar.expand(bevs.shape[0], -1, -1, -1)
        return functional.grid_sample(bevs, polar, align_corners=False)


def polar_coordinates(config: CartesianConfig, grid: PolarGrid) -> Tensor:
    """Return azimuth and range of each cell, -1 .. 1 from edge to edge of the polar BEV."""
    along_m = (torch.arange(config.num_cells, dtype=torch.float64) + 0.5) * config.cell_m
    x_m, y_m = torch.meshgrid(config.side_m - along_m, config.side_m / 2 - along_m, indexing='ij')
    # Columns run clockwise from far left.
    azimuth = -torch.atan2(y_m, x_m) / math.radians(grid.fov_deg / 2)
    ranges = 2 * torch.hypot(x_m, y_m) / grid.max_range_m - 1
    azimuth = torch.where(azimuth.abs() <= 1, azimuth, _OUTSIDE)
    return torch.stack([azimuth, ranges], dim=-1).float()


class SpatialBackbone(nn.Module):
    """VGG without batch norm; uint8 polar BEV in, feature map of its Cartesian image out."""

    def __init__(self, config: NetworkConfig, grid: PolarGrid) -> None:
        super().__init__()
        self._input_scale = config.input_scale
        self.image = CartesianImage(config.cartesian, grid)
        layers: list[nn.Module] = []
        before = 1
        for channels in config.channels:
            for width in (before, channels):
                layers += [nn.Conv2d(width, channels, 3, padding=1), nn.ReLU(inplace=True)]
            layers.append(nn.MaxPool2d(2))
            before = channels
        self.layers = nn.Sequential(*layers)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):  # biases as PyTorch draws them
                nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')

    def forward(self, bevs: Tensor) -> Tensor:
        """
        Return the feature map, not negative.

        :param bevs: shape (B, 1, num_ranges, num_azimuths) uint8
        :return: shape (B, channels[-1], s, s), s = num_cells / 2 ** number of stages
        """
        feature_map: Tensor = self.layers(self.image(bevs.float() * self._input_scale))
        return feature_map


class SpatialPooling(nn.Module):
    """All features of the map, of unit length each, thinned by two: one long unit vector."""

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return unit vectors (B, channels * (s // 2) ** 2) of maps (B, channels, s, s)."""
        unit = functional.normalize(feature_map.float(), dim=1)
        return functional.normalize(functional.max_pool2d(unit, 2).flatten(1), dim=1)
