# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that every command reads recorded drives by the same options."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

import pytest
from ssd_ros.cli.common.drive_options import (
    add_drive_options,
    DATASETS,
    DriveOptions,
    flag_of,
    NAMES,
    options_of,
)
from ssd_ros.datasets.formats import open_sequence

A, B, C = Path('a'), Path('b'), Path('c')
# What each command reads of a drive.
COMMANDS = {
    'build_db': ('4d', 'spinning', 'lidar'),
    'cache': ('4d', 'spinning', 'lidar'),
    'estimate_rcs_correction': ('4d', 'spinning'),
    'evaluate': ('4d', 'spinning', 'lidar'),
    'replay': ('4d', 'spinning'),
    'trust': ('4d', 'spinning', 'lidar'),
}
OF_ONE_SENSOR = {
    'points_topic': '4d',
    'scan_topic': 'spinning',
    'lidar_source': 'lidar',
    'spinning_preset': 'spinning',
    'range_resolution': 'spinning',
}
OF_BOTH = {'points_extrinsics'}


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_drive_options(parser, order='--drives')
    return parser.parse_args(words)


def test_every_format_of_the_readers_can_be_named() -> None:
    assert ('auto', *open_sequence.DATASETS) == DATASETS


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_has_the_options_of_what_it_reads(command: str) -> None:
    parser = import_module(f'ssd_ros.cli.{command}.command').parser()
    text = parser.format_help()
    for name in NAMES:
        is_read = OF_ONE_SENSOR.get(name, COMMANDS[command][0]) in COMMANDS[command]
        is_read &= name not in OF_BOTH or len(COMMANDS[command]) > 1
        assert (f'{flag_of(name)} ' in text) == is_read, name


def test_one_value_is_for_all_drives() -> None:
    found = options_of(parsed('--dataset', 'rosbag2', '--points-topic', '/radar'), [A, B])
    assert found == [DriveOptions(dataset='rosbag2', points_topic='/radar')] * 2


def test_values_go_to_the_drives_in_order() -> None:
    words = '--poses a.txt - c.txt --spinning-preset - fomo utias --range-resolution 0.04 - -'
    assert options_of(parsed(*words.split()), [A, B, C]) == [
        DriveOptions(poses=Path('a.txt'), range_resolution=0.04),
        DriveOptions(spinning_preset='fomo'),
        DriveOptions(poses=Path('c.txt'), spinning_preset='utias'),
    ]


def test_another_number_of_values_is_refused() -> None:
    message = '--poses has 2 values for 3 drives: give one for all or one for each, - for a drive'
    with pytest.raises(ValueError, match=message):
        options_of(parsed('--poses', 'a.txt', 'b.txt'), [A, B, C])


@pytest.mark.parametrize('metres', ['0', '-0.04', 'nan', 'inf', '44'])
def test_a_range_resolution_that_no_radar_has_is_wrong_usage(
    metres: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(f'--range-resolution={metres}')
    assert f'{metres} is not between 0 and 10 m' in capsys.readouterr().err


def test_other_options_and_other_poses_make_another_drive(tmp_path: Path) -> None:
    file = tmp_path / 'poses.txt'
    file.write_text('1 0 0 0 0 0 0 1\n')
    first = DriveOptions(poses=file, scan_topic='/a').digest
    assert DriveOptions().digest == DriveOptions(dataset='rosbag2').digest == ''
    assert DriveOptions(poses=file, scan_topic='/b').digest != first
    assert DriveOptions(poses=file, scan_topic='/a').digest == first
    file.write_text('1 5 0 0 0 0 0 1\n')
    assert DriveOptions(poses=file, scan_topic='/a').digest != first
