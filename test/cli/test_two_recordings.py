# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check that the map and its queries may come from two cars.

One recording holds scans of a spinning radar, the other clouds of a 4D radar; the poses of both
lie in files beside them.
"""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil

import numpy as np
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.cli.cache.command import main as cache
from ssd_ros.cli.cache.jobs import read_preprocessing
from ssd_ros.cli.estimate_rcs_correction.command import main as estimate
from ssd_ros.cli.evaluate.command import main as evaluate
from ssd_ros.cli.replay.command import main as replay
from ssd_ros.cli.trust.command import main as trust
from ssd_ros.confidence.file import write_confidence
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.evaluation.queries.pairs import pairs_of
from ssd_ros.shared_files import shared_file
from support.calibrations import invented_calibration
from support.posts import OneRadar, SPACE, straight_drive, write_small_encoder

PREPROCESSING = read_preprocessing(shared_file('config/training.yaml'))
MAPPED = straight_drive(num=20)
BESIDE = replace(MAPPED, xy_yaw=MAPPED.xy_yaw[5:15] + np.array([0.5, 0.5, 0.1]))
ELSEWHERE = straight_drive(num=6, seed=9)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three bags of one name, their poses and two models."""
    path = tmp_path_factory.mktemp('two_cars')
    for car, drive, sensor in (
        ('mapping', MAPPED, 'spinning'),
        ('radar', BESIDE, '4d'),
        ('away', ELSEWHERE, '4d'),
    ):
        (path / car).mkdir()
        write_rosbag2(path / car / 'bag', OneRadar(drive, sensor))  # type: ignore[arg-type]
        write_hercules_poses(path / f'{car}.txt', drive.scan_poses)
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    return path


def models(folder: Path) -> list[str]:
    return ['--student', str(folder / 'student.onnx'), '--teacher', str(folder / 'teacher.onnx')]


def poses(folder: Path, *cars: str) -> list[str]:
    return ['--poses', *(str(folder / f'{car}.txt') for car in cars)]


def test_evaluate_finds_the_one_in_the_map_of_the_other(folder: Path, tmp_path: Path) -> None:
    drives = ['--map', f'{folder}/mapping/bag', '--queries', f'{folder}/radar/bag']
    topics = ['--scan-topic', '/radar/polar', '--points-topic', '/radar/points']
    files = ['--json', str(tmp_path / 'out.json'), '--device', 'cpu']
    options = [*poses(folder, 'mapping', 'radar'), *topics, *files]
    assert evaluate([*models(folder), *drives, *options]) == 0
    (result,) = json.loads((tmp_path / 'out.json').read_text())['results']
    assert (result['task'], result['map_drive'], result['query_drive']) == (
        'multi', 'bag', 'radar/bag'
    )  # fmt: skip
    score = result['score']
    assert (score['num_queries'], score['recall_at_1']) == (10, 1.0)


def test_trust_asks_the_one_in_the_map_of_the_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drives = ['--drives', f'{folder}/mapping/bag', f'{folder}/radar/bag']
    strangers = ['--strangers', f'{folder}/away/bag', '--out', str(tmp_path / 'work')]
    options = [*models(folder), *poses(folder, 'mapping', 'radar', 'away'), '--jobs', '1']
    calibration = invented_calibration(0.6, -2.0, overlap=8.0)
    # A car without 4D radar makes no map of one, which needs no calibration then.
    write_confidence(tmp_path / 'confidence.json', SPACE, {'spinning': calibration})
    files = ['--confidence', f'{tmp_path}/confidence.json', '--report', f'{tmp_path}/report']
    assert trust([*drives, *strangers, *options, *files]) == 0
    asked = json.loads((tmp_path / 'report.json').read_text())['drives']
    assert [(one['queries'], one['map'], one['kind'], one['num_queries']) for one in asked] == [
        ('here/radar_bag', 'here/mapping_bag', 'other session', 10),
        ('elsewhere/away_bag', 'here/mapping_bag', 'other world', 6),
    ]
    assert asked[0]['num_answerable'] == 10
    assert asked[0]['recall_by_distance'] > 0.7
    # Other poses are another drive, not the one whose queries are there already.
    changed = [*models(folder), *poses(folder, 'mapping', 'away', 'away'), '--jobs', '1']
    assert trust([*drives, *strangers, *changed]) == 1
    assert 'were made with another source' in capsys.readouterr().err


def test_a_cache_pairs_them_whichever_is_named_first(folder: Path, tmp_path: Path) -> None:
    for car, name in (('radar', 'a_radar'), ('mapping', 'b_mapping')):
        shutil.copytree(folder / car / 'bag', tmp_path / name)
    options = [*poses(folder, 'radar', 'mapping'), '--jobs', '1', '--out', str(tmp_path / 'out')]
    drives = ['--drives', str(tmp_path / 'a_radar'), str(tmp_path / 'b_mapping')]
    assert cache([*drives, '--world', 'posts', *options]) == 0
    cached = load_drives(tmp_path / 'out' / 'test', PREPROCESSING)
    assert [(len(one.student_bevs), len(one.panoramas)) for one in cached] == [(10, 0), (0, 20)]
    (pair,) = pairs_of(cached, 'multi')
    assert (pair.map_drive.name, pair.query_drive.name) == ('posts/b_mapping', 'posts/a_radar')
    assert pairs_of(cached, 'single') == pairs_of(cached, '4d') == []


def test_options_that_a_drive_cannot_heed_end_every_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = str(write_hercules(tmp_path, 'Posts', '01', MAPPED))
    out = str(tmp_path / 'out')
    for main, drives, option, value in (
        (build_db, ['--input', drive, '--output', out], '--range-resolution', '0.0596'),
        (cache, ['--drives', drive, '--world', 'w', '--out', out], '--scan-topic', '/a'),
        (evaluate, ['--map', drive, '--queries', drive], '--spinning-preset', 'fomo'),
        (evaluate, ['--map', drive, '--queries', drive], '--points-topic', '/a'),
        (trust, ['--drives', drive, '--out', out, '--jobs', '1'], '--poses-topic', '/a'),
        (estimate, ['--drives', drive], '--range-resolution', '0.1'),
    ):
        assert main([*drives, option, value]) == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert f'{option} {value} is an option of ' in error
        assert f'{drive} is read as hercules' in error
    both = ['--poses', str(folder / 'mapping.txt'), '--poses-topic', '/odom']
    drive = f'{folder}/mapping/bag'
    assert build_db(['--input', drive, '--output', f'{tmp_path}/map', *both]) == 1
    assert '--poses and --poses-topic for' in capsys.readouterr().err


def test_replay_judges_by_a_file_of_poses(folder: Path, tmp_path: Path) -> None:
    output = ['--output', str(tmp_path / 'map'), *models(folder)[2:]]
    drive = ['--input', f'{folder}/mapping/bag', *poses(folder, 'mapping')]
    assert build_db([*drive, *output]) == 0
    drive = ['--input', f'{folder}/radar/bag', *poses(folder, 'radar'), '--truth']
    output = ['--json', str(tmp_path / 'out.json'), *models(folder)[:2]]
    assert replay([*drive, '--map', str(tmp_path / 'map'), *output]) == 0
    truth = json.loads((tmp_path / 'out.json').read_text())['truth']
    assert (truth['queries'], truth['queries_in_map']) == (10, 10)
