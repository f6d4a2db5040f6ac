# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check heights above the ground on a plain, on a hill, below a tree and beside a puddle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.ground import heights_above_ground


def plain(slope: float = 0.0, step_m: float = 0.5) -> NDArray[np.float32]:
    """Return 40 x 40 m of ground 1.8 m below the sensor, uphill along x."""
    steps = np.arange(-20, 20, step_m)
    x, y = (axis.ravel() for axis in np.meshgrid(steps, steps))
    return np.column_stack([x, y, slope * x - 1.8]).astype(np.float32)


def heights(ground: NDArray[np.float32], *points: tuple[float, float, float]) -> list[float]:
    cloud = np.concatenate([ground, np.array(points, np.float32)])
    return heights_above_ground(cloud)[len(ground) :].tolist()


def test_what_stands_on_a_plain_is_as_high_as_it_stands() -> None:
    assert heights(plain(), (5.1, 3, -1.3), (-7, -7, 2.2)) == pytest.approx([0.5, 4.0])
    assert not heights_above_ground(plain()).any()


def test_a_hill_is_ground() -> None:
    hill = plain(slope=0.15)
    assert heights_above_ground(hill).max() < 0.3
    # 2 m above it, and the lowest ground of a cell of 2 m lies a little lower.
    (height_m,) = heights(hill, (10.0, 0.0, 1.7))
    assert 2.0 <= height_m < 2.3


def test_a_crown_that_hides_the_ground_is_none() -> None:
    ground = plain()
    far = np.hypot(ground[:, 0] - 8, ground[:, 1]) > 4
    (height_m,) = heights(ground[far], (8.0, 0.0, 5.2))
    # From 4 m away the ground may rise by a quarter of that, and by one cell.
    assert 7.0 - 0.25 * 4 - 0.5 - 1e-3 <= height_m < 7.0


def test_echoes_from_below_the_road_are_not_the_ground() -> None:
    ground = plain(step_m=0.25)  # 64 points a cell
    below = [(4.5 + 0.1 * number, 4.5, -5.0) for number in range(3)]
    found = heights_above_ground(np.concatenate([ground, np.array(below, np.float32)]))
    assert found[: len(ground)].max() < 0.01
    assert found[len(ground) :] == pytest.approx([-3.2] * 3)


def test_of_nothing_there_is_nothing() -> None:
    assert heights_above_ground(np.zeros((0, 3), np.float32)).shape == (0,)
