# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shorter descriptors: the directions in which those of the training drives differ most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def principal_directions(descriptors: NDArray[np.float32], num: int) -> NDArray[np.float32]:
    """
    Return the directions that keep most of the inner products of descriptors.

    Principal components about the origin, not about the mean: descriptors are compared by their
    inner products, and stay of unit length.

    :param descriptors: shape (N, D), unit
    :param num: at most so many
    :return: shape (D, K), orthonormal columns, the weightiest first; K = num, or the rank if less
    """
    rows = descriptors.astype(np.float64)
    # N is the smaller side: the eigenvectors of all inner products tell those of the directions.
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = values[::-1][:num]
    kept = kept[kept > kept[0] * len(rows) * np.finfo(np.float64).eps]
    directions = rows.T @ vectors[:, ::-1][:, : len(kept)] / np.sqrt(kept)
    return directions.astype(np.float32)
