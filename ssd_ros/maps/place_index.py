# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which descriptors are near: those of a network by FAISS, scan contexts at every rotation.

An index grows and is searched by one thread at a time. Nothing of it is written to a file:
deserialising an index from an untrusted file can crash the process or allocate without bound,
arrays whose size was checked cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.scan_context import ScanContextConfig, ScanContextIndex


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    The nearest keyframes, each with its best view, nearest first.

    :param keyframes: shape (K,) int64, indices into the keyframes of the map
    :param views: shape (K,) int64, the nearest view of each
    :param distances: shape (K,) float32, between unit descriptors, 0 (same) to 2 (opposite)
    :param horizon: distance of the last row searched: every keyframe that is not among
        these is at least this far
    """

    keyframes: NDArray[np.int64]
    views: NDArray[np.int64]
    distances: NDArray[np.float32]
    horizon: float

    def __len__(self) -> int:
        return len(self.keyframes)


class PlaceIndex(Protocol):
    """Unit descriptors of keyframes in the order in which they came."""

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        ...

    @property
    def bytes_per_row(self) -> int:
        """Memory that a descriptor takes."""
        ...

    def __len__(self) -> int:
        """Return the number of descriptors."""
        ...

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """
        Append descriptors; they are copied.

        :param descriptors: shape (N, D); the views of one keyframe stand together
        """
        ...

    def clear(self) -> None:
        """Forget all descriptors."""
        ...

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        ...

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """
        Return the keyframes among the nearest rows, each with its best view.

        :param descriptor: shape (D,)
        :param num_rows: rows to look at
        :param first: search only so many of the oldest keyframes
        """
        ...


def new_index(
    scan_context: ScanContextConfig | None,
    descriptor_size: int,
    num_views: int = 1,
    num_threads: int = 1,
) -> PlaceIndex:
    """
    Return an empty index.

    :param scan_context: what the descriptors are; None = those of a network
    :param num_views: rows of a keyframe, for a network
    :param num_threads: of FAISS while it searches; more than one wait busily for work
    """
    if scan_context is not None:
        return RotationIndex(scan_context)
    return VectorIndex(descriptor_size, num_views, num_threads)


class VectorIndex:
    """Descriptors of a network: near are those whose inner product is large."""

    def __init__(self, descriptor_size: int, num_views: int = 1, num_threads: int = 1) -> None:
        self.view_yaws_rad = view_yaws_rad(num_views)
        self.bytes_per_row = (4 + 2) * descriptor_size
        self._num_views = num_views
        self._num_threads = num_threads
        self._rows = _Rows(descriptor_size)
        # The inner product of unit vectors orders like their distance and is cheaper. Reading the
        # rows is what takes time: those in half precision take half of it to say which are near.
        self._halves = faiss.IndexScalarQuantizer(
            descriptor_size, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._halves.train(np.zeros((1, descriptor_size), np.float32))

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """Append descriptors, shape (N, D)."""
        faiss.omp_set_num_threads(self._num_threads)
        self._halves.add(np.ascontiguousarray(descriptors))
        self._rows.add(descriptors)

    def clear(self) -> None:
        """Forget all descriptors."""
        self._halves.reset()
        self._rows.clear()

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        return self._rows.values()

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """Return the keyframes among the nearest rows, each with its best view."""
        count, options = len(self), {}
        if first is not None and first * self._num_views < count:
            count = first * self._num_views
            options['params'] = faiss.SearchParameters(sel=faiss.IDSelectorRange(0, count))
        if count == 0:
            return _nobody()
        # OpenMP keeps this number per calling thread, so it is set where the search happens.
        faiss.omp_set_num_threads(self._num_threads)
        query = np.ascontiguousarray(descriptor[None], dtype=np.float32)
        rows = self._halves.search(query, min(num_rows, count), **options)[1][0]
        products = self._rows.values()[rows] @ query[0]
        order = np.argsort(-products, kind='stable')
        rows, distances = rows[order], np.sqrt(np.maximum(2 - 2 * products[order], 0))
        keyframes, views = np.divmod(rows, self._num_views)
        best = np.sort(np.unique(keyframes, return_index=True)[1])
        return Neighbours(keyframes[best], views[best], distances[best], float(distances[-1]))


class RotationIndex:
    """Scan contexts: near are those that are similar at some rotation, which is the view."""

    def __init__(self, config: ScanContextConfig) -> None:
        self._shape = (config.num_rings, config.num_sectors)
        self.view_yaws_rad = view_yaws_rad(config.num_sectors)
        self._contexts = ScanContextIndex(config)
        self._rows = _Rows(math.prod(self._shape))
        self.bytes_per_row = 4 * math.prod(self._shape) + self._contexts.bytes_per_entry

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """Append descriptors, shape (N, D)."""
        self._contexts.add(descriptors.reshape(-1, *self._shape))
        self._rows.add(descriptors)

    def clear(self) -> None:
        """Forget all descriptors."""
        self._contexts.clear()
        self._rows.clear()

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        return self._rows.values()

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """Return the nearest keyframes, each with its best rotation."""
        found = self._contexts.search(descriptor.reshape(self._shape), first)
        if len(found.similarities) == 0:
            return _nobody()
        distances = np.sqrt(2 - 2 * found.similarities)
        nearest = np.argsort(distances, kind='stable')[:num_rows]
        num_sectors = self._shape[1]
        turns = -found.relative_yaws_rad[nearest] / (2 * math.pi)
        views = np.rint(turns * num_sectors).astype(np.int64) % num_sectors
        return Neighbours(nearest, views, distances[nearest], float(distances[nearest[-1]]))


class _Rows:
    """Descriptors whose memory doubles as they come one by one."""

    def __init__(self, width: int) -> None:
        self._buffer: NDArray[np.float32] = np.empty((0, width), np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def clear(self) -> None:
        self._buffer = self._buffer[:0].copy()
        self._count = 0

    def add(self, rows: NDArray[np.float32]) -> None:
        count = self._count + len(rows)
        if count > len(self._buffer):
            larger = np.empty((max(count, 2 * self._count), rows.shape[1]), np.float32)
            larger[: self._count] = self._buffer[: self._count]
            self._buffer = larger
        self._buffer[self._count : count] = rows
        self._count = count

    def values(self) -> NDArray[np.float32]:
        values = self._buffer[: self._count]
        values.flags.writeable = False
        return values


def _nobody() -> Neighbours:
    none = np.zeros(0, np.int64)
    return Neighbours(none, none, np.zeros(0, np.float32), math.inf)
