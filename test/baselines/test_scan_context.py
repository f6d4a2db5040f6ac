# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check Scan Context against a plain loop and against rotations of known size."""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.baselines.scan_context import ScanContextConfig, ScanContextDatabase
from ssd_ros.polar_bev import PolarGrid, view_yaws_rad, views_of_panorama
from ssd_ros.trajectory import wrap_angle

GRID = PolarGrid()
# Of 24 by 72 cells: one cell is one ring and three columns are five degrees' sector.
SMALL = PolarGrid(num_ranges=8, num_azimuths=24)
SMALL_CONFIG = ScanContextConfig(num_rings=8, num_sectors=24)


def sparse_panoramas(
    num: int, grid: PolarGrid = GRID, share: float = 0.01, seed: int = 0
) -> NDArray[np.uint8]:
    generator = np.random.default_rng(seed)
    shape = (num, grid.num_ranges, grid.panorama_azimuths)
    echoes = generator.random(shape) < share
    return np.where(echoes, generator.integers(124, 256, shape), 0).astype(np.uint8)


def plain_similarities(
    panorama: NDArray[np.uint8], bev: NDArray[np.uint8], min_overlap: float
) -> list[float]:
    """Return the similarity at each of 24 shifts, by loops over sectors of three columns."""
    seen = np.zeros_like(panorama)
    seen[:, np.arange(24) - 12] = bev
    query = [seen[:, 3 * j : 3 * j + 3].mean(axis=1) for j in range(24)]
    entry = [panorama[:, 3 * j : 3 * j + 3].mean(axis=1) for j in range(24)]
    num_active = sum(1 for column in query if column.any())
    similarities = []
    for shift in range(24):
        total, count = 0.0, 0
        for j in range(24):
            u, v = query[j], entry[(j + shift) % 24]
            if u.any() and v.any():
                total += float(u @ v) / (np.linalg.norm(u) * np.linalg.norm(v))
                count += 1
        similarities.append(total / max(count, min_overlap * num_active, 1))
    return similarities


@pytest.mark.parametrize('min_overlap', [0.0, 0.5, 1.0])
def test_the_fft_equals_a_plain_loop(min_overlap: float) -> None:
    panoramas = sparse_panoramas(5, SMALL, share=0.1)
    bev = views_of_panorama(sparse_panoramas(1, SMALL, share=0.1, seed=1)[0], SMALL, 36)[7]
    config = ScanContextConfig(num_rings=8, num_sectors=24, min_overlap=min_overlap)
    match = ScanContextDatabase(panoramas, SMALL, config).search(bev)
    for entry, panorama in enumerate(panoramas):
        expected = plain_similarities(panorama, bev, min_overlap)
        assert 1 - match.distances[entry] == pytest.approx(max(expected), abs=1e-5)
        shift = round(-match.relative_yaws_rad[entry] / (2 * math.pi / 24)) % 24
        assert expected[shift] == pytest.approx(max(expected), abs=1e-5)


@pytest.mark.parametrize('view', [0, 3, 18, 30])
def test_a_view_finds_its_turn_and_its_yaw(view: int) -> None:
    panoramas = sparse_panoramas(20)
    bev = views_of_panorama(panoramas[13], GRID, 36)[view]
    match = ScanContextDatabase(panoramas, GRID).search(bev)
    assert int(match.distances.argmin()) == 13
    # Views are 10 degrees apart, sectors 3: the best sector is at most half of one away.
    difference_rad = wrap_angle(match.relative_yaws_rad[13] - view_yaws_rad(36)[view])
    assert abs(math.degrees(difference_rad)) <= 1.5


def test_the_same_image_is_at_distance_zero_and_an_empty_one_at_one() -> None:
    panoramas = sparse_panoramas(3, SMALL, share=0.3)
    database = ScanContextDatabase(panoramas, SMALL, SMALL_CONFIG)
    bev = views_of_panorama(panoramas[1], SMALL, 36)[0]
    assert database.search(bev).distances[1] == pytest.approx(0, abs=1e-5)
    empty = database.search(np.zeros_like(bev))
    assert empty.distances.tolist() == [1, 1, 1]
    assert len(database) == 3


def test_turning_the_query_turns_the_yaw_and_keeps_the_distance() -> None:
    panorama = sparse_panoramas(1, SMALL, share=0.2)
    database = ScanContextDatabase(panorama, SMALL, SMALL_CONFIG)
    views = views_of_panorama(panorama[0], SMALL, 24)  # one sector apart
    matches = [database.search(view) for view in views]
    yaws_deg = [math.degrees(match.relative_yaws_rad[0]) for match in matches]
    np.testing.assert_allclose(yaws_deg, np.degrees(view_yaws_rad(24)), atol=1e-6)
    np.testing.assert_allclose([match.distances[0] for match in matches], 0, atol=1e-5)


def test_without_the_rule_of_overlap_one_lucky_sector_wins() -> None:
    query = np.zeros((8, 24), np.uint8)
    query[2] = 200  # a wall across the whole field of view
    lonely = np.zeros((8, 72), np.uint8)
    lonely[2, 0:3] = 200  # one sector of it
    noisy = np.zeros((8, 72), np.uint8)
    noisy[2] = 200
    noisy[5] = 100  # all of it, and something else
    panoramas = np.stack([lonely, noisy])
    for min_overlap, winner in ((0.0, 0), (0.5, 1)):
        config = ScanContextConfig(num_rings=8, num_sectors=24, min_overlap=min_overlap)
        match = ScanContextDatabase(panoramas, SMALL, config).search(query)
        assert int(match.distances.argmin()) == winner


def test_a_query_on_500_places_takes_milliseconds() -> None:
    database = ScanContextDatabase(sparse_panoramas(50).repeat(10, axis=0), GRID)
    bev = sparse_panoramas(1)[0][:, :192]
    start = time.process_time()
    for _ in range(20):
        database.search(bev)
    # Measured 5 ms each; 500 queries have to stay under 30 s even on a slow machine.
    assert (time.process_time() - start) / 20 < 0.06


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r'shape \(8, 71\), expected \(8, 72\)'):
        ScanContextDatabase(np.zeros((2, 8, 71), np.uint8), SMALL, SMALL_CONFIG)
    database = ScanContextDatabase(np.zeros((2, 8, 72), np.uint8), SMALL, SMALL_CONFIG)
    with pytest.raises(ValueError, match=r'shape \(24, 8\), expected \(8, 24\)'):
        database.search(np.zeros((24, 8), np.uint8))
