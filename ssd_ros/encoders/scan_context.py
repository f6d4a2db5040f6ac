# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Radar Scan Context between a field of view and full turns, searched exhaustively.

A scan context is a small polar image of rings and sectors; two are compared column by column at
every rotation (Kim and Kim, IROS 2018; radar form: Kim et al., MulRan, ICRA 2020). Sectors that
a 4D radar cannot see are invalid, not empty, and a rotation counts only if enough of the seen
sectors meet a sector with echoes: without that rule few lucky columns win. The rotations are
compared by FFT, which equals the plain loop.

Nothing here multiplies matrices: the threads of BLAS wait busily for each other, which on a loaded
vehicle computer has been measured to take a second instead of a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.records import check_limits, Limits

_LIMITS = {
    'num_rings': Limits(1, 1 << 12),
    'num_sectors': Limits(1, 1 << 12),
    'min_overlap': Limits(0, 1),
}
_BLOCK = 4096  # entries compared at once, which bounds the memory of a query


@dataclass(frozen=True, slots=True)
class ScanContextConfig:
    """
    Size of the small image and the rule of overlap.

    :param num_sectors: over the full turn
    :param min_overlap: share of the query's sectors with echoes that must meet one with echoes;
        0 divides by however few do, as the released code does
    """

    num_rings: int = 40
    num_sectors: int = 120
    min_overlap: float = 0.5

    def __post_init__(self) -> None:
        if self.num_rings < 1 or self.num_sectors < 1:
            raise ValueError(f'{self.num_rings} rings of {self.num_sectors} sectors are empty')
        check_limits(self, _LIMITS)


@dataclass(frozen=True, slots=True)
class ScanContextMatches:
    """
    How well every entry fits a query, at its best rotation.

    :param similarities: shape (N,), 0 (nothing in common) to 1 (same)
    :param relative_yaws_rad: shape (N,), heading of the query in the frame of the entry, (-pi, pi]
    """

    similarities: NDArray[np.float32]
    relative_yaws_rad: NDArray[np.float64]


def scan_context(
    panorama: NDArray[np.uint8], grid: PolarGrid, config: ScanContextConfig
) -> NDArray[np.float32]:
    """
    Return the mean over the cells of each ring and sector, by area.

    :param panorama: shape (num_ranges, panorama_azimuths)
    :return: shape (num_rings, num_sectors)
    """
    shape = (grid.num_ranges, grid.panorama_azimuths)
    if panorama.shape != shape:
        raise ValueError(f'panorama has shape {panorama.shape}, expected {shape}')
    rings = _area_sums(panorama, config.num_rings)
    sectors = _area_sums(rings.T, config.num_sectors)
    return (sectors.T / panorama.size).astype(np.float32)


def panorama_of_view(bev: NDArray[np.uint8], grid: PolarGrid) -> NDArray[np.uint8]:
    """
    Place a field of view around forward of an otherwise empty turn.

    :param bev: shape (num_ranges, num_azimuths)
    :return: shape (num_ranges, panorama_azimuths)
    """
    if bev.shape != (grid.num_ranges, grid.num_azimuths):
        raise ValueError(
            f'image has shape {bev.shape}, expected ({grid.num_ranges}, {grid.num_azimuths})'
        )
    panorama = np.zeros((grid.num_ranges, grid.panorama_azimuths), dtype=np.uint8)
    panorama[:, np.arange(grid.num_azimuths) - grid.num_azimuths // 2] = bev
    return panorama


class ScanContextIndex:
    """Scan contexts that grow in number; every query is compared with all of them."""

    def __init__(self, config: ScanContextConfig) -> None:
        self._config = config
        self.clear()

    def clear(self) -> None:
        """Forget all entries."""
        num_frequencies = self._config.num_sectors // 2 + 1
        # Frequency first; of each entry the real parts of all rings, then the imaginary ones.
        self._spectra = np.empty((num_frequencies, 0, 2 * self._config.num_rings), np.float32)
        self._active_spectra = np.empty((0, num_frequencies), np.complex64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def bytes_per_entry(self) -> int:
        """Memory that an entry takes."""
        return 8 * (self._config.num_sectors // 2 + 1) * (self._config.num_rings + 1)

    def add(self, contexts: NDArray[np.float32]) -> None:
        """
        Append entries; their scale does not matter.

        :param contexts: shape (N, num_rings, num_sectors)
        """
        shape = (self._config.num_rings, self._config.num_sectors)
        if contexts.ndim != 3 or contexts.shape[1:] != shape:
            raise ValueError(f'contexts have shape {contexts.shape}, expected (N, *{shape})')
        self._reserve(self._count + len(contexts))
        for start in range(0, len(contexts), _BLOCK):
            units, active = _unit_columns(contexts[start : start + _BLOCK])
            new = slice(self._count, self._count + len(units))
            spectra = _spectra(units).transpose(2, 0, 1)
            self._spectra[:, new] = np.concatenate([spectra.real, spectra.imag], axis=2)
            self._active_spectra[new] = _spectra(active)
            self._count += len(units)

    def _reserve(self, count: int) -> None:
        """Make room for so many entries, doubling what there is: adding one stays cheap."""
        capacity = len(self._active_spectra)
        if count <= capacity:
            return
        capacity = max(count, 2 * capacity)
        shape = (len(self._spectra), capacity, self._spectra.shape[2])
        spectra = np.empty(shape, np.float32)
        spectra[:, : self._count] = self._spectra[:, : self._count]
        self._spectra = spectra
        active_spectra = np.empty((capacity, len(spectra)), np.complex64)
        active_spectra[: self._count] = self._active_spectra[: self._count]
        self._active_spectra = active_spectra

    def search(self, context: NDArray[np.float32], first: int | None = None) -> ScanContextMatches:
        """
        Compare a query with every entry at every rotation.

        :param context: shape (num_rings, num_sectors), empty where the query cannot see
        :param first: compare with only so many of the oldest entries
        """
        shape = (self._config.num_rings, self._config.num_sectors)
        if context.shape != shape:
            raise ValueError(f'context has shape {context.shape}, expected {shape}')
        count = self._count if first is None else min(first, self._count)
        similarities = np.empty(count, np.float32)
        shifts = np.empty(count, np.int64)
        unit, active = _unit_columns(context)
        for start in range(0, count, _BLOCK):
            block = slice(start, min(start + _BLOCK, count))
            of_shift = self._similarities(unit, active, block)
            shifts[block] = of_shift.argmax(axis=1)
            similarities[block] = of_shift[np.arange(len(of_shift)), shifts[block]]
        # Sectors run clockwise: meeting the entry's sector s ahead is a turn to the right.
        sector_rad = 2 * math.pi / self._config.num_sectors
        yaws_rad = wrap_angle(-sector_rad * shifts.astype(np.float64))
        return ScanContextMatches(np.clip(similarities, 0, 1), yaws_rad)

    def _similarities(
        self, unit: NDArray[np.float32], active: NDArray[np.float32], block: slice
    ) -> NDArray[np.float64]:
        """Return the mean cosine of sectors that meet, by entry and shift, (N, num_sectors)."""
        num_sectors = self._config.num_sectors
        spectrum = np.ascontiguousarray(_spectra(unit).T)  # otherwise einsum takes twice as long
        entries = self._spectra[:, block]
        same = np.concatenate([spectrum.real, spectrum.imag], axis=1)
        crossed = np.concatenate([-spectrum.imag, spectrum.real], axis=1)
        real = np.einsum('fnr,fr->nf', entries, same)
        imaginary = np.einsum('fnr,fr->nf', entries, crossed)
        products = np.fft.irfft(real + 1j * imaginary, num_sectors)
        met = _spectra(active).conj() * self._active_spectra[block]
        counts = np.fft.irfft(met, num_sectors)
        needed = max(self._config.min_overlap * active.sum(), 1.0)
        return np.asarray(products / np.maximum(np.rint(counts), needed))


def _spectra(rows: NDArray[np.float32]) -> NDArray[np.complex64]:
    return np.fft.rfft(rows).astype(np.complex64)  # NumPy 1 computes in double precision


def _area_sums(cells: NDArray[np.integer], num_to: int) -> NDArray[np.int64]:
    """
    Divide the first axis evenly and sum the cells of each part by area, exactly.

    :param cells: shape (num_from, N), whole numbers
    :return: shape (num_to, N), num_to times the sums, which is num_from times the means
    """
    num_from = len(cells)
    whole, part = np.divmod(np.arange(num_to + 1) * num_from, num_to)
    total = np.zeros((num_from + 1, cells.shape[1]), np.int64)
    np.cumsum(cells, axis=0, dtype=np.int64, out=total[1:])
    cut = cells[np.minimum(whole, num_from - 1)]
    return np.diff(total[whole] * num_to + part[:, None] * cut, axis=0)


def _unit_columns(
    contexts: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """
    Scale every sector to unit length and say which have echoes; below 0 there is none.

    :param contexts: shape (..., num_rings, num_sectors)
    :return: shapes (..., num_rings, num_sectors) and (..., num_sectors), 1 where active
    """
    echoes = np.maximum(contexts, 0)
    lengths = np.sqrt((echoes**2).sum(axis=-2))
    active = lengths > 0
    units = echoes / np.where(active, lengths, np.float32(1))[..., None, :]
    return units, active.astype(np.float32)
