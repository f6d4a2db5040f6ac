# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check Scan Context against a plain loop and against rotations of known size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import PolarGrid, view_yaws_rad, views_of_panorama
from ssd_ros.encoders.scan_context import (
    panorama_of_view,
    scan_context,
    ScanContextConfig,
    ScanContextIndex,
    ScanContextMatches,
)
from ssd_ros.motion.trajectory import wrap_angle

GRID = PolarGrid()
CONFIG = ScanContextConfig()
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


def index_of(
    panoramas: NDArray[np.uint8], grid: PolarGrid, config: ScanContextConfig
) -> ScanContextIndex:
    index = ScanContextIndex(config)
    index.add(np.stack([scan_context(panorama, grid, config) for panorama in panoramas]))
    return index


def ask(
    index: ScanContextIndex, bev: NDArray[np.uint8], grid: PolarGrid, config: ScanContextConfig
) -> ScanContextMatches:
    return index.search(scan_context(panorama_of_view(bev, grid), grid, config))


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
                total += float(u @ v) / float(np.linalg.norm(u) * np.linalg.norm(v))
                count += 1
        similarities.append(total / max(count, min_overlap * num_active, 1))
    return similarities


@pytest.mark.parametrize('min_overlap', [0.0, 0.5, 1.0])
def test_the_fft_equals_a_plain_loop(min_overlap: float) -> None:
    panoramas = sparse_panoramas(5, SMALL, share=0.1)
    bev = views_of_panorama(sparse_panoramas(1, SMALL, share=0.1, seed=1)[0], SMALL, 36)[7]
    config = ScanContextConfig(num_rings=8, num_sectors=24, min_overlap=min_overlap)
    match = ask(index_of(panoramas, SMALL, config), bev, SMALL, config)
    for entry, panorama in enumerate(panoramas):
        expected = plain_similarities(panorama, bev, min_overlap)
        assert match.similarities[entry] == pytest.approx(max(expected), abs=1e-5)
        shift = round(-match.relative_yaws_rad[entry] / (2 * math.pi / 24)) % 24
        assert expected[shift] == pytest.approx(max(expected), abs=1e-5)


def test_cells_that_straddle_rings_count_by_area() -> None:
    grid = PolarGrid(num_ranges=3, num_azimuths=1)
    panorama = np.array([[30, 0, 0], [60, 0, 0], [90, 0, 0]], np.uint8)
    context = scan_context(panorama, grid, ScanContextConfig(num_rings=2, num_sectors=3))
    # Ring 0 is the first cell and half of the second: (30 + 0.5 * 60) / 1.5.
    np.testing.assert_allclose(context, [[40, 0, 0], [80, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize('view', [0, 3, 18, 30])
def test_a_view_finds_its_turn_and_its_yaw(view: int) -> None:
    panoramas = sparse_panoramas(20)
    bev = views_of_panorama(panoramas[13], GRID, 36)[view]
    match = ask(index_of(panoramas, GRID, CONFIG), bev, GRID, CONFIG)
    assert int(match.similarities.argmax()) == 13
    # Views are 10 degrees apart, sectors 3: the best sector is at most half of one away.
    difference_rad = wrap_angle(match.relative_yaws_rad[13] - view_yaws_rad(36)[view])
    assert abs(math.degrees(difference_rad)) <= 1.5


def test_the_same_image_has_similarity_one_and_an_empty_one_none() -> None:
    panoramas = sparse_panoramas(3, SMALL, share=0.3)
    index = index_of(panoramas, SMALL, SMALL_CONFIG)
    bev = views_of_panorama(panoramas[1], SMALL, 36)[0]
    found = ask(index, bev, SMALL, SMALL_CONFIG)
    assert found.similarities[1] == pytest.approx(1, abs=1e-5)
    assert found.similarities.max() <= 1
    assert ask(index, np.zeros_like(bev), SMALL, SMALL_CONFIG).similarities.tolist() == [0, 0, 0]


def test_turning_the_query_turns_the_yaw_and_keeps_the_similarity() -> None:
    panorama = sparse_panoramas(1, SMALL, share=0.2)
    index = index_of(panorama, SMALL, SMALL_CONFIG)
    views = views_of_panorama(panorama[0], SMALL, 24)  # one sector apart
    matches = [ask(index, view, SMALL, SMALL_CONFIG) for view in views]
    yaws_deg = [math.degrees(match.relative_yaws_rad[0]) for match in matches]
    np.testing.assert_allclose(yaws_deg, np.degrees(view_yaws_rad(24)), atol=1e-6)
    np.testing.assert_allclose([match.similarities[0] for match in matches], 1, atol=1e-5)


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
        match = ask(index_of(panoramas, SMALL, config), query, SMALL, config)
        assert int(match.similarities.argmax()) == winner


def test_entries_added_one_at_a_time_answer_like_those_added_at_once() -> None:
    contexts = np.random.default_rng(0).random((9, 8, 24), np.float32)
    at_once, growing = ScanContextIndex(SMALL_CONFIG), ScanContextIndex(SMALL_CONFIG)
    at_once.add(contexts)
    for context in contexts:
        growing.add(7 * context[None])  # the scale does not matter
    expected, found = at_once.search(contexts[4]), growing.search(contexts[4])
    np.testing.assert_allclose(found.similarities, expected.similarities, atol=1e-6)
    assert found.similarities.argmax() == 4
    assert found.relative_yaws_rad.tolist() == expected.relative_yaws_rad.tolist()
    oldest = growing.search(contexts[4], first=4).similarities
    np.testing.assert_array_equal(oldest, found.similarities[:4])
    growing.clear()
    assert len(growing) == 0
    assert len(growing.search(contexts[4]).similarities) == 0


def test_more_entries_than_are_compared_at_once_are_all_compared() -> None:
    config = ScanContextConfig(num_rings=2, num_sectors=4)
    contexts = np.random.default_rng(0).random((9000, 2, 4), np.float32)
    index = ScanContextIndex(config)
    index.add(contexts)
    for number in (0, 4095, 4096, 8999):
        assert index.search(contexts[number]).similarities[number] == pytest.approx(1, abs=1e-5)
    assert len(index) == 9000


def test_images_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r'shape \(8, 71\), expected \(8, 72\)'):
        scan_context(np.zeros((8, 71), np.uint8), SMALL, SMALL_CONFIG)
    with pytest.raises(ValueError, match=r'shape \(24, 8\), expected \(8, 24\)'):
        panorama_of_view(np.zeros((24, 8), np.uint8), SMALL)
    index = ScanContextIndex(SMALL_CONFIG)
    with pytest.raises(ValueError, match=r'shape \(8, 23\), expected \(8, 24\)'):
        index.search(np.zeros((8, 23), np.float32))
    with pytest.raises(ValueError, match=r'shape \(8, 24\), expected \(N, \*\(8, 24\)\)'):
        index.add(np.zeros((8, 24), np.float32))


@pytest.mark.parametrize(
    ('values', 'message'),
    [({'num_rings': 0}, '0 rings of 120 sectors'), ({'min_overlap': 1.5}, 'min_overlap is 1.5')],
)
def test_an_impossible_configuration_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScanContextConfig(**values)  # type: ignore[arg-type]
