# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the circular correlation of rings against a plain loop, and the headings it tells."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.ring_correlation import match_rings, ring_correlation


def random_rings(num: int, num_views: int, size: int, seed: int = 0) -> NDArray[np.float32]:
    rings = np.random.default_rng(seed).normal(size=(num, num_views, size))
    return (rings / np.linalg.norm(rings, axis=2, keepdims=True)).astype(np.float32)


def ring_of(heading_rad: float, num_views: int = 36) -> NDArray[np.float32]:
    """
    Return what a scan with this heading sees at a place of smooth surroundings, shape (V, 6).

    A view that looks along direction b has the descriptor of b, waves of three lengths.
    """
    looks_rad = heading_rad + view_yaws_rad(num_views)
    waves = np.arange(1, 4) * looks_rad[:, None]
    views = np.concatenate([np.cos(waves), np.sin(waves)], axis=1) / math.sqrt(3)
    return views.astype(np.float32)


@pytest.mark.parametrize(('num', 'num_views', 'size'), [(1, 1, 4), (7, 6, 5), (300, 36, 16)])
def test_correlation_equals_a_plain_loop(num: int, num_views: int, size: int) -> None:
    places = random_rings(num, num_views, size)
    (query,) = random_rings(1, num_views, size, seed=1)
    found = ring_correlation(query, places)
    assert found.shape == (num, num_views)
    for place, row in zip(places[::29], found[::29], strict=True):
        for shift in range(num_views):
            meets = [query[j] @ place[(j + shift) % num_views] for j in range(num_views)]
            assert row[shift] == pytest.approx(sum(meets) / num_views, abs=1e-6)


def test_the_distance_is_that_between_rings_taken_for_one_unit_vector() -> None:
    places = random_rings(5, 6, 8)
    (query,) = random_rings(1, 6, 8, seed=1)
    matches = match_rings(query, places)
    for place, distance, shift in zip(places, matches.distances, matches.shifts, strict=True):
        turned = np.roll(place, -shift, axis=0)
        whole = np.linalg.norm(query - turned) / math.sqrt(6)
        assert distance == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize('shift', [0, 1, 17, 18, 35])
def test_a_turned_ring_is_the_same_place_at_the_heading_of_that_view(shift: int) -> None:
    places = random_rings(4, 36, 32)
    matches = match_rings(np.roll(places[2], -shift, axis=0), places)
    assert matches.shifts[2] == shift
    assert matches.distances[2] == pytest.approx(0, abs=1e-3)
    assert matches.distances[[0, 1, 3]].min() > 1
    yaw_error_rad = matches.yaws_rad[2] - view_yaws_rad(36)[shift]
    assert abs(math.degrees(math.remainder(yaw_error_rad, 2 * math.pi))) < 1.5


@pytest.mark.parametrize('turn_deg', [0.0, 3.0, -4.9, 5.1, 77.0, 180.0, -123.4])
def test_headings_between_two_views_are_told_to_a_tenth_of_a_degree(turn_deg: float) -> None:
    place, query = ring_of(0.4), ring_of(0.4 + math.radians(turn_deg))
    (yaw_rad,) = match_rings(query, place[None]).yaws_rad
    assert -math.pi < yaw_rad <= math.pi
    error_deg = math.degrees(math.remainder(yaw_rad - math.radians(turn_deg), 2 * math.pi))
    assert abs(error_deg) < 0.1  # the views are 10 degrees apart


def test_rings_of_equal_views_and_of_one_view_have_the_heading_of_the_first() -> None:
    same = np.repeat(random_rings(1, 1, 8), 6, axis=1)
    for ring in (same, same[:, :1]):
        matches = match_rings(ring[0], ring)
        assert (matches.shifts[0], matches.yaws_rad[0]) == (0, 0)


def test_rings_that_do_not_fit_are_refused_with_both_shapes() -> None:
    places = random_rings(3, 6, 8)
    for query in (places[0, :5], places[0, :, :7], places):
        with pytest.raises(ValueError, match=r'the query has shape .* and places \(3, 6, 8\)'):
            ring_correlation(query, places)
