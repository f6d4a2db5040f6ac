# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The trunk of an encoder: a stem and blocks of convolutions.

Two kinds of stem and of block: those of ResNet-18, as the papers have them, and cheap ones. The
cheap stem takes squares of cells apart (space to depth), the cheap block is trained as three
branches and used as the one convolution that equals them (RepVGG, arXiv 2101.03697).
"""

from __future__ import annotations

import copy
from typing import cast

from ssd_ros.training.network_config import NetworkConfig
import torch
from torch import nn, Tensor
from torch.nn import functional

_PATCH = 4  # cells on a side that the cheap stem takes together


class Backbone(nn.Module):
    """Stem and blocks; uint8 polar BEV in, feature map out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self._input_scale = config.input_scale
        width = config.channels[0]
        self.stem = _stem(config.stem, width)
        block = BasicBlock if config.block == 'residual' else MergedBlock
        blocks: list[nn.Module] = []
        for channels, num_blocks, stride in zip(
            config.channels, config.num_blocks, config.strides, strict=True
        ):
            for index in range(num_blocks):
                blocks.append(block(width, channels, stride if index == 0 else 1))
                width = channels
        self.blocks = nn.Sequential(*blocks)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')

    def forward(self, bevs: Tensor) -> Tensor:
        """
        Return the feature map, not negative.

        :param bevs: shape (B, 1, num_ranges, num_azimuths) uint8
        :return: shape (B, channels[-1], num_ranges / stride, num_azimuths / stride)
        """
        feature_map: Tensor = self.blocks(self.stem(bevs.float() * self._input_scale))
        return feature_map


def _stem(name: str, width: int) -> nn.Sequential:
    """Return layers from one channel to so many at a quarter of the size."""
    if name == 'patches':
        return nn.Sequential(
            nn.Conv2d(1, width, _PATCH, stride=_PATCH, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
    return nn.Sequential(
        nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2, padding=1),
    )


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


class MergedBlock(nn.Module):
    """
    A 3x3 convolution, a 1x1 one and, where sizes allow, the input itself, added up.

    All three are linear in use, so `merged` makes them one 3x3 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.square = _normalised(in_channels, out_channels, 3, stride)
        self.point = _normalised(in_channels, out_channels, 1, stride)
        self.shortcut: nn.BatchNorm2d | None = None
        if stride == 1 and in_channels == out_channels:
            self.shortcut = nn.BatchNorm2d(in_channels)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return shape (B, out_channels, h / stride, w / stride)."""
        total = self.square(feature_map) + self.point(feature_map)
        if self.shortcut is not None:
            total = total + self.shortcut(feature_map)
        return functional.relu(total)

    def merged(self) -> nn.Sequential:
        """Return one convolution and its ReLU that do the same in use."""
        square, norm = cast(tuple[nn.Conv2d, nn.BatchNorm2d], tuple(self.square))
        weight, bias = _with_norm(square.weight, norm)
        point, norm = cast(tuple[nn.Conv2d, nn.BatchNorm2d], tuple(self.point))
        branches = [_with_norm(functional.pad(point.weight, (1, 1, 1, 1)), norm)]
        if self.shortcut is not None:
            same = torch.zeros_like(square.weight)
            nn.init.dirac_(same)
            branches.append(_with_norm(same, self.shortcut))
        result = nn.Conv2d(square.in_channels, square.out_channels, 3, square.stride[0], padding=1)
        with torch.no_grad():
            result.weight.copy_(weight + sum(kernel for kernel, _ in branches))
            cast(Tensor, result.bias).copy_(bias + sum(offset for _, offset in branches))
        return nn.Sequential(result, nn.ReLU(inplace=True))


def _normalised(in_channels: int, out_channels: int, size: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    )


def _with_norm(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution without bias and its normalisation in use."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


def merged(network: nn.Module) -> nn.Module:
    """Return a copy for use in which every MergedBlock is one convolution."""
    result = copy.deepcopy(network).eval()
    for module in list(result.modules()):
        for name, child in module.named_children():
            if isinstance(child, MergedBlock):
                setattr(module, name, child.merged())
    return result
