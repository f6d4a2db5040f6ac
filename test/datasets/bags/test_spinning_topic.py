# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the scans of every live source of spinning radar are read from a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from ssd_ros.cli.common.drive_options import SPINNING_PRESETS
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.spinning.preset import PRESETS
from ssd_ros.radar.types import SpinningRadarScan
from support.spinning_messages import (
    azimuth,
    b_scan,
    bag_of,
    COUNTS,
    header,
    image,
    network,
    new,
    RECORDINGS,
    ROWS,
    SECOND_NS,
    sweep,
    sweeps,
)


def assert_echo(scan: SpinningRadarScan, num_azimuths: int = 400) -> None:
    row, column = np.unravel_index(np.argmax(scan.power), scan.power.shape)
    assert scan.power[row, column] == 200
    assert np.degrees(scan.azimuths_rad[column]) == pytest.approx(36)
    assert row == 205
    assert scan.power.shape[1] == num_azimuths


@pytest.mark.parametrize('storage', [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
@pytest.mark.parametrize(('name', 'messages'), RECORDINGS)
def test_a_recording_is_read_with_the_preset_of_its_source(
    tmp_path: Path, name: str, messages: list[Any], storage: StoragePlugin
) -> None:
    topic = PRESETS[name].topic or '/radar/polar'
    path = bag_of(tmp_path / 'bag', topic, messages, storage)
    config = Rosbag2Config(sensors=('spinning',), spinning_preset=name)
    sequence = Rosbag2Sequence(path, config)
    scan = sequence.scan(0)
    assert_echo(scan)
    resolution_m = PRESETS[name].range_resolution_m or 150 / 500
    assert scan.range_resolution_m == pytest.approx(resolution_m)
    assert len(sequence.scan_stamps_ns) == 1
    assert scan.stamp_ns == sequence.scan_stamps_ns[0]


def test_every_preset_is_among_the_recordings() -> None:
    assert {name for name, _ in RECORDINGS} == set(PRESETS) == set(SPINNING_PRESETS)


@pytest.mark.parametrize('messages', [[b_scan(ROWS, COUNTS)], sweeps(400, 0)])
def test_messages_of_navtech_need_no_preset(tmp_path: Path, messages: list[Any]) -> None:
    assert_echo(Rosbag2Sequence(bag_of(tmp_path / 'bag', '/any', messages)).scan(0))


def test_an_encoder_that_begins_backwards_is_put_right(tmp_path: Path) -> None:
    turned = b_scan(np.roll(ROWS, 200, axis=0), np.roll(COUNTS, 200))
    assert_echo(Rosbag2Sequence(bag_of(tmp_path / 'bag', '/any', [turned])).scan(0))


def test_turns_are_split_where_the_encoder_begins_anew_and_torn_ones_left_out(
    tmp_path: Path,
) -> None:
    # 100 azimuths of a first turn, two whole ones, 50 of a last one.
    path = bag_of(tmp_path / 'bag', '/radar_data/fft_data', sweeps(100 + 800 + 50, 300))
    sequence = Rosbag2Sequence(path)
    # Stamped in the middle of the turn: azimuth 200 of turns that begin at 400 and 800 ms.
    assert ((sequence.scan_stamps_ns - 5 * SECOND_NS) // 1_000_000).tolist() == [600, 1000]
    for index in range(2):
        assert_echo(sequence.scan(index))


def test_a_missing_azimuth_is_no_fault(tmp_path: Path) -> None:
    messages = [message for i, message in enumerate(sweeps(400, 0)) if i != 7]
    sequence = Rosbag2Sequence(bag_of(tmp_path / 'bag', '/any', messages))
    assert_echo(sequence.scan(0), num_azimuths=399)


def configurations(encoder_size: int) -> list[Any]:
    """Return what two drivers say of one radar."""
    return [
        new(
            'navtech_msgs/msg/RadarConfigurationMsg',
            header=header(1),
            azimuth_samples=400,
            encoder_size=encoder_size,
            azimuth_offset=0,
            bin_size=0.0625,
            range_in_bins=500,
            expected_rotation_rate=4,
            range_gain=1.0,
            range_offset=0.0,
        ),
        new(
            'messages/msg/RadarConfigurationMessage',
            header=header(1),
            azimuth_samples=network(400),
            encoder_size=network(encoder_size),
            bin_size=np.frombuffer((625).to_bytes(8, 'little'), np.uint8),
            range_in_bins=network(500),
            expected_rotation_rate=network(4),
        ),
    ]


@pytest.mark.parametrize('configuration', configurations(11200))
def test_the_radar_says_itself_how_many_counts_a_turn_has(
    tmp_path: Path, configuration: Any
) -> None:
    scans = [b_scan(ROWS, COUNTS * 2)]
    path = bag_of(tmp_path / 'bag', '/scan', scans, others=[('/config', configuration)])
    assert_echo(Rosbag2Sequence(path).scan(0))


def test_a_driver_that_leaves_the_counts_at_zero_has_those_of_the_preset(tmp_path: Path) -> None:
    others = [('/config', configurations(0)[0])]
    path = bag_of(tmp_path / 'bag', '/scan', [b_scan(ROWS, COUNTS)], others=others)
    assert_echo(Rosbag2Sequence(path).scan(0))


@pytest.mark.parametrize('configuration', configurations(5600))
def test_the_radar_says_itself_how_deep_a_bin_is(tmp_path: Path, configuration: Any) -> None:
    path = bag_of(tmp_path / 'bag', '/scan', [image(ROWS)], others=[('/config', configuration)])
    config = Rosbag2Config(spinning_preset='navtech_image')
    assert Rosbag2Sequence(path, config).scan(0).range_resolution_m == 0.0625
    told = Rosbag2Config(spinning_preset='navtech_image', range_resolution_m=0.05)
    assert Rosbag2Sequence(path, told).scan(0).range_resolution_m == 0.05


@pytest.mark.parametrize(
    ('message', 'text'),
    [
        (b_scan(ROWS, COUNTS[:-1]), '399 encoder values for 400 azimuths'),
        (b_scan(ROWS, COUNTS * 2), r'encoder count 11172, expected below 5600'),
    ],
)
def test_a_b_scan_with_other_encoder_values_is_refused(
    tmp_path: Path, message: Any, text: str
) -> None:
    sequence = Rosbag2Sequence(bag_of(tmp_path / 'bag', '/any', [message]))
    with pytest.raises(ValueError, match=text):
        sequence.scan(0)


def test_sweeps_of_different_length_are_refused(tmp_path: Path) -> None:
    messages = [azimuth(0, SECOND_NS), sweep(14, SECOND_NS + 1, ROWS[1][:-1])]
    sequence = Rosbag2Sequence(bag_of(tmp_path / 'bag', '/any', messages))
    with pytest.raises(ValueError, match=r'have \[499, 500\] bins'):
        sequence.scan(0)


def test_an_unknown_preset_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = bag_of(tmp_path / 'bag', '/any', [image(ROWS)])
    with pytest.raises(ValueError, match=r"unknown spinning preset 'oxford'; choose from .*utias"):
        Rosbag2Sequence(path, Rosbag2Config(spinning_preset='oxford'))


def test_a_preset_for_another_message_finds_no_topic(tmp_path: Path) -> None:
    path = bag_of(tmp_path / 'bag', '/any', [image(ROWS)])
    sequence = Rosbag2Sequence(path, Rosbag2Config(spinning_preset='fomo'))
    assert len(sequence.scan_stamps_ns) == 0
    with pytest.raises(ValueError, match=r"no topic '/any' of .*RadarBScanMsg"):
        Rosbag2Sequence(path, Rosbag2Config(spinning_preset='fomo', scan_topic='/any'))
