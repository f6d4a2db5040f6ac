# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
ReFeree-R: how much of each of 42 rings around the radar is free of returns.

Kim et al., arXiv 2410.01325. There the returns are found by the detector cen2018 and 80 of 3360
range bins make a ring; here the polar BEV holds the returns, and the rings are as wide as 42 of
them ask, borders inside a bin sharing it by area. Shares instead of counts do not change who is
nearest. The KD-tree of the paper gives the same answers as the plain search here. Released,
azimuths that are not seen count as free; repaired, they do not count.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.empty_image import unlike_all
from ssd_ros.baselines.method import Handcrafted
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import check_variant, NUM_VIEWS

_NUM_RINGS = 42


class RefereeR(Handcrafted):
    """42 numbers, compared by their Euclidean distance."""

    def __init__(self, variant: str) -> None:
        self._variant = check_variant(variant)
        self.num_views = NUM_VIEWS[self._variant]

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the free share of each ring, nearest first, shape (42,)."""
        cells = image.cells if self._variant == 'released' else image.seen_cells
        if not cells.any():
            return unlike_all(_NUM_RINGS)
        free = (cells == 0).mean(axis=1, dtype=np.float32)
        rings = cv2.resize(free[:, None], (1, _NUM_RINGS), interpolation=cv2.INTER_AREA)
        return np.asarray(rings, np.float32).reshape(_NUM_RINGS)
