# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check RingKey on rings whose key is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.ring_key import RingKey
from ssd_ros.bev.polar_bev import PolarGrid

GRID = PolarGrid()


def view_of_ring(*rows: int) -> PolarImage:
    bev = np.zeros((GRID.num_ranges, GRID.num_azimuths), np.uint8)
    bev[list(rows)] = 200
    return PolarImage.of_view(bev, GRID)


def test_a_ring_of_one_row_lies_in_the_two_bins_beside_its_middle() -> None:
    expected = np.zeros(512)
    # Row 100 ends at bin 101 * 512 / 384 = 134.67 and begins at 133.33.
    expected[133:135] = 1 / math.sqrt(2)
    np.testing.assert_allclose(
        RingKey('repaired').describe(view_of_ring(100)), expected, atol=1e-6
    )


def test_as_released_what_is_not_seen_makes_the_key_smaller() -> None:
    key = RingKey('released').describe(view_of_ring(100))
    # A third of 400 rows, of which two are cut by the edges of the field of view.
    assert key[133] * math.sqrt(2) == pytest.approx(134 / 400)


def test_returns_nearer_than_2_6_m_do_not_count() -> None:
    method = RingKey('repaired')
    far = method.describe(view_of_ring(100))
    np.testing.assert_array_equal(method.describe(view_of_ring(0, 6, 100)), far)
    assert np.abs(method.describe(view_of_ring(7, 100)) - far).max() > 0.1
