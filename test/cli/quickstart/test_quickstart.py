# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Walk from a running radar to the first pose, through real rclpy, DDS and the real node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.drives.live import LiveDrive  # skips these tests where rclpy is absent

# isort: split
from ssd_ros.cli.quickstart.advice import advice_on, ELSE
from ssd_ros.cli.quickstart.command import EXIT_NO_POSE, main
from ssd_ros.maps.builder import build_database
from ssd_ros.ros.parameters.file import read_parameter_files
from support.calibrations import calibration_of, thinned
from support.posts import (
    MovingDrive,
    random_posts,
    small_encoder,
    straight_drive,
    write_small_encoder,
)

pytestmark = pytest.mark.usefixtures('ros_domain')
# 600 m, as long as a loaded machine takes to start the node and more.
DRIVE = MovingDrive(
    random_posts(num=2000, length_m=600),
    straight_drive(300, step_m=2.0).xy_yaw,
    step_ns=250_000_000,
)


class Kit:
    """A map of the drive, calibrated for its radar or not, and what the command is given."""

    def __init__(self, folder: Path) -> None:
        self.student = write_small_encoder(folder / 'student.onnx', '4d')
        database = build_database(DRIVE, small_encoder(folder, 'spinning'))
        database.save(folder / 'map')
        database.confidence = calibration_of(DRIVE, small_encoder(folder, '4d'))
        database.save(folder / 'calibrated')
        self.folder = folder

    def start(self, name: str, file: Path, seconds: int = 8, wait_s: int = 60) -> int:
        """Run the command with one of the maps; the node ends with it."""
        given = ['--student', str(self.student), '--map', str(self.folder / name)]
        look = ['--seconds', str(seconds), '--wait', str(wait_s)]
        return main([*given, *look, '--write', str(file), '--stop'])


@pytest.fixture(scope='module')
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(tmp_path_factory.mktemp('kit'))


WRONG: dict[str, Any] = {'odometry_topic': '/wheel/odom', 'child': 'axle'}


@pytest.mark.parametrize(('sign', 'options'), [(1, {}), (-1, WRONG)])
def test_a_radar_in_its_map_gets_a_pose_whatever_sign_and_frames_its_driver_has(
    kit: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str], sign: int, options: dict[str, Any]
) -> None:
    drive = MovingDrive(DRIVE.posts, DRIVE.xy_yaw, step_ns=DRIVE.step_ns, doppler_sign=sign)
    with LiveDrive(drive, **options):
        code = kit.start('map', tmp_path / 'my.yaml', seconds=12)  # 40 scans tell the sign
    said = capfd.readouterr().out
    assert code == 0, said
    assert 'the node is up, with 300 keyframes of 1 map(s)' in said
    found = next(line for line in said.splitlines() if line.startswith('found after'))
    assert found.endswith("degrees in 'map'")
    parameters = read_parameter_files([tmp_path / 'my.yaml'])
    assert parameters.doppler_sign == sign
    assert parameters.base_frame == options.get('child', 'base_link')


def test_a_radar_that_no_calibration_knows_gets_none_and_is_told_what_to_do(
    kit: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with LiveDrive(DRIVE, measured=thinned):
        code = kit.start('calibrated', tmp_path / 'my.yaml', wait_s=8)
    said = capfd.readouterr().out
    assert code == EXIT_NO_POSE, said
    assert 'MEND  radar      this radar is unlike those the calibration knows' in said
    _, _, end = said.partition('no pose was accepted in')
    assert ' times: this radar is unlike those the calibration knows: ' in end
    assert 'run `trust --unlabelled` with --store-in' in end


def test_without_a_radar_or_a_map_no_node_is_started(
    kit: Kit, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    short, file = ['--seconds', '1', '--student', str(kit.student)], tmp_path / 'my.yaml'
    assert main([*short, '--write', str(file)]) == 1
    assert 'no scan of a radar can be used: mend what is said above' in capfd.readouterr().err
    with LiveDrive(DRIVE):
        assert main([*short, '--seconds', '4', '--write', str(file)]) == 1
    assert 'no map that can be used: give --map' in capfd.readouterr().err
    assert not file.exists()


def test_advice_is_given_once_for_each_kind_of_reason() -> None:
    first, second, third = advice_on(
        ['confidence # is below #', 'distance # is above #', 'another place fits # times', 'odd']
    )
    assert 'be on a mapped road' in first
    assert 'look alike' in second
    assert third == ELSE
