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
from ssd_ros.bev.polar_bev import PolarGrid, views_of_panorama
from ssd_ros.evaluation.bev_cache import CachedDrive

_CLOUDS_AT_ONCE = 32

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

    def __init__(self, encoders: Encoders) -> None:
        self._encoders = encoders
        self._kept: dict[tuple[str, str, int | None], dict[int, NDArray[np.float32]]] = {}

    def of_clouds(self, drive: CachedDrive, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return one descriptor for each chosen 4D radar image, shape (N, 1, D)."""
        kept = self._kept.setdefault((drive.name, '4d', None), {})
        missing = [int(row) for row in rows if int(row) not in kept]
        for first in range(0, len(missing), _CLOUDS_AT_ONCE):
            chunk = missing[first : first + _CLOUDS_AT_ONCE]
            kept.update(zip(chunk, self._encoders.student(drive.student_bevs[chunk]), strict=True))
        return np.stack([kept[int(row)] for row in rows])[:, None]

    def of_scans(
        self, drive: CachedDrive, rows: NDArray[np.int64], num_views: int, yaw_seed: int | None
    ) -> NDArray[np.float32]:
        """
        Return the views of each chosen panorama, shape (N, num_views, D).

        :param num_views: every k-th of those that the teacher makes
        :param yaw_seed: turn each panorama by random_columns first
        :raise ValueError: the teacher's views cannot be thinned to num_views
        """
        kept = self._kept.setdefault((drive.name, 'spinning', yaw_seed), {})
        for row in map(int, rows):
            if row not in kept:
                kept[row] = self._encoders.teacher(panorama_of(drive, row, yaw_seed))
        views = np.stack([kept[int(row)] for row in rows])
        if num_views < 1 or views.shape[1] % num_views:
            raise ValueError(
                f'{num_views} views asked for, expected a divisor of the {views.shape[1]} that '
                'the teacher makes'
            )
        return views[:, :: views.shape[1] // num_views]


def panorama_of(drive: CachedDrive, row: int, yaw_seed: int | None) -> NDArray[np.uint8]:
    """
    Return a cached panorama, shape (num_ranges, panorama_azimuths).

    :param yaw_seed: turned by random_columns; None = as it was
    """
    panorama = np.asarray(drive.panoramas[row])
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
