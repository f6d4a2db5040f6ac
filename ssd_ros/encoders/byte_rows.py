# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Descriptors in bytes, which say quickly which of them are near, and exactly enough for that.

Reading the rows is what takes time. FAISS keeps the nearest in a heap while it reads; compiled
code, where numba is installed, writes down all distances, which takes less. Both are of whole
numbers and the same.
"""

from __future__ import annotations

from collections.abc import Callable
import math
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.growing_rows import GrowingRows
from ssd_ros.encoders.scans.bounded import BoundedRows, head_axes, nearest_rows

Scan = Callable[[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int32]], None]

_MIDDLE, _DEVIATIONS = 128, 6.0  # as far as a byte reaches, of the numbers of a unit vector
_STEP = 17  # of the rows that tell how far the nearest ones reach; it divides no usual views
_SLACK = 1.5

_scan: Scan | None = None


def use_compiled() -> None:
    """Read rows with compiled code from then on, if it can be had and reads the same."""
    global _scan
    try:
        from ssd_ros.encoders.scans import compiled

        rows = np.random.default_rng(0).integers(0, 256, (50, 67), np.uint8)
        differences = rows.astype(np.int32) - rows[7].astype(np.int32)
        found = np.zeros(50, np.int32)
        compiled.squares(rows, rows[7], found)
        bounded = BoundedRows(rows, head_axes(rows))
        same, near = nearest_rows([bounded], rows[7], 5)
        expected = np.square(differences).sum(axis=1)
        if (found == expected).all() and (near == expected[same]).all():
            _scan = compiled.squares
    except Exception:  # whatever a compiler raises: FAISS finds the same
        _scan = None


def keeps_ties() -> bool:
    """Return whether rows that are as near as the last one are found beside it, as by a scan."""
    return _scan is not None


class ByteRows:
    """Rows that are appended and searched by one thread at a time."""

    def __init__(self, size: int, num_threads: int = 1) -> None:
        """
        Begin without a row.

        :param num_threads: of FAISS while it searches
        """
        self._scale = 127 / _DEVIATIONS * math.sqrt(size)
        # Of the difference of two products, six standard deviations: .01 of 256 numbers.
        self.error = 6 * math.sqrt(4 / 12) / self._scale
        self._size = size
        self._num_threads = num_threads
        self._squares = np.empty(0, np.int32)
        self.clear()

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """Append unit vectors, shape (N, size)."""
        scan = _scan
        self._settle(scan)
        if scan is None:
            faiss.omp_set_num_threads(self._num_threads)
            self._index.add(self._bytes_of(descriptors))
        else:
            self._rows.append(self.bytes_of(descriptors))

    def clear(self) -> None:
        """Forget all rows."""
        self._rows = GrowingRows(np.uint8, (self._size,))
        kind = faiss.ScalarQuantizer.QT_8bit_direct
        self._index = faiss.IndexScalarQuantizer(self._size, kind, faiss.METRIC_L2)

    def values(self) -> NDArray[np.uint8]:
        """Return all rows, shape (N, size); they are copied if they came one by one."""
        return self._rows.values() if len(self._rows) else self._of_index().copy()

    def _of_index(self) -> NDArray[np.uint8]:
        """Return the rows that FAISS has, in its memory."""
        codes = faiss.rev_swig_ptr(self._index.codes.data(), self._index.ntotal * self._size)
        return np.asarray(codes).reshape(-1, self._size)

    def _settle(self, scan: Scan | None) -> None:
        """
        Have all rows where they will be read, in FAISS or in arrays.

        The pages of arrays are larger where the system has such: rows are read in two thirds of
        the time.
        """
        if scan is not None and self._index.ntotal:
            rows = self._of_index().copy()
            self.clear()
            self._rows.append(rows)
        elif scan is None and len(self._rows):
            rows = self._rows.values()
            self.clear()
            self._index.add(rows.astype(np.float32))

    def nearest(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """
        Return the nearest of the oldest rows, in the order in which they came.

        :param query: shape (size,), unit length
        :param num: of them, at most count
        :param count: rows to search, at most as many as there are
        :return: shape (num,) or a few more that are as near, rows, and their
            products with the query to about .001
        """
        scan = _scan
        self._settle(scan)
        squares: NDArray[Any]
        if scan is None:
            rows, squares = self._by_faiss(self._bytes_of(query[None]), num, count)
        else:
            rows, squares = self._by_scan(scan, self.bytes_of(query), num, count)
        return rows, self.products_of(squares)

    def products_of(self, squares: NDArray[Any]) -> NDArray[np.float32]:
        """Return the products of rows with a query, of their squared distances in bytes."""
        products = 1 - squares.astype(np.float64) / (2 * self._scale**2)
        return products.astype(np.float32)

    def bytes_of(self, descriptors: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return descriptors in bytes, shape (..., size)."""
        return self._bytes_of(descriptors).astype(np.uint8)

    def _bytes_of(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return whole numbers from 0 to 255, as FAISS takes them."""
        numbers = np.rint(descriptors * np.float32(self._scale))
        return np.ascontiguousarray(np.clip(numbers + _MIDDLE, 0, 255), np.float32)

    def _by_faiss(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return rows and their squared distances."""
        options = {}
        if count < self._index.ntotal:
            options['params'] = faiss.SearchParameters(sel=faiss.IDSelectorRange(0, count))
        # OpenMP keeps this number per calling thread, so it is set where the search happens.
        faiss.omp_set_num_threads(self._num_threads)
        squares, rows = self._index.search(query, num, **options)
        order = np.argsort(rows[0])
        return rows[0, order], squares[0, order]

    def _by_scan(
        self, scan: Scan, query: NDArray[np.uint8], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        if count > len(self._squares):  # kept: new memory costs more than what is done in it
            self._squares = np.empty(2 * count, np.int32)
        squares = self._squares[:count]
        for start, rows in self._rows.blocks(count):
            scan(rows, query, squares[start : start + len(rows)])
        few = squares[::_STEP]
        bound = min(len(few) - 1, math.ceil(_SLACK * num / _STEP))
        near = np.flatnonzero(squares <= np.partition(few, bound)[bound])
        if len(near) < num:
            near = np.arange(count)
        of_near = squares[near]
        is_found = of_near <= np.partition(of_near, num - 1)[num - 1]
        return near[is_found], of_near[is_found]
