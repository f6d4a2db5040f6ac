# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What heads leave out is never among the nearest: all is found that comparing all rows finds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders.scans.bounded import BoundedRows, HEAD, head_axes, nearest_rows

pytest.importorskip('numba')


def rows_of_bytes(num: int, size: int, decay: float) -> NDArray[np.uint8]:
    """Return rows whose axes matter the less, the later; a hundred are there twice."""
    generator = np.random.default_rng(size)
    rows = generator.normal(size=(num, size)) * np.exp(-decay * np.arange(size))
    rows = rows @ np.linalg.qr(generator.normal(size=(size, size)))[0]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[-100:] = rows[:100]
    return np.clip(np.rint(rows * 127 / 6 * np.sqrt(size)) + 128, 0, 255).astype(np.uint8)


@pytest.mark.parametrize('decay', [0.0, 0.02, 0.2], ids=['alike', 'as trained', 'few axes'])
@pytest.mark.parametrize(('num', 'size'), [(6000, 256), (900, 67), (300, HEAD)])
def test_the_same_rows_are_found_as_by_comparing_all(num: int, size: int, decay: float) -> None:
    rows = rows_of_bytes(num, size, decay)
    axes = head_axes(rows[: num // 3])
    ends = [0, num // 3, num // 3 + 1, num]
    parts = [BoundedRows(rows[a:b], axes) for a, b in pairwise(ends)]
    generator = np.random.default_rng(0)
    for query in rows[:: num // 9]:
        query = np.clip(query + generator.integers(-20, 21, size), 0, 255).astype(np.uint8)
        squares = np.square(rows.astype(np.int64) - query).sum(axis=1)
        for wanted in (1, 7, num // 4, num):
            expected = np.flatnonzero(squares <= np.sort(squares)[wanted - 1])
            found, distances = nearest_rows(parts, query, wanted)
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(distances, squares[expected])


def test_heads_of_other_rows_find_the_same() -> None:
    rows = rows_of_bytes(3000, 256, 0.02)
    good, bad = head_axes(rows), head_axes(rows_of_bytes(3000, 256, 0.0))
    for query in rows[::600]:
        found, squares = nearest_rows([BoundedRows(rows, good)], query, 50)
        same, others = nearest_rows([BoundedRows(rows, bad)], query, 50)
        np.testing.assert_array_equal(found, same)
        np.testing.assert_array_equal(squares, others)


def test_a_quarter_of_each_row_leaves_out_most() -> None:
    rows = rows_of_bytes(6000, 256, 0.02)
    part, query = BoundedRows(rows, head_axes(rows)), rows[17]
    centred = query.astype(np.float64) - 128
    head = centred @ part.axes
    tail = float(np.sqrt(centred @ centred - head @ head))
    bounds = np.empty(len(rows), np.int32)
    part.bounds(head, tail, 0.05, bounds)
    common = (rows.astype(np.float64) - 128) @ centred
    assert (0.05 * bounds >= common).all()
    assert (0.05 * bounds >= np.sort(common)[-100]).sum() < 600
