# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Radar Scan Context between a field of view and full turns, searched exhaustively.

A scan context is a small polar image of rings and sectors; two are compared column by column at
every rotation (Kim and Kim, IROS 2018; radar form: Kim et al., MulRan, ICRA 2020). Sectors that
a 4D radar cannot see are invalid, not empty, and a rotation counts only if enough of the seen
sectors meet a sector with echoes: without that rule few lucky columns win. The rotations are
compared by FFT, which equals the plain loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.polar_bev import PolarGrid
from ssd_ros.trajectory import wrap_angle


@dataclass(frozen=True, slots=True)
class ScanContextConfig:
    """Size of the small image and the rule of overlap."""

    num_rings: int = 40
    num_sectors: int = 120  # over the full turn
    min_overlap: float = 0.5  # share of the query's sectors with echoes


DEFAULT_CONFIG = ScanContextConfig()


@dataclass(frozen=True, slots=True)
class ScanContextMatch:
    """
    How well every entry fits a query, at its best rotation.

    :param distances: shape (N,), 0 (same) to 1 (nothing in common)
    :param relative_yaws_rad: shape (N,), heading of the query in the frame of the entry, (-pi, pi]
    """

    distances: NDArray[np.float32]
    relative_yaws_rad: NDArray[np.float64]


class ScanContextDatabase:
    """Scan contexts of mapped places; every query is compared with all of them."""

    def __init__(
        self,
        panoramas: Iterable[NDArray[np.uint8]],
        grid: PolarGrid,
        config: ScanContextConfig = DEFAULT_CONFIG,
    ) -> None:
        """
        Take over the full turns of a map.

        :param panoramas: each of shape (num_ranges, panorama_azimuths), of the spinning radar
        """
        self._grid = grid
        self._config = config
        self._rings = _area_weights(grid.num_ranges, config.num_rings)
        self._sectors = _area_weights(grid.panorama_azimuths, config.num_sectors).T
        contexts = np.stack([self._context(panorama) for panorama in panoramas])
        units, active = _unit_columns(contexts)
        # Frequency first, so that a query is one matrix product per frequency.
        self._spectra = _spectra(units).transpose(2, 0, 1).copy()
        self._active_spectra = _spectra(active)

    def __len__(self) -> int:
        return len(self._active_spectra)

    def search(self, bev: NDArray[np.uint8]) -> ScanContextMatch:
        """
        Compare a 4D radar image with every entry at every rotation.

        :param bev: shape (num_ranges, num_azimuths)
        """
        similarities = self._similarities(bev)
        shifts = similarities.argmax(axis=1)
        best = np.take_along_axis(similarities, shifts[:, None], axis=1)[:, 0]
        # Sectors run clockwise: meeting the entry's sector s ahead is a turn to the right.
        yaws = wrap_angle(-shifts * (2 * math.pi / self._config.num_sectors))
        return ScanContextMatch((1 - best).astype(np.float32), yaws)

    def _similarities(self, bev: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the mean cosine of sectors that meet, by entry and shift, (N, num_sectors)."""
        num_sectors = self._config.num_sectors
        unit, active = _unit_columns(self._context(self._on_panorama(bev)))
        spectrum = _spectra(unit).conj().T[:, :, None]
        products = np.fft.irfft((self._spectra @ spectrum)[:, :, 0].T, num_sectors)
        counts = np.fft.irfft(_spectra(active).conj() * self._active_spectra, num_sectors)
        needed = max(self._config.min_overlap * active.sum(), 1.0)
        return np.asarray(products / np.maximum(np.rint(counts), needed))

    def _on_panorama(self, bev: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Place the field of view around forward of an otherwise empty turn."""
        grid = self._grid
        if bev.shape != (grid.num_ranges, grid.num_azimuths):
            raise ValueError(
                f'image has shape {bev.shape}, expected ({grid.num_ranges}, {grid.num_azimuths})'
            )
        panorama = np.zeros((grid.num_ranges, grid.panorama_azimuths), dtype=np.uint8)
        columns = np.arange(grid.num_azimuths) - grid.num_azimuths // 2
        panorama[:, columns] = bev
        return panorama

    def _context(self, panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the mean over rings and sectors, shape (num_rings, num_sectors)."""
        shape = (self._grid.num_ranges, self._grid.panorama_azimuths)
        if panorama.shape != shape:
            raise ValueError(f'panorama has shape {panorama.shape}, expected {shape}')
        return self._rings @ (panorama.astype(np.float32) @ self._sectors)


def _spectra(rows: NDArray[np.float32]) -> NDArray[np.complex64]:
    return np.fft.rfft(rows).astype(np.complex64)  # NumPy 1 computes in double precision


def _area_weights(num_from: int, num_to: int) -> NDArray[np.float32]:
    """Return the matrix that averages num_from equal cells into num_to, by area."""
    edges_to = np.arange(num_to + 1) * (num_from / num_to)
    cells = np.arange(num_from)
    upper = np.minimum(edges_to[1:, None], cells + 1)
    lower = np.maximum(edges_to[:-1, None], cells)
    return (np.maximum(upper - lower, 0) * (num_to / num_from)).astype(np.float32)


def _unit_columns(
    contexts: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """
    Scale every sector to unit length and say which have echoes.

    :param contexts: shape (..., num_rings, num_sectors)
    :return: shapes (..., num_rings, num_sectors) and (..., num_sectors), 1 where active
    """
    lengths = np.sqrt((contexts**2).sum(axis=-2))
    active = lengths > 0
    units = contexts / np.where(active, lengths, 1)[..., None, :]
    return units, active.astype(np.float32)
