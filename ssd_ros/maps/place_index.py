# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which descriptors are near: those of a network by FAISS, scan contexts at every rotation.

A view is looked up among all views of all keyframes; a whole turn is laid over those of keyframes.

An index grows and is searched by one thread at a time. Nothing of it is written to a file:
deserialising an index from an untrusted file can crash the process or allocate without bound,
arrays whose size was checked cannot.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.byte_rows import ByteRows
from ssd_ros.encoders.growing_rows import GrowingRows, Rows
from ssd_ros.encoders.ring_correlation import match_rings
from ssd_ros.encoders.scan_context import ScanContextConfig, ScanContextIndex
from ssd_ros.maps.neighbours import GrowingIndex, Neighbours, RowSource

# Whole turns are laid over this many keyframes, which takes about 17 ms of a core: all of a map
# of 2 km, of larger ones those that some views of the turn choose.
SHORT_LIST = 1024
_CHOOSING_VIEWS = 6  # of the turn: every direction is in two of them
_ROWS_A_KEYFRAME = 4  # looked at by each of them, for each keyframe of the short list


def new_index(
    scan_context: ScanContextConfig | None,
    descriptor_size: int,
    num_views: int = 1,
    num_threads: int = 1,
) -> GrowingIndex:
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
        self.descriptor_size = descriptor_size
        self.bytes_per_row = (4 + 1) * descriptor_size
        self._num_views = num_views
        self._rows = GrowingRows(np.float32, (descriptor_size,))
        self._taken = np.empty((0, descriptor_size), np.float32)
        self._bytes = ByteRows(descriptor_size, num_threads)
        self.error = self._bytes.error

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """Append descriptors, shape (N, D)."""
        self._bytes.add(descriptors)
        self._rows.append(descriptors)

    def clear(self) -> None:
        """Forget all descriptors."""
        self._bytes.clear()
        self._rows = GrowingRows(np.float32, (self.descriptor_size,))

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        return self._rows.values()

    def snapshot(self) -> Rows:
        """Return all descriptors as they stand, without copying them."""
        return self._rows.snapshot()

    def nearest(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest of the oldest rows, see ByteRows."""
        return self._bytes.nearest(query, num, count)

    def products(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the products of some rows with a query."""
        if len(rows) > len(self._taken):  # kept: new memory costs more than what is done in it
            self._taken = np.empty((len(rows), self.descriptor_size), np.float32)
        return np.asarray(self._rows.take(rows, self._taken[: len(rows)]) @ query)

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return copies of some rows, shape (len(rows), D)."""
        return self._rows.take(rows)

    def rings(self, keyframes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return all views of some keyframes, shape (K, num_views, D)."""
        num_views = self._num_views
        if np.array_equal(keyframes, np.arange(len(keyframes))):
            rows = self._rows.part(0, len(keyframes) * num_views)  # without a copy
        else:
            rows = self._rows.take((keyframes[:, None] * num_views + np.arange(num_views)).ravel())
        return rows.reshape(-1, num_views, self.descriptor_size)

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """Return the keyframes among the nearest rows, each with its best view."""
        return nearest_keyframes(self, descriptor, num_rows, self._num_rows(first))

    def search_turn(
        self, ring: NDArray[np.float32], num_keyframes: int, first: int | None = None
    ) -> Neighbours:
        """Return the keyframes nearest to a whole turn, each at its best rotation."""
        searched = np.arange(self._num_rows(first) // self._num_views)
        return nearest_turns(self, ring, num_keyframes, searched)

    def _num_rows(self, first: int | None) -> int:
        return len(self) if first is None else min(first * self._num_views, len(self))


def nearest_keyframes(
    source: RowSource, descriptor: NDArray[np.float32], num_rows: int, count: int
) -> Neighbours:
    """
    Return the keyframes among the nearest of the oldest rows, each with its best view.

    :param count: rows to search
    """
    if count == 0:
        return nobody()
    query = np.asarray(descriptor, np.float32)
    rows, products = source.nearest(query, min(num_rows, count), count)
    return best_views(source, query, rows, products)


def best_views(
    source: RowSource,
    query: NDArray[np.float32],
    rows: NDArray[np.int64],
    products: NDArray[np.float32],
) -> Neighbours:
    """
    Return the keyframes that rows are of, each with its best view, compared exactly.

    :param rows: shape (K,), K > 0, ascending
    :param products: shape (K,), quick ones
    """
    num_views = len(source.view_yaws_rad)
    keyframes = rows // num_views
    # Rows of a keyframe stand together. Exactly are compared those that may be its best one.
    is_first = np.empty(len(rows), bool)
    is_first[0] = True
    np.not_equal(keyframes[1:], keyframes[:-1], out=is_first[1:])
    best = np.maximum.reduceat(products, np.flatnonzero(is_first))
    of = np.cumsum(is_first) - 1  # counted
    is_close = products >= (best - source.error)[of]
    is_close[products.argmin()] = True  # the horizon
    close, of = rows[is_close], of[is_close]
    exact = source.products(close, query)
    order = np.argsort(-exact, kind='stable')
    close, exact, of = close[order], exact[order], of[order]
    keyframes, views = np.divmod(close, num_views)
    places = np.zeros(len(best), np.int64)
    places[of[::-1]] = np.arange(len(of))[::-1]  # of several, the first is written last
    best = np.sort(places)
    distances = np.sqrt(np.maximum(2 - 2 * exact, 0))
    yaws_rad = source.view_yaws_rad[views[best]]
    return Neighbours(keyframes[best], yaws_rad, distances[best], float(distances[-1]))


def nearest_turns(
    source: RowSource,
    ring: NDArray[np.float32],
    num_keyframes: int,
    searched: NDArray[np.int64],
) -> Neighbours:
    """
    Return the keyframes nearest to a whole turn, each at its best rotation.

    :param searched: numbers of keyframes, ascending
    """
    if len(searched) == 0:
        return nobody()
    if len(searched) > SHORT_LIST:
        searched = _short_list(source, ring, searched)
    matches = match_rings(ring, source.rings(searched))
    nearest = np.argsort(matches.distances, kind='stable')[:num_keyframes]
    distances = matches.distances[nearest]
    return Neighbours(
        searched[nearest], matches.yaws_rad[nearest], distances, float(distances[-1])
    )


def _short_list(
    source: RowSource, ring: NDArray[np.float32], searched: NDArray[np.int64]
) -> NDArray[np.int64]:
    """
    Return which keyframes some views of a turn find, by all views nearest first.

    Of a view that does not find a keyframe, the last of its rows tells how near it is at most.
    """
    num_views = len(source.view_yaws_rad)
    count = len(searched) * num_views
    num_rows = min(_ROWS_A_KEYFRAME * SHORT_LIST, count)
    likeness = np.zeros(len(searched))
    for view in ring[:: max(1, len(ring) // _CHOOSING_VIEWS)]:
        rows, products = source.nearest(view, num_rows, count)
        best = np.full(len(likeness), products.min())
        np.maximum.at(best, np.searchsorted(searched, rows // num_views), products)
        likeness += best
    return searched[np.argsort(-likeness, kind='stable')[:SHORT_LIST]]


class RotationIndex:
    """Scan contexts: near are those that are similar at some rotation, which is the view."""

    def __init__(self, config: ScanContextConfig) -> None:
        self._shape = (config.num_rings, config.num_sectors)
        self.descriptor_size = math.prod(self._shape)
        self.view_yaws_rad = view_yaws_rad(config.num_sectors)
        self._contexts = ScanContextIndex(config)
        self._rows = GrowingRows(np.float32, (self.descriptor_size,))
        self.bytes_per_row = 4 * self.descriptor_size + self._contexts.bytes_per_entry

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """Append descriptors, shape (N, D)."""
        self._contexts.add(descriptors.reshape(-1, *self._shape))
        self._rows.append(descriptors)

    def clear(self) -> None:
        """Forget all descriptors."""
        self._contexts.clear()
        self._rows = GrowingRows(np.float32, (self.descriptor_size,))

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        return self._rows.values()

    def snapshot(self) -> Rows:
        """Return all descriptors as they stand, without copying them."""
        return self._rows.snapshot()

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """Return the nearest keyframes, each with its best rotation."""
        found = self._contexts.search(descriptor.reshape(self._shape), first)
        if len(found.similarities) == 0:
            return nobody()
        distances = np.sqrt(2 - 2 * found.similarities)
        nearest = np.argsort(distances, kind='stable')[:num_rows]
        num_sectors = self._shape[1]
        turns = -found.relative_yaws_rad[nearest] / (2 * math.pi)
        views = np.rint(turns * num_sectors).astype(np.int64) % num_sectors
        yaws_rad = self.view_yaws_rad[views]
        return Neighbours(nearest, yaws_rad, distances[nearest], float(distances[nearest[-1]]))

    def search_turn(
        self, ring: NDArray[np.float32], num_keyframes: int, first: int | None = None
    ) -> Neighbours:
        """Return the keyframes nearest to a whole turn, each at its best rotation."""
        return self.search(ring[0], num_keyframes, first)


def nobody() -> Neighbours:
    """Return no keyframe."""
    none = np.zeros(0)
    return Neighbours(none.astype(np.int64), none, none.astype(np.float32), math.inf)
