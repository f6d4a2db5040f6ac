# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives come into a map of squares and leave it, step by step and each step whole."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from ssd_ros.data_origin import Origin
from ssd_ros.files import locked
from ssd_ros.maps.cells import writing
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.files import read_cells
from ssd_ros.maps.cells.growth import Addition, change, Selection, Step
from ssd_ros.maps.cells.sources import plan_of
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import MapContent, write_map
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Prior
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory
from support.cities.places import city, INFO, NUM_VIEWS, query_near

ROOT = Path(__file__).parents[3]
DAY_NS = 86_400 * 10**9
FIRST_DAY = 20_000  # 2024-10-04


def drive(number: int, num: int = 60, **info: Any) -> MapContent:
    """Return a drive that begins a day and 300 m after the one before."""
    content = city(num, seed=number)
    poses = content.keyframes
    stamps_ns = poses.stamps_ns + (FIRST_DAY + number) * DAY_NS
    positions_m = poses.positions_m + np.array([300.0 * number, 0, 0])
    named = {'source': f'City/0{number}', 'uuid': f'drive-{number}', 'novelty_distance': 1.0}
    return replace(
        content,
        keyframes=Trajectory(stamps_ns, positions_m, poses.quaternions_xyzw),
        info=replace(INFO, **{**named, **info}),
    )


def together(*contents: MapContent) -> MapContent:
    """Return drives as one map of one piece."""
    stamps_ns, positions_m, turns = (
        np.concatenate([getattr(content.keyframes, name) for content in contents])
        for name in ('stamps_ns', 'positions_m', 'quaternions_xyzw')
    )
    return MapContent(
        np.concatenate([content.descriptors for content in contents]),
        Trajectory(stamps_ns, positions_m, turns),
        np.concatenate([content.returns_cm for content in contents]),
        INFO,
    )


def added(path: Path, content: MapContent, name: str = '', day: str = '', **how: Any) -> Step:
    """Take a drive into a map by way of a map of its own."""
    other = path.with_name(f'{content.info.uuid}.map')
    write_map(other, content)
    return change(path, [Addition(other.name, partial(plan_of, other, name=name, day=day))], **how)


def opened(path: Path) -> CellDatabase:
    database = open_map(path)
    assert isinstance(database, CellDatabase)
    return database


def assert_is(path: Path, content: MapContent) -> None:
    """Compare a map with one of one piece: what it holds, and its answers."""
    database, flat = opened(path), PlaceDatabase(content)
    np.testing.assert_array_equal(database.descriptors(), content.descriptors)
    np.testing.assert_array_equal(database.returns_cm, content.returns_cm)
    for name in ('stamps_ns', 'positions_m', 'quaternions_xyzw'):
        expected = getattr(content.keyframes, name)
        np.testing.assert_array_equal(getattr(database.keyframes, name), expected)
    for row in range(0, len(content.descriptors), 97):
        query = query_near(content, row, 0.05)
        found, expected = database.find(query, 1024), flat.find(query, 1024)
        assert found.keyframes[0] == expected.keyframes[0]
        assert found.distances[0] == pytest.approx(expected.distances[0], abs=1e-6)


def answers(database: PlaceDatabase, content: MapContent, step: int = 53) -> list[Any]:
    """Return what some queries find, without a prior and with one; one query every step rows."""
    found = []
    for row in range(0, len(content.descriptors), step):
        x_m, y_m, _ = content.keyframes.positions_m[row // NUM_VIEWS].tolist()
        for place in (database, database.within(Prior(x_m, y_m, 300.0))):
            nearest = place.find(query_near(content, row), 100)
            found.append((nearest.keyframes.tolist(), nearest.distances.tolist()))
            for number in nearest.keyframes[:3].tolist():
                found.append(database.keyframe(number).returns_cm.tolist())
    return found


@pytest.fixture(params=[False, True], ids=['compared', 'coded'])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a map of squares of the first drive."""
    if request.param:
        monkeypatch.setattr(writing, 'MIN_CODED_ROWS', 1)
    converted(tmp_path / 'city.map', drive(0, 120))
    return tmp_path / 'city.map'


def test_an_added_drive_is_found_as_in_a_map_of_both(path: Path) -> None:
    before, names = opened(path), set(opened(path).store.names)
    step = added(path, drive(1))
    assert [session.text for session in step.added] == ['City/01 of 2024-10-05']
    assert step.dropped == []
    assert_is(path, together(drive(0, 120), drive(1)))
    database = opened(path)
    assert [session.text for session in database.sessions] == [
        'City/00 of 2024-10-04',
        'City/01 of 2024-10-05',
    ]
    np.testing.assert_array_equal(database.session_of[database.store.slots], [0] * 120 + [1] * 60)
    info = database.info
    assert info.uuid != before.info.uuid
    assert info.source == 'City/00 and 1 more'
    kept = names & set(database.store.names)
    assert step.num_squares == database.num_cells
    assert (step.num_written, len(kept)) == (database.num_cells - len(kept), 2)


def test_a_dropped_drive_is_gone_and_the_rest_is_as_before(path: Path) -> None:
    added(path, drive(1))
    added(path, drive(2))
    step = change(path, dropped=Selection(day='2024-10-05'))
    assert [session.name for session in step.dropped] == ['City/01']
    assert_is(path, together(drive(0, 120), drive(2)))
    change(path, dropped=Selection('City/02', '2024-10-06'))
    assert_is(path, drive(0, 120))
    assert opened(path).info.source == 'City/00'
    with pytest.raises(MapError, match='nothing would be left of'):
        change(path, dropped=Selection('City/00'))


def test_a_drive_takes_the_place_of_another_in_one_step(path: Path) -> None:
    added(path, drive(1))
    step = added(path, drive(2), 'City/01', dropped=Selection('City/01'))
    assert [[each.text for each in drives] for drives in (step.added, step.dropped)] == [
        ['City/01 of 2024-10-06'],
        ['City/01 of 2024-10-05'],
    ]
    assert_is(path, together(drive(0, 120), drive(2)))
    step = added(path, drive(3), dropped=Selection('City/00'))  # the only one left of its day
    assert_is(path, together(drive(2), drive(3)))


def test_maps_of_squares_and_of_one_piece_are_merged(path: Path) -> None:
    other, flat = path.with_name('other.map'), path.with_name('flat.map')
    converted(other, drive(1))
    added(other, drive(2))
    write_map(flat, drive(3))
    before = {file: file.read_bytes() for file in path.rglob('*') if file.is_file()}
    additions = [Addition(each.name, partial(plan_of, each)) for each in (other, flat)]
    output = path.with_name('all.map')
    step = change(path, additions, output=output)
    assert [session.name for session in step.added] == ['City/01', 'City/02', 'City/03']
    assert {file: file.read_bytes() for file in path.rglob('*') if file.is_file()} == before
    everything = together(drive(0, 120), drive(1), drive(2), drive(3))
    assert_is(output, everything)
    change(path, additions)
    assert_is(path, everything)
    change(flat, additions[:1], output=path.with_name('new.map'))
    assert_is(path.with_name('new.map'), together(drive(1), drive(2), drive(3)))
    with pytest.raises(MapError, match=r'format 2, expected 3: .* map convert makes format 3'):
        change(flat, additions[:1])


def test_a_map_that_is_open_answers_as_before(path: Path) -> None:
    first = drive(0, 120)
    expected = answers(opened(path), first)
    database, other = opened(path), opened(path)
    added(path, drive(1))
    assert answers(database, first) == expected
    assert database.problems == []
    added(path, drive(2))  # of the state two steps back no more than this one shares is there
    assert answers(database, first) == expected  # from files that are open
    assert database.problems == []
    answers(other, first)
    assert all('cannot be read: No such file' in problem for problem in other.problems)
    assert bool(other.problems) == (other.plan is not None)  # else all was read at once


@pytest.mark.parametrize(('num', 'is_trained'), [(120, False), (130, True)])
def test_rows_are_coded_as_before_until_they_have_become_many_more(
    tmp_path: Path, num: int, is_trained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, 'MIN_CODED_ROWS', 1)
    path = tmp_path / 'city.map'
    converted(path, drive(0, 120))
    (centres,) = path.glob('centres.*')
    plan = opened(path).plan
    step = added(path, drive(1, num))
    database = opened(path)
    assert step.is_trained == is_trained
    assert (step.num_written == step.num_squares) == is_trained
    assert (database.plan != plan) == is_trained
    assert len(list(path.glob('centres.*'))) == 1 + is_trained
    assert centres.exists()  # for those that have the map open
    assert database.plan is not None
    assert database.plan.trained_rows == (250 if is_trained else 120) * NUM_VIEWS


def test_a_map_that_has_become_large_is_coded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'city.map'
    converted(path, drive(0, 120))
    assert opened(path).plan is None
    monkeypatch.setattr(writing, 'MIN_CODED_ROWS', 150 * NUM_VIEWS)
    assert added(path, drive(1)).is_trained
    assert opened(path).plan is not None
    change(path, dropped=Selection('City/01'))
    assert_is(path, drive(0, 120))


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'descriptor_space': 'c' * 64}, 'is encoded in descriptor space cccccccccccc, .*city'),
        ({'encoder_digest': 'c' * 64}, r'by another file of the model \(cccccccccccc\) than'),
        ({'sensor': 'lidar'}, 'sensor: lidar in .*, spinning in .*city.map: build'),
        ({'num_views': 3}, 'views: 3 in .*, 6 in'),
        ({'opposite_lane_m': 3.5}, r'opposite lane \(m\): 3.5 in .*, 0.0 in'),
        ({'map_frame_id': 'odom'}, 'are in the frames map, odom, expected one'),
        ({'origin': 'UTM 51N'}, "origins of the maps differ: 'utm 52n' .*'utm 51n'"),
        ({'pose_misfit_m': 2.345}, 'disagree with its returns by 2.35 m .*map repose'),
        ({'data_origin': Origin('simulated')}, 'of simulated, .* simulated drives stay'),
        ({'uuid': 'drive-0'}, r'City/01 of 2024-10-05 is in .* already, as City/00 of 2024-10-04'),
        ({'segment_starts': (0, 4)}, r'began anew.*map repose'),
    ],
)
def test_what_does_not_belong_into_a_map_is_refused_and_the_map_stays(
    tmp_path: Path, changes: dict[str, Any], expected: str
) -> None:
    path = tmp_path / 'city.map'
    converted(path, drive(0, 120, origin='UTM 52N'))
    before = {file: file.read_bytes() for file in path.rglob('*') if file.is_file()}
    other = drive(1)
    if 'num_views' in changes:
        other = MapContent(
            other.descriptors[::2], other.keyframes, other.returns_cm, replace(INFO, **changes)
        )
    else:
        other = replace(other, info=replace(other.info, **changes))
    with pytest.raises(ValueError, match=expected):
        added(path, other)
    assert {file: file.read_bytes() for file in path.rglob('*') if file.is_file()} == before


def test_a_drive_far_away_or_of_the_same_name_and_day_is_refused(path: Path) -> None:
    far = drive(1)
    moved_m = far.keyframes.positions_m + np.array([443_000.0, 0, 0])
    with pytest.raises(ValueError, match=r'drive-1\.map lies 442 km from .*city\.map'):
        added(path, replace(far, keyframes=replace(far.keyframes, positions_m=moved_m)))
    with pytest.raises(MapError, match=r'City/00 of 2024-10-04 is in .*: map replace puts'):
        added(path, drive(1), 'City/00', '2024-10-04')
    added(path, drive(1), 'City/00', '2024-10-05')  # another day


def test_a_drive_that_is_not_there_is_told_with_those_that_are(path: Path) -> None:
    with pytest.raises(MapError, match=r"no drive 'City/07' of 2024-10-04 is in the map: there "
                       'are City/00 of 2024-10-04$'):  # fmt: skip
        change(path, dropped=Selection('City/07', '2024-10-04'))


def test_a_square_that_cannot_be_read_is_not_changed(path: Path) -> None:
    database = opened(path)
    damaged = path / 'cells' / database.store.names[-1]
    damaged.write_bytes(b'\0' * damaged.stat().st_size)
    uuid = database.info.uuid
    with pytest.raises(MapError, match=f'{damaged.name} is damaged .* copy the whole map again'):
        change(path, [Addition('x', partial(plan_of, _drive_within(path)))])
    assert opened(path).info.uuid == uuid


def _drive_within(path: Path) -> Path:
    """Return the map of a drive that meets all squares."""
    write_map(path.with_name('within.map'), drive(1, 120))
    return path.with_name('within.map')


def test_two_commands_do_not_change_a_map_at_once(path: Path) -> None:
    with locked(path, 'a map'), pytest.raises(BlockingIOError, match='another command is chang'):
        added(path, drive(1))
    added(path, drive(1))


def test_what_is_the_users_stays(path: Path) -> None:
    (path / 'notes.txt').write_text('mine')
    with pytest.raises(MapError, match=r"holds 'notes\.txt' beside a map"):
        added(path, drive(1))
    assert (path / 'notes.txt').read_text() == 'mine'


def test_a_step_that_fails_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {file for file in path.rglob('*') if file.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='No space left'):
        added(path, drive(1))
    monkeypatch.undo()
    assert {file for file in path.rglob('*') if file.is_file()} == before
    assert_is(path, drive(0, 120))


def test_killed_at_50_moments_a_map_is_the_old_or_the_new_one(path: Path, tmp_path: Path) -> None:
    added(path, drive(1), 'second')
    previous = {file.relative_to(path) for file in path.rglob('*') if file.is_file()}
    other = tmp_path / 'third.map'
    write_map(other, drive(2))
    folder = tmp_path / 'killed'
    folder.mkdir()
    command = [sys.executable, '-m', 'support.cities.killed', str(path), str(other), str(folder)]
    where = {'PYTHONPATH': f'{ROOT}:{ROOT / "test"}', 'OMP_NUM_THREADS': '1'}
    subprocess.run(command, env={**os.environ, **where}, check=True)
    asked = together(drive(0, 120), drive(1), drive(2))
    states = {name: opened(place) for name, place in (('old', path), ('new', folder / 'whole'))}
    expected = {name: answers(database, asked, 211) for name, database in states.items()}
    assert expected['old'] != expected['new']
    num_of, num_left = {'old': 0, 'new': 0}, 0
    killed = sorted(folder.glob('killed_*'))
    assert len(killed) == 50
    for number, copy in enumerate(killed):
        database = opened(copy)
        names = [session.name for session in database.sessions]
        state = 'new' if 'third' in names else 'old'
        assert names == [session.name for session in states[state].sessions]
        num_of[state] += 1
        assert answers(database, asked, 211) == expected[state]
        assert database.problems == []
        files = {file.relative_to(copy) for file in copy.rglob('*') if file.is_file()}
        num_left += len(files - previous) > 0
        if number % 5:
            continue
        before = read_cells(copy).files
        change(copy, dropped=Selection(names[1]))  # and it goes on
        assert_is(copy, drive(0, 120))
        of_two = {Path(name) for name in before | read_cells(copy).files}
        assert {file.relative_to(copy) for file in copy.rglob('*') if file.is_file()} == of_two
    assert num_of['old'] >= 40
    assert num_of['new'] >= 1
    assert num_left >= 30
