# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that every command checks the poses of recorded drives, mends or refuses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
import json
import math
from pathlib import Path
import shutil

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.cli.cache.command import main as cache
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import open_drive
from ssd_ros.cli.evaluate.command import main as evaluate
from ssd_ros.cli.replay.command import main as replay
from ssd_ros.cli.trust.command import main as trust
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.pose_check import check_poses
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.odometry import compose
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.simulator.config import PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session
from support.posts import PostDrive, straight_drive, write_small_encoder

# 60 scans 3 m apart along an S: a bend to the left, then one to the right.
_STEP_RAD = 0.06 * np.sin(np.linspace(0, 2 * math.pi, 60))
_YAW_RAD = np.cumsum(_STEP_RAD)
_MIDDLE_RAD = _YAW_RAD - _STEP_RAD / 2
AXLE = np.column_stack(
    [3 * np.cumsum(np.cos(_MIDDLE_RAD)), 3 * np.cumsum(np.sin(_MIDDLE_RAD)), _YAW_RAD]
)
ARM_M = 3.0
RADAR = compose(AXLE, np.tile([ARM_M, 0.0, 0.0], (60, 1)))


def with_poses(path: Path, planar: NDArray[np.float64]) -> Path:
    """Write other poses into a copy of the drive below `path`; scans stay."""
    drive = replace(straight_drive(), xy_yaw=planar)
    for name in ('Navtech_gt.txt', 'Continental_gt.txt'):
        poses = drive.scan_poses
        rows = np.column_stack([poses.positions_m, poses.quaternions_xyzw])
        lines = [
            f'{stamp} {" ".join(map(repr, row))}'
            for stamp, row in zip(poses.stamps_ns.tolist(), rows.tolist(), strict=True)
        ]
        (path / 'PR_GT' / name).write_text('\n'.join(lines))
    return path


def turned(planar: NDArray[np.float64], degrees: float, drift: float = 0.0) -> NDArray[np.float64]:
    off_rad = np.radians(degrees + drift * np.linspace(-0.5, 0.5, len(planar)))
    return planar + np.outer(off_rad, (0, 0, 1))


@pytest.fixture(scope='module')
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('poses')
    drive: PostDrive = replace(straight_drive(), xy_yaw=RADAR)
    write_hercules(path, 'Yard', '01', drive)
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    return path


@pytest.fixture
def new_drive(written: Path, tmp_path: Path) -> Callable[[str, NDArray[np.float64]], Path]:
    """Return a function that makes a copy of the drive with other poses."""

    def make(name: str, planar: NDArray[np.float64]) -> Path:
        path = tmp_path / name
        shutil.copytree(written / 'Yard' / '01', path)
        return with_poses(path, planar)

    return make


NewDrive = Callable[[str, NDArray[np.float64]], Path]


def words(*given: object) -> Sequence[str]:
    return [str(word) for word in given]


def build(written: Path, drive: Path, output: Path, *more: object) -> int:
    teacher = ('--teacher', written / 'teacher.onnx', '--views', 4, '--device', 'cpu')
    return build_db(words('--input', drive, '--output', output, *teacher, *more))


@pytest.mark.parametrize('degrees', [0.0, 178.7, -43.0, 12.5])
def test_a_map_has_right_headings(
    written: Path,
    new_drive: NewDrive,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    degrees: float,
) -> None:
    drive = new_drive('drive', turned(RADAR, degrees))
    assert build(written, drive, tmp_path / 'map') == 0
    database = PlaceDatabase.load(tmp_path / 'map')
    assert np.degrees(np.abs(wrap_angle(database.keyframes.yaws_rad - RADAR[:, 2]))).max() < 0.5
    done = 'kept, +0.0' if degrees == 0 else f'turned by {-degrees:+.1f}'
    assert f'headings {done} degrees' in database.info.poses
    assert '(lever arm 3.0 m)' in database.info.poses
    printed = capsys.readouterr()
    assert f'drive, spinning radar: headings {done}' in printed.err
    assert f'poses            headings {done}' in printed.out


def test_headings_that_drift_make_no_map_unless_told_how(
    written: Path, new_drive: NewDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = new_drive('drive', turned(RADAR, -45.0, drift=40.0))
    assert build(written, drive, tmp_path / 'map') == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith('build_db: drive, spinning radar: its headings do not fit its course')
    assert '--heading motion' in last
    assert not (tmp_path / 'map').exists()
    for heading, most_deg in ((f'motion:{ARM_M}', 0.5), ('45', 20.0), ('file', 65.0)):
        assert build(written, drive, tmp_path / 'map', '--heading', heading) == 0
        yaws_rad = PlaceDatabase.load(tmp_path / 'map').keyframes.yaws_rad
        off_deg = np.degrees(np.abs(wrap_angle(yaws_rad - RADAR[:, 2])))
        assert off_deg.max() == pytest.approx(most_deg, abs=0.1)


def test_poses_of_the_vehicle_become_those_of_its_radar(
    written: Path, new_drive: NewDrive, tmp_path: Path
) -> None:
    drive = new_drive('drive', AXLE)
    more = ('--extrinsics', ARM_M, 1.0, 0.5, 0, 0, 0.3)
    assert build(written, drive, tmp_path / 'map', *more) == 0
    keyframes = PlaceDatabase.load(tmp_path / 'map').keyframes
    radar = compose(AXLE, np.tile([ARM_M, 1.0, 0.3], (60, 1)))
    np.testing.assert_allclose(keyframes.positions_m[:, :2], radar[:, :2], atol=1e-9)
    np.testing.assert_allclose(keyframes.positions_m[:, 2], 0.5)
    np.testing.assert_allclose(wrap_angle(keyframes.yaws_rad - radar[:, 2]), 0, atol=1e-9)


def test_each_radar_of_a_drive_sits_where_it_does(new_drive: NewDrive) -> None:
    path = new_drive('drive', AXLE)
    options = DriveOptions(
        extrinsics=(1.0, 0.0, 2.0, 0.0, 0.0, 0.0),
        points_extrinsics=(ARM_M, 0.0, 0.5, math.pi, 0.0, 0.0),
    )
    plain, drive = open_drive(path), open_drive(path, options)
    assert np.abs(drive.scan_poses.positions_m[0] - (*AXLE[0, :2], 2.0)).max() < 1.1
    np.testing.assert_allclose(drive.cloud_poses.positions_m[:, :2], RADAR[:, :2], atol=1e-9)
    np.testing.assert_allclose(drive.cloud_poses.yaws_rad, wrap_angle(AXLE[:, 2]), atol=1e-9)
    # It hangs upside down: what it measured on its left is on its right.
    hung, measured = drive.cloud(0).xyz_m, plain.cloud(0).xyz_m
    np.testing.assert_allclose(hung[:, :2], measured[:, :2] * (1, -1), atol=1e-4)


def test_a_drive_in_two_frames_makes_no_map(
    written: Path, new_drive: NewDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = RADAR.copy()
    split[30:, 0] += 443_000
    assert build(written, new_drive('drive', split), tmp_path / 'map') == 1
    assert 'drive, spinning radar: its poses jump by 443.0 km' in capsys.readouterr().err


@pytest.mark.parametrize('back_m', [30.0, 60.0, 90.0, 150.0, 500.0])
@pytest.mark.parametrize('is_in_file', [False, True])
def test_odometry_that_begins_anew_never_makes_one_frame_of_two(
    written: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    back_m: float,
    is_in_file: bool,
) -> None:
    """20 scans a second, 1 m apart; poses of a file lie between the scans."""
    drive = replace(straight_drive(num=60, step_m=1.0), step_ns=50_000_000)
    drive.xy_yaw[30:, 0] -= back_m
    write_hercules(tmp_path, 'Yard', '01', drive)
    given = ['--sensor', '4d', '--input', tmp_path / 'Yard/01', '--output', tmp_path / 'map']
    params = tmp_path / 'params.yaml'
    params.write_text('/**: {ros__parameters: {aggregation: {min_points: 1}}}')
    given += ['--student', written / 'student.onnx', '--device', 'cpu', '--params', params]
    given += ['--keyframe-distance', 0]
    if is_in_file:
        poses = drive.cloud_poses
        between = replace(poses, stamps_ns=poses.stamps_ns + 25_000_000)
        write_hercules_poses(tmp_path / 'poses.txt', between)
        given += ['--poses', tmp_path / 'poses.txt']
    code = build_db(words(*given))
    if back_m > 100:
        assert code == 1
        assert 'odometry that began anew' in capsys.readouterr().err
        return
    assert code == 0
    assert 'the odometry has 2 segments, not related to each other' in caplog.text
    database = PlaceDatabase.load(tmp_path / 'map')
    _, second = database.info.segment_starts
    steps_m = np.diff(database.keyframes.positions_m[:, 0])
    assert steps_m[second - 1] < 0  # back to where it was
    # Its Doppler is 0: until the poses tell otherwise the vehicle seems to stand.
    assert steps_m[0] in (1.0, 2.0)
    np.testing.assert_allclose(np.delete(steps_m, second - 1)[1:], 1.0)


def test_a_stray_pose_makes_no_keyframe(
    written: Path, new_drive: NewDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stray = RADAR.copy()
    stray[20, :2] += 5000
    assert build(written, new_drive('drive', stray), tmp_path / 'map') == 0
    database = PlaceDatabase.load(tmp_path / 'map')
    assert (len(database), database.info.num_without_pose) == (59, 1)
    assert 'left out 1 of 60 poses that no vehicle reaches' in capsys.readouterr().out


def test_drives_of_other_origins_are_refused_by_name_in_every_command(
    written: Path, new_drive: NewDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = new_drive('here', RADAR), new_drive('there', RADAR - (-400_000.0, 0.0, 0.0))
    student, teacher = written / 'student.onnx', written / 'teacher.onnx'
    assert build(written, here, tmp_path / 'map') == 0
    asked = ('--map', tmp_path / 'map', '--student', student, '--device', 'cpu')
    assert replay(words('--input', there, *asked, '--truth')) == 1
    assert 'there lies 400 km from here: their origins' in capsys.readouterr().err
    models = ('--student', student, '--teacher', teacher)
    assert evaluate(words('--map', here, '--queries', there, *models)) == 1
    assert 'there lies 400 km from here: their origins' in capsys.readouterr().err
    out = ('--out', tmp_path / 'trust', '--jobs', 1)
    assert trust(words('--drives', here, there, *models, *out)) == 1
    assert 'there lies 400 km from here/' in capsys.readouterr().err
    out = ('--out', tmp_path / 'cache', '--jobs', 1)
    assert cache(words('--drives', here, there, '--world', 'yard', *out)) == 1
    assert 'yard/there lies 400 km from yard/here' in capsys.readouterr().err
    assert not (tmp_path / 'trust').exists()
    assert not (tmp_path / 'cache').exists()


def test_a_cache_names_all_drives_that_it_refuses_and_holds_what_it_did(
    new_drive: NewDrive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drives = [
        new_drive('right', RADAR),
        new_drive('drifts', turned(RADAR, 0, drift=60)),
        new_drive('drifts_too', turned(RADAR, 40, drift=60)),
        new_drive('turned', turned(RADAR, 12.5)),
    ]
    out = ('--world', 'yard', '--out', tmp_path / 'cache', '--jobs', 1, '--query-spacing', 60)
    thin = ('--scan-spacing', 60)
    assert cache(words('--drives', *drives, *out, *thin)) == 1
    err = capsys.readouterr().err
    for name in ('drifts', 'drifts_too'):
        assert f'{name}, 4D radar: its headings do not fit its course' in err
    each = ('--heading', '-', 'motion:3', 'motion:3', 'auto')
    assert cache(words('--drives', *drives, *out, *thin, *each)) == 0
    meta = json.loads((tmp_path / 'cache' / 'test' / 'yard_turned' / 'meta.json').read_text())
    assert 'headings turned by -12.5 degrees' in str(meta['radars'])


@pytest.mark.parametrize('preset', ['unit', 'bench'])
@pytest.mark.parametrize('index', range(3))
def test_simulated_drives_raise_no_false_alarm(preset: str, index: int) -> None:
    """Their radars sit ahead of the rear axle, and they have lanes, stops and turns."""
    session = Session(World(UNIT_SEED, PRESETS[preset].world), index)
    drive = SimulatedSequence(session)
    for poses in (drive.scan_poses, drive.cloud_poses):
        assert check_poses(poses, drive.name).note.startswith('headings kept, ')


def test_scans_without_a_pose_are_counted_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a drive whose truth ends long before its scans."""
    drive = straight_drive(num=20)  # 2 s apart
    write_hercules(tmp_path, 'Posts', '01', drive)
    write_hercules_poses(tmp_path / 'poses.txt', drive.cloud_poses.select(np.arange(5)))
    options = DriveOptions(poses=tmp_path / 'poses.txt')
    opened = open_drive(tmp_path / 'Posts/01', options, Rosbag2Config(sensors=('4d',)))
    told = '15 of 20 scans have no pose: the poses run from 0 to 8 s of 38 s'
    assert opened.notes['4d'].endswith(told)
    assert f'4D radar: {told}' in capsys.readouterr().err
