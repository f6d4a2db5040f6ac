# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map of squares finds what a map of one piece finds, and loses no more than what is damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders import byte_rows
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps.arrays import fingerprint
from ssd_ros.maps.cells import writing
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.grid import cells_of
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import MapContent, read_map
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours, Prior
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.npy_files import write_array
from support.cities.places import city, INFO, NUM_VIEWS, query_near
from support.posts import write_sealed_meta


def part_of(content: MapContent, numbers: NDArray[np.int64]) -> PlaceDatabase:
    size = content.descriptors.shape[1]
    rows = content.descriptors.reshape(-1, NUM_VIEWS, size)[numbers].reshape(-1, size)
    keyframes = content.keyframes.select(numbers)
    return PlaceDatabase(MapContent(rows, keyframes, content.returns_cm[numbers], INFO))


def assert_same(found: Neighbours, flat: Neighbours, numbers: NDArray[np.int64]) -> None:
    np.testing.assert_array_equal(found.keyframes, numbers[flat.keyframes])
    np.testing.assert_array_equal(found.distances, flat.distances)
    np.testing.assert_array_equal(found.yaws_rad, flat.yaws_rad)
    assert found.horizon == flat.horizon


@pytest.fixture
def content() -> MapContent:
    return city()


@pytest.fixture(params=[False, True], ids=['compared', 'coded'])
def path(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    content: MapContent,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Return a map of squares whose rows are all compared, or searched by codes."""
    if request.param:
        monkeypatch.setattr(writing, 'MIN_CODED_ROWS', 1)
    converted(tmp_path / 'city.map', content)
    return tmp_path / 'city.map'


def opened(path: Path) -> CellDatabase:
    database = open_map(path)
    assert isinstance(database, CellDatabase)
    return database


def test_a_square_has_its_lower_edges() -> None:
    positions_m = np.array([[0.0, 0.0], [511.9, -0.1], [512.0, -512.0], [-512.1, 1024.0]])
    assert cells_of(positions_m).tolist() == [[0, 0], [0, -1], [1, -1], [-2, 2]]


@pytest.mark.parametrize('is_compiled', [False, True])
@pytest.mark.parametrize('radius_m', [1.0, 300.0, 700.0, 1e6])
def test_with_a_prior_all_is_found_that_a_flat_search_of_these_squares_finds(
    path: Path,
    content: MapContent,
    radius_m: float,
    is_compiled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(byte_rows, '_scan', None)
    if is_compiled:
        byte_rows.use_compiled()
    x_m, y_m, _ = content.keyframes.positions_m[17].tolist()
    near = opened(path).within(Prior(x_m, y_m, radius_m))
    cells = cells_of(content.keyframes.positions_m)
    low_m = cells * 512.0
    gaps_m = np.maximum(np.maximum(low_m - [x_m, y_m], [x_m, y_m] - low_m - 512.0), 0)
    numbers = np.flatnonzero(np.hypot(*gaps_m.T) <= radius_m)
    assert near.num_rows == len(numbers) * NUM_VIEWS
    flat = part_of(content, numbers)
    for row in (17 * NUM_VIEWS, 40, 601):
        query = query_near(content, row)
        for num_rows in (1, 30, 1024):
            assert_same(near.find(query, num_rows), flat.find(query, num_rows), numbers)
    ring = np.roll(content.descriptors[17 * NUM_VIEWS : 18 * NUM_VIEWS], 2, axis=0)
    assert_same(near.find(ring, 5), flat.find(ring, 5), numbers)
    assert near.find(ring, 5).keyframes[0] == 17


@pytest.mark.parametrize('radius_m', [1.0, 700.0, 1e6])
def test_rows_of_which_a_part_is_read_first_are_found_as_by_a_flat_search(
    tmp_path: Path, radius_m: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('numba')
    monkeypatch.setattr(byte_rows, '_scan', None)
    byte_rows.use_compiled()
    content = city(size=96)
    converted(tmp_path / 'city.map', content)
    x_m, y_m, _ = content.keyframes.positions_m[17].tolist()
    near = opened(tmp_path / 'city.map').within(Prior(x_m, y_m, radius_m))
    ring = content.descriptors[17 * NUM_VIEWS : 18 * NUM_VIEWS]
    numbers = np.sort(near.find(ring, 120).keyframes)
    assert near.num_rows == len(numbers) * NUM_VIEWS
    flat = part_of(content, numbers)
    for row in (17 * NUM_VIEWS, 40, 601):
        for num_rows in (1, 30, 1024):
            query = query_near(content, row)
            assert_same(near.find(query, num_rows), flat.find(query, num_rows), numbers)


def test_a_small_map_is_searched_as_in_one_piece_and_keeps_its_numbers(
    tmp_path: Path, content: MapContent
) -> None:
    converted(tmp_path / 'city.map', content)
    database, flat = opened(tmp_path / 'city.map'), PlaceDatabase(content)
    assert database.plan is None
    for row in range(0, 720, 50):
        query = query_near(content, row)
        assert_same(database.find(query, 100), flat.find(query, 100), np.arange(120))
    assert (database.info, database.num_cells) == (content.info, 4)
    np.testing.assert_array_equal(database.descriptors(), content.descriptors)
    np.testing.assert_array_equal(database.returns_cm, content.returns_cm)
    for name in ('stamps_ns', 'positions_m', 'quaternions_xyzw'):
        expected = getattr(content.keyframes, name)
        np.testing.assert_array_equal(getattr(database.keyframes, name), expected)
    np.testing.assert_array_equal(database.keyframe(33).returns_cm, content.returns_cm[33])
    database.save(tmp_path / 'flat.map')
    np.testing.assert_array_equal(read_map(tmp_path / 'flat.map').descriptors, content.descriptors)


def test_codes_find_what_their_plan_says(
    tmp_path: Path, content: MapContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, 'MIN_CODED_ROWS', 1)
    converted(tmp_path / 'city.map', content)
    database, flat = opened(tmp_path / 'city.map'), PlaceDatabase(content)
    assert database.plan is not None
    assert database.plan.kept > 0.9
    assert database.plan.trained_rows == database.num_rows == 720
    queries = [query_near(content, row, 0.05) for row in range(0, 720, 7)]
    same = 0
    for query in queries:
        found, expected = database.find(query, 1024), flat.find(query, 1024)
        is_best = found.keyframes[0] == expected.keyframes[0]
        same += bool(is_best)
        if is_best:
            assert found.distances[0] == pytest.approx(expected.distances[0], abs=1e-6)
            assert found.yaws_rad[0] == expected.yaws_rad[0]
    assert same >= 0.9 * len(queries)
    ring = np.roll(content.descriptors[17 * NUM_VIEWS : 18 * NUM_VIEWS], 2, axis=0)
    assert database.find(ring, 5).keyframes[0] == flat.find(ring, 5).keyframes[0] == 17
    np.testing.assert_array_equal(database.descriptors(), content.descriptors)


def missing(file: Path) -> None:
    file.unlink()


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def foreign(file: Path) -> None:
    file.write_bytes(b'\0' * file.stat().st_size)


def other_ring(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[5] ^= 1
    file.write_bytes(content)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize('damage', [missing, truncated, foreign, other_ring, a_folder])
@pytest.mark.parametrize('is_open', [False, True])
def test_a_damaged_square_costs_this_square_and_is_named(
    path: Path, content: MapContent, damage: Callable[[Path], None], is_open: bool
) -> None:
    hit = cells_of(content.keyframes.positions_m[[17]])[0]
    file = next(path.glob(f'cells/{hit[0]}_{hit[1]}.*'))
    is_lost = (cells_of(content.keyframes.positions_m) == hit).all(axis=1)
    database = opened(path) if is_open else None
    damage(file)
    database = database or opened(path)
    lost, kept = 17 * NUM_VIEWS, int(np.flatnonzero(~is_lost)[3]) * NUM_VIEWS
    was_read = is_open and database.plan is None  # all rows are in memory
    x_m, y_m, _ = content.keyframes.positions_m[17].tolist()
    for place in (database, database.within(Prior(x_m, y_m, 1e5))):
        assert place.find(content.descriptors[kept], 300).keyframes[0] == kept // NUM_VIEWS
        found = place.find(content.descriptors[lost], 300)
        assert (not is_lost[found.keyframes].any()) != was_read
        assert np.isfinite(found.distances).all()
    alone = database.within(Prior(x_m, y_m, 0.5))
    assert (len(alone.find(content.descriptors[lost], 300)) == 0) != was_read
    returns_cm = database.keyframe(17).returns_cm
    assert returns_cm.shape == (8, 2)
    if not (was_read and damage in (missing, other_ring, a_folder)):  # still open, not read again
        assert len(database.problems) == 1
        assert str(file) in database.problems[0]
    assert len(database) == 120  # and where they are
    np.testing.assert_array_equal(database.keyframes.positions_m, content.keyframes.positions_m)


def test_a_map_without_a_square_that_can_be_read_is_refused(path: Path) -> None:
    for file in (path / 'cells').iterdir():
        file.unlink()
    with pytest.raises(MapError, match=r'no square .*can be read'):
        open_map(path)


def test_a_prior_outside_reaches_nothing(path: Path, content: MapContent) -> None:
    near = opened(path).within(Prior(5e4, 0.0, 1e3))
    assert near.num_rows == 0
    assert len(near.find(content.descriptors[0], 10)) == 0
    assert len(near.find(content.descriptors[:NUM_VIEWS], 10)) == 0


@pytest.mark.parametrize('values', [(math.nan, 0, 1), (0, math.inf, 1), (0, 0, 0), (0, 0, -1)])
def test_a_prior_is_a_circle(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match='prior is'):
        Prior(*values)


@pytest.mark.parametrize('name', ['keyframes', 'cells', 'session_of', 'meta'])
def test_damage_beside_the_squares_is_refused_by_name(path: Path, name: str) -> None:
    (file,) = path.glob(f'{name}.*')
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(MapError, match=file.name):
        open_map(path)


def test_what_cannot_be_kept_in_squares_is_refused_with_the_way_out(
    tmp_path: Path, content: MapContent
) -> None:
    anew = replace(content, info=replace(INFO, segment_starts=(0, 4)))
    with pytest.raises(MapError, match='map repose'):
        converted(tmp_path / 'city.map', anew)
    config = ScanContextConfig(num_rings=4, num_sectors=8)
    context = MapContent(
        content.descriptors[:1],
        content.keyframes.select(np.array([0])),
        content.returns_cm[:1],
        replace(INFO, num_views=1, scan_context=config),
    )
    with pytest.raises(MapError, match='scan contexts is searched in one piece'):
        converted(tmp_path / 'city.map', context)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_of_the_users_beside_the_squares_stays(
    path: Path, content: MapContent
) -> None:
    converted(path, content)  # over a map of ours
    (path / 'cells' / 'notes.txt').write_text('mine')
    with pytest.raises(MapError, match=r"holds 'cells/notes.txt' beside a map"):
        converted(path, content)
    with pytest.raises(MapError, match=r'format 3, expected 2: ssd_ros\.open_map opens both'):
        PlaceDatabase.load(path)


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'num_cells': 1 << 40}, 'num_cells is 1099511627776'),
        ({'num_keyframes': 0}, 'num_keyframes is 0'),
        ({'num_returns': 1 << 30}, 'num_returns is'),
        ({'num_lists': 3, 'plan': None}, 'SearchPlan is None'),
        ({'sessions': []}, 'sessions are none'),
        ({'sessions': [{'name': 'a\nb'}]}, 'sessions.name is'),
        ({'sessions': [{'name': 'a', 'day': 'today'}]}, "day is 'today', expected YYYY-MM-DD"),
        ({'descriptor_size': 1 << 15}, 'no square can be read'),
        ({'files': {'../keyframes.npy': {}}}, 'lists 0 files of keyframes'),
    ],
)
def test_absurd_descriptions_are_refused(
    tmp_path: Path, content: MapContent, changes: dict[str, object], expected: str
) -> None:
    converted(tmp_path, content)
    meta = json.loads((tmp_path / 'meta.json').read_text())
    write_sealed_meta(tmp_path / 'meta.json', {**meta, **changes})
    with pytest.raises(MapError, match=expected):
        open_map(tmp_path)


def test_a_table_that_names_a_square_twice_is_refused(tmp_path: Path, content: MapContent) -> None:
    converted(tmp_path, content)
    (file,) = tmp_path.glob('cells.*')
    table = np.load(file)
    table[1]['column'], table[1]['row'] = table[0]['column'], table[0]['row']
    write_array(file, table)
    meta = json.loads((tmp_path / 'meta.json').read_text())
    meta['files'][file.name] = fingerprint(file)
    write_sealed_meta(tmp_path / 'meta.json', meta)
    with pytest.raises(MapError, match='names a square twice'):
        open_map(tmp_path)
