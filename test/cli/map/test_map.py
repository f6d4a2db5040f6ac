# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `map`: a map shows what it holds and takes the poses that a back end has found."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path
import shutil
from uuid import uuid4

import numpy as np
import pytest
from ssd_ros.cli.map.command import main
from ssd_ros.data_origin import Origin
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.files import MapInfo, ODOMETRY_ORIGIN
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.place_database import Keyframe, PlaceDatabase
from ssd_ros.motion.odometry import compose, motion_between
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory, wrap_angle
from ssd_ros.pose_graph.trajectory_files import write_tum
from ssd_ros.ros.matching.loading import load_maps
from support.posts import jolted, small_encoder, SPACE, straight_drive

# A bend of 90 degrees within 60 m.
BEND = straight_drive(num=31, step_m=2.0)
ANGLES_RAD = np.linspace(0, math.pi / 2, 31)
RADIUS_M = 60 / (math.pi / 2)
BEND = replace(
    BEND,
    xy_yaw=np.column_stack(
        [RADIUS_M * np.sin(ANGLES_RAD), RADIUS_M * (1 - np.cos(ANGLES_RAD)), ANGLES_RAD]
    ),
)
NEW_FRAME = np.array([[300.0, -40.0, 2.0]])  # of the old one in the new one


def trajectory(stamps_ns: np.ndarray, planar: np.ndarray) -> Trajectory:
    positions_m = np.column_stack([planar[:, :2], np.zeros(len(planar))])
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(planar[:, 2]))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a map of the bend that 16 keyframes make, 4 m apart."""
    teacher = small_encoder(tmp_path, 'spinning')
    database = build_database(BEND, teacher, num_views=4, keyframe_distance_m=3.9)
    assert len(database) == 16
    database.save(tmp_path / 'old.map')
    return tmp_path / 'old.map'


def new_poses(
    path: Path, base_radar: tuple[float, float, float] = (0, 0, 0), num: int = 31
) -> Path:
    """Write where the base was in the new frame, in TUM lines 20 ms before and after the scans."""
    x, y, yaw = base_radar
    radar_base = motion_between(np.array([x, y, yaw]), np.zeros(3))
    base = compose(compose(NEW_FRAME, BEND.xy_yaw[:num]), np.tile(radar_base, (num, 1)))
    beside_ns = np.array([-20_000_000, 20_000_000])
    stamps_ns = (BEND.scan_stamps_ns[:num, None] + beside_ns).ravel()
    write_tum(path, trajectory(stamps_ns, np.repeat(base, 2, axis=0)))
    return path


def run(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.mark.parametrize('base_radar', [(0.0, 0.0, 0.0), (3.7, 0.5, 0.3)])
def test_keyframes_get_the_poses_of_their_stamps(
    old: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    base_radar: tuple[float, float, float],
) -> None:
    poses = new_poses(tmp_path / 'optimized.tum', base_radar)
    x, y, yaw = base_radar
    more = ('--extrinsics', x, y, 0, 0, 0, yaw, '--map-frame', 'site', '--origin', 'UTM 52N')
    assert run('repose', old, '--poses', poses, '--output', tmp_path / 'new.map', *more) == 0
    before, after = PlaceDatabase.load(old), PlaceDatabase.load(tmp_path / 'new.map')
    expected = compose(NEW_FRAME, BEND.xy_yaw[::2])
    np.testing.assert_allclose(after.keyframes.positions_m[:, :2], expected[:, :2], atol=1e-5)
    assert np.abs(wrap_angle(after.keyframes.yaws_rad - expected[:, 2])).max() < 1e-5
    np.testing.assert_array_equal(after.keyframes.stamps_ns, before.keyframes.stamps_ns)
    np.testing.assert_array_equal(after.descriptors(), before.descriptors())
    np.testing.assert_array_equal(after.returns_cm, before.returns_cm)
    assert after.info.uuid != before.info.uuid
    assert (after.info.map_frame_id, after.info.origin) == ('site', 'UTM 52N')
    assert after.info.poses == 'put in from optimized.tum'
    assert 'keyframes  16 of 16, moved by ' in capsys.readouterr().out


def test_without_an_output_the_map_itself_is_replaced(old: Path, tmp_path: Path) -> None:
    uuid = PlaceDatabase.load(old).info.uuid
    assert run('repose', old, '--poses', new_poses(tmp_path / 'new.tum')) == 0
    assert PlaceDatabase.load(old).info.uuid != uuid


def test_keyframes_without_a_pose_are_refused_or_dropped_and_counted(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses = new_poses(tmp_path / 'new.tum', num=21)  # 20 of 30 steps: 11 of 16 keyframes
    before = {file.name: file.read_bytes() for file in old.iterdir()}
    assert run('repose', old, '--poses', poses) == 1
    assert '5 of 16 keyframes have no pose near in time, the first at' in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in old.iterdir()} == before
    assert run('repose', old, '--poses', poses, '--drop', '--output', tmp_path / 'part.map') == 0
    part, whole = PlaceDatabase.load(tmp_path / 'part.map'), PlaceDatabase.load(old)
    assert (len(part), part.info.num_without_pose) == (11, 5)
    np.testing.assert_array_equal(part.descriptors(), whole.descriptors()[: 11 * 4])


def test_wrong_poses_are_told_and_mended_by_what_fits_the_returns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Each is off by 3 m, which is more than the way to the next one.
    wrong = tmp_path / 'wrong.map'
    database = build_database(jolted(BEND, 3.0), small_encoder(tmp_path, 'spinning'), num_views=4)
    database.save(wrong)
    assert database.info.pose_misfit_m is not None
    assert database.info.pose_misfit_m > 2
    assert run('info', wrong) == 0
    printed = capsys.readouterr().out
    assert f'{database.info.pose_misfit_m:.2f} m off the returns between' in printed
    assert 'warning      the poses of map Posts/01 disagree with its returns by ' in printed

    poses = new_poses(tmp_path / 'optimized.tum')
    assert run('repose', wrong, '--poses', poses, '--output', tmp_path / 'good.map') == 0
    assert 'warning' not in capsys.readouterr().out
    good_m = PlaceDatabase.load(tmp_path / 'good.map').info.pose_misfit_m
    assert good_m == pytest.approx(0.4, abs=0.3)

    at_fault = replace(BEND, xy_yaw=BEND.xy_yaw * (-1, 1, 1))
    write_tum(poses, trajectory(BEND.scan_stamps_ns, at_fault.xy_yaw))
    assert run('repose', wrong, '--poses', poses, '--output', tmp_path / 'no.map') == 1
    err = capsys.readouterr().err
    assert 'optimized.tum disagrees with the returns of the map by ' in err
    assert not (tmp_path / 'no.map').exists()


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        ('turned', 'the headings of new.tum are -90 degrees off those of the map'),
        ('scaled', 'new.tum moves 10 times as far from keyframe to keyframe'),
        ('mirrored', 'new.tum moves 48 degrees off the map in the median'),
        ('late', 'in no unit within the time of the drive'),
        ('split', 'the drive is in two frames'),
    ],
)
def test_poses_of_something_else_are_refused_by_name(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, message: str
) -> None:
    planar, stamps_ns = BEND.xy_yaw.copy(), BEND.scan_stamps_ns
    if fault == 'turned':
        planar[:, 2] -= math.pi / 2
    elif fault == 'scaled':
        planar[:, :2] *= 10
    elif fault == 'mirrored':
        planar[:, :2] = planar[:, 1::-1]
    elif fault == 'late':
        stamps_ns = stamps_ns + 10**15
    else:
        planar[15:, 0] += 443_000
    write_tum(tmp_path / 'new.tum', trajectory(stamps_ns, planar))
    assert run('repose', old, '--poses', tmp_path / 'new.tum', '--output', tmp_path / 'no') == 1
    err = capsys.readouterr().err
    assert message in err
    assert not (tmp_path / 'no').exists()


def test_what_is_no_map_is_not_replaced(old: Path, tmp_path: Path) -> None:
    (tmp_path / 'notes').mkdir()
    (tmp_path / 'notes' / 'mine.txt').write_text('keep')
    poses = new_poses(tmp_path / 'new.tum')
    assert run('repose', old, '--poses', poses, '--output', tmp_path / 'notes') == 1
    assert (tmp_path / 'notes' / 'mine.txt').read_text() == 'keep'


def test_segments_of_the_odometry_are_one_after_they_have_poses_in_one_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The odometry began anew at keyframe 12, 500 m away; the back end has joined both parts."""
    session = session_of(tmp_path, 'session.map')
    database = PlaceDatabase.load(session)
    positions_m = database.keyframes.positions_m.copy()
    positions_m[12:, 0] += 500
    database.keyframes = replace(database.keyframes, positions_m=positions_m)
    database.info = replace(database.info, segment_starts=(0, 12))
    database.save(session)
    poses = new_poses(tmp_path / 'optimized.tum', num=21)
    assert run('repose', session, '--poses', poses, '--drop') == 0
    new = PlaceDatabase.load(session)
    assert (len(new), new.info.segment_starts) == (21, (0,))
    expected = compose(NEW_FRAME, BEND.xy_yaw[:21])
    np.testing.assert_allclose(new.keyframes.positions_m[:, :2], expected[:, :2], atol=1e-5)
    assert run('info', session) == 0
    assert 'segments     1\n' in capsys.readouterr().out


def session_of(tmp_path: Path, name: str) -> Path:
    student = small_encoder(tmp_path, '4d')
    session = LiveSession(student.contract.descriptor_size, 1.0)
    descriptor = np.eye(1, student.contract.descriptor_size, dtype=np.float32)[0]
    for stamp_ns, (x, y, yaw) in zip(BEND.scan_stamps_ns.tolist(), BEND.xy_yaw, strict=True):
        returns_cm = np.zeros((4, 2), np.int16)
        pose = np.array([x, y, 0.0]), quaternion_from_yaw(yaw)
        session.add(descriptor, Keyframe(stamp_ns, *pose, returns_cm))
    info = MapInfo(
        SPACE, student.digest, 1, 1.0, '4d', map_frame_id='odom', origin=ODOMETRY_ORIGIN
    )
    PlaceDatabase(session.to_map(info)).save(tmp_path / name)
    return tmp_path / name


def test_two_sessions_are_one_map_only_after_they_have_poses_in_one_frame(tmp_path: Path) -> None:
    first, second = session_of(tmp_path, 'first.map'), session_of(tmp_path, 'second.map')
    with pytest.raises(ValueError, match=r'first\.map and .*second\.map are sessions .* repose'):
        load_maps([first, second])
    for path in (first, second):
        poses = new_poses(tmp_path / 'optimized.tum')
        assert run('repose', path, '--poses', poses, '--map-frame', 'map') == 0
    maps = load_maps([first, second])
    assert [(len(place), place.info.origin) for place in maps] == [(31, ''), (31, '')]


def test_maps_of_other_origins_are_refused_by_name(old: Path, tmp_path: Path) -> None:
    shutil.copytree(old, tmp_path / 'far.map')
    far = PlaceDatabase.load(tmp_path / 'far.map')
    moved_m = far.keyframes.positions_m - (443_000.0, 0.0, 0.0)
    far.keyframes = Trajectory(far.keyframes.stamps_ns, moved_m, far.keyframes.quaternions_xyzw)
    far.info = replace(far.info, uuid=str(uuid4()))
    far.save(tmp_path / 'far.map')
    with pytest.raises(ValueError, match=r'far\.map lies 443 km from .*old\.map: their origins'):
        load_maps([old, tmp_path / 'far.map'])
    for path, origin in ((old, 'UTM 52N'), (tmp_path / 'far.map', 'UTM 51N')):
        database = PlaceDatabase.load(path)
        database.info = replace(database.info, origin=origin)
        database.save(path)
    with pytest.raises(ValueError, match=r"'utm 52n' \(.*old\.map\), 'utm 51n' \(.*far\.map\)"):
        load_maps([old, tmp_path / 'far.map'])


def test_the_revision_changes_with_anything_in_a_map(old: Path, tmp_path: Path) -> None:
    revision = open_map(old).revision
    assert len(revision) == 8
    assert 0 < int(revision, 16) < 2**32
    database = PlaceDatabase.load(old)
    assert database.revision == ''  # not known: of what is in memory
    database.save(tmp_path / 'same.map')
    assert open_map(tmp_path / 'same.map').revision == revision
    database.keyframes.positions_m[3, 0] += 0.01
    database.save(tmp_path / 'moved.map')
    database = PlaceDatabase.load(old)
    database.info = replace(database.info, origin='UTM 52N')
    database.save(tmp_path / 'named.map')
    assert run('convert', old, '--output', tmp_path / 'cells.map') == 0
    names = ('moved', 'named', 'cells')
    assert len({revision, *(open_map(tmp_path / f'{name}.map').revision for name in names)}) == 4


def test_a_map_shows_what_it_holds(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run('info', old) == 0
    printed = capsys.readouterr().out
    uuid = PlaceDatabase.load(old).info.uuid
    for line in (
        f'uuid         {uuid}',
        f'revision     {open_map(old).revision}',
        'keyframes    16, 3.9 m apart',
        'sensor       spinning',
        f'drive        {BEND.name}, 31 scans, unknown origin',
        'frame        map, zero: not stated',
    ):
        assert line in printed
    database = PlaceDatabase.load(old)
    simulated = Origin('simulated', 'ssd_ros 1.0', 'Sim_Town_0007', 7)
    database.info = replace(database.info, data_origin=simulated, origin='UTM 52N')
    database.save(old)
    assert run('info', old) == 0
    printed = capsys.readouterr().out
    assert '31 scans, simulated by ssd_ros 1.0 (Sim_Town_0007)' in printed
    assert 'zero: UTM 52N' in printed
    assert run('info', old.parent) == 1
    assert 'is not a map' in capsys.readouterr().err


def test_new_poses_replace_no_map_of_another_radar(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = PlaceDatabase.load(old)
    database.info = replace(database.info, sensor='4d', uuid=str(uuid4()))
    database.save(tmp_path / 'session.map')
    before = {file.name: file.read_bytes() for file in old.iterdir()}
    poses = new_poses(tmp_path / 'new.tum')
    command = ['repose', str(tmp_path / 'session.map'), '--poses', str(poses), '--output']
    assert main([*command, str(old)]) == 1
    assert "is a map of sensor 'spinning', not of '4d'" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in old.iterdir()} == before
    assert main([*command, str(tmp_path / 'session.map')]) == 0


def test_a_map_is_converted_to_squares_and_the_node_opens_it(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / 'city.map'
    assert run('convert', old, '--output', new, '--session', 'Bend', '--day', '2026-03-01') == 0
    printed = capsys.readouterr().out
    assert 'squares      1 of 512 m\n' in printed
    assert 'session 0    Bend of 2026-03-01, 16 keyframes\n' in printed
    assert 'search       all rows are compared\n' in printed
    (database,), flat = load_maps(str(new)), PlaceDatabase.load(old)
    assert database.info == flat.info
    np.testing.assert_allclose(database.descriptors(), flat.descriptors(), atol=1e-3)
    next(new.glob('cells/0_0.*')).unlink()
    assert run('info', new) == 1
    assert 'no square can be read' in capsys.readouterr().err
    assert run('convert', old, '--output', old / 'within') == 1
    assert 'lies within the map' in capsys.readouterr().err
    assert run('convert', old, '--output', new, '--day', '1 March') == 1
    assert "day is '1 March', expected YYYY-MM-DD" in capsys.readouterr().err
