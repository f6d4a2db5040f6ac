# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Encoders of density images, as 4DRaL has them: a LiDAR teacher, and students of 4D radar.

All share one trunk: ResNet-18 until its stage of 256 channels, whose last features, thinned by
two, are the descriptor. `python -m ssd_ros.training.networks.density_encoders` prints parameters
and length of the descriptor.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
import re
from typing import NamedTuple

from ssd_ros.training.network_config import DensityNetworkConfig, TASKS_4DRAL
from ssd_ros.training.networks.backbone import BasicBlock
from ssd_ros.training.networks.enhancement import EnhancementNet, ImitationNet
import torch
from torch import nn, Tensor
from torch.nn import functional


class Seen(NamedTuple):
    """
    What an encoder makes of a batch of images.

    :param images: shape (B, 1, H, W), as they were redrawn; the input where nothing redraws
    :param features: shape (B, C, h, w), not negative, before anything is added
    :param imitated: likewise, logits of what is added to them; None where nothing is
    :param descriptors: shape (B, C * h * w), unit
    """

    images: Tensor
    features: Tensor
    imitated: Tensor | None
    descriptors: Tensor


class DensityEncoder(nn.Module):
    """
    Density images to unit descriptors.

    The teacher is the plain trunk. A student redraws its images first, and one that is to be
    compared with its own kind adds what it imitates of the teacher's features.
    """

    def __init__(self, config: DensityNetworkConfig) -> None:
        super().__init__()
        self.config = config
        channels = 4 * config.width
        self.enhancement: EnhancementNet | None = None
        if config.enhances:
            self.enhancement = EnhancementNet(config.width // 4, config.is_residual)
        self.trunk = _trunk(config.width)
        self.imitation = ImitationNet(channels) if config.imitates else None

    def forward(self, images: Tensor) -> Seen:
        """
        Return all that is made of images.

        :param images: shape (B, 1, H, W) in [0, 1]
        """
        drawn = images if self.enhancement is None else self.enhancement(images)
        features = self.trunk(drawn)
        imitated = None if self.imitation is None else self.imitation(features)
        told = features
        if imitated is not None:
            told = torch.sigmoid(imitated)
            if self.config.branch == 'dual':
                told = features + told
        descriptors = functional.normalize(told.flatten(1).float(), dim=1)
        return Seen(drawn, features, imitated, descriptors)


class ImageEncoder(nn.Module):
    """An encoder of uint8 images, perhaps with shorter descriptors: what is exported."""

    basis: Tensor | None

    def __init__(self, encoder: DensityEncoder, basis: Tensor | None = None) -> None:
        """
        Share the weights of an encoder.

        :param basis: shape (D, K), orthonormal columns that the descriptors are laid along
        """
        super().__init__()
        self.encoder = encoder
        self.register_buffer('basis', basis)

    def forward(self, images: Tensor) -> Tensor:
        """Return unit descriptors (B, D or K) of images (B, 1, H, W) uint8."""
        descriptors = self.encoder(images.float() * self.encoder.config.input_scale).descriptors
        if self.basis is None:
            return descriptors
        return functional.normalize(descriptors @ self.basis, dim=1)


def _trunk(width: int) -> nn.Sequential:
    """
    Return stem, ResNet-18 to its third stage, and a maximum over 2 x 2 features.

    The stem makes three channels of one, so that weights of colour images fit.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(1, 3, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    for stage, (before, after) in enumerate([(1, 1), (1, 2), (2, 4)]):
        layers.append(BasicBlock(before * width, after * width, 2 if stage else 1))
        layers.append(BasicBlock(after * width, after * width, 1))
    layers.append(nn.MaxPool2d(2))
    trunk = nn.Sequential(*layers)
    for module in trunk.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
    return trunk


_FIRST_BLOCK = 6  # in the trunk
_NAMES = {
    'conv1': 'convolutions.0',
    'bn1': 'convolutions.1',
    'conv2': 'convolutions.3',
    'bn2': 'convolutions.4',
    'downsample': 'shortcut',
}


def load_resnet18(encoder: DensityEncoder, weights: Mapping[str, Tensor]) -> None:
    """
    Start from the weights of a ResNet-18 under the names of torchvision; the stem keeps its own.

    :param weights: those of its fourth stage and of its end are left aside
    :raise ValueError: one is missing or of another size
    """
    found = {name: tensor for key, tensor in weights.items() if (name := _trunk_name(key))}
    expected = {
        name: tensor
        for name, tensor in encoder.trunk.state_dict().items()
        if not name.startswith('0.')
    }
    for name, tensor in expected.items():
        if name not in found or found[name].shape != tensor.shape:
            raise ValueError(
                f'no ResNet-18 of this width: {name} should have shape {tuple(tensor.shape)}'
            )
    encoder.trunk.load_state_dict({name: found[name] for name in expected}, strict=False)


def _trunk_name(key: str) -> str:
    """Return where a weight of torchvision's ResNet-18 stands in the trunk, '' if nowhere."""
    whole, _, rest = key.partition('.')
    if whole in ('conv1', 'bn1'):
        return f'{2 if whole == "conv1" else 3}.{rest}'
    match = re.fullmatch(r'layer([123])\.([01])\.(conv1|bn1|conv2|bn2|downsample)\.(.+)', key)
    if match is None:
        return ''
    stage, block, part, last = match.groups()
    number = _FIRST_BLOCK + 2 * (int(stage) - 1) + int(block)
    return f'{number}.{_NAMES[part]}.{last}'


def descriptor_size(config: DensityNetworkConfig, num_cells: int) -> int:
    """Return the length of the descriptors of images with so many cells along a side."""
    side = num_cells
    for _ in range(4):
        side = (side + 1) // 2
    return 4 * config.width * (side // 2) ** 2


def num_parameters(network: nn.Module) -> int:
    """Return how many numbers are learnt."""
    return sum(parameter.numel() for parameter in network.parameters())


def main(argv: list[str] | None = None) -> int:
    """Print the size of each network."""
    argparse.ArgumentParser(description=main.__doc__).parse_args(argv)
    print('network  parameters  descriptor of 200 x 200 cells')
    for task in TASKS_4DRAL:
        config = DensityNetworkConfig().of_task(task)
        size = descriptor_size(config, 200)
        print(f'{task:7}  {num_parameters(DensityEncoder(config)):10}  {size}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
