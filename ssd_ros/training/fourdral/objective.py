# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The loss of a batch of frames: the triplet, and what a student learns from a frozen teacher.

Equations 11 to 17 of 4DRaL (arXiv 2603.26206); all terms see all frames of the batch, which is
reconstructed.
"""

from __future__ import annotations

from ssd_ros.training.fourdral.config import FourdralConfig
from ssd_ros.training.fourdral.frames import FrameBatch
from ssd_ros.training.losses.enhancement import enhancement_loss
from ssd_ros.training.losses.imitation import imitation_loss
from ssd_ros.training.losses.metric import fixed_triplet
from ssd_ros.training.losses.relational import cross_modal, relational
from ssd_ros.training.networks.density_encoders import DensityEncoder, Seen
import torch
from torch import Tensor
from torch.nn import functional

Terms = dict[str, Tensor]


def objective(
    network: DensityEncoder,
    teacher: DensityEncoder | None,
    batch: FrameBatch,
    config: FourdralConfig,
) -> tuple[Tensor, Terms]:
    """
    Return the loss of a batch, and its terms without gradient.

    :param teacher: frozen; None while it is trained itself
    """
    device = next(network.parameters()).device
    turns_rad = torch.from_numpy(batch.turns_rad).to(device)
    lidar = _images(torch.from_numpy(batch.lidar).to(device), turns_rad, config)
    num = batch.num_queries
    if teacher is None or batch.clouds is None:
        seen = network(lidar)
        return _summed({'metric_loss': _triplet(seen.descriptors, num, config)}, config)
    clouds = _images(torch.from_numpy(batch.clouds).to(device), turns_rad, config)
    with torch.no_grad():
        taught: Seen = teacher(lidar)
    if config.task == 'r2r':
        terms = _within_radar(network(clouds), taught, clouds, lidar, num, config)
    else:
        # Both sensors together, so that they share the batch statistics as they do afterwards.
        both: Seen = network(torch.cat([clouds, lidar]))
        terms = _across_sensors(both, taught, clouds, lidar, num, config)
    return _summed(terms, config)


def _within_radar(
    seen: Seen, taught: Seen, clouds: Tensor, lidar: Tensor, num: int, config: FourdralConfig
) -> Terms:
    weights = config.loss
    terms = {'metric_loss': _triplet(seen.descriptors, num, config)}
    if weights.enhancement and config.network.enhances:
        terms['enhancement_loss'] = enhancement_loss(
            seen.images, clouds, lidar, weights.is_local, weights.by_mask
        )
    if weights.imitation and seen.imitated is not None:
        terms['imitation_loss'] = imitation_loss(
            seen.imitated, taught.features, weights.divergence
        )
    if weights.relational:
        terms['relational_loss'], _ = relational(
            seen.descriptors, taught.descriptors, weights.relational_margin
        )
    return terms


def _across_sensors(
    both: Seen, taught: Seen, clouds: Tensor, lidar: Tensor, num: int, config: FourdralConfig
) -> Terms:
    weights = config.loss
    of_clouds, of_lidar = both.descriptors.chunk(2)
    drawn_clouds, drawn_lidar = both.images.chunk(2)
    # The map of LiDAR is what a query is found in, so the negatives are of LiDAR by default.
    negatives = {'lidar': [of_lidar], '4d': [of_clouds], 'both': [of_lidar, of_clouds]}
    terms = {
        'metric_loss': fixed_triplet(
            of_clouds[:num],
            taught.descriptors[num : 2 * num],
            torch.cat([_negatives(part, num) for part in negatives[weights.negatives]], dim=1),
            weights.margin,
        )
    }
    if weights.enhancement and config.network.enhances:
        terms['enhancement_loss'] = enhancement_loss(
            drawn_clouds, clouds, lidar, weights.is_local, weights.by_mask
        )
        if weights.lidar_identity:
            kept = functional.mse_loss(drawn_lidar.float(), lidar)
            terms['enhancement_loss'] = terms['enhancement_loss'] + weights.lidar_identity * kept
    if weights.imitation and both.imitated is not None:
        imitated, _ = both.imitated.chunk(2)
        terms['imitation_loss'] = imitation_loss(imitated, taught.features, weights.divergence)
    if weights.relational:
        terms['relational_loss'] = cross_modal(
            of_clouds, of_lidar, taught.descriptors, weights.relational_margin
        )
    return terms


def _summed(terms: Terms, config: FourdralConfig) -> tuple[Tensor, Terms]:
    weights = config.loss
    factors = {
        'metric_loss': 1.0,
        'enhancement_loss': weights.enhancement,
        'imitation_loss': weights.imitation,
        'relational_loss': weights.relational,
    }
    loss = torch.stack([factors[name] * term for name, term in terms.items()]).sum()
    return loss, {name: term.detach() for name, term in terms.items()}


def _triplet(descriptors: Tensor, num: int, config: FourdralConfig) -> Tensor:
    return fixed_triplet(
        descriptors[:num],
        descriptors[num : 2 * num],
        _negatives(descriptors, num),
        config.loss.margin,
    )


def _negatives(descriptors: Tensor, num: int) -> Tensor:
    """Return those of the negatives, shape (B, K, D)."""
    return descriptors[2 * num :].unflatten(0, (num, -1))


def _images(pixels: Tensor, turns_rad: Tensor, config: FourdralConfig) -> Tensor:
    """Return images in [0, 1], turned about their middle if the configuration says so."""
    images = pixels.float() * config.network.input_scale
    return turned(images, turns_rad) if config.turns else images


def turned(images: Tensor, turns_rad: Tensor) -> Tensor:
    """
    Return images turned counter-clockwise about their middle, 0 where nothing was seen.

    :param images: shape (N, 1, H, W)
    :param turns_rad: shape (N,)
    """
    cos, sin, zero = turns_rad.cos(), turns_rad.sin(), torch.zeros_like(turns_rad)
    # Where each pixel comes from; rows run downwards.
    rows = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1)
    turns, shape = rows.reshape(-1, 2, 3), list(images.shape)
    with torch.autocast(images.device.type, enabled=False):
        where = functional.affine_grid(turns, shape, align_corners=False)
        return functional.grid_sample(images, where, align_corners=False)
