# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loss of one batch: both branches, the pooling they share, the metric loss."""

from __future__ import annotations

from dataclasses import dataclass

from ssd_ros.training.config import BatchConfig, LossConfig
from ssd_ros.training.losses import (
    hardest_negatives,
    info_nce,
    OTHER_WORLD_M,
    place_distances,
    sampled_negatives,
    triplet,
)
from ssd_ros.training.networks import TeacherStudent
from ssd_ros.training.pairs import Batch
from ssd_ros.training.similarity import fft_similarity
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Objective:
    """
    What a step minimises and what it reports.

    :param loss: scalar, with gradient
    :param accuracy: share of the batch whose nearest teacher's view is the partner
    """

    loss: Tensor
    accuracy: Tensor


def objective(
    networks: TeacherStudent, batch: Batch, batches: BatchConfig, loss: LossConfig, step: int
) -> Objective:
    """
    Return the metric loss of a batch.

    :param step: seeds the draw of the triplet's negatives
    """
    student_bevs, teacher_bevs = torch.from_numpy(batch.student), torch.from_numpy(batch.teacher)
    num_places = len(student_bevs)
    # Pooled together, so that both sensors share the batch statistics as they do afterwards.
    feature_maps = torch.cat([networks.student(student_bevs), networks.teacher(teacher_bevs)])
    descriptors = networks.pooling(feature_maps).float()
    student, teacher = descriptors[:num_places], descriptors[num_places:]
    distances_m = place_distances(
        torch.from_numpy(batch.student_places), torch.from_numpy(batch.teacher_places)
    )
    if loss.name == 'infonce':
        is_negative = distances_m > batches.negative_radius_m
        value = info_nce(student, teacher, is_negative, loss.temperature)
    else:
        is_candidate = sampled_negatives(
            distances_m,
            batches.negative_radius_m,
            loss.num_negatives,
            torch.Generator().manual_seed(step),
        )
        hardest = hardest_negatives(student, teacher, is_candidate)
        value = triplet(
            student,
            teacher[:num_places],
            teacher[hardest],
            fft_similarity(student_bevs[:, 0], teacher_bevs[:num_places, 0]),
            fft_similarity(student_bevs[:, 0], teacher_bevs[hardest, 0]),
            loss.margin_scale,
        )
    return Objective(value, _accuracy(student, teacher, distances_m, batches.negative_radius_m))


def _accuracy(
    student: Tensor, teacher: Tensor, distances_m: Tensor, negative_radius_m: float
) -> Tensor:
    nearest = (student.detach() @ teacher.detach().T).argmax(dim=1, keepdim=True)
    distance_m = distances_m.gather(1, nearest)
    return ((distance_m <= negative_radius_m) & (distance_m < OTHER_WORLD_M)).float().mean()
