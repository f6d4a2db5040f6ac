# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Descriptors and what comes with them, for hours: what is there is not copied to make room."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_BLOCK_BYTES = 1 << 24  # what of it is not filled yet takes no memory, either


class Rows:
    """
    Rows in blocks, as they stood at one moment.

    Read by any thread while another one appends to what they were taken of.
    """

    def __init__(self, dtype: DTypeLike, shape: tuple[int, ...] = ()) -> None:
        """
        Begin without a row.

        :param shape: of a row
        """
        self.dtype, self.shape = np.dtype(dtype), shape
        self._row_bytes = self.dtype.itemsize * math.prod(shape)
        self._blocks: list[NDArray[Any]] = []
        self._starts: list[int] = []  # of each block
        self._count = 0

    @property
    def num_bytes(self) -> int:
        """Memory that the rows take."""
        return self._count * self._row_bytes

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Any:
        """Return a row; -1 is the last one."""
        if number < 0:
            number += self._count
        if not 0 <= number < self._count:
            raise IndexError(f'row {number} of {self._count}')
        block = bisect_right(self._starts, number) - 1
        return self._blocks[block][number - self._starts[block]]

    def part(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows that stand together, shape (stop - start, *shape), read-only."""
        if not 0 <= start <= stop <= self._count:
            raise IndexError(f'rows {start} to {stop} of {self._count}')
        block = max(0, bisect_right(self._starts, start) - 1)
        parts = []
        while start < stop:
            first = self._starts[block]
            parts.append(self._blocks[block][start - first : stop - first])
            start += len(parts[-1])
            block += 1
        if not parts:
            parts.append(np.empty((0, *self.shape), self.dtype))
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        rows.flags.writeable = False
        return rows

    def blocks(self, stop: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield where each block begins, and what it has of the rows before one."""
        for start, block in zip(self._starts, self._blocks, strict=True):
            if start < stop:
                yield start, block[: stop - start]

    def values(self) -> NDArray[Any]:
        """Return all rows, read-only; they are copied if they came one by one."""
        return self.part(0, self._count)

    def take(self, numbers: NDArray[np.int64], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """
        Return copies of some rows, shape (len(numbers), *shape).

        :param out: of this shape, to be filled
        """
        taken = np.empty((len(numbers), *self.shape), self.dtype) if out is None else out
        if len(self._blocks) == 1:
            np.take(self._blocks[0], numbers, axis=0, out=taken, mode='clip')
            return taken
        blocks = np.searchsorted(self._starts, numbers, 'right') - 1
        for block in np.unique(blocks).tolist():
            is_here = blocks == block
            taken[is_here] = self._blocks[block][numbers[is_here] - self._starts[block]]
        return taken


class GrowingRows(Rows):
    """Rows that one thread appends."""

    def append(self, rows: NDArray[Any]) -> None:
        """Append copies of rows, shape (N, *shape); many at once are one block."""
        begin = 0
        while begin < len(rows):
            room = self._starts[-1] + len(self._blocks[-1]) - self._count if self._blocks else 0
            if not room:
                room = max(_BLOCK_BYTES // self._row_bytes, len(rows) - begin)
                self._starts.append(self._count)
                self._blocks.append(np.empty((room, *self.shape), self.dtype))
            new = rows[begin : begin + room]
            first = self._count - self._starts[-1]
            self._blocks[-1][first : first + len(new)] = new
            self._count += len(new)
            begin += len(new)

    def snapshot(self) -> Rows:
        """Return the rows as they stand; none is copied, however many they are."""
        rows = Rows(self.dtype, self.shape)
        rows._blocks, rows._starts, rows._count = [*self._blocks], [*self._starts], self._count
        return rows
