# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Points that stand alone: radius outlier removal, as PCL has it, by SciPy's k-d tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree


def has_neighbours(
    xyz_m: NDArray[np.float32], radius_m: float, min_neighbours: int
) -> NDArray[np.bool_]:
    """
    Return which points have so many others within a radius, shape (N,).

    :param xyz_m: shape (N, 3), finite
    :param min_neighbours: not counting the point itself
    """
    if min_neighbours == 0 or len(xyz_m) == 0:
        return np.ones(len(xyz_m), dtype=bool)
    # The tree's bound is exclusive, and a point is its own nearest neighbour.
    bound_m = np.nextafter(radius_m, np.inf)
    distances_m, _ = KDTree(xyz_m).query(
        xyz_m, k=[min_neighbours + 1], distance_upper_bound=bound_m
    )
    return np.asarray(np.isfinite(distances_m[:, 0]))
