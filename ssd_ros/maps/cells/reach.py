# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exact search of some squares, which finds what a search of their keyframes in one map would."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.byte_rows import ByteRows, keeps_ties
from ssd_ros.maps.cells.store import CellStore
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_index import nearest_keyframes, nearest_turns, VectorIndex

MAX_KEPT_ROWS = 400_000  # reconstructed: .5 GB; those touched last stay in memory


class Part(NamedTuple):
    """
    A square in memory.

    :param numbers: shape (N,), of its keyframes in the map
    """

    rows: VectorIndex
    numbers: NDArray[np.int64]


class TouchedCells:
    """Squares that were searched, so many as have room; used by one thread at a time."""

    def __init__(self, store: CellStore, num_threads: int = 1) -> None:
        """
        Begin with none.

        :param num_threads: of FAISS while it searches
        """
        self._store = store
        self._num_threads = num_threads
        self._parts: OrderedDict[int, Part] = OrderedDict()

    def parts(self, cells: Sequence[int]) -> list[Part]:
        """Return those squares of some that can be read."""
        parts = []
        for cell in cells:
            part = self._parts.get(cell) or self._read(cell)
            if part is not None:
                self._parts[cell] = part
                self._parts.move_to_end(cell)
                parts.append(part)
        num_rows = sum(len(part.rows) for part in self._parts.values())
        while num_rows > MAX_KEPT_ROWS and len(self._parts) > 1:
            num_rows -= len(self._parts.popitem(last=False)[1].rows)
        return parts

    def _read(self, cell: int) -> Part | None:
        store, layout = self._store, self._store.layout
        rings = store.rings_of_cell(cell)
        if rings is None:
            return None
        numbers = store.numbers[store.starts[cell] : store.starts[cell + 1]]
        order = np.argsort(numbers)
        index = VectorIndex(layout.descriptor_size, layout.num_views, self._num_threads)
        index.add(rings[order].reshape(-1, layout.descriptor_size))
        return Part(index, numbers[order])


class ReachIndex:
    """Squares searched as if their keyframes were one map, numbered as in the whole."""

    def __init__(self, layout_views: int, descriptor_size: int, parts: Sequence[Part]) -> None:
        """Take squares."""
        self.view_yaws_rad = view_yaws_rad(layout_views)
        self.descriptor_size = descriptor_size
        self.bytes_per_row = (4 + 1) * descriptor_size
        self.error = ByteRows(descriptor_size).error
        self._num_views = layout_views
        self._parts = parts

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self._parts)

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors in the order of the keyframes' numbers, shape (N, D)."""
        return self.rings(self._numbers()).reshape(-1, self.descriptor_size)

    def search(self, descriptor: NDArray[np.float32], num_rows: int) -> Neighbours:
        """Return the keyframes among the nearest rows, each with its best view."""
        return nearest_keyframes(self, descriptor, num_rows, len(self))

    def search_turn(self, ring: NDArray[np.float32], num_keyframes: int) -> Neighbours:
        """Return the keyframes nearest to a whole turn, each at its best rotation."""
        return nearest_turns(self, ring, num_keyframes, self._numbers())

    def nearest(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest rows of all squares in ascending order, see RowSource."""
        found = []
        for part in self._parts:
            num_rows = len(part.rows)
            rows, products = part.rows.nearest(query, min(num, num_rows), num_rows)
            places, views = np.divmod(rows, self._num_views)
            found.append((part.numbers[places] * self._num_views + views, products))
        rows, products = (np.concatenate(each) for each in zip(*found, strict=True))
        nearest = np.lexsort((rows, -products))
        last = products[nearest[min(num, len(rows)) - 1]]
        chosen = nearest if keeps_ties() else nearest[:num]
        chosen = chosen[products[chosen] >= last]
        order = chosen[np.argsort(rows[chosen])]
        return rows[order], products[order]

    def products(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the products of some rows with a query."""
        # Multiplied together, as in one map: the last bit of a product may depend on its place.
        taken = np.empty((len(rows), self.descriptor_size), np.float32)
        numbers, views = np.divmod(rows, self._num_views)
        for part in self._parts:
            places, is_here = _places(part, numbers)
            taken[is_here] = part.rows.take(places * self._num_views + views[is_here])
        return np.asarray(taken @ query)

    def rings(self, keyframes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return all views of some keyframes, shape (K, num_views, D)."""
        rings = np.empty((len(keyframes), self._num_views, self.descriptor_size), np.float32)
        for part in self._parts:
            places, is_here = _places(part, keyframes)
            rings[is_here] = part.rows.rings(places)
        return rings

    def _numbers(self) -> NDArray[np.int64]:
        none = np.zeros(0, np.int64)
        return np.sort(np.concatenate([none, *(part.numbers for part in self._parts)]))


def _places(part: Part, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where some keyframes are in a square, and which of them are."""
    places = np.minimum(np.searchsorted(part.numbers, numbers), len(part.numbers) - 1)
    is_here = part.numbers[places] == numbers
    return places[is_here], is_here
