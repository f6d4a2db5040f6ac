# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the methods of one vector share: turns, views of turns, empty images."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.baselines.method import Handcrafted
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.referee import RefereeR
from ssd_ros.baselines.ring_key import RingKey
from ssd_ros.baselines.vlad import FftRadVlad, RadVlad
from ssd_ros.bev.polar_bev import PolarGrid, view_yaws_rad, views_of_panorama

GRID = PolarGrid()
KINDS = {'ring_key': RingKey, 'referee': RefereeR, 'vlad': RadVlad, 'fft_vlad': FftRadVlad}


def turns(num: int) -> list[PolarImage]:
    generator = np.random.default_rng(4000)
    shape = (num, GRID.num_ranges, GRID.panorama_azimuths)
    power = generator.integers(100, 256, shape, dtype=np.uint8)
    power[generator.random(shape) < 0.9] = 0
    return [PolarImage.of_panorama(panorama, GRID) for panorama in power]


TURNS = turns(4)
EMPTY = PolarImage.of_panorama(np.zeros_like(TURNS[0].cells), GRID)


@pytest.fixture(scope='module', params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope='module', params=['released', 'repaired'])
def method(kind: str, request: pytest.FixtureRequest) -> Handcrafted:
    made = KINDS[kind](request.param)
    made.fit(TURNS)
    return made


@pytest.fixture(scope='module')
def repaired(kind: str) -> Handcrafted:
    made = KINDS[kind]('repaired')
    made.fit(TURNS)
    return made


def test_a_turn_of_the_radar_changes_nothing(method: Handcrafted) -> None:
    # 576 columns become 400 rows: 36 columns are 25 rows, whole ones.
    turned = PolarImage.of_panorama(np.roll(TURNS[0].cells, 5 * 36, axis=1), GRID)
    np.testing.assert_allclose(method.describe(turned), method.describe(TURNS[0]), atol=1e-5)
    other = method.describe(TURNS[1])
    assert np.abs(method.describe(TURNS[0]) - other).max() > 1e-3


def test_a_view_is_found_in_the_turn_that_it_was_cut_from(repaired: Handcrafted) -> None:
    places = np.stack([repaired.describe_place(turn, for_part=True) for turn in TURNS])
    assert places.shape[:2] == (4, 12)
    view = PolarImage.of_view(views_of_panorama(TURNS[2].cells, GRID, 12)[5], GRID)
    query = repaired.describe(view)
    np.testing.assert_allclose(places[2, 5], query, atol=1e-6)
    matches = repaired.index(places).search(query[None])
    assert matches.distances[0].argmin() == 2
    assert matches.relative_yaws_rad[0, 2] == view_yaws_rad(12)[5]


def test_what_is_not_seen_is_not_looked_at(repaired: Handcrafted) -> None:
    view = PolarImage.of_view(views_of_panorama(TURNS[0].cells, GRID, 12)[0], GRID)
    filled = PolarImage(np.where(view.is_seen, view.cells, TURNS[1].cells), view.is_seen, GRID)
    np.testing.assert_array_equal(repaired.describe(filled), repaired.describe(view))


def test_as_released_a_place_has_one_descriptor_for_all_queries(kind: str) -> None:
    released = KINDS[kind]('released')
    released.fit(TURNS)
    place = released.describe_place(TURNS[0], for_part=True)
    np.testing.assert_array_equal(place, released.describe(TURNS[0])[None])


def test_an_empty_place_is_farther_than_any_other(method: Handcrafted) -> None:
    places = np.stack([method.describe_place(turn, False) for turn in [EMPTY, *TURNS]])
    queries = np.stack([method.describe(turn) for turn in [*TURNS, EMPTY]])
    distances = method.index(places).search(queries).distances
    assert np.isfinite(distances).all()
    assert (distances[:4, 0] > 2 * distances[:4, 1:].max(axis=1)).all()
    assert (distances[4, 1:] > 2 * distances[:4, 1:].max()).all()


def test_an_unknown_variant_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"unknown variant 'fixed': choose 'released' or"):
        KINDS[kind]('fixed')
