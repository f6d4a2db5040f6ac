# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the forms of Radar Scan Context on turns of known size and by their ring keys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.scan_contexts import NUM_CANDIDATES, RadarScanContext, SEARCHES
from ssd_ros.bev.polar_bev import PolarGrid

GRID = PolarGrid()


def turn(seed: int, share: float = 0.01) -> PolarImage:
    generator = np.random.default_rng(seed)
    shape = (GRID.num_ranges, GRID.panorama_azimuths)
    cells = np.where(generator.random(shape) < share, generator.integers(124, 256, shape), 0)
    return PolarImage.of_panorama(cells.astype(np.uint8), GRID)


@pytest.mark.parametrize('variant', ['released', 'repaired'])
@pytest.mark.parametrize('search', SEARCHES)
def test_turning_by_whole_sectors_keeps_distance_0_and_gives_the_yaw(
    search: str, variant: str
) -> None:
    method = RadarScanContext(search, variant)
    images = [turn(4000), turn(4001)]
    # 24 of 576 columns are 5 of 120 sectors, 15 degrees to the right.
    right = PolarImage.of_panorama(np.roll(images[1].cells, -24, axis=1), GRID)
    places = np.stack([method.describe_place(image, False) for image in images])
    matches = method.index(places).search(method.describe(right)[None])
    assert matches.distances[0, 1] == pytest.approx(0, abs=1e-5)
    assert matches.distances[0, 0] > 0.1
    assert matches.relative_yaws_rad[0, 1] == pytest.approx(-math.radians(15))


def test_the_nearest_50_keys_are_compared_and_the_others_stand_behind_in_their_order() -> None:
    by_key, exhaustive = (RadarScanContext(search, 'repaired') for search in SEARCHES)
    images = [turn(4000 + number, share=0.005 + 0.0005 * number) for number in range(60)]
    keyed = np.stack([by_key.describe_place(image, False) for image in images])
    plain = np.stack([exhaustive.describe_place(image, False) for image in images])
    query = turn(4100, share=0.02)
    found = by_key.index(keyed).search(by_key.describe(query)[None])
    everywhere = exhaustive.index(plain).search(exhaustive.describe(query)[None])
    keys = keyed[:, 0, :, :-1].mean(axis=2)
    apart = np.linalg.norm(keys - by_key.describe(query)[:, :-1].mean(axis=1), axis=1)
    order = np.argsort(apart)
    compared, others = order[:NUM_CANDIDATES], order[NUM_CANDIDATES:]
    np.testing.assert_allclose(
        found.distances[0, compared], everywhere.distances[0, compared], atol=1e-6
    )
    np.testing.assert_allclose(found.distances[0, others], 1 + apart[others], rtol=1e-5)
    assert found.distances[0, compared].max() <= 1 < found.distances[0, others].min()
    assert np.isnan(found.relative_yaws_rad[0, others]).all()


def test_the_key_of_a_third_of_a_turn_is_a_third_as_released_and_whole_once_repaired() -> None:
    bev = np.zeros((GRID.num_ranges, GRID.num_azimuths), np.uint8)
    bev[96:] = 100  # the first 10 of 40 rings are empty
    image = PolarImage.of_view(bev, GRID)
    for variant, expected in (('released', 100 / 3), ('repaired', 100.0)):
        key = RadarScanContext('ring_key', variant).describe(image)[:, -1]
        np.testing.assert_allclose(key, [0] * 10 + [expected] * 30, rtol=1e-6)


def test_as_released_one_lucky_sector_beats_the_place_that_was_seen() -> None:
    query = np.zeros((GRID.num_ranges, GRID.num_azimuths), np.uint8)
    query[96] = 200  # a wall across the whole field of view
    lonely = np.zeros((GRID.num_ranges, GRID.panorama_azimuths), np.uint8)
    lonely[96, :24] = 200  # five sectors of it
    noisy = np.zeros_like(lonely)
    noisy[96], noisy[240] = 200, 100  # all of it, and something else
    for variant, winner in (('released', 0), ('repaired', 1)):
        method = RadarScanContext('exhaustive', variant)
        places = [PolarImage.of_panorama(cells, GRID) for cells in (lonely, noisy)]
        index = method.index(np.stack([method.describe_place(place, True) for place in places]))
        distances = index.search(method.describe(PolarImage.of_view(query, GRID))[None]).distances
        assert int(distances[0].argmin()) == winner
        # 5 of 40 sectors with half of them needed; 200 of (200, 100) is 2 of the root of 5.
        if variant == 'repaired':
            np.testing.assert_allclose(distances[0], [1 - 5 / 20, 1 - 2 / math.sqrt(5)], atol=1e-5)


@pytest.mark.parametrize('variant', ['released', 'repaired'])
@pytest.mark.parametrize('search', SEARCHES)
def test_an_empty_image_is_at_the_largest_distance(search: str, variant: str) -> None:
    method = RadarScanContext(search, variant)
    empty = PolarImage.of_panorama(np.zeros_like(turn(4000).cells), GRID)
    descriptors = np.stack([method.describe(image) for image in (turn(4000), empty)])
    distances = method.index(descriptors[:, None]).search(descriptors).distances
    np.testing.assert_allclose(distances, [[0, 1], [1, 1]], atol=1e-5)


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown search 'key': choose from ring_key, exhaustive"):
        RadarScanContext('key', 'released')
    with pytest.raises(ValueError, match="unknown variant 'fixed'"):
        RadarScanContext('ring_key', 'fixed')
