# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the doctor says of recordings with and without a fault."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path
import re

import numpy as np
import pytest
from ssd_ros.cli.doctor.command import main
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.maps.builder import build_database
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud
from support.posts import (
    jolted,
    moving_drive,
    MovingDrive,
    PostDrive,
    random_posts,
    small_encoder,
    write_small_encoder,
)

TURNED_RAD = math.radians(5)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_encoder(tmp_path_factory.mktemp('model') / 'student.onnx', '4d'))


def told(
    capsys: pytest.CaptureFixture[str], student: str, drive: Path, *more: object
) -> tuple[int, dict[str, tuple[str, str]]]:
    """Return the exit code, and level and words of the first finding of each subject."""
    capsys.readouterr()
    code = main([str(drive), '--student', student, *map(str, more)])
    lines = [re.split(r'\s+', line, maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    return code, {line[1]: (line[0], line[2]) for line in reversed(lines) if len(line) == 3}


def bag_of(drive: MovingDrive, path: Path) -> Path:
    write_rosbag2(path, drive, with_scans=False)
    return path


def test_a_sound_recording_is_fit(
    capsys: pytest.CaptureFixture[str], student: str, tmp_path: Path
) -> None:
    code, found = told(capsys, student, bag_of(moving_drive(), tmp_path / 'bag'))
    assert code == 0
    assert found['clouds'] == (
        'note',
        '/radar/points (sensor_msgs/msg/PointCloud2), 40 messages: a radar: its clouds have '
        'Doppler',
    )
    assert found['poses'] == ('note', '/ground_truth/odom (nav_msgs/msg/Odometry), 40 messages')
    assert found['rate'] == ('good', '40 scans in 10 s, 4.0 a second')
    assert found['Doppler'] == ('good', 'velocity known in 100% of the scans, up to 8.0 m/s')
    assert found['odometry'] == ('good', 'poses for 100% of the scans')
    level, words = found['mounting']
    assert level == 'good'
    assert words.startswith('the radar points 0.0 degrees')


def test_a_turned_radar_is_told_with_a_correction_that_mends_it(
    capsys: pytest.CaptureFixture[str], student: str, tmp_path: Path
) -> None:
    bag = bag_of(moving_drive(turned_rad=TURNED_RAD), tmp_path / 'bag')
    code, found = told(capsys, student, bag)
    level, words = found['mounting']
    assert (code, level) == (1, 'MEND')
    assert 'points 5.0 degrees' in words
    correction = re.search(r'add ([+-][.\d]+) rad', words)
    assert correction is not None
    yaw_rad = float(correction[1])
    assert yaw_rad == pytest.approx(TURNED_RAD, abs=0.002)
    code, found = told(capsys, student, bag, '--extrinsics', 0, 0, 0, 0, 0, yaw_rad)
    assert (code, found['mounting'][0]) == (0, 'good')
    parameters = tmp_path / 'mounting.yaml'
    extrinsics = f'[0.0, 0.0, 0.0, 0.0, 0.0, {yaw_rad}]'
    parameters.write_text(
        f'ssd_localizer:\n  ros__parameters:\n    radar_extrinsics: {extrinsics}\n'
    )
    code, found = told(capsys, student, bag, '--params', parameters)
    assert (code, found['mounting'][0]) == (0, 'good')


def test_a_data_set_is_examined_as_a_recording_is(
    capsys: pytest.CaptureFixture[str], student: str, tmp_path: Path
) -> None:
    write_hercules(tmp_path, 'Posts', '01', moving_drive(turned_rad=-TURNED_RAD))
    code, found = told(capsys, student, tmp_path / 'Posts' / '01')
    assert (code, found['mounting'][0]) == (1, 'MEND')
    assert 'to the right' in found['mounting'][1]


def test_the_wrong_sign_of_doppler_is_told(
    capsys: pytest.CaptureFixture[str], student: str, tmp_path: Path
) -> None:
    bag = bag_of(moving_drive(num=60, doppler_sign=-1), tmp_path / 'bag')
    code, found = told(capsys, student, bag)
    assert (code, found['Doppler'][0], found['mounting'][0]) == (1, 'MEND', 'note')
    assert 'set doppler_sign to -1' in found['Doppler'][1]
    parameters = tmp_path / 'sign.yaml'
    parameters.write_text('ssd_localizer:\n  ros__parameters:\n    doppler_sign: -1\n')
    assert told(capsys, student, bag, '--params', parameters)[0] == 0


class Odd(MovingDrive):
    """A drive whose clouds have no Doppler, or hardly a point."""

    num_points = 1000
    is_blind = False

    def cloud(self, index: int) -> RadarPointCloud:
        cloud = super().cloud(index)
        cloud = cloud.select(np.arange(len(cloud)) < self.num_points)
        still = np.zeros(len(cloud), np.float32)
        return replace(cloud, radial_velocity_mps=still) if self.is_blind else cloud


@pytest.mark.parametrize(
    ('num_points', 'is_blind', 'subject', 'words'),
    [
        (1000, True, 'Doppler', 'is 0 in all scans while the odometry moves'),
        (4, False, 'points', 'nothing is accepted below 30'),
    ],
)
def test_clouds_that_tell_too_little_are_told(
    capsys: pytest.CaptureFixture[str],
    student: str,
    tmp_path: Path,
    num_points: int,
    is_blind: bool,
    subject: str,
    words: str,
) -> None:
    moving = moving_drive()
    drive = Odd(moving.posts, moving.xy_yaw, step_ns=moving.step_ns)
    drive.num_points, drive.is_blind = num_points, is_blind
    code, found = told(capsys, student, bag_of(drive, tmp_path / 'bag'))
    assert (code, found[subject][0]) == (1, 'MEND')
    assert words in found[subject][1]


class Late(MovingDrive):
    """A drive whose scans are stamped a step of 250 ms late."""

    def cloud(self, index: int) -> RadarPointCloud:
        before = super().cloud(max(index - 1, 0))
        return replace(before, stamp_ns=int(self.cloud_stamps_ns[index]))


@pytest.mark.parametrize(
    ('kind', 'late_s', 'expected'), [(MovingDrive, 0.0, 'good'), (Late, 0.25, 'MEND')]
)
def test_scans_that_are_stamped_late_are_told(
    capsys: pytest.CaptureFixture[str],
    student: str,
    tmp_path: Path,
    kind: type[MovingDrive],
    late_s: float,
    expected: str,
) -> None:
    seconds = np.arange(120) * 0.25
    along_m = 6 * seconds + 6 * np.sin(seconds / 2)  # at 3 to 9 m/s
    xy_yaw = np.column_stack([along_m, 0 * along_m, 0 * along_m])
    bag = bag_of(kind(moving_drive().posts, xy_yaw, step_ns=250_000_000), tmp_path / 'bag')
    code, found = told(capsys, student, bag)
    level, words = found['clocks']
    assert (level, code) == (expected, int(expected == 'MEND'))
    stamped = re.search(r'stamped (\d\.\d+) s', words)
    assert stamped is not None
    assert float(stamped[1]) == pytest.approx(late_s, abs=0.03)
    assert late_s == 0 or 'late of the odometry' in words


def test_a_map_is_looked_at_and_what_cannot_be_read_is_to_be_mended(
    capsys: pytest.CaptureFixture[str], student: str, tmp_path: Path
) -> None:
    bag = bag_of(moving_drive(), tmp_path / 'bag')
    teacher = small_encoder(tmp_path, 'spinning')
    build_database(moving_drive(), teacher).save(tmp_path / 'map')
    code, found = told(capsys, student, bag, '--map', tmp_path / 'map')
    assert code == 0
    assert 'keyframes of Posts/01' in found['map'][1]
    build_database(jolted(moving_drive(), 2.0), teacher).save(tmp_path / 'wrong')
    code, found = told(capsys, student, bag, '--map', tmp_path / 'wrong')
    assert (code, found['map'][0]) == (1, 'MEND')
    assert found['map'][1].startswith('the poses of map Posts/01 disagree with its returns by ')
    code, found = told(capsys, student, bag, '--topic', '/lidar')
    assert (code, found['reading'][0]) == (1, 'MEND')
    assert "has no topic '/lidar'" in found['reading'][1]
    assert told(capsys, student, tmp_path / 'nowhere')[0] == 1


@pytest.fixture(scope='module')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_encoder(tmp_path_factory.mktemp('model') / 'teacher.onnx', 'spinning'))


def bending_drive(yaw_sign: int = 1) -> PostDrive:
    """Return a drive round a circle of 16 m with many posts; its poses may say the other way."""
    angle_rad = np.arange(40) * 0.25
    x_m, y_m = 16 * np.sin(angle_rad), 16 * (1 - np.cos(angle_rad))
    kind = PostDrive if yaw_sign > 0 else MisreadHeadings
    xy_yaw = np.stack([x_m, y_m, angle_rad], axis=1)
    return kind(random_posts(600), xy_yaw, step_ns=250_000_000)


class MisreadHeadings(PostDrive):
    """A drive whose headings were counted clockwise."""

    @property
    def scan_poses(self) -> Trajectory:
        poses = PostDrive.scan_poses.__get__(self)
        return replace(poses, quaternions_xyzw=quaternion_from_yaw(-poses.yaws_rad))


@pytest.mark.parametrize('yaw_sign', [1, -1])
def test_turns_of_a_spinning_radar_are_examined(
    capsys: pytest.CaptureFixture[str], teacher: str, tmp_path: Path, yaw_sign: int
) -> None:
    write_rosbag2(tmp_path / 'bag', bending_drive(yaw_sign))
    database = build_database(bending_drive(), small_encoder(tmp_path, 'spinning'))
    database.save(tmp_path / 'map')
    more = ['--sensor', 'spinning', '--map', tmp_path / 'map']
    code, found = told(capsys, teacher, tmp_path / 'bag', *more)
    assert code == 1  # no calibration has seen a spinning radar
    assert found['radar'][1].startswith('this radar is unlike those the calibration knows: a spin')
    assert found['turns'] == (
        'note',
        '/radar/polar (sensor_msgs/msg/Image), 40 messages: turns of a spinning radar, or '
        'pictures of a camera',
    )
    assert found['rate'] == ('good', '40 scans in 10 s, 4.0 a second')
    assert found['odometry'] == ('good', 'poses for 100% of the scans')
    assert found['brightness'][0] == 'good'
    level, words = found['turning']
    if yaw_sign > 0:
        assert (level, words) == ('good', 'with the headings 39 times, against them 0')
    else:
        assert (level, words.partition(':')[0]) == ('MEND', 'the images turn against the headings')
