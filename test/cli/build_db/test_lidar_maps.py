# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the commands on a car with a LiDAR that mapped a road, and one with a 4D radar on it."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.cli.evaluate import command as evaluate
from ssd_ros.cli.map import command as map_command
from ssd_ros.cli.trust import command as trust
from ssd_ros.confidence.file import load_confidences
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.maps.place_database import PlaceDatabase
from support.posts import lidar_drive, SPACE, write_small_encoder

DRIVE = replace(lidar_drive(num=100), lidar_yaw_rad=0.0)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the mapping drive, one half a metre beside, the models and a map."""
    path = tmp_path_factory.mktemp('lidar')
    write_hercules(path, 'Posts', '01', DRIVE)
    beside = replace(DRIVE, xy_yaw=DRIVE.xy_yaw + np.array([0.5, 0.5, 0.0]))
    write_hercules(path, 'Posts', '02', beside)
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    assert build_db.main([*mapping(path), '--output', str(path / 'posts.map')]) == 0
    return path


def mapping(folder: Path) -> list[str]:
    drive, teacher = str(folder / 'Posts' / '01'), str(folder / 'teacher.onnx')
    return ['--sensor', 'lidar', '--input', drive, '--teacher', teacher]


def models(folder: Path) -> list[str]:
    return ['--student', str(folder / 'student.onnx'), '--teacher', str(folder / 'teacher.onnx')]


def test_a_lidar_drive_becomes_a_map_that_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = PlaceDatabase.load(folder / 'posts.map')
    assert (database.info.sensor, database.info.num_views) == ('lidar', 36)
    np.testing.assert_allclose(
        database.keyframes.positions_m, DRIVE.lidar_poses.positions_m, atol=1e-9
    )
    assert database.confidence is None
    assert map_command.main(['info', str(folder / 'posts.map')]) == 0
    printed = capsys.readouterr().out
    assert 'sensor       lidar\n' in printed
    assert 'calibration  none\n' in printed


def test_a_map_of_points_with_a_way_through_it_becomes_the_same_kind_of_map(
    folder: Path, tmp_path: Path
) -> None:
    at, points = DRIVE.lidar_poses, []
    for row in range(0, 100, 10):
        yaw = float(at.yaws_rad[row])
        turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        points.append(DRIVE.lidar(row).xyz_m @ turn + at.positions_m[row])
    xyz_m = np.concatenate(points).astype('<f4')
    head = f'FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nPOINTS {len(xyz_m)}\nDATA binary\n'
    (tmp_path / 'yard.pcd').write_bytes(head.encode() + xyz_m.tobytes())
    write_hercules_poses(tmp_path / 'way.txt', at)
    given = ['--input', str(tmp_path / 'yard.pcd'), '--poses', str(tmp_path / 'way.txt')]
    given += ['--heading', 'file', '--keyframe-distance', '20']
    assert build_db.main([*mapping(folder), *given, '--output', str(tmp_path / 'map')]) == 0
    database = PlaceDatabase.load(tmp_path / 'map')
    assert (database.info.sensor, database.info.source, len(database)) == ('lidar', 'yard', 10)


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (('--student', '/a'), '--student is an option of --sensor 4d'),
        (('--scan-topic', '/a'), '--scan-topic is an option of --sensor spinning'),
        (('--sensor', 'spinning', '--lidar-source', 'aeva'), 'an option of --sensor lidar'),
        (('--sensor', '4d'), '--teacher is an option of --sensor spinning or lidar'),
    ],
)
def test_what_a_lidar_does_not_have_is_refused(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    message: str,
) -> None:
    given = [*mapping(folder), '--output', str(tmp_path / 'map'), *more]
    assert build_db.main(given) == 1
    assert message in capsys.readouterr().err


def test_a_map_of_another_sensor_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [*mapping(folder), '--sensor', 'spinning', '--output', str(folder / 'posts.map')]
    assert build_db.main(given) == 1
    assert "is a map of sensor 'lidar', not of 'spinning'" in capsys.readouterr().err


def test_4d_radar_in_a_lidar_map_is_evaluated_and_not_accepted(
    folder: Path, tmp_path: Path
) -> None:
    drives = ['--map', str(folder / 'Posts/01'), '--queries', str(folder / 'Posts/02')]
    given = [*models(folder), *drives, '--map-sensor', 'lidar', '--query-spacing', '10']
    for kind in ('json', 'markdown', 'html'):
        given += [f'--{kind}', str(tmp_path / f'result.{kind}')]
    assert evaluate.main(given) == 0
    assert '| Posts/01 | LiDAR | 100 | 0 |' in (tmp_path / 'result.markdown').read_text()
    report = json.loads((tmp_path / 'result.json').read_text())
    (result,) = report['results']
    assert (result['task'], result['score']['num_keyframes']) == ('lidar', 100)
    assert result['score']['recall_at_1'] >= 0.8
    assert result['score']['accepted_recall'] == 0
    assert [radar['sensor'] for radar in report['radars']] == ['lidar', '4d']


def test_a_calibration_is_fitted_for_lidar_maps_beside_others(
    folder: Path, tmp_path: Path
) -> None:
    drives = ['--drives', str(folder / 'Posts/01'), str(folder / 'Posts/02')]
    common = [*models(folder), *drives, '--jobs', '1', '--fit', str(tmp_path / 'mine.json')]
    common += ['--min-precision', '0.5', '--max-stranger-rate', '0.5']
    place = PlaceDatabase.load(folder / 'posts.map')
    place.save(tmp_path / 'mine.map')
    store = ['--store-in', str(tmp_path / 'mine.map')]
    lidar = ['--map-sensor', 'lidar', '--out', str(tmp_path / 'lidar')]
    lidar += ['--report', str(tmp_path / 'report')]
    assert trust.main([*common, '--map-sensor', 'spinning', '--out', str(tmp_path / 'turns')]) == 0
    assert trust.main([*common, *lidar, *store]) == 0
    assert 'maps of LiDAR' in (tmp_path / 'report.html').read_text()
    fitted = load_confidences(tmp_path / 'mine.json', SPACE)
    assert {sensor: model.maps for sensor, model in fitted.items()} == {
        'spinning': 'spinning',
        'lidar': 'lidar',
    }
    assert PlaceDatabase.load(tmp_path / 'mine.map').confidence == fitted['lidar']
