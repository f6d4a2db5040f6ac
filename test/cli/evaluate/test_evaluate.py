# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the command evaluate on two written drives past the same posts."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.evaluate import command as evaluate
from ssd_ros.cli.evaluate.drives import simulated_drives
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.evaluation.scores.results import read_evaluation
from ssd_ros.evaluation.used_radar import UsedRadar
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from support.posts import straight_drive, write_small_encoder

MAPPING = straight_drive(num=20)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with drive 01 of 20 places and drive 02, seen half a metre aside."""
    path = tmp_path_factory.mktemp('evaluate')
    write_hercules(path, 'Posts', '01', MAPPING)
    poses = MAPPING.xy_yaw[5:15] + np.array([0.5, 0.5, 0.1])
    far_away = np.array([[5000.0, 0, 0]])
    # Two minutes from scan to scan: in two seconds no vehicle gets there.
    pause_ns = 120_000_000_000
    beside = replace(MAPPING, xy_yaw=np.concatenate([poses, far_away]), step_ns=pause_ns)
    write_hercules(path, 'Posts', '02', beside)
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    return path


def arguments(folder: Path, *more: str) -> list[str]:
    models = ['--student', str(folder / 'student.onnx'), '--teacher', str(folder / 'teacher.onnx')]
    drives = ['--map', str(folder / 'Posts/01'), '--queries', str(folder / 'Posts/02')]
    return [*models, *drives, '--device', 'cpu', *more]


def test_the_table_and_the_json_agree_with_the_drives(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ('--json', str(tmp_path / 'a/result.json'))
    assert evaluate.main(arguments(folder, *files)) == 0
    report = json.loads((tmp_path / 'a/result.json').read_text())
    (result,) = report['results']
    row = result['score']
    assert (row['num_keyframes'], row['num_queries'], row['num_left_out']) == (20, 10, 1)
    assert row['chance'] == pytest.approx(1 / 20)
    assert row['recall_at_1'] >= 0.8
    assert row['recall_at_5'] >= row['recall_at_1']
    assert row['median_yaw_error_deg'] < 10
    assert row['accepted_precision'] is not None
    assert report['origin'] == 'unknown'
    assert report['settings']['radius'] == '5.0'
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == 'radar of unknown origin'
    assert printed[2].startswith('Posts/01 -> Posts/02 multi    ssd')
    assert f'{row["recall_at_1"]:.3f}' in printed[2]


def test_scans_without_a_pose_are_in_every_report(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a drive whose truth ends long before its scans."""
    poses = MAPPING.cloud_poses.select(np.arange(8))
    write_hercules_poses(tmp_path / 'poses.txt', poses)
    drives = ['--map', str(folder / 'Posts/01'), '--queries', str(folder / 'Posts/01')]
    given = [*arguments(folder)[:4], *drives, '--poses', '-', str(tmp_path / 'poses.txt')]
    files = {name: tmp_path / f'result.{name}' for name in ('json', 'markdown', 'html')}
    words = [word for name, file in files.items() for word in (f'--{name}', str(file))]
    assert evaluate.main([*given, *words]) == 0
    mapped, asked = json.loads(files['json'].read_text())['radars']
    assert (mapped['sensor'], mapped['num_scans'], mapped['num_without_pose']) == (
        'spinning',
        20,
        0,
    )
    assert (asked['sensor'], asked['num_scans'], asked['num_without_pose']) == ('4d', 20, 12)
    told = '12 of 20 scans have no pose: the poses run from 0 to 14 s of 38 s'
    assert asked['poses'].endswith(told)
    assert told in capsys.readouterr().err
    assert '| Posts/01 | 4D radar | 20 | 12 | ' in files['markdown'].read_text()
    assert '<td>20</td><td>12</td>' in files['html'].read_text()
    assert str(tmp_path) not in files['html'].read_text()
    assert read_evaluation(files['json']).radars == [UsedRadar(**mapped), UsedRadar(**asked)]


def test_queries_can_be_thinned_and_the_radius_widened(folder: Path, tmp_path: Path) -> None:
    options = ('--query-spacing', '20', '--radius', '11', '--json', str(tmp_path / 'result.json'))
    assert evaluate.main(arguments(folder, *options)) == 0
    row = json.loads((tmp_path / 'result.json').read_text())['results'][0]['score']
    assert (row['num_queries'], row['num_left_out'], row['radius_m']) == (5, 1, 11)
    assert row['chance'] == pytest.approx(3 / 20)  # of places 10 m apart


def test_scan_contexts_are_judged_through_the_same_chain(folder: Path, tmp_path: Path) -> None:
    drives = arguments(folder)[4:]
    options = ('--encoder', 'scan_context', '--json', str(tmp_path / 'result.json'))
    assert evaluate.main([*drives, *options]) == 0
    (result,) = json.loads((tmp_path / 'result.json').read_text())['results']
    assert (result['num_views'], result['score']['num_queries']) == (1, 10)
    assert result['score']['recall_at_1'] >= 0.8
    assert result['score']['accepted_precision'] is None  # not calibrated: nothing is accepted


def test_windows_of_way_are_asked_beside_the_models_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / 'result.json'
    assert evaluate.main(arguments(folder, '--window', '0', '15', '--json', str(file))) == 0
    own, scans, way = json.loads(file.read_text())['results']
    assert [one['variant'] for one in (own, scans, way)] == [
        '',
        'maximum of 5 scans',
        '15 m of way',
    ]
    assert scans['queries'] == own['queries']
    cells = [np.array(one['queries']['occupied_cells']) for one in (own, way)]
    assert cells[0][0] == cells[1][0]  # of the first scan alone
    # The same posts again, and some that the last scan does not see.
    assert (cells[1] >= cells[0]).all()
    assert (cells[1] > cells[0]).any()
    printed = capsys.readouterr().out
    assert 'Posts/02, 15 m of way: first right answer after ' in printed
    assert ' in 11 cold starts; ' in printed


@pytest.mark.parametrize(
    ('map_sensor', 'task', 'num_keyframes', 'least'),
    [('spinning', 'multi', 20, 0.6), ('4d', '4d', 45, 0.4)],
)
def test_submaps_are_asked_in_maps_of_either_radar(
    folder: Path, tmp_path: Path, map_sensor: str, task: str, num_keyframes: int, least: float
) -> None:
    file = tmp_path / 'result.json'
    options = ('--submap', '100', '--map-sensor', map_sensor, '--json', str(file))
    assert evaluate.main(arguments(folder, *options)) == 0
    report = json.loads(file.read_text())
    (result,) = report['results']
    assert (result['task'], result['variant'], result['num_views']) == (
        task,
        'submaps of 100 m',
        36,
    )
    # Of 20 places those with 50 m of way after them, in three lanes.
    assert result['num_keyframes'] == num_keyframes
    assert result['score']['num_queries'] >= 4
    assert result['score']['recall_at_1'] >= least
    assert report['radars'][0]['sensor'] == map_sensor


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (['--cache', 'x', '--window', '5', '10'], 'several of --window are for drives'),
        (['--cache', 'x', '--submap', '50'], '--submap is for drives'),
        (['--simulate', 'demo', '--map-sensor', '4d'], '--map-sensor 4d is for --submap'),
        (
            ['--simulate', 'demo', '--map-sensor', '4d', '--submap', '50', '--opposite-lane', '3'],
            '--opposite-lane is for maps of a spinning radar or LiDAR',
        ),
        (['--simulate', 'demo', '--submap', '50', '--window', '5'], 'give one or the other'),
        ([], 'give --map and --queries, or --simulate, or --boreas-rt, or --cache'),
        (['--map', 'x'], 'give --map and --queries, or --simulate, or --boreas-rt, or --cache'),
        (['--map', 'x', '--simulate', 'demo'], 'give one or the other'),
        (['--cache', 'x', '--simulate', 'demo'], 'give one or the other'),
        (['--simulate', 'demo', '--database', 'B'], '--database is for --cache alone'),
        (['--simulate', 'demo', '--random-yaw', '0'], '--random-yaw is for --cache alone'),
        (['--simulate', 'demo', '--views', '36', '18'], 'several numbers of --views'),
        (['--cache', 'x', '--encoder', 'scan_context'], '--encoder is for drives'),
        (['--map', '/absent', '--queries', '/absent'], '/absent does not exist'),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_1(
    capsys: pytest.CaptureFixture[str], given: list[str], message: str
) -> None:
    assert evaluate.main(given) == 1
    assert message in capsys.readouterr().err


def test_the_models_cannot_be_swapped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(arguments(folder, '--student', str(folder / 'teacher.onnx'))) == 1
    assert "expected '4d'" in capsys.readouterr().err


def test_simulated_worlds_are_those_that_no_model_was_trained_on() -> None:
    (demo,) = simulated_drives('demo')
    assert demo.mapping.name == 'Sim_Town_3000/01'
    assert [drive.name for drive in demo.queries] == ['Sim_Town_3000/02']
    validation = simulated_drives('validation')
    assert [place.mapping.name for place in validation] == ['Sim_Town_1000/01', 'Sim_Town_1001/01']
    assert [len(place.queries) for place in validation] == [2, 2]
    (opposite,) = simulated_drives('opposite')
    assert opposite.mapping.name == 'Sim_Town_1002/01'
    (back,) = opposite.queries
    assert back.name == 'Sim_Town_1002/03'
    assert isinstance(back, SimulatedSequence)
    assert back.session.conditions.opposite_direction
    tested = simulated_drives('test')
    assert [place.mapping.name for place in tested] == [f'Sim_Town_200{n}/01' for n in range(3)]
    assert [len(place.queries) for place in tested] == [2, 2, 2]
    (judged,) = simulated_drives('test_opposite')
    assert judged.mapping.name == 'Sim_Town_2002/01'
    assert [drive.name for drive in judged.queries] == ['Sim_Town_2002/02']
