# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the page is told, and that it stays small whatever comes in."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from ssd_ros.recognition.candidates import DTYPE, Flag
from ssd_ros.view import messages
from ssd_ros.view.messages import Status


def rows_of(num: int, flags: Flag) -> Any:
    """Return rows of keyframes that look along y, 10 m apart; the vehicle stands 2 m ahead."""
    rows = np.zeros(num, DTYPE)
    rows['keyframe_id'] = rows['rank'] = np.arange(num)
    rows['map_x'], rows['map_y'] = 5e5, 5.4e6 + 10.0 * np.arange(num)
    rows['qz'] = rows['qw'] = math.sqrt(0.5)
    rows['relative_x'] = 2.0
    rows['confidence'] = 0.75
    rows['support'] = math.nan
    rows['flags'] = flags
    return rows


def test_an_answer_says_where_the_vehicle_is_by_each_candidate() -> None:
    text = messages.answer_text(1_500_000_000, 'map', rows_of(2, Flag.ACCEPTED))
    said = json.loads(text)
    assert (said['channel'], said['stamp_s'], said['frame']) == ('answer', 1.5, 'map')
    first, second = said['candidates']
    assert first['place'] == [5e5, 5.4e6]
    assert second['pose'] == [5e5, 5.4e6 + 12.0, pytest.approx(math.pi / 2)]
    assert first['decision'] == 'accepted'
    assert first['confidence'] == 0.75
    assert first['support'] is None  # JSON has no NaN
    assert not first['is_live']
    assert said['remarks'] == []


def test_an_answer_says_why_nothing_is_accepted() -> None:
    flags = Flag.AMBIGUOUS | Flag.LOW_POINTS | Flag.STATIONARY | Flag.LIVE_SESSION
    said = json.loads(messages.answer_text(0, 'odom', rows_of(1, flags)))
    assert said['candidates'][0]['decision'] == 'rejected'
    assert said['candidates'][0]['is_live']
    assert said['remarks'] == ['standing still', 'few points']


def test_no_candidate_is_an_answer() -> None:
    said = json.loads(messages.answer_text(0, 'map', rows_of(0, Flag(0))))
    assert said['candidates'] == said['remarks'] == []


def test_a_long_answer_is_cut() -> None:
    said = json.loads(messages.answer_text(0, 'map', rows_of(1000, Flag(0))))
    ids = [each['keyframe_id'] for each in said['candidates']]
    assert ids == list(range(messages.MAX_CANDIDATES))


@pytest.mark.parametrize(('total', 'step'), [(3, 1), (20_000, 2), (50_001, 3)])
def test_a_large_map_is_thinned(total: int, step: int) -> None:
    positions_m = np.arange(3.0 * total).reshape(total, 3)
    said = json.loads(messages.places_text(positions_m, 'map'))
    assert said['total'] == total
    assert said['xy'] == positions_m[::step, :2].ravel().tolist()
    assert len(said['xy']) <= 2 * messages.MAX_PLACES


def test_what_the_summary_of_the_maps_lacks_is_left_out() -> None:
    summary: dict[str, Any] = {'maps': [{'source': 'x' * 1000, 'keyframes': 3}, 'no map'] * 50}
    said = json.loads(messages.maps_text(summary))
    assert len(said['maps']) == messages.MAX_MAPS
    assert said['maps'][0]['source'] == 'x' * messages.MAX_TEXT
    assert (said['maps'][0]['keyframes'], said['maps'][0]['origin']) == (3, None)
    assert said['image'] == {'max_range_m': None, 'fov_deg': None}
    assert json.loads(messages.maps_text({'maps': 7, 'query_image': 'none'}))['maps'] == []


def test_diagnostics_are_cut_to_what_a_page_can_show() -> None:
    values = {f'key {index}': 'v' * 1000 for index in range(500)}
    said = json.loads(messages.health_text([Status('input', 1, 'm' * 1000, values)] * 500))
    assert len(said['statuses']) == messages.MAX_STATUSES
    status = said['statuses'][0]
    assert (status['name'], status['level'], len(status['message'])) == ('input', 1, 300)
    assert len(status['values']) == messages.MAX_VALUES
    assert status['values']['key 0'] == 'v' * messages.MAX_TEXT


def test_an_image_begins_with_its_size() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert messages.image_bytes(image) == b'\x03\x00\x02\x00' + bytes(range(6))


def test_an_image_larger_than_any_encoders_is_refused() -> None:
    with pytest.raises(ValueError, match='an image of 2048 x 1024 is too large'):
        messages.image_bytes(np.zeros((2048, 1024), np.uint8))


def test_pose_and_path_are_in_metres_of_the_map() -> None:
    covariance = np.array([[4.0, 0.5], [0.5, 1.0]])
    said = json.loads(messages.pose_text(0, np.array([1.234567, 2.0, 0.5]), covariance))
    assert said['pose'] == [1.23, 2.0, 0.5]
    assert said['covariance'] == [4.0, 0.5, 1.0]
    path = json.loads(messages.path_text(np.array([[1.0, 2.0], [3.0, 4.0]])))
    assert path['xy'] == [1.0, 2.0, 3.0, 4.0]
