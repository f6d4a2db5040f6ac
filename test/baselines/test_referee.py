# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check ReFeree-R on images whose free space is counted by hand."""

from __future__ import annotations

import numpy as np
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.referee import RefereeR
from ssd_ros.bev.polar_bev import PolarGrid


def test_the_free_share_of_each_ring_is_counted() -> None:
    grid = PolarGrid(num_ranges=84, num_azimuths=4)  # rings of two rows, 12 columns
    panorama = np.zeros((84, 12), np.uint8)
    panorama[0] = 200
    panorama[3, :3] = 1
    rings = RefereeR('repaired').describe(PolarImage.of_panorama(panorama, grid))
    np.testing.assert_allclose(rings, [12 / 24, 21 / 24, *[1.0] * 40], atol=1e-6)


def test_a_row_between_two_rings_is_shared_by_area() -> None:
    grid = PolarGrid()  # rings of 384 / 42 = 64 / 7 rows; the first ends a seventh into row 9
    panorama = np.zeros((384, 576), np.uint8)
    panorama[9] = 200
    rings = RefereeR('repaired').describe(PolarImage.of_panorama(panorama, grid))
    np.testing.assert_allclose(rings, [63 / 64, 58 / 64, *[1.0] * 40], atol=1e-6)


def test_what_is_not_seen_is_free_only_as_released() -> None:
    grid = PolarGrid()
    view = PolarImage.of_view(np.full((384, 192), 200, np.uint8), grid)
    np.testing.assert_allclose(RefereeR('released').describe(view), [2 / 3] * 42, atol=1e-6)
    np.testing.assert_array_equal(RefereeR('repaired').describe(view), [0.0] * 42)
