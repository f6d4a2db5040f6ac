# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check both indices against plain loops, and that they grow and forget alike."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.ring_correlation import match_rings
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps import place_index
from ssd_ros.maps.neighbours import GrowingIndex
from ssd_ros.maps.place_index import new_index, SHORT_LIST

SMALL = ScanContextConfig(num_rings=4, num_sectors=12, min_overlap=0.5)


def unit_rows(num: int, size: int = 48, share: float = 0.4, seed: int = 0) -> NDArray[np.float32]:
    """Return rows of unit length, of which a share of the numbers is not 0."""
    generator = np.random.default_rng(seed)
    rows = generator.random((num, size)) * (generator.random((num, size)) < share)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def plain_similarity(query: NDArray[np.float32], entry: NDArray[np.float32], shift: int) -> float:
    """Compare two scan contexts of SMALL by a loop over sectors."""
    u, v = query.reshape(4, 12), entry.reshape(4, 12)
    total, count = 0.0, 0
    for sector in range(12):
        a, b = u[:, sector], v[:, (sector + shift) % 12]
        if a.any() and b.any():
            total += float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))
            count += 1
    return total / max(count, 0.5 * int(u.any(axis=0).sum()))


def test_scan_contexts_are_found_as_by_a_plain_loop() -> None:
    rows, (query,) = unit_rows(30), unit_rows(1, seed=1)
    index = new_index(SMALL, 48)
    index.add(rows)
    found = index.search(query, num_rows=30)
    best = [max(plain_similarity(query, row, shift) for shift in range(12)) for row in rows]
    distances = np.sqrt(2 - 2 * np.array(best))
    np.testing.assert_array_equal(found.keyframes, np.argsort(distances, kind='stable'))
    np.testing.assert_allclose(found.distances, np.sort(distances), atol=1e-4)
    assert found.horizon == found.distances[-1]
    for keyframe, yaw_rad, distance in zip(
        found.keyframes, found.yaws_rad, found.distances, strict=True
    ):
        shift = index.view_yaws_rad.tolist().index(yaw_rad)
        similarity = plain_similarity(query, rows[keyframe], shift)
        assert math.sqrt(2 - 2 * similarity) == pytest.approx(distance, abs=1e-4)
    few = index.search(query, num_rows=4)
    assert few.keyframes.tolist() == found.keyframes[:4].tolist()
    assert few.horizon == found.distances[3]


@pytest.mark.parametrize('turn', [0, 1, 6, 11])
def test_a_turned_query_is_found_with_its_yaw(turn: int) -> None:
    rows = unit_rows(8)
    index = new_index(SMALL, 48)
    index.add(rows)
    # What the entry sees `turn` sectors to the right, the query sees ahead.
    query = np.roll(rows[5].reshape(4, 12), -turn, axis=1).reshape(-1)
    found = index.search(query, num_rows=8)
    assert found.keyframes[0] == 5
    assert found.distances[0] == pytest.approx(0, abs=2e-3)
    assert found.yaws_rad[0] == view_yaws_rad(12)[turn]


@pytest.mark.parametrize('scan_context', [None, SMALL], ids=['network', 'scan_context'])
def test_descriptors_that_come_one_by_one_are_found_like_all_at_once(
    scan_context: ScanContextConfig | None,
) -> None:
    rows = unit_rows(21)
    at_once, growing = new_index(scan_context, 48), new_index(scan_context, 48)
    at_once.add(rows)
    for number, row in enumerate(rows):
        growing.add(row[None])
        assert len(growing) == number + 1
    for index in (at_once, growing):
        np.testing.assert_array_equal(index.descriptors(), rows)
    expected, found = at_once.search(rows[7], 21), growing.search(rows[7], 21)
    assert found.keyframes.tolist() == expected.keyframes.tolist()
    assert found.keyframes[0] == 7
    np.testing.assert_array_equal(found.distances, expected.distances)


def nearest_of_oldest(index: GrowingIndex, query: NDArray[np.float32], first: int) -> set[int]:
    return set(index.search(query, 100, first).keyframes.tolist())


@pytest.mark.parametrize('scan_context', [None, SMALL], ids=['network', 'scan_context'])
def test_only_the_oldest_are_searched_if_asked_and_none_after_clear(
    scan_context: ScanContextConfig | None,
) -> None:
    rows = unit_rows(9)
    index = new_index(scan_context, 48)
    index.add(rows)
    for first in (1, 5, 9, 20):
        assert nearest_of_oldest(index, rows[8], first) == set(range(min(first, 9)))
    assert len(index.search(rows[8], 100, 0)) == 0
    kept = index.descriptors()
    index.clear()
    assert (len(index), len(index.search(rows[8], 100))) == (0, 0)
    index.add(rows[3:4])
    np.testing.assert_array_equal(index.descriptors(), rows[3:4])
    np.testing.assert_array_equal(kept, rows)  # what was handed out does not change


def rings(num: int, num_views: int = 12, seed: int = 0) -> NDArray[np.float32]:
    """Return rings of views, shape (num, num_views, 16), each more like the next than others."""
    views = np.random.default_rng(seed).normal(size=(num, num_views, 16))
    views = views + np.roll(views, 1, axis=1) + np.roll(views, -1, axis=1)
    views /= np.linalg.norm(views, axis=2, keepdims=True)
    return views.astype(np.float32)


@pytest.mark.parametrize('short_list', [5, 1024])
def test_a_whole_turn_is_searched_among_the_oldest(
    short_list: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_index, 'SHORT_LIST', short_list)
    places = rings(30)
    index = new_index(None, 16, num_views=12)
    index.add(places.reshape(-1, 16))
    assert index.search_turn(places[17], 4, first=18).keyframes[0] == 17
    assert max(index.search_turn(places[17], 4, first=17).keyframes) < 17
    assert len(index.search_turn(places[17], 4, first=0)) == 0


def test_a_whole_turn_finds_its_place_and_its_heading() -> None:
    places = rings(30)
    index = new_index(None, 16, num_views=12)
    index.add(places.reshape(-1, 16))
    found = index.search_turn(np.roll(places[17], -5, axis=0), 4)
    assert (len(found), found.keyframes[0]) == (4, 17)
    assert found.distances[0] == pytest.approx(0, abs=2e-3)
    assert math.degrees(found.yaws_rad[0]) == pytest.approx(-150, abs=3)  # 5 of 30 to the right
    assert found.horizon == found.distances[3] > 1
    exact = match_rings(np.roll(places[17], -5, axis=0), places)
    np.testing.assert_array_equal(found.keyframes, np.argsort(exact.distances)[:4])
    index.clear()
    assert len(index.search_turn(places[0], 4)) == 0


def test_the_views_of_a_turn_choose_whom_it_is_laid_over_in_a_large_map() -> None:
    num = SHORT_LIST + 700
    places, noise = rings(num), rings(40, seed=1)
    index = new_index(None, 16, num_views=12)
    index.add(places.reshape(-1, 16))
    num_same = 0
    for number, other in enumerate(noise):
        # As unlike its place as a later session in a changed town: distance about 0.9.
        query = np.roll(places[number * 40], -number, axis=0) + other
        query = (query / np.linalg.norm(query, axis=1, keepdims=True)).astype(np.float32)
        exact = match_rings(query, places)
        best = exact.distances.argmin()
        found = index.search_turn(query, 10)
        assert len(np.unique(found.keyframes)) == 10
        num_same += found.keyframes[0] == best
        if found.keyframes[0] == best:
            # To what sums of another length and order leave of float32.
            assert found.distances[0] == pytest.approx(exact.distances[best], abs=1e-5)
            assert found.yaws_rad[0] == pytest.approx(exact.yaws_rad[best], abs=1e-5)
    assert num_same == 40  # of 40: the short list lost none that an exhaustive search finds


def test_handed_out_descriptors_cannot_be_changed() -> None:
    index = new_index(None, 48)
    index.add(unit_rows(2))
    with pytest.raises(ValueError, match='read-only'):
        index.descriptors()[0] = 0


@pytest.mark.parametrize('num_views', [1, 12])
def test_the_first_ten_keyframes_are_those_of_the_exact_products(num_views: int) -> None:
    rows = rings(600 // num_views * 5, num_views).reshape(-1, 16)
    index = new_index(None, 16, num_views)
    index.add(rows)
    generator = np.random.default_rng(1)
    for number in range(50):
        query = rows[number * 50] + generator.normal(0, 0.2, 16).astype(np.float32)
        query /= np.linalg.norm(query)
        found, exact = index.search(query, 1024), rows @ query
        best = exact.reshape(-1, num_views).max(axis=1)
        np.testing.assert_array_equal(found.keyframes[:10], np.argsort(-best)[:10])
        near = found.keyframes[:100]
        np.testing.assert_allclose(found.distances[:100] ** 2, 2 - 2 * best[near], atol=1e-5)
        assert found.horizon == pytest.approx(math.sqrt(2 - 2 * np.sort(exact)[-1024]), abs=0.03)
