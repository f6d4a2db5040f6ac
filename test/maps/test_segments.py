# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that are not related are kept apart in the running drive, on disk and in a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import Keyframe, PlaceDatabase
from ssd_ros.maps.place_search import merge_hits

SECOND = 1_000_000_000
INFO = MapInfo('a' * 64, 'b' * 64, num_views=1, keyframe_distance_m=2.0, sensor='4d')


def session() -> LiveSession:
    """Return three keyframes on x = 0, 10, 20 m, and two of another segment on 0 and 10 m."""
    live = LiveSession(8)
    returns_cm = np.zeros((4, 2), np.int16)
    upright = np.array([0.0, 0.0, 0.0, 1.0])
    for number, (x_m, segment) in enumerate([(0, 0), (10, 0), (20, 0), (0, 1), (10, 1)]):
        position_m = np.array([x_m, 0.0, 0.0])
        stamp_ns = (number + 1) * SECOND
        assert live.wants(stamp_ns, position_m, segment)
        keyframe = Keyframe(stamp_ns, position_m, upright, returns_cm)
        live.add(np.eye(8, dtype=np.float32)[number], keyframe, stamp_ns, segment)
    return live


def test_a_new_segment_begins_with_a_keyframe_wherever_it_is() -> None:
    live = session()
    assert not live.wants(9 * SECOND, np.array([10.5, 0.0, 0.0]), 1)
    assert live.wants(9 * SECOND, np.array([10.5, 0.0, 0.0]), 2)


def test_segments_are_saved_and_loaded_and_old_maps_have_one(tmp_path: Path) -> None:
    content = session().to_map(INFO)
    PlaceDatabase(content).save(tmp_path / 'session.map')
    loaded = PlaceDatabase.load(tmp_path / 'session.map')
    assert loaded.info.segment_starts == (0, 3)
    assert [loaded.segment(number) for number in range(5)] == [0, 0, 0, 1, 1]
    assert loaded.segments(np.array([4, 0, 3, 2])).tolist() == [1, 0, 1, 0]
    assert session().segments(np.array([4, 0, 3, 2])).tolist() == [1, 0, 1, 0]
    assert INFO.segment_starts == (0,)


@pytest.mark.parametrize('starts', [(), (1,), (0, 0), (0, 3, 2), (0, 5), (0, -1)])
def test_segments_that_cannot_be_are_refused(starts: tuple[int, ...]) -> None:
    content = session().to_map(INFO)
    with pytest.raises(MapError, match=r'segment_starts is .*, expected ascending'):
        replace(content, info=replace(INFO, segment_starts=starts))


def test_places_of_two_segments_are_other_places_whatever_their_coordinates() -> None:
    live = session()
    found = Neighbours(
        keyframes=np.array([0, 3]),
        yaws_rad=np.zeros(2),
        distances=np.array([0.2, 0.4], np.float32),
        horizon=2.0,
    )
    hits = merge_hits([(live, found)], 2, 25.0)
    assert hits[0].ratio == pytest.approx(0.5)  # to the same coordinates in the other segment


def test_a_clock_set_back_loses_only_the_keyframes_that_contradict_it() -> None:
    live = LiveSession(8)
    upright, returns_cm = np.array([0.0, 0.0, 0.0, 1.0]), np.zeros((4, 2), np.int16)
    for number, stamp_s in enumerate([1, 2, 3602, 3, 4]):
        keyframe = Keyframe(stamp_s * SECOND, np.array([10.0 * number, 0, 0]), upright, returns_cm)
        live.add(np.eye(8, dtype=np.float32)[number], keyframe, number)
    content = live.to_map(INFO)
    assert (content.keyframes.stamps_ns // SECOND).tolist() == [1, 2, 3, 4]
    assert content.keyframes.positions_m[:, 0].tolist() == [0, 10, 30, 40]
