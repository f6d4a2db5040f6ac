# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RingKey: the mean over all azimuths, which does not change when the radar turns.

The first stage of Scan Context (Kim and Kim, IROS 2018), as Open-RadVLAD (Gadd and Newman, Radar
2024) releases it for radar: 512 range bins, azimuths of unit length. Released, azimuths that are
not seen count as empty; repaired, they do not count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.azimuth_rows import azimuth_rows, NUM_BINS, unit_rows
from ssd_ros.baselines.empty_image import unlike_all
from ssd_ros.baselines.method import Handcrafted
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import check_variant, NUM_VIEWS


class RingKey(Handcrafted):
    """512 numbers, compared by their Euclidean distance."""

    def __init__(self, variant: str) -> None:
        self._variant = check_variant(variant)
        self.num_views = NUM_VIEWS[self._variant]

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the mean azimuth, shape (512,)."""
        key = unit_rows(azimuth_rows(image, self._variant)).mean(axis=0)
        return key if key.any() else unlike_all(NUM_BINS)
