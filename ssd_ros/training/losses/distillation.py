# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Spatially-stratified distillation: the student's features are pulled to the teacher's.

Fully where both radars have returns, weakly where only the teacher has structure, not at all
where it has none. After SSD (arXiv 2606.18687), whose equations are reconstructed in the
project's method specification, sections 14 to 16; the other schemes are what it is compared with.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ssd_ros.training.config import DistillationConfig
import torch
from torch import Tensor
from torch.nn import functional

_EPSILON = 1e-6


class SpatialMasks(NamedTuple):
    """
    Where which radar sees structure, one value a feature; shapes (B, h, w), 0 or 1.

    :param teacher: the teacher's features are strong
    :param joint: and the student has returns nearby
    :param gap: and it has none
    """

    teacher: Tensor
    joint: Tensor
    gap: Tensor


class Distillation(NamedTuple):
    """
    The two terms of the loss, scalars with gradient to the student, and what to watch.

    :param features: weighted cosine distance of the features
    :param covariance: squared Frobenius distance of their covariances
    :param statistics: scalars without gradient: shares of the masks, distances by mask
    """

    features: Tensor
    covariance: Tensor
    statistics: dict[str, Tensor]


def distil(
    student: Tensor,
    teacher: Tensor,
    student_bevs: Tensor,
    is_aligned: Tensor,
    config: DistillationConfig,
) -> Distillation:
    """
    Compare the features of both branches where the scheme says so.

    :param student: aligned features, shape (B, C, h, w)
    :param teacher: shape (B, C, h, w); gets no gradient
    :param student_bevs: shape (B, 1, num_ranges, num_azimuths) uint8
    :param is_aligned: shape (B,) bool: pairs whose cells correspond; others are left out
    """
    teacher = teacher.detach()
    masks = spatial_masks(teacher, student_bevs, config)
    ours = functional.normalize(student.float(), dim=1)
    theirs = functional.normalize(teacher.float(), dim=1)
    distance = 1 - (ours * theirs).sum(dim=1)
    weights = spatial_weights(masks, student.detach(), config)
    used = is_aligned.float()
    num_used = used.sum().clamp(min=1)
    covariance = (_covariance(ours) - _covariance(theirs)).square().sum(dim=(1, 2))
    statistics = {f'{name}_share': mask.mean() for name, mask in masks._asdict().items()} | {
        f'{name}_distance': _weighted_mean(distance.detach(), mask * used[:, None, None], None)
        for name, mask in masks._asdict().items()
    }
    return Distillation(
        (_weighted_mean(distance, weights, (1, 2)) * used).sum() / num_used,
        (covariance * used).sum() / num_used,
        statistics,
    )


def spatial_masks(
    teacher: Tensor, student_bevs: Tensor, config: DistillationConfig
) -> SpatialMasks:
    """
    Return where the teacher has structure and, of that, where the student has returns.

    :param teacher: features, shape (B, C, h, w)
    :param student_bevs: shape (B, 1, num_ranges, num_azimuths) uint8
    """
    structure = _is_strong(teacher, config.kappa)
    is_seen = student_evidence(student_bevs, teacher.shape[-2:], config.sigma) >= config.tau
    joint = structure * is_seen
    return SpatialMasks(structure, joint, structure - joint)


def student_evidence(bevs: Tensor, size: tuple[int, int] | torch.Size, sigma: float) -> Tensor:
    """
    Return the share of cells with returns around each feature, weighted by a Gaussian.

    :param bevs: shape (B, 1, num_ranges, num_azimuths) uint8
    :param size: height and width of the feature map
    :param sigma: of the Gaussian, in features
    :return: shape (B, h, w) in [0, 1]
    """
    occupied = functional.adaptive_max_pool2d((bevs > 0).float(), tuple(size))
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, device=bevs.device)
    profile = torch.exp(-offsets.float().square() / (2 * sigma**2))
    kernel = torch.outer(profile, profile)
    kernel = (kernel / kernel.sum())[None, None]
    with torch.autocast(bevs.device.type, enabled=False):
        return functional.conv2d(occupied, kernel, padding=radius)[:, 0]


def spatial_weights(masks: SpatialMasks, student: Tensor, config: DistillationConfig) -> Tensor:
    """
    Return the weight of each feature under the scheme, shape (B, h, w).

    :param student: features, shape (B, C, h, w)
    """
    match config.scheme:
        case 'uniform':
            return torch.ones_like(masks.teacher)
        case 'teacher_only':
            return masks.teacher
        case 'joint_only':
            return masks.joint
        case 'feature_mask':
            return _feature_mask(masks.teacher, _is_strong(student, config.kappa), config)
        case _:
            return masks.joint + config.gap_weight * masks.gap


def _feature_mask(teacher: Tensor, student: Tensor, config: DistillationConfig) -> Tensor:
    """
    Return weights in the manner of RadarDistill (CVPR 2024): masks from features on both sides.

    What only the student claims is pulled to the teacher as well, rescaled by the numbers of
    both kinds; what only the teacher has is left alone.
    """
    both, claimed = teacher * student, (1 - teacher) * student
    ratio = both.sum(dim=(1, 2), keepdim=True) / claimed.sum(dim=(1, 2), keepdim=True).clamp(min=1)
    return both + config.empty_weight * ratio * claimed


def _is_strong(features: Tensor, kappa: float) -> Tensor:
    """Return 1 where the magnitude exceeds kappa times its mean over the map, shape (B, h, w)."""
    magnitude = features.detach().float().norm(dim=1)
    return (magnitude > kappa * magnitude.mean(dim=(1, 2), keepdim=True)).float()


def _weighted_mean(values: Tensor, weights: Tensor, dim: tuple[int, int] | None) -> Tensor:
    return (values * weights).sum(dim=dim) / (weights.sum(dim=dim) + _EPSILON)


def _covariance(features: Tensor) -> Tensor:
    """Return the covariance over positions, shape (B, C, C), of unit features (B, C, h, w)."""
    centred = features.flatten(2)
    centred = centred - centred.mean(dim=2, keepdim=True)
    with torch.autocast(features.device.type, enabled=False):
        return torch.bmm(centred, centred.transpose(1, 2)) / centred.shape[2]
