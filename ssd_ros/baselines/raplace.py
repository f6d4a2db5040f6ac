# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RaPlace: spectra of the Radon transform, which turn but do not move.

Jang et al., RaPlace: Place Recognition for Imaging Radar using Radon Transform and Mutable
Threshold, ICRA 2023; sizes of the released form as in open-radvlad. A square image from above is
projected along lines at every angle; the magnitudes of each projection's spectrum do not change
when the scene moves, and shift by its angle when it turns. Two images fit as well as their
spectra correlate at the best shift.

The published code shifts along the frequencies instead of the angles, so that a turned scene is
another one to it, and thins out the angles. Its other defect, corners of the square that leave
the projection when they turn, cannot show here: our polar BEV ends within the inscribed circle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import best_views, Handcrafted, Matches
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import check_variant, NUM_VIEWS
from ssd_ros.bev.polar_bev import PolarGrid

_BLOCK = 8192  # views compared at once, which bounds the memory of a search


@dataclass(frozen=True, slots=True)
class RaPlaceConfig:
    """
    Sizes of the image, of its projections and of what is kept of them.

    :param num_samples: side of the square that is interpolated, sample_m apart
    :param num_pixels: side of the image to which it is averaged
    :param num_angles: lines over half a turn
    :param num_offsets: the projection on each angle is reduced to so many numbers
    :param num_kept_angles: the projections are reduced to so many
    """

    num_samples: int
    sample_m: float
    num_pixels: int
    num_angles: int
    num_offsets: int
    num_kept_angles: int


CONFIGS = {
    'released': RaPlaceConfig(256, 1.2717, 256, 180, 64, 45),
    # Half the resolution is six times faster; averaged, because between samples so far apart
    # single returns would be lost. 150 m are the circle of 63 pixels.
    'repaired': RaPlaceConfig(256, 150 / 126, 128, 90, 64, 90),
}


class RaPlace(Handcrafted):
    """Spectra of projections, compared at every shift."""

    def __init__(self, variant: str) -> None:
        self._variant = check_variant(variant)
        self._config = CONFIGS[variant]
        self.num_views = NUM_VIEWS[self._variant]

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return normalised spectra, shifts in the search along the last axis."""
        spectra = _normalised_spectra(cartesian(image, self._config), self._config)
        return spectra.T if self._variant == 'released' else spectra

    def index(self, places: NDArray[np.float32]) -> CorrelationIndex:
        """Return places to be compared by their correlation with a query."""
        return CorrelationIndex(places)


class CorrelationIndex:
    """Normalised images that are compared at every circular shift along their last axis."""

    def __init__(self, places: NDArray[np.float32]) -> None:
        """
        Take over places.

        :param places: shape (N, V, R, C), each of mean 0 and variance 1 or all zeros
        """
        self._num_places, self._num_views = places.shape[:2]
        self._shape = places.shape[2:]
        rows = places.reshape(-1, *self._shape)
        self._empty_rows = np.flatnonzero(~rows.any(axis=(1, 2)))
        # Frequency first, so that a query is one matrix product per frequency.
        self._spectra = np.empty(
            (self._shape[1] // 2 + 1, self._shape[0], len(rows)), np.complex64
        )
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            self._spectra[:, :, block] = np.fft.rfft(rows[block]).transpose(2, 1, 0)

    def search(self, queries: NDArray[np.float32]) -> Matches:
        """
        Return 1 minus the correlation with the best view of each place at its best shift.

        The published |auto - cross| is this times a constant: of what is normalised the
        auto-correlation is the number of its cells. The shift is an angle modulo half a turn,
        which is no heading; a view is.
        """
        num_rows = self._spectra.shape[2]
        distances = np.empty((len(queries), num_rows), np.float32)
        for row, query in enumerate(queries):
            spectrum = np.fft.rfft(query).conj().astype(np.complex64).T[:, None]
            for start in range(0, num_rows, _BLOCK):
                block = slice(start, start + _BLOCK)
                distances[row, block] = 1 - self._correlations(spectrum, block)
        distances[~queries.any(axis=(1, 2))] = 2  # as far as can be
        distances[:, self._empty_rows] = 2
        return best_views(distances.reshape(len(queries), self._num_places, self._num_views))

    def _correlations(self, spectrum: NDArray[np.complex64], block: slice) -> NDArray[np.float32]:
        """
        Return the greatest correlation with each row of a block.

        :param spectrum: shape (C // 2 + 1, 1, R), conjugate
        """
        products = (spectrum @ self._spectra[:, :, block])[:, 0]
        correlations = np.fft.irfft(products, self._shape[1], axis=0)
        return correlations.max(axis=0) / math.prod(self._shape)


def cartesian(image: PolarImage, config: RaPlaceConfig) -> NDArray[np.float32]:
    """Return the image from above, shape (num_pixels, num_pixels): ahead is up, 0 is no return."""
    # A column of the other end at either side lets the interpolation go around.
    turn = np.pad(image.cells, ((0, 0), (1, 1)), mode='wrap').astype(np.float32)
    columns, rows = _polar_coordinates(image.grid, config)
    samples = cv2.remap(turn, columns, rows, cv2.INTER_LINEAR)
    size = (config.num_pixels, config.num_pixels)
    return np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_AREA), np.float32)


@lru_cache(maxsize=4)
def _polar_coordinates(
    grid: PolarGrid, config: RaPlaceConfig
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the column, in the padded turn, and the row of every sample."""
    right_m = (np.arange(config.num_samples) - (config.num_samples - 1) / 2) * config.sample_m
    ahead_m = -right_m[:, None]
    clockwise = np.mod(np.arctan2(right_m, ahead_m) / (2 * math.pi), 1)
    column = clockwise * grid.panorama_azimuths + 0.5
    row = np.hypot(right_m, ahead_m) * (grid.num_ranges / grid.max_range_m) - 0.5
    return column.astype(np.float32), np.maximum(row, 0).astype(np.float32)


def sinogram(
    square: NDArray[np.float32] | NDArray[np.uint8], num_angles: int
) -> NDArray[np.float32]:
    """Return the sums along the columns of the turned image, shape (num_pixels, num_angles)."""
    num_pixels = len(square)
    centre = ((num_pixels - 1) / 2, (num_pixels - 1) / 2)
    sums = np.empty((num_angles, num_pixels), np.float32)
    for angle in range(num_angles):
        turn = cv2.getRotationMatrix2D(centre, angle * (180 / num_angles), 1)
        turned = cv2.warpAffine(square, turn, square.shape)
        sums[angle] = cv2.reduce(turned, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
    return sums.T


def _normalised_spectra(square: NDArray[np.float32], config: RaPlaceConfig) -> NDArray[np.float32]:
    """Return frequencies by angles, of mean 0 and variance 1; all 0 if there is no return."""
    sums = sinogram(square, config.num_angles)
    if not sums.any():
        return np.zeros((config.num_offsets // 2, config.num_kept_angles), np.float32)
    # By area, as skimage's rescale smooths before it thins out.
    size = (config.num_kept_angles, config.num_offsets)
    reduced = cv2.resize(sums / sums.max(), size, interpolation=cv2.INTER_AREA)
    magnitudes = np.abs(np.fft.rfft(reduced, axis=0))[: config.num_offsets // 2]
    return ((magnitudes - magnitudes.mean()) / magnitudes.std()).astype(np.float32)
