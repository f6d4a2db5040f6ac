# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The encoders: a ResNet per sensor and one HOLMES pooling that both share.

`python -m ssd_ros.training.networks` prints their parameters and multiplications.
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import replace

from ssd_ros.polar_bev import PolarGrid
from ssd_ros.training.config import NetworkConfig, NETWORKS
from ssd_ros.training.holmes import BasicBlock, Holmes
import torch
from torch import nn, Tensor


class Backbone(nn.Module):
    """ResNet without its classifier; uint8 polar BEV in, feature map out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self._input_scale = config.input_scale
        width = config.channels[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        blocks: list[nn.Module] = []
        for channels, num_blocks, stride in zip(
            config.channels, config.num_blocks, config.strides, strict=True
        ):
            for index in range(num_blocks):
                blocks.append(BasicBlock(width, channels, stride if index == 0 else 1))
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


class Encoder(nn.Module):
    """Backbone and pooling of one sensor: what is exported."""

    def __init__(self, backbone: Backbone, pooling: Holmes) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling

    def forward(self, polar_bev: Tensor) -> Tensor:
        """Return unit descriptors (B, D) of images (B, 1, num_ranges, num_azimuths) uint8."""
        descriptor: Tensor = self.pooling(self.backbone(polar_bev))
        return descriptor


class TeacherStudent(nn.Module):
    """Both branches, of equal initial weights, and the pooling that makes one metric space."""

    def __init__(self, config: NetworkConfig, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.student = Backbone(config)
            self.pooling = Holmes(config.channels[-1], config)
        self.teacher = copy.deepcopy(self.student)

    def encoder(self, sensor: str) -> Encoder:
        """Return the encoder of the sensor '4d' or 'spinning', sharing these weights."""
        return Encoder(self.student if sensor == '4d' else self.teacher, self.pooling)


def multiplications(encoder: Encoder, grid: PolarGrid) -> int:
    """Return the multiply-accumulate operations of one image, by counting the layers' own."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    handles = [module.register_forward_hook(count) for module in encoder.modules()]
    with torch.no_grad():
        encoder.eval()(torch.zeros(1, 1, grid.num_ranges, grid.num_azimuths, dtype=torch.uint8))
    for handle in handles:
        handle.remove()
    levels = [encoder.pooling.mid, *([encoder.pooling.high] if encoder.pooling.high else [])]
    return total + sum(level.projection.numel() for level in levels)


def main(argv: list[str] | None = None) -> int:
    """Print the size of each network."""
    argparse.ArgumentParser(description=main.__doc__).parse_args(argv)
    print('network  parameters  GMAC  descriptor')
    for name, config in NETWORKS.items():
        encoder = TeacherStudent(replace(config), seed=0).encoder('4d')
        parameters = sum(parameter.numel() for parameter in encoder.parameters())
        gmac = multiplications(encoder, PolarGrid()) / 1e9
        print(f'{name:7}  {parameters / 1e6:8.2f} M  {gmac:4.2f}  {config.descriptor_size}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
