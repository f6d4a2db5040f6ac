# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what the doctor would set, that it helps, and the files that it writes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.image import imread
import numpy as np
import pytest
from ssd_ros.cli.doctor.command import main
from ssd_ros.maps.builder import build_database
from ssd_ros.ros.parameters.file import read_parameter_files
from support.drivers.bags import cloud_message, drive_messages, odometry, transform
from support.posts import moving_drive, MovingDrive, small_encoder, write_small_encoder
from support.recordings import write_ros2

TOPIC = '/front/points'
MOUNTED = (3.6, 0.0, 0.5)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_encoder(tmp_path_factory.mktemp('model') / 'student.onnx', '4d'))


def with_tf(path: Path, drive: MovingDrive, yaw_rad: float, radar: str = 'radar') -> Path:
    """Write a drive whose TF says where the radar sits: on a roof, which sits on the base."""
    messages = list(drive_messages('ars548_upo', TOPIC, drive, radar))
    first_ns = messages[0][1]
    frames = [
        ('/tf_static', first_ns, transform('base_link', 'roof', (0.0, 0.0, 0.5), 0.0)),
        ('/tf_static', first_ns, transform('roof', 'radar', (3.6, 0.0, 0.0), yaw_rad)),
    ]
    return write_ros2(path, frames + messages)


def test_where_the_radar_sits_is_taken_from_tf_and_its_yaw_is_mended(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag, file = with_tf(tmp_path / 'bag', moving_drive(), 0.1), tmp_path / 'my.yaml'
    assert main([str(bag), '--student', student]) == 1
    said = capsys.readouterr().out
    assert "good  frames     TF has 'radar' in 'base_link' at 3.6, 0, 0.5, 0, 0, 0.1" in said
    assert 'MEND  mounting   the 4D radar points 5.7 degrees' in said
    assert main([str(bag), '--student', student, '--write', str(file)]) == 0
    said = capsys.readouterr().out
    _, _, with_that = said.partition('with that:')
    assert 'good  mounting   the radar points 0.0 degrees' in with_that
    *place, yaw_rad = read_parameter_files([file]).radar_extrinsics
    assert place == pytest.approx([*MOUNTED, 0.0, 0.0])
    assert yaw_rad == pytest.approx(0.0, abs=2e-3)
    assert main([str(bag), '--student', student, '--params', str(file)]) == 1  # TF still says so


def test_the_sign_of_doppler_is_set_and_the_file_alone_is_enough(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, file = moving_drive(num=60, doppler_sign=-1), tmp_path / 'my.yaml'
    bag = write_ros2(tmp_path / 'bag', list(drive_messages('ars548_upo', TOPIC, drive)))
    assert main([str(bag), '--student', student, '--write', str(file)]) == 0
    assert read_parameter_files([file]).doppler_sign == -1
    _, _, with_that = capsys.readouterr().out.partition('with that:')
    assert 'good  Doppler    velocity known in 100% of the scans' in with_that
    assert main([str(bag), '--params', str(file)]) == 0
    assert '# Doppler: runs against the odometry' in file.read_text()


def test_odometry_is_chosen_and_its_frames_are_set(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, file = moving_drive(), tmp_path / 'my.yaml'
    messages = []
    for index, stamp_ns in enumerate(drive.cloud_stamps_ns.tolist()):
        x_m = float(drive.cloud_poses.positions_m[index, 0])
        messages += [
            ('/gnss', stamp_ns, odometry(stamp_ns, 0.0, 'earth', 'antenna')),
            ('/wheel/odometry', stamp_ns, odometry(stamp_ns, x_m, 'wheel_odom', 'axle')),
            (TOPIC, stamp_ns, cloud_message('ars548_upo', drive.cloud(index))),
        ]
    bag = write_ros2(tmp_path / 'bag', messages)
    assert main([str(bag), '--student', student, '--write', str(file)]) == 0
    said = capsys.readouterr().out
    assert 'good  odometry   poses for 100% of the scans' in said
    assert f'params_file:={file} odom_topic:=/wheel/odometry' in said
    parameters = read_parameter_files([file])
    assert (parameters.odom_frame, parameters.base_frame) == ('wheel_odom', 'axle')


def test_a_map_that_cannot_be_used_is_to_be_mended_and_the_rest_is_looked_at(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = moving_drive()
    bag = write_ros2(tmp_path / 'bag', list(drive_messages('ars548_upo', TOPIC, drive)))
    build_database(drive, small_encoder(tmp_path, 'spinning', 'b' * 64)).save(tmp_path / 'map')
    more = ['--student', student, '--map', str(tmp_path / 'map')]
    assert main([str(bag), *more, '--write', str(tmp_path / 'my.yaml')]) == 1
    said = capsys.readouterr().out
    assert 'was filled in descriptor space bbbbbbbbbbbb' in said
    assert 'good  Doppler' in said
    assert 'index_path' not in (tmp_path / 'my.yaml').read_text()


def test_a_map_of_the_place_answers_and_goes_into_the_file(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, file = moving_drive(), tmp_path / 'my.yaml'
    bag = write_ros2(tmp_path / 'bag', list(drive_messages('ars548_upo', TOPIC, drive)))
    build_database(drive, small_encoder(tmp_path, 'spinning')).save(tmp_path / 'a:map')
    more = ['--student', student, '--map', str(tmp_path / 'a:map'), '--write', str(file)]
    assert main([str(bag), *more, '--picture', str(tmp_path / 'drive.png')]) == 0
    said = capsys.readouterr().out
    assert '78 x 0 m in frame' in said
    answers = next(line for line in said.splitlines() if 'scans find an accepted place' in line)
    assert int(answers.split()[2]) > 20
    assert read_parameter_files([file]).index_path == f'{tmp_path}/a\\:map'
    picture = imread(tmp_path / 'drive.png')
    assert picture.shape[:2] == (500, 1500)
    assert np.ptp(picture[100:400, 1100:1450, 0]) == 1  # the polar BEV is black and white
