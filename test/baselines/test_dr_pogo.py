# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the chain of Dr-PoGO on scenes that are moved, turned, and driven through."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.baselines.dr_pogo import DrPogo, local_map, NUM_PIXELS, PIXEL_M, spectrum
from ssd_ros.baselines.polar_image import Passed, PolarImage
from support.posts import GRID, image_of, posts, seen_from

EMPTY = PolarImage.of_panorama(np.zeros((GRID.num_ranges, GRID.panorama_azimuths), np.uint8), GRID)


def closest(
    query: PolarImage, *places: PolarImage, variant: str = 'repaired'
) -> tuple[int, float, bool]:
    """Return the first answer, its yaw in degrees and whether it is accepted."""
    method = DrPogo(variant)
    index = method.index(np.stack([method.describe_place(one, False) for one in places]))
    matches = index.search(method.describe(query)[None])
    first = int(matches.distances[0].argmin())
    assert matches.close is not None
    closure = matches.close(0, first)
    return first, math.degrees(closure.relative_yaw_rad), closure.is_accepted


@pytest.mark.parametrize('pose', [(0.0, 0.0, 0.0), (4.0, -3.0, 5.0), (-2.0, 1.0, -3.0)])
def test_a_place_is_found_and_laid_over_where_the_query_stands_a_little_apart(
    pose: tuple[float, float, float],
) -> None:
    x, y, yaw_deg = pose
    query = image_of(seen_from(posts(4001), (x, y, math.radians(yaw_deg))))
    places = [image_of(posts(seed)) for seed in (4000, 4001, 4002)]
    first, found_deg, is_accepted = closest(query, *places)
    assert first == 1
    assert found_deg == pytest.approx(yaw_deg, abs=0.5)
    assert is_accepted


def test_the_best_of_other_places_is_asked_for_and_the_registration_refuses_it() -> None:
    first, _, is_accepted = closest(image_of(posts(4000)), image_of(posts(4001)))
    assert (first, is_accepted) == (0, False)


@pytest.mark.parametrize('variant', ['released', 'repaired'])
def test_only_shifts_along_the_angles_know_a_turned_scene(variant: str) -> None:
    query = image_of(seen_from(posts(4000), (0, 0, math.pi / 2)))
    places = [image_of(posts(seed)) for seed in (4001, 4002, 4000, 4003)]
    first, found_deg, is_accepted = closest(query, *places, variant=variant)
    assert (first == 2) == (variant == 'repaired')
    if variant == 'repaired':
        assert (found_deg, is_accepted) == (pytest.approx(90, abs=0.5), True)


@pytest.mark.parametrize('variant', ['released', 'repaired'])
def test_as_released_the_place_with_more_returns_wins(variant: str) -> None:
    few, many = image_of(posts(4000)), image_of(np.vstack([posts(seed) for seed in range(6)]))
    first, _, _ = closest(few, few, many, variant=variant)
    assert first == (1 if variant == 'released' else 0)


def test_the_local_map_is_a_running_mean_of_the_scans_moved_to_the_newest() -> None:
    """What all scans show stays as bright; what only the newest shows has a tenth of it."""
    scene = np.array([[60.0, 20.0], [-40.0, 50.0]])
    poses = [np.array([-10.0, 0.0, 0.1]), np.array([-5.0, 1.0, -0.2])]
    before = tuple(Passed(image_of(seen_from(scene, pose)), pose) for pose in poses)
    newest = image_of(np.vstack([scene, [[0.0, -30.0]]]))
    square = local_map(replace(newest, before=lambda: before))
    assert square.shape == (NUM_PIXELS, NUM_PIXELS)

    def at(x: float, y: float) -> int:
        middle = (NUM_PIXELS - 1) / 2
        return int(square[round(middle - x / PIXEL_M), round(middle - y / PIXEL_M)])

    assert [at(60, 20), at(-40, 50), at(0, -30)] == [200, 200, 20]
    assert at(0, 30) == 0


def test_the_spectrum_is_that_of_a_plain_loop_over_three_fifths() -> None:
    square = local_map(image_of(posts(4000)))
    kept: NDArray[np.float32] = spectrum(square)
    assert kept.shape == (108, 180)
    # The lowest frequency is the sum of a projection, the same at every angle.
    np.testing.assert_allclose(kept[:, 0], kept[:, 0].mean(), rtol=0.02)
    assert kept[:, 1:].max() < kept[:, 0].min()


def test_nothing_is_accepted_where_nothing_is_seen() -> None:
    assert closest(EMPTY, image_of(posts(4000)))[2] is False
    assert closest(image_of(posts(4000)), EMPTY)[2] is False
