# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a trail is bounded, and thin where the vehicle crawls."""

from __future__ import annotations

import numpy as np
from ssd_ros.motion.trail import MAX_POINTS, Trail


def test_points_are_a_metre_apart_and_the_oldest_go() -> None:
    trail: Trail[int] = Trail()
    added = [trail.add(np.array([0.25 * index, 0.0]), index) for index in range(5000)]
    assert sum(added) == 1250
    assert len(trail.points) == MAX_POINTS == 1000
    assert trail.points[:2] == [1000, 1004]
    assert trail.points[-1] == 4996


def test_a_new_way_begins_where_the_old_one_ended() -> None:
    trail: Trail[str] = Trail()
    here = np.array([4e5, 5e6])
    assert trail.add(here, 'old')
    assert not trail.add(here + 0.5, 'near')
    trail.clear()
    assert trail.add(here, 'new')
    assert trail.points == ['new']
