# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Intensity Scan Context: first where there are returns, then how strong they are.

Wang et al., Intensity Scan Context: Coding Intensity and Geometry Relations for Loop Closure
Detection, ICRA 2020, with the constants of its code; the pixels of our polar BEV take the place
of the intensities of a laser. The geometry of two images is compared at every rotation, their
intensities at the rotations about the best of those.

As published, a cell has a return only if its 8 bits are exactly 1, so that the geometry stage
counts the cells that are empty in both; and what is not seen is empty. Repaired, both stages
compare the sectors that both see, which must be half of those that the query sees. The published
code ranks loops by the sum of both similarities; here by intensity alone, which finds more.
"""

from __future__ import annotations

from collections.abc import Iterator
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import Handcrafted, Matches
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import check_variant
from ssd_ros.motion.trajectory import wrap_angle

NUM_RINGS, NUM_SECTORS = 20, 90
MAX_RANGE_M = 60.0
MIN_GEOMETRY = 0.67  # share of cells that are alike, of a loop, as published
SHIFTS = np.arange(-10, 10)  # about the best rotation, as published
MIN_OVERLAP = 0.5  # reconstructed, as that of Scan Context
LARGEST = 2.0  # distance of what cannot be compared
_NOT_SEEN = -1.0
_BLOCK = 1024  # places compared at once, which bounds the memory of a search


class IntensityScanContext(Handcrafted):
    """The strongest pixels of 20 rings by 90 sectors up to 60 m."""

    def __init__(self, variant: str) -> None:
        self._variant = check_variant(variant)

    def describe(self, image: PolarImage) -> NDArray[np.float32]:
        """Return the strongest pixel of each cell, -1 in sectors that are not seen."""
        context = intensity_scan_context(image)
        if self._variant == 'repaired':
            context[:, ~_seen_sectors(image)] = _NOT_SEEN
        return context

    def index(self, places: NDArray[np.float32]) -> IntensityIndex:
        """Return places to be compared at every rotation."""
        return IntensityIndex(places[:, 0], counts_empty=self._variant == 'released')


def intensity_scan_context(image: PolarImage) -> NDArray[np.float32]:
    """
    Return the maximum over rings and sectors, shape (20, 90).

    A cell of the polar BEV belongs to the ring and the sector in which its centre lies.
    """
    rows_per_ring = MAX_RANGE_M / NUM_RINGS / image.grid.max_range_m * image.grid.num_ranges
    *rings, end = _first_cells(NUM_RINGS, rows_per_ring)
    rows = np.maximum.reduceat(image.cells[:end], rings, axis=0)
    return np.maximum.reduceat(rows, _sector_starts(image), axis=1).astype(np.float32)


def _seen_sectors(image: PolarImage) -> NDArray[np.bool_]:
    return np.logical_and.reduceat(image.is_seen, _sector_starts(image))


def _sector_starts(image: PolarImage) -> list[int]:
    return _first_cells(NUM_SECTORS, len(image.is_seen) / NUM_SECTORS)[:-1]


def _first_cells(num: int, cells_each: float) -> list[int]:
    """Return the first cell whose centre lies in each of num intervals, and behind the last."""
    return [math.ceil(edge * cells_each - 0.5) for edge in range(num + 1)]


class IntensityIndex:
    """Intensity scan contexts that are all compared, in two stages."""

    def __init__(self, places: NDArray[np.float32], counts_empty: bool) -> None:
        """
        Take over places.

        :param places: shape (N, 20, 90), negative in sectors that are not seen
        :param counts_empty: geometry is the share of cells empty in both, not that of equal ones
        """
        self._counts_empty = counts_empty
        self._pixels = places.astype(np.int16)
        self._is_seen = places[:, 0] >= 0
        self._empty = np.flatnonzero(~(places > 0).any(axis=(1, 2)))
        self._seen_spectra = _spectra(self._is_seen)
        # Frequency first, so that a query is one matrix product per frequency.
        shape = (NUM_SECTORS // 2 + 1, len(places), NUM_RINGS)
        self._geometry_spectra = np.empty(shape, np.complex64)
        for block in self._blocks():
            spectra = _spectra(self._geometry(places[block]))
            self._geometry_spectra[:, block] = spectra.transpose(2, 0, 1)

    def search(self, queries: NDArray[np.float32]) -> Matches:
        """Return 1 minus the similarity of intensities, 1 more where the geometry is another."""
        distances = np.full((len(queries), len(self._pixels)), LARGEST, np.float32)
        shifts = np.zeros(distances.shape, np.int64)
        for row in np.flatnonzero((queries > 0).any(axis=(1, 2))):
            turned = _turned(queries[row])
            for block in self._blocks():
                shares, best = self._compare_geometry(queries[row], block)
                similarities, shifts[row, block] = self._compare_intensity(turned, best, block)
                distances[row, block] = 1 - similarities + (shares <= MIN_GEOMETRY)
        distances[:, self._empty] = LARGEST
        # Sectors run clockwise: meeting the place's sector s ahead is a turn to the right.
        sector_rad = 2 * math.pi / NUM_SECTORS
        return Matches(distances, wrap_angle(-sector_rad * shifts.astype(np.float64)))

    def _blocks(self) -> Iterator[slice]:
        return (slice(at, at + _BLOCK) for at in range(0, len(self._pixels), _BLOCK))

    def _compare_geometry(
        self, query: NDArray[np.float32], block: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the share of cells that are alike at the best shift, and that shift."""
        is_seen = query[0] >= 0
        met = _correlations(_spectra(is_seen).conj() * self._seen_spectra[block])
        spectrum = _spectra(self._geometry(query)).conj().T[:, :, None]
        alike = _correlations((self._geometry_spectra[:, block] @ spectrum)[:, :, 0].T)
        if not self._counts_empty:
            alike = (alike + NUM_RINGS * met) / 2
        shares = alike / _cells(met, is_seen)
        best = shares.argmax(axis=1)
        return shares[np.arange(len(shares)), best], best

    def _compare_intensity(
        self, turned: NDArray[np.int16], about: NDArray[np.int64], block: slice
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """
        Return the similarity at the best of the shifts about those given, and that shift.

        :param turned: shape (90, 20, 90), the query at every shift
        """
        shifts = (about[:, None] + SHIFTS) % NUM_SECTORS
        similarities = np.empty(shifts.shape)
        for column, of_place in enumerate(shifts.T):
            of_query = turned[of_place]
            both = (of_query[:, 0] >= 0) & self._is_seen[block]
            by_sector = np.abs(of_query - self._pixels[block]).sum(axis=1, dtype=np.int16)
            met, missed = both.sum(axis=1), (by_sector * both).sum(axis=1) / 255
            similarities[:, column] = (NUM_RINGS * met - missed) / _cells(met, turned[0, 0] >= 0)
        best = similarities.argmax(axis=1)
        order = np.arange(len(best))
        return similarities[order, best], shifts[order, best]

    def _geometry(self, contexts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return numbers whose correlation counts the cells that are alike."""
        if self._counts_empty:
            return (contexts == 0).astype(np.float32)
        # The product of two is 1 where they are alike, -1 where not, 0 where one is not seen.
        return np.select([contexts > 0, contexts == 0], [1, -1], 0).astype(np.float32)


def _turned(query: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the query at every shift, so that its sector j meets sector j + shift."""
    pixels = query.astype(np.int16)
    return np.stack([np.roll(pixels, shift, axis=1) for shift in range(NUM_SECTORS)])


def _cells(met: NDArray[Any], is_seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return by how many cells a sum over sectors that met is divided."""
    return NUM_RINGS * np.maximum(met, MIN_OVERLAP * is_seen.sum())


def _spectra(sectors: NDArray[Any]) -> NDArray[np.complex64]:
    return np.fft.rfft(sectors).astype(np.complex64)  # NumPy 1 computes in double precision


def _correlations(spectra: NDArray[np.complex64]) -> NDArray[np.float64]:
    """Return whole numbers of cells or sectors, by place and shift."""
    return np.rint(np.fft.irfft(spectra, NUM_SECTORS)).astype(np.float64)
