# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of a simulated city are a street and others like it, and its table can be made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.bench.city import _opened
from ssd_ros.cli.bench.city_rows import city_of, Street, unit
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.cells.writing import write_cells
from ssd_ros.maps.files import MapInfo


def street(num: int = 40) -> Street:
    generator = np.random.default_rng(0)
    rings = unit(generator.normal(size=(num, 4, 64)).astype(np.float32))
    queries = unit(rings[:, 1] + 0.02 * generator.normal(size=(num, 64)).astype(np.float32))
    returns_cm = np.zeros((num, 8, 2), np.int16)
    info = MapInfo('a' * 64, 'b' * 64, 4, 2.0)
    axes, mean = np.eye(64, dtype=np.float32), rings.mean((0, 1))
    return Street(info, rings, axes, mean, 0.3, returns_cm, queries, np.arange(num))


def test_a_city_begins_with_its_street_and_goes_on_with_others(tmp_path: Path) -> None:
    known = street()
    write_cells(tmp_path / 'city.map', city_of(known, 4 * 1000))
    database = open_map(tmp_path / 'city.map')
    rings = database.descriptors().reshape(-1, 4, 64)
    assert len(rings) == 1000
    np.testing.assert_allclose(rings[:40], known.rings, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(rings, axis=2), 1, atol=1e-3)
    # No street repeats another: rows of several differ as those of one.
    products = rings[40:80, 0] @ rings[80:120, 0].T
    assert products.max() < 0.7
    positions_m = database.keyframes.positions_m
    assert np.diff(positions_m[:200, 0]) == pytest.approx(2.0)
    assert set(positions_m[:, 1]) == {0.0, 100.0, 200.0, 300.0, 400.0}


def test_the_table_says_that_exact_answers_are_kept(tmp_path: Path) -> None:
    known = street()
    write_cells(tmp_path / 'city.map', city_of(known, 4 * 1000))
    lines = _opened(tmp_path / 'city.map', known)
    assert lines[0].startswith('4000 rows, 1000 keyframes, 1 squares: ')
    asked = [line for line in lines if 'prior' in line]
    assert len(asked) == 4
    assert all('1.000 of the right answers kept, 1.000 the same place' in line for line in asked)
    assert 'exact search of all rows is right in 1.000' in lines
