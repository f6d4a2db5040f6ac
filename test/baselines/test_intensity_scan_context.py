# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check Intensity Scan Context against plain loops and on turns of known size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.baselines.intensity_scan_context import (
    intensity_scan_context,
    IntensityIndex,
    IntensityScanContext,
    LARGEST,
)
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.bev.polar_bev import PolarGrid

GRID = PolarGrid()
SHAPE = (GRID.num_ranges, GRID.panorama_azimuths)


def turn(seed: int, share: float = 0.01) -> PolarImage:
    generator = np.random.default_rng(seed)
    cells = np.where(generator.random(SHAPE) < share, generator.integers(124, 256, SHAPE), 0)
    return PolarImage.of_panorama(cells.astype(np.uint8), GRID)


def contexts(num: int, seed: int) -> NDArray[np.float32]:
    """Return pixels of which a third is empty, shape (num, 20, 90)."""
    generator = np.random.default_rng(seed)
    pixels = generator.integers(110, 256, (num, 20, 90)) * (generator.random((num, 20, 90)) > 0.33)
    return pixels.astype(np.float32)


def plain_distance(
    query: NDArray[np.float32], place: NDArray[np.float32], counts_empty: bool
) -> tuple[float, int]:
    """Return the distance and the shift, by loops over rotations and sectors."""
    num_seen = sum(1 for sector in range(90) if query[0, sector] >= 0)
    geometry, intensity = np.zeros(90), np.zeros(90)
    for shift in range(90):
        alike, near, met = 0.0, 0.0, 0
        for sector in range(90):
            a, b = query[:, sector], place[:, (sector + shift) % 90]
            if a[0] < 0 or b[0] < 0:
                continue
            met += 1
            both_empty = (a == 0) & (b == 0)
            alike += float((both_empty if counts_empty else (a > 0) == (b > 0)).sum())
            near += float((1 - np.abs(a - b) / 255).sum())
        cells = 20 * max(met, 0.5 * num_seen)
        geometry[shift], intensity[shift] = alike / cells, near / cells
    best = int(geometry.argmax())
    about = [(best + offset) % 90 for offset in range(-10, 10)]
    shift = max(about, key=lambda shift: intensity[shift])
    return 1 - intensity[shift] + (0 if geometry[best] > 0.67 else 1), shift


@pytest.mark.parametrize('counts_empty', [True, False])
def test_both_stages_equal_plain_loops(counts_empty: bool) -> None:
    places, queries = contexts(4, seed=0), contexts(2, seed=1)
    queries[0] = np.roll(places[2], -7, axis=1)
    queries[0, 3:5] = 0
    if not counts_empty:
        queries[:, :, 15:75] = -1
        places[3, :, 20:80] = -1
    matches = IntensityIndex(places, counts_empty).search(queries)
    for q, query in enumerate(queries):
        for p, place in enumerate(places):
            distance, shift = plain_distance(query, place, counts_empty)
            assert matches.distances[q, p] == pytest.approx(distance, abs=1e-5)
            found = round(-matches.relative_yaws_rad[q, p] / (2 * math.pi / 90)) % 90
            assert found == shift


def test_the_strongest_pixel_of_a_cell_is_kept_up_to_60_m() -> None:
    cells = np.zeros(SHAPE, np.uint8)
    # Rings of 7.68 rows: the centre of row 76.5 lies below 76.8. Sectors of 6.4 columns.
    cells[76, 12] = 130
    cells[77, 12] = 140
    cells[77, 13] = 150
    cells[77, 18] = 145
    cells[154, 12] = 200  # its centre is beyond 153.6, at 60.4 m
    expected = np.zeros((20, 90))
    expected[9, 1], expected[10, 1], expected[10, 2] = 130, 140, 150
    context = intensity_scan_context(PolarImage.of_panorama(cells, GRID))
    np.testing.assert_array_equal(context, expected)


@pytest.mark.parametrize('variant', ['released', 'repaired'])
def test_turning_by_whole_sectors_gives_the_yaw(variant: str) -> None:
    method = IntensityScanContext(variant)
    images = [turn(4000), turn(4001)]
    # 32 of 576 columns are 5 of 90 sectors, 20 degrees to the right.
    right = PolarImage.of_panorama(np.roll(images[1].cells, -32, axis=1), GRID)
    places = np.stack([method.describe_place(image, False) for image in images])
    matches = method.index(places).search(method.describe(right)[None])
    assert int(matches.distances[0].argmin()) == 1
    assert matches.relative_yaws_rad[0, 1] == pytest.approx(-math.radians(20))
    if variant == 'repaired':
        assert matches.distances[0, 1] == pytest.approx(0, abs=1e-5)


def test_as_released_only_cells_empty_in_both_are_alike() -> None:
    full = PolarImage.of_panorama(np.full(SHAPE, 200, np.uint8), GRID)
    for variant, expected in (('released', 1), ('repaired', 0)):
        method = IntensityScanContext(variant)
        index = method.index(method.describe_place(full, False)[None])
        distance = index.search(method.describe(full)[None]).distances[0, 0]
        assert distance == pytest.approx(expected, abs=1e-5)


def test_a_part_fits_its_turn_once_what_is_not_seen_is_unknown() -> None:
    image = turn(4000, share=0.02)
    part = list(image.views(18))[2]  # 40 degrees to the right
    for variant, is_same in (('released', False), ('repaired', True)):
        method = IntensityScanContext(variant)
        index = method.index(method.describe_place(image, True)[None])
        matches = index.search(method.describe(part)[None])
        assert (matches.distances[0, 0] < 1e-5) == is_same
        assert matches.relative_yaws_rad[0, 0] == pytest.approx(-math.radians(40)) or not is_same


def test_few_sectors_that_both_see_do_not_win() -> None:
    query, same = contexts(1, seed=0)[0], contexts(1, seed=0)[0]
    query[:, 30:] = -1
    same[:, 5:] = -1  # five sectors of thirty
    other = contexts(1, seed=1)[0]
    distances = IntensityIndex(np.stack([same, other]), counts_empty=False).search(query[None])
    # Half of thirty are needed: a third is left of what would be the same geometry, so 1 more.
    assert distances.distances[0, 0] == pytest.approx(1 - 1 / 3 + 1, abs=1e-5)
    assert distances.distances[0, 1] < distances.distances[0, 0]


@pytest.mark.parametrize('variant', ['released', 'repaired'])
def test_an_empty_image_is_at_the_largest_distance(variant: str) -> None:
    method = IntensityScanContext(variant)
    images = [turn(4000), PolarImage.of_panorama(np.zeros(SHAPE, np.uint8), GRID)]
    descriptors = np.stack([method.describe(image) for image in images])
    distances = method.index(descriptors[:, None]).search(descriptors).distances
    assert distances[0, 0] < LARGEST
    assert distances[0, 1] == distances[1, 0] == distances[1, 1] == LARGEST


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown variant 'fixed'"):
        IntensityScanContext('fixed')
