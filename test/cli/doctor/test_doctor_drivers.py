# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the doctor knows every driver and every source of turns, and reads what they send."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.cli.doctor.command import main
from ssd_ros.cli.doctor.drivers import driver_parameters, FIELDS
from ssd_ros.cli.doctor.turn_source import source_of
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.spinning.preset import MESSAGE_TYPES
from ssd_ros.datasets.spinning.preset import PRESETS as SOURCES
from ssd_ros.ros.parameters.file import read_parameter_files
from support.drivers.bags import driver_bag
from support.posts import moving_drive, write_small_encoder
from support.spinning_messages import bag_of, image, RECORDINGS

DRIVERS = sorted(
    path.stem for path in (Path(__file__).parents[3] / 'config' / 'drivers').glob('*.yaml')
)
# Whose messages are the same, so that only the topic tells.
ALIKE = {'hercules': 'ars548_upo'}


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_small_encoder(tmp_path_factory.mktemp('model') / 'student.onnx', '4d'))


def test_every_driver_is_known() -> None:
    assert sorted(FIELDS) == DRIVERS


@pytest.mark.parametrize('name', DRIVERS)
def test_a_recording_of_each_driver_is_read_as_its_preset_says(
    name: str, student: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = driver_parameters(name)
    topic = f'/{usual.input_topics[0].strip("/")}'
    bag = driver_bag(tmp_path / 'bag', name, topic, moving_drive(num=20))
    written = tmp_path / 'written.yaml'
    assert main([str(bag), '--student', student, '--write', str(written)]) == 0
    said = capsys.readouterr().out
    assert f'good  driver     {name}, by its topic and the names of its fields' in said
    assert 'good  Doppler    velocity known in 100% of the scans, up to 8.0 m/s' in said
    parameters = read_parameter_files([written])
    assert parameters.input_topics == (topic,)
    for option in ('input_type', 'intensity_kind', 'field_map', 'angle_unit', 'stamp_source'):
        assert getattr(parameters, option) == getattr(usual, option)
    assert f'params_file:={written}' in said


@pytest.mark.parametrize('name', DRIVERS)
def test_under_another_topic_the_fields_tell(name: str, student: str, tmp_path: Path) -> None:
    from ssd_ros.cli.doctor.contents import first_message
    from ssd_ros.cli.doctor.drivers import driver_of
    from ssd_ros.datasets.bags.cloud_topics import CLOUD_TYPES

    with closing(
        BagReader(driver_bag(tmp_path / 'bag', name, '/front', moving_drive(num=2)))
    ) as reader:
        (kind,) = {each.msgtype for each in reader.connections('/front', CLOUD_TYPES)}
        found = driver_of('/front', kind, first_message(reader, '/front', CLOUD_TYPES))
    assert found is not None
    assert (found.names[0], found.by_topic) == (ALIKE.get(name, name), False)
    assert name in found.names


MULRAN = np.zeros((3360, 400), np.uint8)  # as its player sends it: 200 m
MULRAN[500, 40] = 200


@pytest.mark.parametrize(
    ('name', 'messages'),
    [*(each for each in RECORDINGS if each[0] != 'mulran'), ('mulran', [image(MULRAN)])],
)
def test_each_source_of_turns_is_known(tmp_path: Path, name: str, messages: list[Any]) -> None:
    topic = SOURCES[name].topic or '/radar/polar'
    with closing(BagReader(bag_of(tmp_path / 'bag', topic, messages))) as reader:
        (kind,) = {each.msgtype for each in reader.connections(topic, MESSAGE_TYPES)}
        assert source_of(reader, topic, kind) == name


def test_pictures_of_a_camera_are_no_turns(tmp_path: Path) -> None:
    picture = image(np.zeros((480, 640), np.uint8))
    with closing(BagReader(bag_of(tmp_path / 'bag', '/camera/image', [picture]))) as reader:
        assert source_of(reader, '/camera/image', 'sensor_msgs/msg/Image') is None
