# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look at a running graph through real rclpy and DDS."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.drives.live import LiveDrive  # skips these tests where rclpy is absent

# isort: split
from ssd_ros.cli.doctor.command import main
from ssd_ros.maps.builder import build_database
from ssd_ros.ros.parameters.file import read_parameter_files
from support.posts import moving_drive, small_encoder, write_small_encoder

pytestmark = pytest.mark.usefixtures('ros_domain')
DRIVE = moving_drive(num=120)
LOOK = ['--seconds', '8']


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_encoder(tmp_path_factory.mktemp('model') / 'student.onnx', '4d'))


def test_a_running_radar_is_found_with_its_map(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_database(DRIVE, small_encoder(tmp_path, 'spinning')).save(tmp_path / 'map')
    file, bag = tmp_path / 'my.yaml', tmp_path / 'heard'
    given = ['--student', student, '--map', str(tmp_path / 'map')]
    files = ['--write', str(file), '--record', str(bag), '--picture', str(tmp_path / 'x.png')]
    with LiveDrive(DRIVE, odometry_topic='/wheel/odom', child='axle'):
        code = main([*LOOK, *given, *files])
    said = capsys.readouterr().out
    assert code == 0, said
    assert '/front/points (sensor_msgs/msg/PointCloud2)' in said
    assert 'good  driver     ars548_upo, by its fields' in said
    assert 'good  stamps     scans come 0.0' in said
    assert 'good  Doppler    velocity known in 100% of the scans' in said
    assert 'good  answers' in said
    assert 'the running graph is fit for use' in said
    parameters = read_parameter_files([file])
    assert parameters.input_topics == ('/front/points',)
    assert parameters.base_frame == 'axle'
    assert f'params_file:={file} odom_topic:=/wheel/odom' in said
    assert (tmp_path / 'x.png').is_file()
    assert main([str(bag), *given]) == 0  # what was heard is a recording like any other


def test_a_clock_of_another_year_is_told_as_the_node_tells_it(
    student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / 'my.yaml'
    with LiveDrive(DRIVE, stamp_of=lambda now_ns: now_ns + 37_000_000_000):
        assert main([*LOOK, '--student', student, '--write', str(file)]) == 0
    said = capsys.readouterr().out
    assert 'stamps of radars and odometry are 37 s ahead, all by the same, and believed' in said
    assert read_parameter_files([file]).stamp_offset == pytest.approx(-37.0, abs=0.2)


def test_a_graph_without_a_radar_says_what_to_look_for(
    student: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['--seconds', '1', '--student', student]) == 1
    said = capsys.readouterr()
    assert 'nobody sends radar, odometry or TF: is the driver running' in said.out
    assert '1 to mend in the running graph, see above' in said.err
