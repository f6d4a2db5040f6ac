# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check RaPlace on scenes that are turned and moved, and against a plain loop."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.raplace import cartesian, CONFIGS, CorrelationIndex, RaPlace, sinogram
from support.posts import image_of, posts, seen_from


def distance(variant: str, query: PolarImage, place: PolarImage) -> float:
    method = RaPlace(variant)
    index = method.index(method.describe_place(place, for_part=False)[None])
    return float(index.search(method.describe(query)[None]).distances[0, 0])


def normalised(*shape: int, seed: int) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    values -= values.mean(axis=(-2, -1), keepdims=True)
    return values / values.std(axis=(-2, -1), keepdims=True)


def test_the_fft_equals_a_plain_loop() -> None:
    places, queries = normalised(5, 2, 6, 9, seed=0), normalised(10, 6, 9, seed=1)
    matches = CorrelationIndex(places).search(queries)
    for q, query in enumerate(queries):
        for p, views in enumerate(places):
            scores = [
                [float((query * np.roll(view, shift, axis=1)).mean()) for shift in range(9)]
                for view in views
            ]
            best = np.max(scores, axis=1)
            assert matches.distances[q, p] == pytest.approx(1 - best.max(), abs=1e-5)
            yaw_rad = (0.0, math.pi)[int(best.argmax())]
            assert abs(matches.relative_yaws_rad[q, p]) == pytest.approx(yaw_rad)


def test_many_places_and_queries_are_compared_block_by_block() -> None:
    places = np.tile(normalised(1, 4, 6, seed=0), (9000, 1, 1, 1))
    places[8999] = normalised(1, 4, 6, seed=1)
    queries = np.repeat(places[8999], 9, axis=0)
    distances = CorrelationIndex(places).search(queries).distances
    np.testing.assert_allclose(distances[:, 8999], 0, atol=1e-5)
    assert distances[:, :8999].min() > 0.1


def test_a_post_ahead_and_one_to_the_left_stand_where_they_are_seen() -> None:
    square = cartesian(image_of(np.array([[100.0, 0.0], [0.0, 50.0]])), CONFIGS['repaired'])
    # The radar is between pixels 63 and 64; a pixel is 150 m / 63 = 2.38 m.
    ahead = np.unravel_index(square[:40].argmax(), (40, 128))
    assert ahead[0] in (21, 22)
    assert ahead[1] in (63, 64)
    left = np.unravel_index(square[40:].argmax(), (88, 128))
    assert left[0] + 40 in (63, 64)
    assert left[1] in (42, 43)
    assert np.count_nonzero(square > 100) < 20


def test_a_line_is_summed_along_itself_and_across() -> None:
    square = np.zeros((9, 9), np.float32)
    square[2:7, 6] = 1
    sums = sinogram(square, 2)
    np.testing.assert_allclose(sums[:, 0], [0, 0, 0, 0, 0, 0, 5, 0, 0], atol=1e-5)
    np.testing.assert_allclose(sums[:, 1], [0, 0, 1, 1, 1, 1, 1, 0, 0], atol=1e-5)


@pytest.mark.parametrize('angle_deg', [20, 90, 137, 180])
def test_turning_the_scene_changes_nothing_once_repaired(angle_deg: float) -> None:
    place, query = (
        image_of(posts(4000)),
        image_of(seen_from(posts(4000), (0, 0, math.radians(angle_deg)))),
    )
    others = [distance('repaired', query, image_of(posts(seed))) for seed in (4001, 4002, 4003)]
    assert distance('repaired', query, place) < 0.01 < 0.02 < min(others)


def test_as_released_a_turned_scene_is_no_nearer_than_another_one() -> None:
    place = image_of(posts(4000))
    query = image_of(seen_from(posts(4000), (0, 0, math.pi / 2)))
    assert distance('released', place, place) == pytest.approx(0, abs=1e-5)
    assert distance('released', query, place) > distance('released', query, image_of(posts(4001)))


@pytest.mark.parametrize('variant', ['released', 'repaired'])
def test_moving_by_some_pixels_changes_little(variant: str) -> None:
    moved = image_of(seen_from(posts(4000), (-9.0, 6.0, 0.0)))
    others = [distance(variant, moved, image_of(posts(seed))) for seed in (4001, 4002, 4003)]
    assert distance(variant, moved, image_of(posts(4000))) < 0.005 < 0.07 < min(others)


def test_a_part_is_compared_with_12_views_and_has_the_heading_of_one() -> None:
    method = RaPlace('repaired')
    images = [image_of(posts(seed)) for seed in (4000, 4001)]
    index = method.index(np.stack([method.describe_place(image, True) for image in images]))
    query = method.describe(list(images[1].views(12))[3])
    matches = index.search(query[None])
    assert matches.distances[0, 1] == pytest.approx(0, abs=1e-5)
    assert matches.distances[0, 0] > 0.01
    # The third view of 30 degrees each looks to the right.
    assert matches.relative_yaws_rad[0, 1] == pytest.approx(-math.pi / 2)
    whole = method.index(method.describe_place(images[0], False)[None])
    assert math.isnan(whole.search(query[None]).relative_yaws_rad[0, 0])


@pytest.mark.parametrize('variant', ['released', 'repaired'])
def test_an_empty_image_is_as_far_as_can_be_from_all(variant: str) -> None:
    method = RaPlace(variant)
    images = [image_of(posts(4000)), image_of(np.zeros((0, 2)))]
    descriptors = np.stack([method.describe(image) for image in images])
    distances = method.index(descriptors[:, None]).search(descriptors).distances
    np.testing.assert_allclose(distances, [[0, 2], [2, 2]], atol=1e-5)


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown variant 'fixed'"):
        RaPlace('fixed')
