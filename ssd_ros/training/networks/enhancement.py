# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What 4DRaL adds to a student, so that it sees and describes what a LiDAR would.

Local image enhancement redraws the image before the encoder, feature imitation adds to the feature
map behind it. After arXiv 2603.26206 and the project's specification of it, sections 2 and 4.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional


class EnhancementNet(nn.Module):
    """
    A small U-Net that draws an image anew (LE-Net).

    Its end is a sigmoid over all of the image: nothing of the input goes past the network, unless
    the residual form, reconstructed, is asked for.
    """

    def __init__(self, width: int = 16, is_residual: bool = False) -> None:
        """
        Draw the initial weights as PyTorch does.

        :param width: channels at full size; twice as many at every halving
        :param is_residual: what the network ends in is added to the input
        """
        super().__init__()
        self._is_residual = is_residual
        sizes = [width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(
            double_convolution(*ends) for ends in zip([1, *sizes], sizes, strict=False)
        )
        pairs = list(zip(sizes[:0:-1], sizes[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(*pair, 2, stride=2) for pair in pairs)
        self.merge = nn.ModuleList(double_convolution(*pair) for pair in pairs)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return images of shape (B, 1, H, W) in [0, 1] for such."""
        maps = [self.down[0](images)]
        for layers in list(self.down)[1:]:
            maps.append(layers(functional.max_pool2d(maps[-1], 2)))
        drawn = maps.pop()
        for up, merge, skipped in zip(self.up, self.merge, maps[::-1], strict=True):
            larger = up(drawn)
            # A map of odd size is one cell larger than twice its half.
            rows, columns = (skipped.shape[axis] - larger.shape[axis] for axis in (2, 3))
            larger = functional.pad(larger, (0, columns, 0, rows))
            drawn = merge(torch.cat([skipped, larger], dim=1))
        if self._is_residual:
            return (images + self.out(drawn)).clamp(0, 1)
        return torch.sigmoid(self.out(drawn))


class ImitationNet(nn.Module):
    """Two convolutions through a bottleneck: the logits of a feature map in (0, 1) (TransEnc)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels // 2, channels, 3, padding=1),
        )

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return logits of the shape of the map, (B, channels, h, w)."""
        logits: Tensor = self.layers(feature_map)
        return logits


def double_convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return two 3x3 convolutions, each with batch norm and ReLU."""
    layers: list[nn.Module] = []
    for width in (in_channels, out_channels):
        layers += [
            nn.Conv2d(width, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
