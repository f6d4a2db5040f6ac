# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Feature distribution distillation: a student tells the teacher's features from its own.

After 4DRaL (arXiv 2603.26206), equations 9 and 10, a Kullback-Leibler divergence of which the
paper does not say over what. The student's end is a sigmoid, so each feature is taken for a
probability of its own by default: a softmax over values in (0, 1) cannot be as peaked as the
teacher's features, which leaves a floor that no student gets below. The other readings are there
to be compared.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Axes of (B, C, h * w) that a softmax runs over.
_SOFTMAX = {'channel': 1, 'spatial': 2, 'all': 1}


def imitation_loss(imitated: Tensor, teacher: Tensor, divergence: str = 'bernoulli') -> Tensor:
    """
    Return how far a student's account of the teacher's features is from them.

    :param imitated: logits, shape (B, C, h, w), get the gradient
    :param teacher: features, shape (B, C, h, w), not negative
    :param divergence: one of DIVERGENCES in training/schemes.py. 'bernoulli' and 'elementwise': of
        sigmoids, mean over features; the latter, t ln(t / s) alone, as KLDivLoss computes it, may
        be negative. 'channel', 'spatial', 'all': of a softmax over channels, positions or both,
        mean over the others. 'mse': of sigmoids
    :return: scalar
    """
    logits, theirs = imitated.float(), teacher.detach().float()
    probability = torch.sigmoid(theirs)
    if divergence == 'bernoulli':
        crossed = functional.binary_cross_entropy_with_logits(logits, probability)
        own = functional.binary_cross_entropy_with_logits(theirs, probability)
        return crossed - own
    if divergence == 'elementwise':
        own_log = functional.logsigmoid(theirs)
        return (probability * (own_log - functional.logsigmoid(logits))).mean()
    if divergence == 'mse':
        return (torch.sigmoid(logits) - probability).square().mean()
    first = 1 if divergence == 'all' else 2
    ours, theirs = (part.flatten(first) for part in (logits, theirs))
    axis = _SOFTMAX[divergence]
    log_theirs = functional.log_softmax(theirs, axis)
    log_ours = functional.log_softmax(ours, axis)
    return (log_theirs.exp() * (log_theirs - log_ours)).sum(axis).mean()
