# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Rows of bytes of which a quarter tells that most are too far, so that few are read whole.

A row c is its head h along the first principal axes and a tail t across them. What a query q can
have in common with it is at most

    q . c = q_h . h + q_t . t <= step q_h . g + |q_h| |h - step g| + |q_t| |t|,

with the head rounded to bytes, g. Of rows whose bound is too low, nothing more is read; all others
are compared whole. What is found is exactly what comparing all of them finds.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np
from numpy.typing import NDArray

HEAD = 64  # numbers; of trained descriptors they hold 95 % of the square of the length
_MIDDLE = 128  # the byte of 0
_SAMPLE = 8192  # rows that tell the axes
_MAX_KEY = 32_767  # of a number of the query's head
_MARGIN = 1.0  # for what floats round, of lengths of hundreds
_STEP = 17  # of the bounds that tell how far the nearest rows reach; it divides no usual views
_SLACK, _MORE = 1.5, 4.5  # times the rows that are wanted: compared first, and mostly enough


def head_axes(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """
    Return the axes along which rows are longest, shape (D, HEAD), orthonormal.

    :param rows: shape (N, D), D >= HEAD
    """
    sample = _centred(rows[:: max(1, len(rows) // _SAMPLE)]).astype(np.float64)
    _, axes = np.linalg.eigh(sample.T @ sample)
    return np.ascontiguousarray(axes[:, : -HEAD - 1 : -1], np.float32)


class BoundedRows:
    """Rows with their heads; any axes give right bounds, good ones give close bounds."""

    def __init__(self, rows: NDArray[np.uint8], axes: NDArray[np.float32]) -> None:
        """
        Take rows, which are not copied.

        :param rows: shape (N, D)
        :param axes: shape (D, HEAD)
        """
        self.rows = rows
        self.axes = axes
        centred = _centred(rows)
        heads = centred @ axes
        self.step = float(np.abs(heads).max()) / 127
        self._heads = np.rint(heads / self.step).astype(np.int8)
        lengths = np.einsum('ij,ij->i', heads, heads, dtype=np.float64)
        squares = np.einsum('ij,ij->i', centred, centred, dtype=np.float64)
        tails = np.sqrt(np.maximum(squares - lengths, 0)) + _MARGIN
        self._tail_step = float(tails.max()) / 255
        self._tails = np.ceil(tails / self._tail_step).clip(0, 255).astype(np.uint8)
        heads -= self._heads * np.float32(self.step)
        self._rounded = float(np.linalg.norm(heads, axis=1).max()) + _MARGIN
        self.least_square = float(squares.min())

    def __len__(self) -> int:
        return len(self.rows)

    def bounds(
        self, head: NDArray[np.float64], tail: float, unit: float, found: NDArray[np.int32]
    ) -> None:
        """
        Fill in what each row can have in common with a query at most, in units.

        :param head: of the query, shape (HEAD,)
        :param tail: its length across the axes
        :param found: shape (N,) int32
        """
        from ssd_ros.encoders.scans import compiled

        key = np.rint(head * (self.step / unit))
        offset = np.linalg.norm(head) * self._rounded / unit + 0.5 * 127 * HEAD
        compiled.bounds(
            self._heads,
            key.astype(np.int16),
            self._tails,
            math.ceil(tail * self._tail_step / unit),
            math.ceil(offset),
            found,
        )


def nearest_rows(
    parts: Sequence[BoundedRows], query: NDArray[np.uint8], num: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """
    Return the nearest rows, by compiled code.

    :param parts: with the same axes; rows are numbered through them
    :param query: shape (D,)
    :param num: at most as many as there are rows
    :return: shape (num,) or a few more that are as near, ascending, and their squared distances
    """
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    centred = _centred(query).astype(np.float64)
    square = float(centred @ centred)
    head = centred @ parts[0].axes
    tail = math.sqrt(max(square - float(head @ head), 0)) + _MARGIN
    unit = math.sqrt(square) * max(part.step for part in parts) / _MAX_KEY
    bounds = np.empty(starts[-1], np.int32)
    for part, start, end in zip(parts, starts, starts[1:], strict=False):
        part.bounds(head, tail, unit, bounds[start:end])
    few = bounds[::_STEP]
    places = [max(len(few) - 1 - math.ceil(part * num / _STEP), 0) for part in (_MORE, _SLACK)]
    reach, high = np.partition(few, places)[places].tolist()
    reached = np.flatnonzero(bounds >= reach)
    rows = reached[bounds[reached] >= high]
    if len(rows) < num:
        high = int(bounds.min())
        rows = np.arange(len(bounds))
    squares = _squares(parts, starts, query, rows)
    farthest = float(np.partition(squares, num - 1)[num - 1])
    least_square = min(part.least_square for part in parts)
    low = math.floor(((square + least_square - farthest) / 2 - _MARGIN) / unit)
    if low < high:  # of the others, these may be as near
        more = reached if low >= reach else np.flatnonzero(bounds >= low)
        more = more[(bounds[more] >= low) & (bounds[more] < high)]
        rows = np.concatenate([rows, more])
        squares = np.concatenate([squares, _squares(parts, starts, query, more)])
    is_found = squares <= np.partition(squares, num - 1)[num - 1]
    rows, squares = rows[is_found], squares[is_found]
    order = np.argsort(rows)
    return rows[order], squares[order]


def _squares(
    parts: Sequence[BoundedRows],
    starts: NDArray[np.int64],
    query: NDArray[np.uint8],
    chosen: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Return the squared distances of some rows, ascending, to a query."""
    from ssd_ros.encoders.scans import compiled

    squares = np.empty(len(chosen), np.int32)
    ends = np.searchsorted(chosen, starts)
    for part, start, first, end in zip(parts, starts, ends, ends[1:], strict=False):
        if first < end:
            compiled.squares_of(part.rows, chosen[first:end] - start, query, squares[first:end])
    return squares


def _centred(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    return rows.astype(np.float32) - np.float32(_MIDDLE)
