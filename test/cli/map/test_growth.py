# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`map add`, `replace`, `drop` and `merge`: what a map of squares consists of, in one step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.cli.map.command import main
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory
from support.posts import PostDrive, random_posts, straight_drive, write_small_encoder

DAY_NS = 86_400 * 10**9
BUILD = ('--keyframe-distance', '4', '--views', '12')


def post_drive(days: int, offset_m: float = 0.0) -> PostDrive:
    """Return a drive along x among many posts, some days later and begun farther on."""
    drive = straight_drive(num=30, step_m=4.0)
    shifted = replace(
        drive, posts=random_posts(1000), xy_yaw=drive.xy_yaw + np.array([offset_m, 0.7, 0])
    )
    return replace(shifted, start_ns=drive.start_ns + days * DAY_NS)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three drives and a model."""
    path = tmp_path_factory.mktemp('growth')
    for number in range(3):
        drive = post_drive(number, offset_m=2.0 * number)
        write_hercules(path, 'Posts', f'0{number}', drive)
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    return path


def model(folder: Path) -> tuple[str, ...]:
    return '--teacher', str(folder / 'teacher.onnx'), '--device', 'cpu'


def built(folder: Path, number: int, output: Path, *more: str) -> Path:
    drive = str(folder / 'Posts' / f'0{number}')
    command = ['--input', drive, '--output', str(output), *model(folder), *BUILD, *more]
    assert build_db.main(command) == 0
    return output


@pytest.fixture
def city(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a map of squares of the first drive."""
    first = built(folder, 0, tmp_path / 'first.map', '--origin', 'UTM 52N')
    assert run('convert', first, '--output', tmp_path / 'city.map') == 0
    capsys.readouterr()
    return tmp_path / 'city.map'


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def opened(path: Path) -> CellDatabase:
    database = open_map(path)
    assert isinstance(database, CellDatabase)
    return database


def names_of(path: Path) -> list[str]:
    return [session.text for session in opened(path).sessions]


def test_a_recorded_drive_is_encoded_as_the_map_was_and_added(
    folder: Path, city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run('add', city, folder / 'Posts' / '01', *model(folder)) == 0
    printed = capsys.readouterr().out
    for line in (
        'added        Posts/01 of 2025-01-02\n',
        ' m off the map where both have been\n',
        'written      1 of 1 squares\n',
        'session 0    Posts/00 of 2025-01-01, 30 keyframes\n',
        'session 1    Posts/01 of 2025-01-02, 30 keyframes\n',
        'frame        map, zero: UTM 52N\n',
    ):
        assert line in printed
    alone = PlaceDatabase.load(built(folder, 1, tmp_path / 'second.map'))
    database = opened(city)
    rows = database.descriptors().reshape(60, 12, -1)
    np.testing.assert_allclose(
        rows[30:].reshape(-1, rows.shape[2]), alone.descriptors(), atol=1e-3
    )
    np.testing.assert_array_equal(database.returns_cm[30:], alone.returns_cm)
    info = database.info
    assert (info.num_scans, info.source) == (60, 'Posts/00 and 1 more')
    assert info.pose_misfit_m == max(0, *(each.pose_misfit_m or 0 for each in database.sessions))


def test_maps_are_added_replaced_merged_and_dropped(
    folder: Path, city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second, third = (built(folder, number, tmp_path / f'{number}.map') for number in (1, 2))
    assert run('add', city, second, '--session', 'Yard', '--day', '2024-12-24') == 0
    assert names_of(city) == ['Posts/00 of 2025-01-01', 'Yard of 2024-12-24']
    assert run('replace', city, third, '--old', 'Yard') == 0
    assert 'dropped      Yard of 2024-12-24\n' in capsys.readouterr().out
    assert names_of(city) == ['Posts/00 of 2025-01-01', 'Posts/02 of 2025-01-03']
    assert run('replace', city, second, '--session', 'Posts/02') == 0
    assert names_of(city) == ['Posts/00 of 2025-01-01', 'Posts/02 of 2025-01-02']
    assert run('merge', second, third, '--output', tmp_path / 'both.map') == 0
    assert names_of(tmp_path / 'both.map') == ['Posts/01 of 2025-01-02', 'Posts/02 of 2025-01-03']
    assert run('drop', city, '--day', '2025-01-01', '--output', tmp_path / 'part.map') == 0
    assert names_of(tmp_path / 'part.map') == ['Posts/02 of 2025-01-02']
    assert len(names_of(city)) == 2
    assert run('replace', city, third, '--old-day', '2025-01-02') == 0
    assert names_of(city) == ['Posts/00 of 2025-01-01', 'Posts/02 of 2025-01-03']


def test_a_drive_whose_frame_is_another_is_told_by_the_places_that_both_have(
    folder: Path, city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses = post_drive(1, offset_m=2.0).scan_poses
    moved_m = poses.positions_m + np.array([0, 2.2, 0])
    off = Trajectory(poses.stamps_ns, moved_m, poses.quaternions_xyzw)
    write_hercules_poses(tmp_path / 'off.txt', off)
    before = {file: file.read_bytes() for file in city.rglob('*') if file.is_file()}
    command = 'add', city, folder / 'Posts' / '01', *model(folder), '--poses'
    assert run(*command, tmp_path / 'off.txt') == 1
    said = capsys.readouterr().err
    assert 'city.map where both have been (median; at most 1.0): their frames differ' in said
    assert {file: file.read_bytes() for file in city.rglob('*') if file.is_file()} == before


@pytest.mark.parametrize(
    ('command', 'said'),
    [
        ('add {city} {first}', 'Posts/00 of 2025-01-01 is in {city} already, as Posts/00'),
        ('add {first} {first}', 'is a map of format 2, expected 3: '),
        ('add {city} /absent', '/absent'),
        ('add {city} {first} --poses x', '--poses is for recorded drives, {first} is a map'),
        ('add {city} {first} --teacher x', '--teacher is for recorded drives, {first} is a map'),
        ('add {city} {drive} --points-topic /x', '--points-topic is an option of --sensor 4d'),
        ('add {city} {drive}', 'is encoded in descriptor space'),
        ('add {city} {first} --day soon', "day is 'soon', expected YYYY-MM-DD"),
        ('add /absent {first}', 'there is no map at /absent'),
        (
            'replace {city} {first} --old Yard',
            "no drive 'Yard' is in the map: there are Posts",
        ),
        ('drop {city}', 'say which drives go: --session NAME, --day YYYY-MM-DD or both'),
        ('drop {city} --day 2026-03-01', 'no drive of 2026-03-01 is in the map: there are'),
        ('drop {city} --session Posts/00', 'nothing would be left of {city}'),
        ('merge {first} {city}', 'is a map of format 2, expected 3: '),
        ('merge {city} /absent', 'there is no map at /absent'),
        ('merge {city} {city}', 'is in {city} already'),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_1(
    folder: Path, city: Path, command: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {'city': city, 'first': city.with_name('first.map'), 'drive': folder / 'Posts/01'}
    before = {file: file.read_bytes() for file in city.rglob('*') if file.is_file()}
    assert main(command.format(**names).split()) == 1
    assert said.format(**names) in capsys.readouterr().err
    assert {file: file.read_bytes() for file in city.rglob('*') if file.is_file()} == before
