# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that data say whether they were simulated, from the recording to the report."""

from __future__ import annotations

from dataclasses import replace
import json
import logging
from pathlib import Path
import shutil

import numpy as np
import pytest
from ssd_ros.cli.cache.command import main as cache
from ssd_ros.cli.cache.jobs import read_preprocessing
from ssd_ros.cli.common.drives import DriveWithPoses, open_drive
from ssd_ros.data_origin import kind_of, label_of, Origin, radar_of, read_origin
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import origin_of
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.scores.results import (
    Evaluation,
    origin_of_drives,
    read_evaluation,
    write_evaluation,
)
from ssd_ros.evaluation.tables.papers import markdown
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.shared_files import shared_file
from support.posts import PostDrive, small_encoder, straight_drive, write_sealed_meta

SIMULATED = Origin('simulated', 'ssd_ros 9.9.9', 'Sim_Town_0007', 7)
DRIVE = replace(straight_drive(num=4), origin=SIMULATED)
PREPROCESSING = read_preprocessing(shared_file('config/training.yaml'))


def test_several_drives_have_one_origin_or_a_mixed_one() -> None:
    assert kind_of(['simulated', 'simulated']) == 'simulated'
    assert kind_of(['simulated', 'unknown']) == kind_of(['recorded', 'simulated']) == 'mixed'
    assert kind_of([]) == 'unknown'
    assert radar_of(kind_of(['recorded', 'mixed'])) == 'radar of mixed origin'
    assert [label_of(kind) for kind in ('recorded', 'unknown')] == ['recorded', 'unknown origin']


def test_an_origin_in_words() -> None:
    assert SIMULATED.text == 'simulated by ssd_ros 9.9.9 (Sim_Town_0007)'
    assert Origin('recorded', 'hercules').text == 'recorded for hercules'
    assert Origin().text == 'unknown origin'


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
def test_a_bag_tells_whatever_it_is_called(tmp_path: Path, storage: str) -> None:
    path = write_rosbag2(tmp_path / 'town', DRIVE, storage)
    (file,) = (one for one in path.iterdir() if one.suffix in ('.db3', '.mcap'))
    moved = tmp_path / 'library'
    path.rename(moved)
    for found in (moved, moved / file.name):
        assert origin_of(open_sequence(found)) == SIMULATED
        assert origin_of(open_sequence(found, 'rosbag2')) == SIMULATED
    # A file alone has left what it said behind.
    shutil.copy(moved / file.name, tmp_path / file.name)
    assert origin_of(open_sequence(tmp_path / file.name)) == Origin()


def test_a_folder_in_the_layout_of_hercules_tells(tmp_path: Path) -> None:
    path = write_hercules(tmp_path, 'Library', '01', DRIVE)
    assert origin_of(open_sequence(path)) == SIMULATED
    # Nobody's word makes it recorded.
    assert origin_of(open_sequence(path, 'hercules')) == SIMULATED
    (path / 'origin.json').unlink()
    assert origin_of(open_sequence(path)) == Origin()
    assert origin_of(open_sequence(path, 'hercules')) == Origin('recorded', 'hercules')
    (path / 'sim_meta.json').write_text(
        json.dumps({'simulated': True, 'seed': 3, 'versions': {'ssd_ros': '0.1.0'}})
    )
    assert origin_of(open_sequence(path)) == Origin('simulated', 'ssd_ros 0.1.0', '', 3)


def test_a_name_is_no_origin(tmp_path: Path) -> None:
    path = write_hercules(tmp_path, 'Sim_Town_0007', '01', replace(DRIVE, origin=Origin()))
    assert origin_of(open_sequence(path)).text == 'unknown origin'


@pytest.mark.parametrize(
    'text',
    [
        '{',
        '[]',
        '{"kind": "real"}',
        '{"kind": "recorded", "by": 5}',
        '{"kind": "recorded", "by": "a\\nb"}',
        '{"kind": "recorded", "extra": 1}',
        json.dumps({'kind': 'recorded', 'by': 'a' * 300}),
        '[' * 50_000,
        ' ' * 70_000,
    ],
)
def test_a_file_that_is_no_origin_leaves_it_unknown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / 'origin.json').write_text(text)
    with caplog.at_level(logging.WARNING):
        assert read_origin(tmp_path) == Origin()
    assert 'does not tell where the data come from' in caplog.text


def test_other_poses_and_another_name_keep_it(tmp_path: Path) -> None:
    drive = open_drive(write_hercules(tmp_path, 'Library', '01', DRIVE))
    named = DriveWithPoses(drive, 'town/1', drive.cloud_poses, drive.scan_poses, drive.lidar_poses)
    assert origin_of(named) == SIMULATED


def test_simulated_drives_stay_simulated_in_a_world_of_any_name(tmp_path: Path) -> None:
    """The case that gave `Real radar`: drives by path, in a world that is not called Sim_..."""
    drives = [
        write_rosbag2(tmp_path / 'first', DRIVE),
        write_hercules(tmp_path, 'Library', '02', replace(DRIVE, posts=DRIVE.posts + 1)),
        write_hercules(tmp_path, 'Library', '03', replace(DRIVE, origin=Origin())),
    ]
    options = ['--world', 'town', '--jobs', '1', '--out', str(tmp_path / 'cache')]
    assert cache(['--drives', *map(str, drives), *options]) == 0
    cached = load_drives(tmp_path / 'cache' / 'test', PREPROCESSING)
    assert [(one.name, one.origin) for one in cached] == [
        ('town/02', SIMULATED), ('town/03', Origin()), ('town/first', SIMULATED)
    ]  # fmt: skip
    assert origin_of_drives([cached[0], cached[2]]) == 'simulated'
    assert origin_of_drives(cached) == 'mixed'
    assert origin_of_drives(cached[1:2]) == 'unknown'
    # A cache of earlier makes is read, and unknown.
    meta = tmp_path / 'cache' / 'test' / 'town_first' / 'meta.json'
    values = json.loads(meta.read_text())
    del values['origin']
    meta.write_text(json.dumps(values))
    assert load_drives(meta.parents[1], PREPROCESSING)[2].origin == Origin()


@pytest.mark.parametrize(
    ('kind', 'words'),
    [
        ('simulated', 'simulated radar'),
        ('recorded', 'recorded radar'),
        ('mixed', 'radar of mixed origin'),
        ('unknown', 'radar of unknown origin'),
    ],
)
def test_results_and_their_tables_tell(tmp_path: Path, kind: str, words: str) -> None:
    file = tmp_path / 'evaluation.json'
    write_evaluation(file, Evaluation(Protocol(), kind, []))
    read = read_evaluation(file)
    assert read.origin == kind
    assert f'**All of our numbers are {words}.**' in markdown(read, {})


def test_earlier_results_are_simulated_or_unknown_never_recorded(tmp_path: Path) -> None:
    file = tmp_path / 'evaluation.json'
    write_evaluation(file, Evaluation(Protocol(), 'recorded', []))
    document = json.loads(file.read_text())
    del document['origin']
    for said, kind in ((True, 'simulated'), (False, 'unknown')):
        file.write_text(json.dumps({**document, 'simulated': said}))
        assert read_evaluation(file).origin == kind
    file.write_text(json.dumps({**document, 'origin': 'real'}))
    with pytest.raises(ValueError, match="origin is 'real'; choose from simulated, recorded"):
        read_evaluation(file)


def test_a_map_keeps_it_and_an_earlier_one_is_unknown(tmp_path: Path) -> None:
    teacher = small_encoder(tmp_path, 'spinning')
    build_database(DRIVE, teacher, num_views=4).save(tmp_path / 'map')
    assert PlaceDatabase.load(tmp_path / 'map').info.data_origin == SIMULATED
    meta = tmp_path / 'map' / 'meta.json'
    values = json.loads(meta.read_text())
    del values['info']['data_origin']
    write_sealed_meta(meta, values)
    assert PlaceDatabase.load(tmp_path / 'map').info.data_origin == Origin()


def test_a_drive_that_does_not_tell_is_unknown() -> None:
    class Untold:
        def __init__(self, drive: PostDrive) -> None:
            self.cloud_stamps_ns = np.zeros(0, np.int64)

    assert origin_of(Untold(DRIVE)) == Origin()  # type: ignore[arg-type]
