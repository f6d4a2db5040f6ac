# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loss of one batch: both branches, the pooling they share, metric loss, distillation."""

from __future__ import annotations

from dataclasses import dataclass

from ssd_ros.training.batches.pairs import Batch
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.losses.distillation import distil
from ssd_ros.training.losses.enhancement import enhancement_loss
from ssd_ros.training.losses.imitation import imitation_loss
from ssd_ros.training.losses.metric import (
    cross_modal_triplets,
    hardest_negatives,
    info_nce,
    OTHER_WORLD_M,
    place_distances,
    sampled_negatives,
    triplet,
)
from ssd_ros.training.losses.relational import relational
from ssd_ros.training.losses.similarity import fft_similarity
from ssd_ros.training.networks.encoders import TeacherStudent
from ssd_ros.training.schemes import SPATIAL_SCHEMES
import torch
from torch import Tensor

_MAX_PIXEL = 255


@dataclass(frozen=True, slots=True)
class Objective:
    """
    What a step minimises and what it reports.

    :param loss: scalar, with gradient
    :param statistics: scalars without gradient, by name
    """

    loss: Tensor
    statistics: dict[str, Tensor]


def objective(
    networks: TeacherStudent, batch: Batch, config: TrainingConfig, step: int
) -> Objective:
    """
    Return the metric loss of a batch and, if the scheme distils, its further terms.

    :param step: seeds the draw of the triplet's negatives
    """
    device = next(networks.parameters()).device
    student_bevs = torch.from_numpy(batch.student).to(device)
    teacher_bevs = torch.from_numpy(batch.teacher).to(device)
    sight = networks.seeing.see(student_bevs)
    student_map = sight.features
    student, teacher, teacher_map = _descriptors(networks, student_map, teacher_bevs, config)
    distances_m = place_distances(
        torch.from_numpy(batch.student_places).to(device),
        torch.from_numpy(batch.teacher_places).to(device),
    )
    margin = config.network.teacher_margin
    views = teacher_bevs[..., margin : teacher_bevs.shape[-1] - margin]
    loss = _metric_loss(student, teacher, student_bevs, views, distances_m, config, step)
    accuracy = _accuracy(student, teacher, distances_m, config.batch.negative_radius_m)
    statistics = {'metric_loss': loss.detach(), 'accuracy': accuracy}
    options = config.distillation
    is_aligned = torch.from_numpy(batch.is_aligned).to(device)
    if options.has('relational'):
        partners = teacher[: len(student)]
        term, difference = relational(student, partners, options.relational_margin)
        loss = loss + options.relational_weight * term
        statistics |= {'relational_loss': term.detach(), 'relational_difference': difference}
    if sight.images is not None:
        term = _enhancement(sight.images, student_bevs, views[: len(student)], is_aligned)
        loss = loss + options.enhancement_weight * term
        statistics['enhancement_loss'] = term.detach()
    if sight.imitated is not None:
        term = _imitation(sight.imitated, teacher_map[: len(student)], is_aligned)
        loss = loss + options.imitation_weight * term
        statistics['imitation_loss'] = term.detach()
    if options.scheme in SPATIAL_SCHEMES:
        distilled = distil(
            networks.alignment(student_map),
            teacher_map[: len(student_map)],
            student_bevs,
            is_aligned,
            options,
        )
        loss = loss + options.feature_weight * distilled.features
        loss = loss + options.covariance_weight * distilled.covariance
        statistics |= distilled.statistics | {
            'feature_loss': distilled.features.detach(),
            'covariance_loss': distilled.covariance.detach(),
        }
    return Objective(loss, statistics)


def _enhancement(drawn: Tensor, student_bevs: Tensor, views: Tensor, is_aligned: Tensor) -> Tensor:
    """Compare redrawn images with the teacher's views that show the same spots."""
    # An image without returns has no cell to be compared.
    ours = student_bevs.float() / _MAX_PIXEL * is_aligned[:, None, None, None]
    return enhancement_loss(drawn, ours, views.float() / _MAX_PIXEL)


def _imitation(imitated: Tensor, teacher_map: Tensor, is_aligned: Tensor) -> Tensor:
    if not is_aligned.any():
        return 0 * imitated.sum()
    return imitation_loss(imitated[is_aligned], teacher_map[is_aligned])


def _descriptors(
    networks: TeacherStudent, student_map: Tensor, teacher_bevs: Tensor, config: TrainingConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Return both sensors' descriptors and the teacher's feature map."""
    if config.teacher == 'frozen':
        with torch.no_grad():
            teacher_map = networks.teacher_features(teacher_bevs)
            teacher = networks.pooling(teacher_map).float()
        return networks.pooling(student_map).float(), teacher, teacher_map
    teacher_map = networks.teacher_features(teacher_bevs)
    # Pooled together, so that both sensors share the batch statistics as they do afterwards.
    descriptors = networks.pooling(torch.cat([student_map, teacher_map])).float()
    num_places = len(student_map)
    return descriptors[:num_places], descriptors[num_places:], teacher_map


def _metric_loss(
    student: Tensor,
    teacher: Tensor,
    student_bevs: Tensor,
    teacher_bevs: Tensor,
    distances_m: Tensor,
    config: TrainingConfig,
    step: int,
) -> Tensor:
    options, radius_m = config.loss, config.batch.negative_radius_m
    if options.name == 'infonce':
        return info_nce(student, teacher, distances_m > radius_m, options.temperature)
    generator = torch.Generator().manual_seed(step)
    if options.name == 'cross_triplet':
        num = len(student)
        is_drawn = sampled_negatives(distances_m[:, :num].cpu(), radius_m, 1, generator)
        negative = is_drawn.long().argmax(dim=1).to(student.device)
        partners = teacher[:num]
        return cross_modal_triplets(student, partners, negative, options.margin, options.blends)
    is_candidate = sampled_negatives(distances_m.cpu(), radius_m, options.num_negatives, generator)
    hardest = hardest_negatives(student, teacher, is_candidate.to(student.device))
    return triplet(
        student,
        teacher[: len(student)],
        teacher[hardest],
        fft_similarity(student_bevs[:, 0], teacher_bevs[: len(student), 0]),
        fft_similarity(student_bevs[:, 0], teacher_bevs[hardest, 0]),
        options.margin_scale,
    )


def _accuracy(
    student: Tensor, teacher: Tensor, distances_m: Tensor, negative_radius_m: float
) -> Tensor:
    nearest = (student.detach() @ teacher.detach().T).argmax(dim=1, keepdim=True)
    distance_m = distances_m.gather(1, nearest)
    return ((distance_m <= negative_radius_m) & (distance_m < OTHER_WORLD_M)).float().mean()
