# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is seen from the lane beside against where things stand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.bev.beside import panorama_beside
from ssd_ros.bev.polar_bev import PolarGrid

GRID = PolarGrid(num_ranges=200, num_azimuths=120, max_range_m=100.0)  # half metres, degrees
LANE_M = 3.5


def seen_at(x_m: float, y_m: float) -> tuple[int, int]:
    """Return row and column in which a radar sees a point of its own frame."""
    clockwise_deg = -math.degrees(math.atan2(y_m, x_m)) % 360
    return int(math.hypot(x_m, y_m) / 0.5), int(clockwise_deg)


@pytest.mark.parametrize('x_m', [-60.0, 0.3, 60.0])
@pytest.mark.parametrize('y_m', [-40.0, 20.0])
def test_a_thing_is_seen_where_it_stands_from_the_lane_beside(x_m: float, y_m: float) -> None:
    panorama = np.zeros((200, 360), np.uint8)
    row, column = seen_at(x_m, y_m)
    # As large as what is lost by rounding to cells.
    panorama[row - 2 : row + 3, np.arange(column - 2, column + 3) % 360] = 9
    beside = panorama_beside(panorama, GRID, LANE_M)
    assert beside.dtype == np.uint8
    assert beside[seen_at(x_m, y_m - LANE_M)] == 9
    assert np.count_nonzero(beside) < 3 * 25
    back = panorama_beside(beside, GRID, -LANE_M)
    assert back[row, column] == 9


def test_what_lies_beyond_the_image_is_empty() -> None:
    panorama = np.full((200, 360), 7, np.uint8)
    beside = panorama_beside(panorama, GRID, LANE_M)
    assert (beside[-1, 85:95] == 7).all()  # to the right, where the own lane is
    assert (beside[-7:, 268:273] == 0).all()  # to the left, farther than was seen
    assert (beside[:-8] == 7).all()
