# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check `trust` on recordings of one's own: with true poses, and by agreement with odometry alone.

A car with a spinning radar made a map of a road of 400 m past posts; another car with a 4D radar
came along half a metre beside it.
"""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import re
import shutil

import numpy as np
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.cli.trust.command import main as trust
from ssd_ros.confidence.file import load_confidence
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.evaluation.judging.halves import halves_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.odometry import compose
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from support.posts import (
    OneRadar,
    PostDrive,
    random_posts,
    small_encoder,
    SPACE,
    write_small_encoder,
)

LENGTH_M = 400.0
# Two hundred queries cannot promise more.
LIMITS = ['--min-precision', '0.9', '--max-stranger-rate', '0.05']


def drive_of(seed: int = 0, aside_m: float = 0.0) -> PostDrive:
    x_m = np.arange(0.0, LENGTH_M, 2.0)
    posts = random_posts(num=1300, length_m=LENGTH_M, seed=seed)
    return PostDrive(posts, np.stack([x_m, 0 * x_m + aside_m, 0 * x_m], axis=1))


def odometry_of(drive: PostDrive, yaw_deg: float = 0.0) -> Trajectory:
    """Return odometry in a frame of its own, 1 % too long, of a radar said to look elsewhere."""
    xy_yaw = drive.xy_yaw * (1.01, 1.0, 1.0)
    poses = compose(np.array([-30.0, 12.0, 2.0]), xy_yaw)
    positions_m = np.column_stack([poses[:, :2], np.zeros(len(poses))])
    headings = quaternion_from_yaw(poses[:, 2] - np.radians(yaw_deg))
    return Trajectory(drive.scan_stamps_ns, positions_m, headings)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with bags, poses, odometry, models and maps."""
    path = tmp_path_factory.mktemp('recorded')
    here, away = drive_of(), drive_of(seed=9)
    for name, drive, sensor in (
        ('mapping', here, 'spinning'),
        ('radar', drive_of(aside_m=0.5), '4d'),
        ('away', away, 'spinning'),
    ):
        write_rosbag2(path / name, OneRadar(drive, sensor))  # type: ignore[arg-type]
        write_hercules_poses(path / f'{name}.txt', drive.scan_poses)
    shutil.copytree(path / 'radar', path / 'poseless')
    write_hercules_poses(path / 'odometry.txt', odometry_of(drive_of(aside_m=0.5)))
    write_hercules_poses(path / 'turned.txt', odometry_of(drive_of(aside_m=0.5), 5.0))
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    for name in ('mapping', 'away'):
        made = ['--input', str(path / name), '--output', str(path / f'{name}.map'), '--teacher',
                str(path / 'teacher.onnx'), '--poses', str(path / f'{name}.txt')]  # fmt: skip
        assert build_db(made) == 0
    return path


def options(folder: Path, work: Path, poses: str) -> list[str]:
    student, teacher = str(folder / 'student.onnx'), str(folder / 'teacher.onnx')
    return ['--out', str(work), '--poses', str(folder / f'{poses}.txt'), '--jobs', '1',
            '--student', student, '--teacher', teacher]  # fmt: skip


def drives_of_report(path: Path) -> list[tuple[str, str, str, int]]:
    content = json.loads(path.read_text())
    return [
        (one['queries'], one['map'], one['kind'], one['num_queries']) for one in content['drives']
    ]


@pytest.fixture(scope='module')
def fitted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what was fitted and told without true poses."""
    path = tmp_path_factory.mktemp('fitted')
    blind = ['--unlabelled', str(folder / 'radar'), '--map', str(folder / 'mapping.map')]
    files = ['--fit', str(path / 'mine.json'), '--report', str(path / 'report')]
    assert trust([*blind, *options(folder, path / 'work', 'odometry'), *files, *LIMITS]) == 0
    return path


def test_a_map_stands_for_the_drive_that_made_it(folder: Path, tmp_path: Path) -> None:
    drives = ['--drives', str(folder / 'mapping.map'), str(folder / 'radar')]
    files = ['--fit', str(tmp_path / 'mine.json'), '--report', str(tmp_path / 'report')]
    work = options(folder, tmp_path / 'work', 'radar')
    assert trust([*drives, *work, *files, *LIMITS]) == 0
    name = f'here/{folder.name}_radar'
    asked = drives_of_report(tmp_path / 'report.json')
    assert asked[0] == (name, 'here/mapping', 'other session', 200)
    # Nearly a quarter of the road lies more than 50 m from the middle, on either side.
    assert [(of, kind) for of, _, kind, _ in asked[1:]] == [(name, 'other world')] * 2
    assert all(70 <= num <= 80 for *_, num in asked[1:])
    model = load_confidence(tmp_path / 'mine.json', SPACE, 'spinning')
    assert model is not None
    assert model.fitted.num_queries == 200
    assert model.fitted.precision > 0.9
    assert model.held_out is not None  # five parts of the drive, each judged by the others


def test_turns_of_a_spinning_radar_are_calibrated_for_turns(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Half a metre beside the map, the other way.
    drive = drive_of(aside_m=0.5)
    drive.xy_yaw = drive.xy_yaw[::-4] + np.array([0.0, 0.0, np.pi])
    write_rosbag2(tmp_path / 'turns', OneRadar(drive, 'spinning'))  # type: ignore[arg-type]
    write_hercules_poses(tmp_path / 'turns.txt', drive.scan_poses)
    database = PlaceDatabase.load(folder / 'mapping.map')
    database.save(tmp_path / 'mine.map')
    drives = ['--drives', str(tmp_path / 'mine.map'), str(tmp_path / 'turns')]
    drives += ['--query-sensor', 'spinning', '--poses', str(tmp_path / 'turns.txt')]
    models = ['--student', str(folder / 'student.onnx'), '--teacher', str(folder / 'teacher.onnx')]
    work = ['--out', str(tmp_path / 'work'), '--jobs', '1', '--min-precision', '0.8']
    work += ['--max-stranger-rate', '0.1']
    files = ['--fit', str(tmp_path / 'mine.json'), '--store-in', str(tmp_path / 'mine.map')]
    assert trust([*drives, *models, *work, *files]) == 0
    model = PlaceDatabase.load(tmp_path / 'mine.map').confidence
    assert model is not None
    assert (model.queries, model.radars) == ('spinning', None)
    assert model.fitted.num_queries == 50
    assert model.fitted.precision > 0.9
    # That of 4D radar does not judge turns, nor the other way round.
    asked = ['--drives', str(tmp_path / 'mine.map'), str(folder / 'radar'), '--confidence',
             str(tmp_path / 'mine.json')]  # fmt: skip
    assert trust([*asked, *options(folder, tmp_path / 'other', 'radar')]) == 1
    assert 'was fitted on queries of a spinning radar, not of a 4D radar: fit one with' in (
        capsys.readouterr().err
    )


def test_maps_of_other_places_are_strangers_enough(folder: Path, tmp_path: Path) -> None:
    drives = ['--drives', str(folder / 'mapping.map'), str(folder / 'radar')]
    strangers = ['--stranger-maps', str(folder / 'away.map')]
    files = ['--fit', str(tmp_path / 'mine.json'), '--report', str(tmp_path / 'report')]
    work = options(folder, tmp_path / 'work', 'radar')
    assert trust([*drives, *strangers, *work, *files, *LIMITS]) == 0
    name = f'here/{folder.name}_radar'
    assert drives_of_report(tmp_path / 'report.json') == [
        (name, 'here/mapping', 'other session', 200),
        (name, 'elsewhere 0/away', 'other world', 200),
    ]


def test_odometry_alone_calibrates_as_true_poses_do(folder: Path, fitted: Path) -> None:
    model = load_confidence(fitted / 'mine.json', SPACE, 'spinning')
    assert model is not None
    assert 'without true poses' in model.data
    assert 'by agreement with odometry, for 100% of 200 queries' in model.data
    assert model.fitted.num_queries == 200
    assert model.fitted.precision > 0.9
    # Judged by the true poses, it holds what it promises.
    judged = ['--drives', str(folder / 'mapping.map'), str(folder / 'radar'), '--confidence',
              str(fitted / 'mine.json'), '--report', str(fitted / 'truth')]  # fmt: skip
    assert trust([*judged, *options(folder, fitted / 'true', 'radar')]) == 0
    (of_drive, *strangers) = json.loads((fitted / 'truth.json').read_text())['drives']
    assert of_drive['num_accepted'] > 100
    assert of_drive['accepted_precision'] > 0.9
    assert of_drive['accepted_recall'] == pytest.approx(model.fitted.recall, abs=0.05)
    assert sum(one['num_accepted'] for one in strangers) <= 0.05 * 160


def test_maps_take_the_calibration(folder: Path, fitted: Path, tmp_path: Path) -> None:
    wanted = load_confidence(fitted / 'mine.json', SPACE, 'spinning')
    made = ['--input', str(folder / 'mapping'), '--output', str(tmp_path / 'new.map'), '--teacher',
            str(folder / 'teacher.onnx'), '--poses', str(folder / 'mapping.txt'), '--confidence',
            str(fitted / 'mine.json')]  # fmt: skip
    assert build_db(made) == 0
    assert PlaceDatabase.load(tmp_path / 'new.map').confidence == wanted


def test_what_agreement_cannot_tell_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = ['--unlabelled', str(folder / 'radar'), '--map', str(folder / 'mapping.map')]
    fit = ['--fit', str(tmp_path / 'mine.json'), '--store-in', str(folder / 'mapping.map')]
    work = options(folder, tmp_path / 'work', 'turned')
    assert trust([*blind, *work, *fit, *LIMITS]) == 0
    told = capsys.readouterr().out
    assert '200 of 200 queries have a pose on which others agree (100.0%)' in told
    assert 'agreement by chance: 0 of ' in told
    looks = re.search(r'looks (\S+) deg from where the poses of the drive say it does', told)
    assert looks is not None
    assert float(looks[1]) == pytest.approx(5, abs=0.2)
    assert 'not known: ' in told
    stored = PlaceDatabase.load(folder / 'mapping.map').confidence
    assert stored == load_confidence(tmp_path / 'mine.json', SPACE, 'spinning')


def test_a_car_with_4d_radar_alone_makes_the_map_of_another(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / 'radar', tmp_path / 'first')
    drives = ['--drives', str(tmp_path / 'first'), str(folder / 'radar')]
    files = ['--fit', str(tmp_path / 'mine.json'), '--report', str(tmp_path / 'report')]
    work = options(folder, tmp_path / 'work', 'radar')
    assert trust([*drives, *work, *files, *LIMITS]) == 0
    asked = drives_of_report(tmp_path / 'report.json')
    assert [kind for _, _, kind, _ in asked] == ['other session', 'other world', 'other world']
    assert load_confidence(tmp_path / 'mine.json', SPACE, 'spinning') is None
    assert load_confidence(tmp_path / 'mine.json', SPACE, '4d') is not None


@pytest.mark.parametrize('poses', ['odometry', 'elsewhere'])
def test_nothing_is_calibrated_where_nothing_agrees(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], poses: str
) -> None:
    # Either the map is of another place or the odometry of another drive.
    place = 'mapping.map' if poses == 'elsewhere' else 'away.map'
    drive, generator = drive_of(), np.random.default_rng(0)
    drive.xy_yaw[:, 2] = generator.uniform(-3, 3, len(drive.xy_yaw))
    write_hercules_poses(folder / 'elsewhere.txt', odometry_of(drive))
    blind = ['--unlabelled', str(folder / 'radar'), '--map', str(folder / place)]
    fit = ['--fit', str(tmp_path / 'mine.json'), *LIMITS]
    assert trust([*blind, *options(folder, tmp_path / 'work', poses), *fit]) == 1
    error = capsys.readouterr().err
    assert 'the answers of 0 of 200 queries agree with their neighbours and the odometry' in error
    assert 'nothing to calibrate on' in error
    assert not (tmp_path / 'mine.json').exists()


def test_poses_in_another_frame_are_told_from_wrong_answers(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drives = ['--drives', str(folder / 'mapping.map'), str(folder / 'radar')]
    fit = ['--fit', str(tmp_path / 'mine.json')]
    assert trust([*drives, *options(folder, tmp_path / 'work', 'odometry'), *fit]) == 1
    error = capsys.readouterr().err
    assert 'none of 200 answers' in error
    assert 'in the frame of the map? Without such poses: --unlabelled' in error


@pytest.mark.parametrize(
    ('given', 'error'),
    [
        (['--drives', 'mapping.map'], 'a map alone answers nothing'),
        (['--drives', 'mapping'], 'nothing is asked of it: name a drive with 4D radar after it'),
        (['--drives', 'mapping.map', 'away.map'], 'away.map is a map: the first of --drives may'),
        (['--unlabelled', 'radar'], '--unlabelled and --map go together'),
        (['--drives', 'mapping.map', 'radar', '--map', 'away.map'], 'go together'),
        (['--unlabelled', 'radar', '--map', 'away'], 'away is not a map'),
        (['--drives', 'mapping.map', 'radar', '--stranger-maps', 'away'], 'away is not a map'),
        (['--drives', 'mapping.map', 'away'], 'away has no clouds of a 4D radar'),
        (['--drives', 'mapping.map', 'poseless'], 'poseless has no poses: give --poses FILE or'),
        (['--benchmark', 'validation', '--stranger-maps', 'away.map'], '--stranger-maps goes'),
    ],
)
def test_what_does_not_fit_together_is_said_before_the_work(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    error: str,
) -> None:
    words = [str(folder / word) if (folder / word).exists() else word for word in given]
    work = options(folder, tmp_path / 'work', 'radar' if 'radar' in given else 'mapping')
    if given[0] == '--benchmark' or 'poseless' in given:
        del work[2:4]  # no poses
    assert trust([*words, *work]) == 1
    assert error in capsys.readouterr().err


def test_halves_of_a_map_have_half_of_its_places_each(folder: Path) -> None:
    database = PlaceDatabase.load(folder / 'mapping.map')
    halves = halves_of(database)
    assert [len(half) for half in halves] == [100, 100]
    ends_m = [np.ptp(half.keyframes.positions_m[:, 0]) for half in halves]
    assert ends_m == pytest.approx([198, 198])
    number = 3
    kept = small_encoder(folder, '4d').encode(np.zeros((64, 48), np.uint8))
    found = [half.search(kept, 1024).distances.min() for half in (database, *halves)]
    assert found[0] == pytest.approx(min(found[1:]))
    assert halves[0].num_rows == 100 * database.info.num_views
    torn = replace(database.info, segment_starts=(0, number))
    database.info = torn
    with pytest.raises(ValueError, match='2 segments that are not related'):
        halves_of(database)
