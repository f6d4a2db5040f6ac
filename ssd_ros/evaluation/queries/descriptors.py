# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encoders as functions, and the descriptors of cached drives, each image encoded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
import zlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.beside import panorama_beside
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.evaluation.bev_cache import CachedDrive

_CLOUDS_AT_ONCE = 32
_Key = tuple[int, float]  # row, and how far to the left of its way it is seen from

EncodeImages = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images (N, num_ranges, num_azimuths) to unit descriptors (N, D)."""

EncodePanorama = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A panorama (num_ranges, panorama_azimuths) to the unit descriptors of its views (V, D)."""


@dataclass(frozen=True, slots=True)
class Encoders:
    """Student and teacher of one descriptor space."""

    student: EncodeImages
    teacher: EncodePanorama


def per_view(encode: EncodeImages, grid: PolarGrid, num_views: int) -> EncodePanorama:
    """Return a teacher that encodes every view of a panorama by itself."""

    def encode_panorama(panorama: NDArray[np.uint8]) -> NDArray[np.float32]:
        return encode(views_of_panorama(panorama, grid, num_views))

    return encode_panorama


class Descriptors:
    """Descriptors of cached drives, made when first asked for and kept."""

    def __init__(self, encoders: Encoders, grid: PolarGrid | None = None) -> None:
        """
        Start without one.

        :param grid: of the panoramas; needed where they are seen from the lane beside
        """
        self._encoders, self._grid = encoders, grid
        self._kept: dict[tuple[str, str, int | None], dict[_Key, NDArray[np.float32]]] = {}

    def of_clouds(self, drive: CachedDrive, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return one descriptor for each chosen 4D radar image, shape (N, 1, D)."""
        kept = self._kept.setdefault((drive.name, '4d', None), {})
        missing = [row for row in rows.tolist() if (row, 0.0) not in kept]
        for first in range(0, len(missing), _CLOUDS_AT_ONCE):
            chunk = missing[first : first + _CLOUDS_AT_ONCE]
            made = self._encoders.student(drive.student_bevs[chunk])
            kept.update(zip([(row, 0.0) for row in chunk], made, strict=True))
        return np.stack([kept[row, 0.0] for row in rows.tolist()])[:, None]

    def of_scans(
        self,
        drive: CachedDrive,
        rows: NDArray[np.int64],
        num_views: int,
        yaw_seed: int | None,
        lanes_m: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float32]:
        """
        Return the views of each chosen panorama, shape (N, num_views, D).

        :param num_views: every k-th of those that the teacher makes
        :param yaw_seed: turn each panorama by random_columns first
        :param lanes_m: shape (N,), how far to the left each is seen from; None = as it was
        :raise ValueError: the teacher's views cannot be thinned to num_views
        """
        kept = self._kept.setdefault((drive.name, 'spinning', yaw_seed), {})
        lanes = np.zeros(len(rows)) if lanes_m is None else lanes_m
        wanted = list(zip(rows.tolist(), lanes.tolist(), strict=True))
        for row, lane_m in wanted:
            if (row, lane_m) not in kept:
                kept[row, lane_m] = self._encoders.teacher(
                    self._panorama(drive, row, yaw_seed, lane_m)
                )
        views = np.stack([kept[key] for key in wanted])
        if num_views < 1 or views.shape[1] % num_views:
            raise ValueError(
                f'{num_views} views asked for, expected a divisor of the {views.shape[1]} that '
                'the teacher makes'
            )
        return views[:, :: views.shape[1] // num_views]

    def _panorama(
        self, drive: CachedDrive, row: int, yaw_seed: int | None, lane_m: float
    ) -> NDArray[np.uint8]:
        panorama = np.asarray(drive.panoramas[row])
        if lane_m:
            assert self._grid is not None
            panorama = panorama_beside(panorama, self._grid, lane_m)
        return rolled(drive, row, yaw_seed, panorama)


def panorama_of(drive: CachedDrive, row: int, yaw_seed: int | None) -> NDArray[np.uint8]:
    """
    Return a cached panorama, shape (num_ranges, panorama_azimuths).

    :param yaw_seed: turned by random_columns; None = as it was
    """
    return rolled(drive, row, yaw_seed, np.asarray(drive.panoramas[row]))


def rolled(
    drive: CachedDrive, row: int, yaw_seed: int | None, panorama: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return what was seen at a row, turned by random_columns; None = as it was."""
    if yaw_seed is None:
        return panorama
    return np.roll(panorama, random_columns(drive, row, yaw_seed), axis=1)


def random_columns(drive: CachedDrive, row: int, seed: int) -> int:
    """Return by how many columns a panorama is rolled in tests of any heading."""
    generator = np.random.default_rng([seed, zlib.crc32(drive.name.encode()), row])
    return int(generator.integers(drive.panoramas.shape[2]))


def random_yaws_rad(drive: CachedDrive, rows: Sequence[int], seed: int) -> NDArray[np.float64]:
    """Return by which angle the heading of rolled panoramas has changed, shape (N,)."""
    # Columns run clockwise: rolled by one, the panorama's forward lies one column to the left.
    column_rad = 2 * math.pi / drive.panoramas.shape[2]
    return np.array([random_columns(drive, int(row), seed) for row in rows]) * column_rad
