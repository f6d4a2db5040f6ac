# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The encoders: convolutions for each sensor and one HOLMES pooling that both share, or a baseline's.

`python -m ssd_ros.training.networks.encoders` prints their parameters and multiplications.
"""

from __future__ import annotations

import argparse
import copy
from typing import cast, NamedTuple

from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.network_config import NetworkConfig, NETWORKS
from ssd_ros.training.networks.autoplace import SpatialBackbone, SpatialPooling
from ssd_ros.training.networks.backbone import Backbone, merged
from ssd_ros.training.networks.enhancement import EnhancementNet, ImitationNet
from ssd_ros.training.networks.holmes import Holmes, HolmesLevel
from ssd_ros.training.networks.radar_to_lidar import ContextBackbone, SpectrumPooling
import torch
from torch import nn, Tensor

_GRID = PolarGrid()
_MAX_PIXEL = 255


class Encoder(nn.Module):
    """Backbone and pooling of one sensor, for images of its field of view."""

    def __init__(self, backbone: nn.Module, pooling: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling

    def forward(self, polar_bev: Tensor) -> Tensor:
        """Return unit descriptors (B, D) of images (B, 1, num_ranges, num_azimuths) uint8."""
        descriptor: Tensor = self.pooling(self.backbone(polar_bev))
        return descriptor


class PanoramaEncoder(nn.Module):
    """
    Backbone and pooling for all views of a panorama: the backbone runs once.

    A view is a part of the panorama's feature map, so its edges know what lies beyond them.
    """

    def __init__(self, backbone: nn.Module, pooling: Holmes, config: NetworkConfig) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.config = config

    def forward(self, panorama: Tensor) -> Tensor:
        """
        Return unit descriptors, shape (B, num_views, D).

        :param panorama: shape (B, 1, num_ranges, panorama_azimuths) uint8; a third of the
            azimuths is a view
        """
        config, num_columns = self.config, panorama.shape[-1]
        margin = config.teacher_margin
        around = torch.cat([panorama[..., -margin:], panorama, panorama[..., :margin]], dim=-1)
        feature_map = without_margin(self.backbone(around), margin, config.stride)
        views = view_columns(num_columns // config.stride, config.num_views).to(panorama.device)
        descriptors: Tensor = self.pooling(feature_map, views)
        return descriptors.unflatten(0, (-1, config.num_views))


class ViewsEncoder(nn.Module):
    """The same for an encoder that must see each view by itself."""

    def __init__(self, encoder: Encoder, num_views: int) -> None:
        super().__init__()
        self.encoder = encoder
        self._num_views = num_views

    def forward(self, panorama: Tensor) -> Tensor:
        """Return unit descriptors, shape (B, num_views, D), of panoramas as above."""
        columns = view_columns(panorama.shape[-1], self._num_views).to(panorama.device)
        views = panorama[..., columns].permute(0, 3, 1, 2, 4).flatten(0, 1)
        descriptors: Tensor = self.encoder(views)
        return descriptors.unflatten(0, (-1, self._num_views))


def view_columns(num_columns: int, num_views: int) -> Tensor:
    """
    Return the columns of a panorama's feature map that make each view, shape (num_views, width).

    View 0 looks forward, which is column 0; the next ones turn as those of
    ssd_ros.bev.polar_bev.views_of_panorama.

    :raise ValueError: the step between views is not a whole number of features
    """
    if num_columns % num_views:
        raise ValueError(
            f'{num_columns} features around cannot make {num_views} views: choose another grid, '
            'stride or number of views'
        )
    width, step = num_columns // 3, num_columns // num_views
    starts = torch.arange(num_views)[:, None] * step - width // 2
    return (starts + torch.arange(width)) % num_columns


def without_margin(feature_map: Tensor, margin: int, stride: int) -> Tensor:
    """Cut off the columns that were there for the convolutions only."""
    columns = margin // stride
    return feature_map[..., columns : feature_map.shape[-1] - columns]


class Sight(NamedTuple):
    """
    What a student makes of its images.

    :param images: as they were redrawn, shape (B, 1, num_ranges, num_azimuths) in [0, 1]; None
        where nothing redraws them
    :param imitated: logits of what is added to its features; None where nothing is
    :param features: with it, shape (B, C, h, w)
    """

    images: Tensor | None
    imitated: Tensor | None
    features: Tensor


class StudentBackbone(nn.Module):
    """A backbone with what 4DRaL adds before and behind it."""

    def __init__(
        self,
        backbone: nn.Module,
        enhancement: EnhancementNet | None,
        imitation: ImitationNet | None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.enhancement, self.imitation = enhancement, imitation

    def forward(self, bevs: Tensor) -> Tensor:
        """Return the feature map of images (B, 1, num_ranges, num_azimuths) uint8."""
        return self.see(bevs).features

    def see(self, bevs: Tensor) -> Sight:
        """Return all that is made of such images."""
        drawn = None
        if self.enhancement is not None:
            drawn = self.enhancement(bevs.float() / _MAX_PIXEL)
            bevs = drawn * _MAX_PIXEL
        features, imitated = self.backbone(bevs), None
        if self.imitation is not None:
            imitated = self.imitation(features)
            features = features + torch.sigmoid(imitated)
        return Sight(drawn, imitated, features)


class TeacherStudent(nn.Module):
    """
    Both branches, of equal initial weights, and the pooling that makes one metric space.

    :param enhancement: redraws the student's images; None where the scheme has no such idea
    :param imitation: likewise, adds to its features
    :param alignment: channels of the student for comparison with the teacher's, not exported
    :param grid: of the images; only baselines need to know it
    """

    student: Backbone | SpatialBackbone | ContextBackbone
    pooling: Holmes | SpatialPooling | SpectrumPooling

    def __init__(
        self,
        config: NetworkConfig,
        seed: int,
        grid: PolarGrid = _GRID,
        enhances: bool = False,
        imitates: bool = False,
    ) -> None:
        super().__init__()
        self.config = config
        self._is_frozen = False
        channels = config.channels[-1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if config.has_branches:
                self.student = Backbone(config)
                self.pooling = Holmes(channels, config)
            elif config.architecture == 'autoplace':
                self.student = SpatialBackbone(config, grid)
                self.pooling = SpatialPooling()
            else:
                self.student = ContextBackbone(config, grid)
                self.pooling = SpectrumPooling()
        self.teacher = copy.deepcopy(self.student) if config.has_branches else self.student
        self.alignment = nn.Conv2d(channels, channels, 1)
        nn.init.dirac_(self.alignment.weight)
        nn.init.zeros_(cast(Tensor, self.alignment.bias))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            # A quarter of the backbone's first channels, as in the paper.
            width = max(config.channels[0] // 4, 1)
            self.enhancement = EnhancementNet(width) if enhances else None
            self.imitation = ImitationNet(channels) if imitates else None

    def freeze_teacher(self) -> None:
        """Keep the teacher and the pooling as they are, batch statistics included."""
        for part in (self.teacher, self.pooling):
            part.requires_grad_(False)
        self._is_frozen = True
        self.train(self.training)

    def train(self, mode: bool = True) -> TeacherStudent:
        """Set all parts to training, or to use; frozen ones stay in use."""
        super().train(mode)
        if self._is_frozen:
            self.teacher.eval()
            self.pooling.eval()
        return self

    def teacher_features(self, bevs: Tensor) -> Tensor:
        """
        Return the feature map of views, shape (B, C, h, w).

        :param bevs: shape (B, 1, num_ranges, num_azimuths + 2 * margin) uint8
        """
        return without_margin(self.teacher(bevs), self.config.teacher_margin, self.config.stride)

    @property
    def seeing(self) -> StudentBackbone:
        """The student's backbone with what is before and behind it, sharing weights."""
        return StudentBackbone(self.student, self.enhancement, self.imitation)

    def encoder(self, sensor: str) -> Encoder:
        """Return the encoder of one view for the sensor '4d' or 'spinning', sharing weights."""
        if sensor != '4d':
            return Encoder(self.teacher, self.pooling)
        is_plain = self.enhancement is None and self.imitation is None
        return Encoder(self.student if is_plain else self.seeing, self.pooling)

    def panorama_encoder(self) -> PanoramaEncoder | ViewsEncoder:
        """Return the encoder of the spinning radar's panoramas, sharing these weights."""
        if not isinstance(self.pooling, Holmes):
            return ViewsEncoder(self.encoder('spinning'), self.config.num_views)
        return PanoramaEncoder(self.teacher, self.pooling, self.config)


def networks_of(config: TrainingConfig) -> TeacherStudent:
    """Return the networks of a run with their initial weights."""
    distillation = config.distillation
    return TeacherStudent(
        config.network,
        config.seed,
        config.preprocessing.grid,
        distillation.has('enhancement'),
        distillation.has('imitation'),
    )


def multiplications(encoder: nn.Module, grid: PolarGrid) -> int:
    """Return the multiply-accumulate operations of one image in use, by counting the layers'."""
    total, encoder = 0, merged(encoder)

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    handles = [module.register_forward_hook(count) for module in encoder.modules()]
    with torch.no_grad():
        encoder(torch.zeros(1, 1, grid.num_ranges, grid.num_azimuths, dtype=torch.uint8))
    for handle in handles:
        handle.remove()
    levels = [module for module in encoder.modules() if isinstance(module, HolmesLevel)]
    return total + sum(level.projection.numel() for level in levels)


def main(argv: list[str] | None = None) -> int:
    """Print the size of each network."""
    argparse.ArgumentParser(description=main.__doc__).parse_args(argv)
    print('network    parameters  GMAC  descriptor')
    for name, config in NETWORKS.items():
        encoder = TeacherStudent(config, seed=0).encoder('4d')
        parameters = sum(parameter.numel() for parameter in encoder.parameters())
        gmac = multiplications(encoder, PolarGrid()) / 1e9
        print(f'{name:9}  {parameters / 1e6:8.2f} M  {gmac:4.2f}  {config.descriptor_size}')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
