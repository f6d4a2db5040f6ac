# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what bytes say of descriptors against their exact products, read by FAISS and compiled."""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders import byte_rows
from ssd_ros.encoders.byte_rows import ByteRows


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_rows, '_scan', None)


def unit_rows(num: int, size: int, seed: int) -> NDArray[np.float32]:
    """Return rows of which each resembles the one before."""
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((num, size))
    for number in range(1, num):
        rows[number] = 0.8 * rows[number - 1] + 0.6 * rows[number]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def filled(rows: NDArray[np.float32]) -> ByteRows:
    found = ByteRows(rows.shape[1])
    found.add(rows)
    return found


@pytest.mark.parametrize('is_compiled', [False, True])
@pytest.mark.parametrize(('num', 'size'), [(5000, 256), (300, 64), (40, 48), (1, 256)])
def test_the_nearest_are_those_of_the_exact_products(
    num: int, size: int, is_compiled: bool
) -> None:
    if is_compiled:
        pytest.importorskip('numba')
        byte_rows.use_compiled()
        assert byte_rows._scan is not None
    rows = unit_rows(num, size, 0)
    index, wanted = filled(rows), min(num, 200)
    for seed in range(10):
        query = unit_rows(1, size, seed + 1)[0] + 3 * rows[seed * num // 10]
        query /= np.linalg.norm(query)
        found, products = index.nearest(query, wanted, num)
        exact = rows @ query
        assert wanted <= len(found) <= wanted + 5
        assert (np.diff(found) > 0).all()
        assert np.abs(products - exact[found]).max() < index.error
        assert exact[found].min() > np.sort(exact)[-wanted] - index.error
        assert set(np.argsort(-exact)[: wanted // 2]) <= set(found.tolist())


def test_both_read_the_same() -> None:
    pytest.importorskip('numba')
    rows = unit_rows(3000, 256, 0)
    index, queries = filled(rows), unit_rows(20, 256, 1)
    by_faiss = [index.nearest(query, 500, 2000) for query in queries]
    byte_rows.use_compiled()
    assert byte_rows._scan is not None
    for query, (expected, products) in zip(queries, by_faiss, strict=True):
        found, same = index.nearest(query, 500, 2000)
        assert max(found) < 2000
        # Of rows that are equally far FAISS keeps any.
        last = products.min()
        np.testing.assert_array_equal(found[same > last], expected[products > last])
        np.testing.assert_array_equal(same[same > last], products[products > last])
        assert same.min() == last


def test_without_numba_faiss_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'ssd_ros.encoders.scans.compiled', None)
    monkeypatch.delattr('ssd_ros.encoders.scans.compiled', raising=False)
    byte_rows.use_compiled()
    assert byte_rows._scan is None


def test_numbers_beyond_a_byte_are_cut() -> None:
    rows = np.eye(256, dtype=np.float32)
    found, products = filled(rows).nearest(rows[7], 1, 256)
    assert found.tolist() == [7]
    assert products[0] == 1
