# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the distance between places on a map of which every distance is known."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.novelty import novelty_distance
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory


def database_of(descriptors: NDArray[np.float32], x_m: list[float]) -> PlaceDatabase:
    num = len(x_m)
    positions_m = np.zeros((num, 3))
    positions_m[:, 0] = x_m
    keyframes = Trajectory(np.arange(num), positions_m, np.tile([0.0, 0, 0, 1], (num, 1)))
    info = MapInfo('s', 'd', len(descriptors) // num, 2.0)
    return PlaceDatabase(MapContent(descriptors, keyframes, np.zeros((num, 0, 2), np.int16), info))


def test_the_same_place_and_its_views_do_not_count() -> None:
    # Two views per keyframe; the first two keyframes are one place, the third is another.
    unit = np.eye(4, dtype=np.float32)
    database = database_of(unit[[0, 1, 0, 1, 2, 3]], [0.0, 10.0, 100.0])
    assert novelty_distance(database) == pytest.approx(math.sqrt(2), abs=1e-6)


def test_it_is_the_median_over_the_keyframes() -> None:
    # Unit vectors in a plane: places at 0, 60 and 70 degrees, 100 m apart.
    angles = np.radians([0, 60, 70])
    descriptors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    # To the nearest other: 60, 10 and 10 degrees; the chord of 10 degrees is the median.
    expected = 2 * math.sin(math.radians(5))
    assert novelty_distance(database_of(descriptors, [0.0, 100.0, 200.0])) == pytest.approx(
        expected, abs=1e-5
    )


@pytest.mark.parametrize(('sensor', 'expected'), [('4d', math.sqrt(2)), ('spinning', 0)])
def test_whole_turns_of_scan_contexts_say_nothing_of_a_field_of_view(
    sensor: str, expected: float
) -> None:
    rows = np.eye(4, dtype=np.float32)[[0, 3]]  # each an echo in another ring
    content = database_of(rows, [0.0, 100.0])
    config = ScanContextConfig(num_rings=2, num_sectors=2)
    info = replace(content.info, scan_context=config, sensor=sensor)
    database = PlaceDatabase(MapContent(rows, content.keyframes, content.returns_cm, info))
    assert novelty_distance(database) == pytest.approx(expected, abs=1e-6)


def test_a_single_place_has_none() -> None:
    unit = np.eye(3, dtype=np.float32)
    assert novelty_distance(database_of(unit, [0.0, 10.0, 20.0])) == 0
