# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The file of the lists only spares time: without it the squares tell the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import threading

import numpy as np
import pytest
from ssd_ros.maps.arrays import fingerprint
from ssd_ros.maps.cells import writing
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.files import read_cells
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Prior
from support.cities.places import city, NUM_VIEWS, query_near


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(writing, 'MIN_CODED_ROWS', 1)
    converted(tmp_path / 'city.map', city())
    return tmp_path / 'city.map'


def lists_of(path: Path) -> Path:
    (file,) = path.glob('rows.*.codes')
    return file


def answers(path: Path) -> list[list[float]]:
    database = open_map(path)
    assert isinstance(database, CellDatabase)
    assert database.plan is not None
    found = [database.find(query_near(city(), row), 100) for row in range(0, 720, 90)]
    return [[*each.keyframes.tolist(), *each.distances.tolist()] for each in found]


def missing(file: Path) -> None:
    file.unlink()


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize('damage', [missing, truncated, damaged, a_folder])
def test_damaged_lists_are_made_anew_of_the_squares(
    path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    expected = answers(path)
    assert caplog.text == ''
    file = lists_of(path)
    damage(file)
    assert answers(path) == expected
    assert f'{file} cannot be read: ' in caplog.text
    assert 'made anew of the squares' in caplog.text


def test_rows_that_the_map_does_not_have_are_refused(path: Path) -> None:
    found = read_cells(path)
    assert found.lists is not None
    assert found.store.codebook is not None
    num_rows = found.store.num_keyframes * NUM_VIEWS
    found.lists.open(found.store.codebook, num_rows)
    with pytest.raises(MapError, match=rf'expected \d+ of {num_rows - 1} rows'):
        found.lists.open(found.store.codebook, num_rows - 1)


def test_a_list_is_read_when_it_is_looked_into_and_no_sooner(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database, expected = open_map(path), answers(path)
    prior = Prior(*city().keyframes.positions_m[0, :2].tolist(), 100.0)
    for file in path.glob('rows.*.codes'):
        damaged(file)
    for row in range(0, 720, 90):
        assert len(database.within(prior).find(query_near(city(), row), 100))
    assert caplog.text == ''
    found = [database.find(query_near(city(), row), 100) for row in range(0, 720, 90)]
    assert [[*each.keyframes.tolist(), *each.distances.tolist()] for each in found] == expected
    assert caplog.text.count('is damaged: made anew of the squares') == 1


def test_the_first_search_has_all_of_them_read_in_the_background(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected, database = answers(path), open_map(path)
    database.find(query_near(city(), 0), 100)
    for thread in threading.enumerate():
        if thread.name == 'map-lists':
            thread.join()
    damaged(lists_of(path))
    found = [database.find(query_near(city(), row), 100) for row in range(0, 720, 90)]
    assert [[*each.keyframes.tolist(), *each.distances.tolist()] for each in found] == expected
    assert caplog.text == ''


def test_lists_of_a_map_that_was_removed_are_read(path: Path) -> None:
    expected, database = answers(path), open_map(path)
    lists_of(path).unlink()
    found = [database.find(query_near(city(), row), 100) for row in range(0, 720, 90)]
    assert [[*each.keyframes.tolist(), *each.distances.tolist()] for each in found] == expected


def test_the_description_names_them(path: Path) -> None:
    file, found = lists_of(path), read_cells(path)
    assert file.name in found.files
    assert fingerprint(file)['sha256'].startswith(file.name.split('.')[1])
    assert found.lists is not None
    assert np.sum(found.lists.table['num']) == found.store.num_keyframes * NUM_VIEWS
