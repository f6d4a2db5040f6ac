# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Local image enhancement: a student's redrawn image is compared with the teacher's.

After 4DRaL (arXiv 2603.26206), equations 6 to 8: only where both sensors have returns nearby, so
that nothing is asked for that the student's sensor cannot see.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def enhancement_loss(
    drawn: Tensor, student: Tensor, teacher: Tensor, is_local: bool = True, by_mask: bool = False
) -> Tensor:
    """
    Return the mean squared difference of redrawn images and the teacher's.

    :param drawn: shape (B, 1, H, W) in [0, 1], gets the gradient
    :param student: the images that were redrawn
    :param teacher: images of the same places, cell by cell
    :param is_local: compare only where both have returns within a cell, else everywhere
    :param by_mask: mean over the cells compared (reconstructed), not over all, as the paper has it
    :return: scalar; the cells that count of all images together
    """
    squared = (teacher - drawn.float()).square()
    if not is_local:
        return squared.mean()
    mask = (_spread(student) > 0) & (_spread(teacher) > 0)
    total = (squared * mask).sum()
    return total / (mask.sum().clamp(min=1) if by_mask else mask.numel())


def _spread(images: Tensor) -> Tensor:
    """Return the largest value within a cell."""
    return functional.max_pool2d(images, 3, stride=1, padding=1)
