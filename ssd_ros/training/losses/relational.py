# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Relational distillation: places lie as far apart for the student as they do for the teacher.

After 4DRaL (arXiv 2603.26206). Within one sensor, equations 12 and 13: one margin on the mean over
all pairs. It asks nothing of single cells, so the views need not be aligned. From one sensor to
another, equation 14: descriptors of one place must themselves be near each other.
"""

from __future__ import annotations

from ssd_ros.training.losses.metric import descriptor_distances
import torch
from torch import Tensor

_TINY = 1e-12


def relational(student: Tensor, teacher: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """
    Compare the distances between descriptors of the same places.

    :param student: shape (P, D), unit; row i is of the same place as the teacher's
    :param teacher: shape (P, D), unit; gets no gradient
    :param margin: mean squared difference up to which nothing is lost
    :return: the loss, a scalar with gradient to the student, and the root of the mean squared
        difference, without
    """
    difference = (_pair_distances(teacher.detach()) - _pair_distances(student)).square().mean()
    return (difference - margin).clamp(min=0), difference.detach().sqrt()


def cross_modal(first: Tensor, second: Tensor, teacher: Tensor, margin: float) -> Tensor:
    """
    Return by how much more than a margin three descriptors of one place lie apart.

    :param first: shape (P, D), unit, the student's of one sensor
    :param second: shape (P, D), unit, the student's of the other
    :param teacher: shape (P, D), unit; gets no gradient
    :param margin: distance that costs nothing
    :return: scalar, mean over places
    """
    teacher = teacher.detach()
    pairs = ((first, teacher), (second, teacher), (second, first))
    return torch.stack([excess(descriptor_distances(*pair), margin) for pair in pairs]).sum()


def excess(distances: Tensor, margin: float) -> Tensor:
    """Return the mean of what distances have beyond a margin, a scalar."""
    return (distances - margin).clamp(min=0).mean()


def _pair_distances(descriptors: Tensor) -> Tensor:
    """Return the Euclidean distances of all pairs i < j, shape (P * (P - 1) / 2,)."""
    with torch.autocast(descriptors.device.type, enabled=False):
        similarity = descriptors.float() @ descriptors.float().T
    num = len(descriptors)
    first, second = torch.triu_indices(num, num, offset=1)
    # The root of 0 has no finite slope.
    return (2 - 2 * similarity[first, second]).clamp(min=_TINY).sqrt()
