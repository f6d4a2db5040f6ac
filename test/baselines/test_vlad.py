# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check RadVLAD and FFT-RadVLAD against plain loops and against shifts along range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.baselines.azimuth_rows import azimuth_rows, unit_rows
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.vlad import amplitudes, FftRadVlad, RadVlad, residual_sums, smoothed
from ssd_ros.bev.polar_bev import PolarGrid

GRID = PolarGrid()


def empty_panorama() -> NDArray[np.uint8]:
    return np.zeros((GRID.num_ranges, GRID.panorama_azimuths), np.uint8)


def turns(num: int) -> list[PolarImage]:
    """Return turns with returns in a tenth of the rows 60 to 200 alone."""
    generator = np.random.default_rng(4000)
    images = []
    for _ in range(num):
        panorama = empty_panorama()
        has_return = generator.random((140, GRID.panorama_azimuths)) < 0.1
        panorama[60:200] = has_return * generator.integers(100, 256, has_return.shape)
        images.append(PolarImage.of_panorama(panorama, GRID))
    return images


TURNS = turns(3)


@pytest.fixture(scope='module')
def vlad() -> RadVlad:
    method = RadVlad('repaired')
    method.fit(TURNS)
    return method


@pytest.fixture(scope='module')
def fft_vlad() -> FftRadVlad:
    method = FftRadVlad('released')
    method.fit(TURNS)
    return method


def plain_vlad(rows: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the descriptor of azimuths by a loop over them."""
    sums = np.zeros_like(centres)
    for row in rows:
        nearest = int(np.linalg.norm(centres - row, axis=1).argmin())
        sums[nearest] += row - centres[nearest]
    roots = np.sign(sums) * np.sqrt(np.abs(sums))
    return (roots / np.linalg.norm(roots)).ravel()


def test_residuals_are_summed_by_the_nearest_centre() -> None:
    rows = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    centres = np.array([[1, 0.25], [0, 0.5]], np.float32)
    expected = [[-0.2, 0.1], [0, 0.5]]
    np.testing.assert_allclose(residual_sums(rows, centres), expected, atol=1e-6)


def test_radvlad_equals_a_plain_loop(vlad: RadVlad) -> None:
    assert vlad.centres is not None
    rows = unit_rows(azimuth_rows(TURNS[0], 'repaired')).astype(np.float64)
    expected = plain_vlad(rows, vlad.centres.astype(np.float64))
    described = vlad.describe(TURNS[0])
    assert described.shape == (32768,)
    assert np.linalg.norm(described - expected) < 1e-5


def test_257_frequencies_say_what_all_512_do(fft_vlad: FftRadVlad) -> None:
    assert fft_vlad.centres is not None
    half = fft_vlad.centres.astype(np.float64) / np.r_[1, np.full(255, np.sqrt(2)), 1]
    centres = np.concatenate([half, half[:, 255:0:-1]], axis=1)
    full = []
    for image in TURNS[:2]:
        spectra = np.abs(np.fft.fft(azimuth_rows(image, 'released').astype(np.float64)))
        full.append(plain_vlad(spectra / np.linalg.norm(spectra, axis=1)[:, None], centres))
    first, second = (fft_vlad.describe(image) for image in TURNS[:2])
    assert first.shape == (16448,)
    assert first @ second == pytest.approx(full[0] @ full[1], abs=1e-5)


def test_smoothing_by_one_bin_weakens_high_frequencies_of_a_lone_return() -> None:
    row = np.zeros((1, 512), np.float32)
    row[0, 200] = 1
    np.testing.assert_allclose(amplitudes(row), np.ones((1, 257)), atol=1e-6)
    gaussian = np.exp(-((np.pi * np.arange(257) / 256) ** 2) / 2)
    # Sampled once a bin, its spectrum repeats: the highest frequency gets 0.0072 twice.
    np.testing.assert_allclose(amplitudes(smoothed(row))[0], gaussian, atol=0.008)


def test_frequencies_do_not_change_with_a_shift_along_range(
    vlad: RadVlad, fft_vlad: FftRadVlad
) -> None:
    # 3 of 384 rows are 4 of 512 bins, whole ones.
    nearer = PolarImage.of_panorama(np.roll(TURNS[0].cells, -30, axis=0), GRID)
    difference = fft_vlad.describe(nearer) - fft_vlad.describe(TURNS[0])
    assert np.abs(difference).max() < 1e-5
    assert np.linalg.norm(vlad.describe(nearer) - vlad.describe(TURNS[0])) > 0.5


def test_azimuths_without_returns_take_part_only_as_released() -> None:
    third = empty_panorama()
    third[100, : GRID.num_azimuths] = 200
    some_empty = PolarImage.of_panorama(third, GRID)
    whole = empty_panorama()
    whole[100] = 200
    none_empty = PolarImage.of_panorama(whole, GRID)
    for variant, is_changed in (('released', True), ('repaired', False)):
        method = RadVlad(variant)
        method.fit(TURNS)
        difference = method.describe(some_empty) - method.describe(none_empty)
        assert (np.linalg.norm(difference) > 0.1) == is_changed


def test_the_same_map_gives_the_same_clusters(vlad: RadVlad) -> None:
    again = RadVlad('repaired')
    again.fit(TURNS)
    np.testing.assert_array_equal(again.describe(TURNS[1]), vlad.describe(TURNS[1]))
    again.fit(TURNS[1:])
    assert np.linalg.norm(again.describe(TURNS[1]) - vlad.describe(TURNS[1])) > 0.1


def test_what_cannot_be_learned_or_described_is_refused() -> None:
    with pytest.raises(ValueError, match='call fit first'):
        RadVlad('released').describe(TURNS[0])
    empty = PolarImage.of_panorama(empty_panorama(), GRID)
    with pytest.raises(ValueError, match='1 images have 0 azimuths to learn 64 clusters from'):
        FftRadVlad('repaired').fit([empty])
