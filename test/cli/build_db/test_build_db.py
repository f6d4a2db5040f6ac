# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the command build_db on a drive written in the HeRCULES format."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.cli.replay import command as replay
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory
from support.posts import jolted, random_posts, straight_drive, write_small_encoder

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a drive of six scans 10 m apart and the two models."""
    path = tmp_path_factory.mktemp('build_db')
    write_hercules(path, 'Posts', '01', straight_drive(num=6))
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    return path


def arguments(folder: Path, output: Path, *more: str) -> list[str]:
    drive, teacher = str(folder / 'Posts' / '01'), str(folder / 'teacher.onnx')
    fixed = ['--input', drive, '--output', str(output), '--teacher', teacher, '--device', 'cpu']
    return [*fixed, *more]


def test_a_drive_becomes_a_map(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ('--keyframe-distance', '15', '--views', '12', '--origin', 'UTM 52N')
    assert build_db.main(arguments(folder, tmp_path / 'map', *options)) == 0
    database = PlaceDatabase.load(tmp_path / 'map')
    assert database.keyframes.positions_m[:, 0].tolist() == [0, 20, 40]
    assert (database.num_rows, database.info.origin) == (36, 'UTM 52N')
    num_bytes = sum(file.stat().st_size for file in (tmp_path / 'map').iterdir())
    printed = capsys.readouterr().out
    for line in (
        'keyframes        3',
        'rows             36 of 64',
        f'bytes            {num_bytes}',
    ):
        assert line in printed
    assert 'seconds per scan 0.' in printed
    picture = tmp_path / 'map.first_scan.png'
    assert f'first scan       {picture}' in printed
    assert cv2.imread(str(picture)).shape[2] == 3


def test_poses_that_disagree_with_the_returns_are_a_warning(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = replace(straight_drive(num=20, step_m=4.0), posts=random_posts(1000))
    write_hercules(tmp_path, 'Posts', '02', drive)
    write_hercules_poses(tmp_path / 'wrong.txt', jolted(drive, 3.0).scan_poses)
    given = ('--input', str(tmp_path / 'Posts' / '02'))
    wrong = ('--poses', str(tmp_path / 'wrong.txt'), '--heading', 'file')
    for more, is_wrong in (given, False), ((*given, *wrong), True):
        assert build_db.main(arguments(folder, tmp_path / 'map', *more)) == 0
        printed = capsys.readouterr().out
        assert ' m off the returns between neighbouring keyframes, at most 1.0' in printed
        assert ('warning          the poses of map Posts/02 disagree' in printed) == is_wrong
        misfit_m = PlaceDatabase.load(tmp_path / 'map').info.pose_misfit_m
        assert misfit_m is not None
        assert (misfit_m > 1) == is_wrong


def test_other_poses_take_the_place_of_the_drives_own(folder: Path, tmp_path: Path) -> None:
    own = straight_drive(num=6).scan_poses
    moved = Trajectory(own.stamps_ns, own.positions_m + 1000, own.quaternions_xyzw)
    write_hercules_poses(tmp_path / 'poses.txt', moved)
    more = ('--poses', str(tmp_path / 'poses.txt'), '--views', '4')
    assert build_db.main(arguments(folder, tmp_path / 'map', *more)) == 0
    keyframes = PlaceDatabase.load(tmp_path / 'map').keyframes
    np.testing.assert_array_equal(keyframes.positions_m, own.positions_m + 1000)


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (('--input', '/absent'), '/absent does not exist'),
        (('--teacher', '/absent.onnx'), '/absent.onnx'),
        (('--views', '7'), '7 views do not divide the 36 that the teacher gives'),
        (('--poses', '/absent.txt'), '/absent.txt'),
        (('--dataset', 'rosbag2'), 'Expected metadata file'),
        (('--points-topic', '/a'), '--points-topic is an option of --sensor 4d'),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_1(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    message: str,
) -> None:
    assert build_db.main(arguments(folder, tmp_path / 'map', *more)) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith('build_db: ')
    assert message in last
    assert not (tmp_path / 'map').exists()


def test_the_student_is_no_teacher(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ('--teacher', str(folder / 'student.onnx'))
    assert build_db.main(arguments(folder, tmp_path / 'map', *more)) == 1
    assert (
        "encodes sensor '4d' (student, 4D radar), expected 'spinning'" in capsys.readouterr().err
    )


def test_a_folder_that_is_no_map_is_never_replaced(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'thesis.tex').write_text('precious')
    assert build_db.main(arguments(folder, tmp_path)) == 1
    assert 'exists and is not a map' in capsys.readouterr().err
    assert (tmp_path / 'thesis.tex').read_text() == 'precious'


@pytest.mark.parametrize(
    'more', [('--views', '0'), ('--keyframe-distance', 'nan'), ('--dataset', 'lidar'), ('--x',)]
)
def test_wrong_usage_is_code_2(folder: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as leaving:
        build_db.main(arguments(folder, tmp_path / 'map', *more))
    assert leaving.value.code == 2


def test_help_ends_with_examples_and_imports_nothing_heavy() -> None:
    program = (
        'import sys\n'
        'from ssd_ros.cli.build_db import command as build_db\n'
        'try: build_db.main(["--help"])\n'
        'except SystemExit: pass\n'
        'heavy = {"numpy", "faiss", "onnxruntime", "cv2", "rosbags"} & set(sys.modules)\n'
        'assert not heavy, heavy\n'
    )
    result = subprocess.run(
        [sys.executable, '-c', program], check=True, cwd=ROOT, capture_output=True, text=True
    )
    assert 'examples:\n  build_db --input' in result.stdout


# The signal comes while a scan is read, however fast the machine is: a build that a test only
# watches may be over before its signal arrives.
INTERRUPTED = """
import os, signal, sys
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.datasets.formats.hercules import HerculesSequence
read = HerculesSequence.scan

def scan(self, index):
    if index == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGINT)
    return read(self, index)

HerculesSequence.scan = scan
# A job in the background of a script inherits that SIGINT is ignored; a terminal does not.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(build_db.main(sys.argv[2:]))
"""


def test_ctrl_c_leaves_the_old_map_and_code_130(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / 'map'
    assert build_db.main(arguments(folder, output, '--views', '4')) == 0
    before = (output / 'meta.json').read_bytes()
    for index in (0, 3):  # for the picture, and among the keyframes
        command = [sys.executable, '-c', INTERRUPTED, str(index), *arguments(folder, output)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 130, ended.stderr
        assert 'interrupted, nothing was replaced' in ended.stderr
        assert (output / 'meta.json').read_bytes() == before
        assert {entry.name for entry in tmp_path.iterdir()} == {'map', 'map.first_scan.png'}


def of_clouds(folder: Path, output: Path, *more: str) -> list[str]:
    drive, student = str(folder / 'Posts' / '01'), str(folder / 'student.onnx')
    fixed = ['--input', drive, '--output', str(output), '--student', student, '--device', 'cpu']
    return ['--sensor', '4d', *fixed, *more]


def test_a_drive_of_a_4d_radar_becomes_a_map_in_which_replay_finds_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {aggregation: {min_points: 1}}}')
    more = ('--params', str(params), '--map-frame', 'odom', '--origin', 'odometry of 3 May')
    assert build_db.main(of_clouds(folder, tmp_path / 'map', *more)) == 0
    printed = capsys.readouterr().out
    assert 'keyframes        6' in printed
    assert 'rows             6 of 64' in printed
    info = PlaceDatabase.load(tmp_path / 'map').info
    assert (info.sensor, info.map_frame_id, info.origin) == ('4d', 'odom', 'odometry of 3 May')
    student, drive = str(folder / 'student.onnx'), str(folder / 'Posts' / '01')
    given = ['--map', str(tmp_path / 'map'), '--student', student, '--truth', '--input', drive]
    assert replay.main([*given, '--json', str(tmp_path / 'summary.json')]) == 0
    truth = json.loads((tmp_path / 'summary.json').read_text())['truth']
    assert (truth['queries_in_map'], truth['recall_at_1']) == (6, 1.0)


def test_a_drive_of_a_4d_radar_becomes_a_map_of_submaps(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = of_clouds(folder, tmp_path / 'map', '--submap', '20', '--keyframe-distance', '10')
    at, teacher = given.index('--student'), str(folder / 'teacher.onnx')
    given[at : at + 2] = ['--teacher', teacher]
    assert build_db.main(given) == 0
    printed = capsys.readouterr().out
    info = PlaceDatabase.load(tmp_path / 'map').info
    assert (info.sensor, info.submap_m, info.num_views) == ('4d', 20.0, 36)
    assert 'keyframes        15' in printed  # of the first 5 of 6 places, in three lanes
    assert f'rows             {15 * 36} of 64' in printed


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (('--views', '4'), '--views is an option of --sensor spinning'),
        (('--submap', '20'), '--student is not for --submap'),
        (('--scan-topic', '/a'), '--scan-topic is an option of --sensor spinning'),
        (('--opposite-lane', '3.5'), '--opposite-lane is an option of --sensor spinning or lidar'),
        (('--sensor', 'spinning'), '--student is an option of --sensor 4d'),
        (('--student', '/absent.onnx'), '/absent.onnx'),
    ],
)
def test_what_a_4d_radar_does_not_have_is_refused(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    message: str,
) -> None:
    assert build_db.main(of_clouds(folder, tmp_path / 'map', *more)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'map').exists()
