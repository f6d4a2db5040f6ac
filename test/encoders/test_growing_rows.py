# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check rows that grow in blocks against one array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders import growing_rows
from ssd_ros.encoders.growing_rows import GrowingRows


@pytest.fixture(params=[1, 7, 1000], ids='blocks of {} rows'.format)
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> GrowingRows:
    """Return no rows yet, of two numbers of four bytes."""
    monkeypatch.setattr(growing_rows, '_BLOCK_BYTES', request.param * 8)
    return GrowingRows(np.int32, (2,))


def filled(rows: GrowingRows) -> NDArray[np.int32]:
    """Append 0 to 5, then one to 30 rows at once; return what is to be there."""
    values = np.arange(2 * 480, dtype=np.int32).reshape(480, 2)
    begin = 0
    for count in [0, 1, 2, 3, 4, 5, *range(1, 31)]:
        rows.append(values[begin : begin + count])
        begin += count
    assert begin == len(rows) == 480
    return values


def test_all_ways_to_read_are_those_of_an_array(rows: GrowingRows) -> None:
    assert rows.values().shape == (0, 2)
    values = filled(rows)
    np.testing.assert_array_equal(rows.values(), values)
    for start, stop in [(0, 0), (0, 480), (3, 4), (5, 200), (479, 480), (480, 480)]:
        np.testing.assert_array_equal(rows.part(start, stop), values[start:stop])
    numbers = np.array([479, 0, 3, 3, 100, 8])
    np.testing.assert_array_equal(rows.take(numbers), values[numbers])
    out = np.empty((6, 2), np.int32)
    assert rows.take(numbers, out) is out
    np.testing.assert_array_equal(out, values[numbers])
    assert rows[-1].tolist() == values[-1].tolist()
    assert rows[17].tolist() == values[17].tolist()
    assert rows.num_bytes == values.nbytes
    for number in (480, -481):
        with pytest.raises(IndexError, match='of 480'):
            rows[number]
    with pytest.raises(IndexError, match='rows 3 to 481 of 480'):
        rows.part(3, 481)


def test_what_was_handed_out_stays_where_it_is_and_cannot_be_written(rows: GrowingRows) -> None:
    values = filled(rows)
    taken, first = rows.snapshot(), rows.part(0, 1)
    rows.append(values)
    assert (len(taken), len(rows)) == (480, 960)
    np.testing.assert_array_equal(taken.values(), values)
    assert np.shares_memory(first, rows.part(0, 1))
    with pytest.raises(ValueError, match='read-only'):
        first[0] = 0
