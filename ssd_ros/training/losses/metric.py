# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Metric losses between the student's and the teacher's descriptors: pure functions of tensors.

The triplet is SHeRLoc's (the project's method specification, sections 8 and 9), that of a fixed
margin 4DRaL's, those across sensors Radar-to-LiDAR's; InfoNCE is the in-batch contrastive
alternative.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

OTHER_WORLD_M = 1e9


def place_distances(first: Tensor, second: Tensor) -> Tensor:
    """
    Return the distances between places, far apart if the worlds differ.

    :param first: shape (P, 3): world number, x, y in metres
    :param second: shape (Q, 3)
    :return: shape (P, Q)
    """
    distances = torch.cdist(first[:, 1:], second[:, 1:])
    return torch.where(first[:, None, 0] == second[None, :, 0], distances, OTHER_WORLD_M)


def info_nce(student: Tensor, teacher: Tensor, is_negative: Tensor, temperature: float) -> Tensor:
    """
    Return the cross-entropy of finding one's partner in the batch, in both directions.

    :param student: shape (P, D), unit
    :param teacher: shape (P + K, D), unit; row i < P is the partner of student i, the last K
        are distractors
    :param is_negative: shape (P, P + K) bool; pairs neither partners nor negative are left out
    """
    num_places = len(student)
    logits = student @ teacher.T / temperature
    partner = torch.eye(num_places, len(teacher), dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(~(is_negative | partner), -torch.inf)
    target = torch.arange(num_places, device=logits.device)
    to_teacher = functional.cross_entropy(logits, target)
    to_student = functional.cross_entropy(logits[:, :num_places].T, target)
    return (to_teacher + to_student) / 2


def sampled_negatives(
    distances_m: Tensor, radius_m: float, num: int, generator: torch.Generator
) -> Tensor:
    """
    Draw up to num other places of the same world for each query; the farthest if none is far.

    :param distances_m: shape (P, Q), from place_distances
    :return: shape (P, Q) bool, at least one in every row
    """
    is_far = (distances_m > radius_m) & (distances_m < OTHER_WORLD_M)
    order = torch.rand(distances_m.shape, generator=generator).masked_fill(~is_far, -1)
    drawn = order.topk(min(num, order.shape[1]), dim=1).indices
    is_drawn = torch.zeros_like(is_far).scatter_(1, drawn, True) & is_far
    farthest = distances_m.argmax(dim=1, keepdim=True)
    is_farthest = torch.zeros_like(is_far).scatter_(1, farthest, True)
    return torch.where(is_far.any(dim=1, keepdim=True), is_drawn, is_farthest)


def hardest_negatives(student: Tensor, teacher: Tensor, is_candidate: Tensor) -> Tensor:
    """
    Return the nearest candidate in descriptor space, shape (P,).

    :param student: shape (P, D)
    :param teacher: shape (Q, D)
    :param is_candidate: shape (P, Q) bool, at least one in every row
    """
    distances = torch.cdist(student.detach(), teacher.detach())
    return distances.masked_fill(~is_candidate, torch.inf).argmin(dim=1)


def triplet(
    query: Tensor,
    positive: Tensor,
    negative: Tensor,
    positive_similarity: Tensor,
    negative_similarity: Tensor,
    margin_scale: float,
) -> Tensor:
    """
    Return the triplet loss with adaptive margin and anchor swap, averaged where it is not zero.

    A negative image that resembles the query needs less distance than one that does not.

    :param query: shape (B, D), unit, as positive and negative
    :param positive_similarity: shape (B,), FFT similarity of the query's image and the positive's
    :param negative_similarity: shape (B,)
    """
    margin = margin_scale * (positive_similarity - negative_similarity).clamp(min=0)
    to_negative = torch.minimum(
        descriptor_distances(query, negative), descriptor_distances(positive, negative)
    )
    losses = (descriptor_distances(query, positive) - to_negative + margin).clamp(min=0)
    return losses.sum() / (losses > 0).sum().clamp(min=1)


def fixed_triplet(query: Tensor, positive: Tensor, negatives: Tensor, margin: float) -> Tensor:
    """
    Return the triplet loss of one margin, mean over all negatives of all queries.

    :param query: shape (B, D), unit, as the others
    :param positive: shape (B, D)
    :param negatives: shape (B, K, D)
    """
    to_positive = descriptor_distances(query, positive)
    to_negatives = descriptor_distances(query[:, None], negatives)
    return (to_positive[:, None] - to_negatives + margin).clamp(min=0).mean()


def cross_modal_triplets(
    student: Tensor, teacher: Tensor, negative: Tensor, margin: float, blends: bool = False
) -> Tensor:
    """
    Return the triplet loss across two sensors, mean over the four ways to ask.

    Radar-to-LiDAR's (Yin et al., 2021), of whose eight triplets four need a second image of one
    sensor: each sensor asks for the other's image of its place, against either one of another.

    :param student: shape (P, D)
    :param teacher: shape (P, D), row i the partner of student i
    :param negative: shape (P,), another place for each
    :param blends: take them as the released training does by mistake, see blended
    """
    sides = [student, teacher, student[negative], teacher[negative]]
    query, partner, *others = [blended(side) for side in sides] if blends else sides
    losses = [
        fixed_triplet(asks, finds, other[:, None], margin)
        for asks, finds in ((query, partner), (partner, query))
        for other in others
    ]
    return torch.stack(losses).mean()


def blended(descriptors: Tensor) -> Tensor:
    """
    Return all descriptors but the last, cut into as many rows as there were.

    One is lost, and each row holds the end of one and the beginning of the next. Numbers that
    fill no row are dropped.

    :param descriptors: shape (N, D)
    :return: shape (N, (N - 1) * D // N)
    """
    num, size = len(descriptors), (len(descriptors) - 1) * descriptors.shape[1] // len(descriptors)
    return descriptors[:-1].flatten()[: num * size].view(num, size)


def descriptor_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return the Euclidean distances, shape (...,), of descriptors (..., D)."""
    # The root of 0 has no finite slope.
    return (first - second).square().sum(dim=-1).clamp(min=1e-12).sqrt()
