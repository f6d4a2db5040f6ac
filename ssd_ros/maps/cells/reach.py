# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Exact search of some squares, which finds what a search of their keyframes in one map would."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.byte_rows import ByteRows, keeps_ties
from ssd_ros.encoders.half_precision import float32_of
from ssd_ros.encoders.scans.bounded import BoundedRows, HEAD, head_axes, nearest_rows
from ssd_ros.maps.cells.store import CellStore
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_index import nearest_keyframes, nearest_turns

MAX_KEPT_ROWS = 400_000  # reconstructed: .33 GB; those touched last stay in memory


class _Square:
    """
    A square in memory, as it is stored.

    :ivar numbers: shape (N,), of its keyframes in the map, ascending
    """

    def __init__(
        self,
        rings: NDArray[np.float32],
        numbers: NDArray[np.int64],
        axes: _Axes,
        num_threads: int,
    ) -> None:
        """
        Take a square.

        :param rings: shape (N, num_views, D), of half precision
        :param axes: of the heads of its rows
        """
        self.numbers = numbers
        self.halves = rings.astype(np.float16).reshape(-1, rings.shape[2])
        self.bytes = ByteRows(rings.shape[2], num_threads)
        self.bytes.add(rings.reshape(-1, rings.shape[2]))
        self._axes = axes

    @cached_property
    def bounded(self) -> BoundedRows:
        """Its rows with their heads, for compiled code."""
        rows = self.bytes.values()
        return BoundedRows(rows, self._axes.of(rows))

    def __len__(self) -> int:
        return len(self.halves)


class _Axes:
    """Of the heads of the rows of all squares: those that the first one tells."""

    def __init__(self) -> None:
        self._axes: NDArray[np.float32] | None = None

    def of(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return them, for a square with these rows."""
        if self._axes is None:
            self._axes = head_axes(rows)
        return self._axes


class TouchedCells:
    """Squares that were searched, so many as have room; used by one thread at a time."""

    def __init__(self, store: CellStore, num_threads: int = 1) -> None:
        """
        Begin with none.

        :param num_threads: of FAISS while it searches
        """
        self._store = store
        self._num_threads = num_threads
        self._squares: OrderedDict[int, _Square] = OrderedDict()
        self._axes = _Axes()
        self._last: tuple[list[int], ReachIndex] | None = None

    def index(self, cells: list[int]) -> ReachIndex:
        """Return those squares of some that can be read, to be searched."""
        if self._last is not None and self._last[0] == cells:
            return self._last[1]
        squares = []
        for cell in cells:
            square = self._squares.get(cell) or self._read(cell)
            if square is not None:
                self._squares[cell] = square
                self._squares.move_to_end(cell)
                squares.append(square)
        num_rows = sum(map(len, self._squares.values()))
        while num_rows > MAX_KEPT_ROWS and len(self._squares) > 1:
            num_rows -= len(self._squares.popitem(last=False)[1])
        layout = self._store.layout
        index = ReachIndex(layout.num_views, layout.descriptor_size, squares)
        self._last = cells, index
        return index

    def _read(self, cell: int) -> _Square | None:
        store = self._store
        rings = store.rings_of_cell(cell)
        if rings is None:
            return None
        numbers = store.numbers[store.starts[cell] : store.starts[cell + 1]]
        order = np.argsort(numbers)
        return _Square(rings[order], numbers[order], self._axes, self._num_threads)


class ReachIndex:
    """Squares searched as if their keyframes were one map, numbered as in the whole."""

    def __init__(self, num_views: int, descriptor_size: int, squares: Sequence[_Square]) -> None:
        """Take squares."""
        self.view_yaws_rad = view_yaws_rad(num_views)
        self.descriptor_size = descriptor_size
        self.bytes_per_row = (2 + 1) * descriptor_size + HEAD + 1
        self.error = ByteRows(descriptor_size).error
        self._num_views = num_views
        self._squares = squares
        none = np.zeros(0, np.int64)
        numbers = np.concatenate([none, *(square.numbers for square in squares)])
        self._order = np.argsort(numbers)
        self._numbers = numbers  # one square after the other
        self._sorted = numbers[self._order]
        nums = [len(square.numbers) for square in squares]
        self._starts = np.concatenate([none, [0], np.cumsum(nums)]).astype(np.int64)

    def __len__(self) -> int:
        return len(self._numbers) * self._num_views

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors in the order of the keyframes' numbers, shape (N, D)."""
        return self.rings(self._sorted).reshape(-1, self.descriptor_size)

    def search(self, descriptor: NDArray[np.float32], num_rows: int) -> Neighbours:
        """Return the keyframes among the nearest rows, each with its best view."""
        return nearest_keyframes(self, descriptor, num_rows, len(self))

    def search_turn(self, ring: NDArray[np.float32], num_keyframes: int) -> Neighbours:
        """Return the keyframes nearest to a whole turn, each at its best rotation."""
        return nearest_turns(self, ring, num_keyframes, self._sorted)

    def nearest(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest rows of all squares in ascending order, see RowSource."""
        if keeps_ties() and self.descriptor_size >= HEAD:
            in_bytes = self._squares[0].bytes
            bounded = [square.bounded for square in self._squares]
            found, squares = nearest_rows(bounded, in_bytes.bytes_of(query), num)
            rows, products = self._rows_of_map(found), in_bytes.products_of(squares)
        else:
            rows, products = self._nearest_of_each(query, num)
        order = np.argsort(rows)
        return rows[order], products[order]

    def _nearest_of_each(
        self, query: NDArray[np.float32], num: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest rows of all squares, each of which was searched by itself."""
        found = []
        for square, start in zip(self._squares, self._starts.tolist(), strict=False):
            rows, products = square.bytes.nearest(query, min(num, len(square)), len(square))
            found.append((self._rows_of_map(rows + start * self._num_views), products))
        rows, products = (np.concatenate(each) for each in zip(*found, strict=True))
        nearest = np.lexsort((rows, -products))
        last = products[nearest[min(num, len(rows)) - 1]]
        chosen = nearest if keeps_ties() else nearest[:num]
        chosen = chosen[products[chosen] >= last]
        return rows[chosen], products[chosen]

    def products(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the products of some rows with a query."""
        # Multiplied together, as in one map: the last bit of a product may depend on its place.
        numbers, views = np.divmod(rows, self._num_views)
        return np.asarray(self._taken(self._places(numbers) * self._num_views + views) @ query)

    def rings(self, keyframes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return all views of some keyframes, shape (K, num_views, D)."""
        first = self._places(keyframes)[:, None] * self._num_views
        taken = self._taken((first + np.arange(self._num_views)).ravel())
        return taken.reshape(len(keyframes), self._num_views, self.descriptor_size)

    def _places(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where keyframes are, counted through the squares."""
        return self._order[np.searchsorted(self._sorted, numbers)]

    def _rows_of_map(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return rows, counted through the squares, as they are numbered in the map."""
        places, views = np.divmod(rows, self._num_views)
        return self._numbers[places] * self._num_views + views

    def _taken(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return descriptors of rows that are counted through the squares, shape (K, D)."""
        order = np.argsort(rows, kind='stable')
        ordered = rows[order]
        halves = np.empty((len(rows), self.descriptor_size), np.float16)
        ends = np.searchsorted(ordered, self._starts * self._num_views)
        for square, start, first, end in zip(
            self._squares, self._starts, ends, ends[1:], strict=False
        ):
            if first < end:
                places = ordered[first:end] - start * self._num_views
                halves[order[first:end]] = square.halves[places]
        return float32_of(halves)
