# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Radar-to-LiDAR (Yin et al., Frontiers in Robotics and AI, 2021): spectra of redrawn contexts.

The learned method for radar in LiDAR maps that 4DRaL compares with, after the project's
specification of it (section 9.6). Its images are cut out of our polar BEVs: mean pixels take the
place of occupancy. It is mended: the released training loses a triplet of each batch, blends
neighbouring samples and forgets its optimiser at every step, which `loss.blends` and
`optimiser.forgets` put back. A 4D radar sees a third of a turn, so that a place is described view
by view; the spectrum of a view does not change where that turns a little, but for what comes in at
its edges.
"""

from __future__ import annotations

import math

from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.training.network_config import NetworkConfig, SPECTRUM_SIDE
from ssd_ros.training.networks.enhancement import double_convolution
import torch
from torch import nn, Tensor
from torch.nn import functional

NUM_RINGS, NUM_SECTORS = 40, 120  # sectors of a whole turn
MAX_RANGE_M = 80.0
_TINY = 1e-12  # the root of 0 has no slope


class ContextBackbone(nn.Module):
    """Scan context of a uint8 polar BEV, redrawn by a U-Net."""

    rings: Tensor
    sectors: Tensor

    def __init__(self, config: NetworkConfig, grid: PolarGrid) -> None:
        super().__init__()
        self._input_scale = config.input_scale
        ring_cells = MAX_RANGE_M / NUM_RINGS / grid.max_range_m * grid.num_ranges
        num_sectors = round(NUM_SECTORS * grid.fov_deg / 360)
        rings = mean_weights(grid.num_ranges, NUM_RINGS, ring_cells)
        sectors = mean_weights(grid.num_azimuths, num_sectors, grid.num_azimuths / num_sectors)
        self.register_buffer('rings', rings, persistent=False)
        self.register_buffer('sectors', sectors.T.contiguous(), persistent=False)
        sizes = config.channels
        self.down = nn.ModuleList(
            double_convolution(*ends) for ends in zip((1, *sizes), sizes, strict=False)
        )
        ends = list(zip(sizes[:0:-1], sizes[-2::-1], strict=True))
        self.up = nn.ModuleList(double_convolution(low + high, high) for low, high in ends)
        self.out = nn.Conv2d(sizes[0], 1, 1)

    def forward(self, bevs: Tensor) -> Tensor:
        """
        Return redrawn contexts, shape (B, 1, 40, sectors).

        :param bevs: shape (B, 1, num_ranges, num_azimuths) uint8
        """
        contexts = self.rings @ (bevs.float() * self._input_scale) @ self.sectors
        maps = [self.down[0](contexts)]
        for layers in list(self.down)[1:]:
            maps.append(layers(functional.max_pool2d(maps[-1], 2)))
        drawn = maps.pop()
        for layers, skipped in zip(self.up, maps[::-1], strict=True):
            larger = functional.interpolate(drawn, size=skipped.shape[2:], mode='nearest')
            drawn = layers(torch.cat([skipped, larger], dim=1))
        context: Tensor = self.out(drawn)
        return context


def mean_weights(num_cells: int, num_bins: int, cells_per_bin: float) -> Tensor:
    """Return the weight of each cell in the mean over each bin, shape (num_bins, num_cells)."""
    edges = torch.arange(num_bins + 1, dtype=torch.float64)[:, None] * cells_per_bin
    covered = (edges - torch.arange(num_cells)).clamp(0, 1)
    return ((covered[1:] - covered[:-1]) / cells_per_bin).float()


class SpectrumPooling(nn.Module):
    """The lowest frequencies of a context, by how strong they are: one unit vector."""

    def forward(self, contexts: Tensor) -> Tensor:
        """Return unit vectors (B, 1024) of contexts (B, 1, rings, sectors)."""
        rows, columns = (_waves(contexts.shape[axis], contexts.device) for axis in (2, 3))
        images = contexts[:, 0].float()
        (cos_r, sin_r), (cos_c, sin_c) = rows, columns
        along_cos, along_sin = cos_r @ images, sin_r @ images
        real = along_cos @ cos_c.T - along_sin @ sin_c.T
        imaginary = along_cos @ sin_c.T + along_sin @ cos_c.T
        strength = (real**2 + imaginary**2 + _TINY).sqrt()
        return functional.normalize(strength.flatten(1), dim=1)


def _waves(num: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cosines and sines of the frequencies in the middle of a shifted FFT, (32, num)."""
    half = SPECTRUM_SIDE // 2
    frequencies = torch.arange(-half, half, device=device)
    angles = 2 * math.pi / num * frequencies[:, None] * torch.arange(num, device=device)
    return angles.cos(), angles.sin()
