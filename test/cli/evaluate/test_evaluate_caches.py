# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the command evaluate on cached drives past the same posts."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.cli.evaluate import command as evaluate
from ssd_ros.data_origin import Origin
from ssd_ros.evaluation.bev_cache import cache_drive, Spacing
from ssd_ros.evaluation.scores.results import read_evaluation
from support.posts import SMALL, straight_drive, write_small_encoder
from support.reading.pages import numbers, page_of

MAPPING = straight_drive(num=20)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return models and a cache of three drives: two past the same posts, one elsewhere."""
    path = tmp_path_factory.mktemp('evaluate_caches')
    beside = MAPPING.xy_yaw[5:15] + np.array([0.5, 0.5, 0.1])
    for name, drive in (
        ('Sim_Posts/01', MAPPING),
        ('Sim_Posts/02', replace(MAPPING, xy_yaw=beside)),
        ('Library/01', straight_drive(num=12, seed=1)),
    ):
        spacing = Spacing(student_m=0.0, panorama_m=0.0)
        directory = path / 'cache' / name.replace('/', '_')
        cache_drive(
            replace(drive, name=name, origin=Origin('simulated')), directory, SMALL, spacing
        )
    write_small_encoder(path / 'teacher.onnx', 'spinning')
    write_small_encoder(path / 'student.onnx', '4d')
    return path


def arguments(folder: Path, *more: str) -> list[str]:
    models = ['--student', str(folder / 'student.onnx'), '--teacher', str(folder / 'teacher.onnx')]
    return [*models, '--cache', str(folder / 'cache'), '--device', 'cpu', *more]


@pytest.fixture(scope='module')
def reports(folder: Path) -> Path:
    """Evaluate everything once and return the folder of the files."""
    options = ['--views', '36', '12', '--random-yaw', '3']
    for kind in ('json', 'markdown', 'html'):
        options += [f'--{kind}', str(folder / f'reports/all.{kind}')]
    assert evaluate.main(arguments(folder, *options)) == 0
    return folder / 'reports'


def test_all_tasks_of_all_places_are_in_the_json(reports: Path) -> None:
    evaluation = read_evaluation(reports / 'all.json')
    assert evaluation.origin == 'simulated'
    assert evaluation.protocol.database == 'B'
    main = [
        (result.task, result.query_drive)
        for result in evaluation.results
        if result.method == 'ssd' and not result.variant
    ]
    assert main == [
        ('single', 'Library/01'), ('single', 'Sim_Posts/01'), ('single', 'Sim_Posts/02'),
        ('multi', 'Sim_Posts/02'), ('4d', 'Sim_Posts/02'), ('spinning', 'Sim_Posts/02'),
    ]  # fmt: skip
    (multi,) = (
        result for result in evaluation.results
        if (result.task, result.method, result.variant) == ('multi', 'ssd', '')
    )  # fmt: skip
    assert (multi.num_keyframes, len(multi.records), multi.num_views) == (20, 10, 36)
    assert multi.recall_at_1 >= 0.8
    yaw_error_deg = multi.score().median_yaw_error_deg
    assert yaw_error_deg is not None
    assert yaw_error_deg < 6  # of 5.7 degrees, between the views at 0 and 10


def test_turned_scans_are_found_as_well_as_straight_ones(reports: Path) -> None:
    results = read_evaluation(reports / 'all.json').results
    variants = {result.variant for result in results}
    assert variants == {'', '12 views', 'random yaw'}
    (turned,) = (one for one in results if (one.task, one.variant) == ('multi', 'random yaw'))
    assert turned.recall_at_1 >= 0.8
    yaw_error_deg = turned.score().median_yaw_error_deg
    assert yaw_error_deg is not None
    assert yaw_error_deg < 10


def test_the_tables_hold_the_papers_numbers_marked_as_theirs(reports: Path) -> None:
    text = (reports / 'all.markdown').read_text()
    assert '**All of our numbers are simulated radar.**' in text
    assert (
        '| SSD (published, real HeRCULES data) | 0.838 / 0.907 | 0.700 / 0.818 | 0.863 / 0.948 '
        '| 0.663 / 0.858 | 0.766 |' in text
    )
    assert '| SSD (ours, simulated) |' in text
    assert '| 12 views |' in text


def test_the_page_has_figures_intervals_and_charts(reports: Path) -> None:
    page = page_of(reports / 'all.html')
    assert page.says('All of our numbers are simulated radar.')
    (multi,) = (fact for fact in page.facts if fact.startswith('R@1, 4D in spinning, other'))
    result = read_evaluation(reports / 'all.json').results[3]
    low, high = result.score().recall_at_1_interval
    assert f'{result.recall_at_1:.3f}' in multi
    assert f'{low:.3f} .. {high:.3f}; 10 queries, pairs of drives: 1' in multi
    drives = page.charts['R@1 of every drive, with its 95 % interval']
    values = [x for trace in drives['data'] for x in numbers(trace['x'])]
    assert result.recall_at_1 in values
    (where,) = (
        chart
        for caption, chart in page.charts.items()
        if caption.startswith('Sim_Posts/01 -> Sim_Posts/02 (4D in spinning')
    )
    assert sum(len(numbers(trace['x'])) for trace in where['data']) == len(result.records)


def test_the_papers_drives_stand_in_the_papers_columns(folder: Path, tmp_path: Path) -> None:
    cache = folder / 'cache/Library_01'
    library = tmp_path / 'library'
    library.mkdir()
    (library / 'Library_01').symlink_to(cache)
    files = ('--markdown', str(tmp_path / 'library.md'), '--tasks', 'single')
    models = arguments(folder)[:4]
    assert evaluate.main([*models, '--cache', str(library), '--device', 'cpu', *files]) == 0
    text = (tmp_path / 'library.md').read_text()
    (row,) = (line for line in text.splitlines() if line.startswith('| SSD (ours, '))
    cells = [cell.strip() for cell in row.strip('|').split('|')]
    assert [bool(cell != '-') for cell in cells[1:]] == [False] * 3 + [True] + [False] * 5


def test_a_run_is_compared_with_another_on_the_same_queries(
    folder: Path, reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ('--tasks', 'multi', '--reference', str(reports / 'all.json'))
    assert evaluate.main(arguments(folder, *options)) == 0
    assert 'against reports/all, 4D in spinning, other session: 0 wins, 0 losses of 10' in (
        capsys.readouterr().out
    )
    assert evaluate.main(arguments(folder, *options, '--query-spacing', '30')) == 1
    assert 'was asked other queries' in capsys.readouterr().err


def test_a_cache_of_another_window_of_way_is_asked_by_its_name(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    longer = replace(SMALL, window_m=30.0)
    for number in ('01', '02'):
        drive = replace(MAPPING, name=f'Posts/{number}')
        cache_drive(drive, tmp_path / 'cache_30m' / number, longer, Spacing(0.0, 0.0))
    models = arguments(folder)[:4]
    asked = [*models, '--cache', str(tmp_path / 'cache_30m'), '--tasks', '4d']
    assert evaluate.main(asked) == 1
    assert 'cached with another preprocessing' in capsys.readouterr().err
    assert evaluate.main([*asked, '--window', '30']) == 0
    assert 'Posts' in capsys.readouterr().out


def test_what_the_caches_cannot_answer_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate.main(arguments(folder, '--tasks', '4d', '--database', 'A')) == 0
    twice = arguments(folder, '--cache', str(folder / 'cache'), str(folder / 'cache'))
    assert evaluate.main(twice) == 1
    assert 'Library/01 is in two of the caches' in capsys.readouterr().err
    write_small_encoder(tmp_path / 'other.onnx', 'spinning', space='b' * 64)
    assert evaluate.main(arguments(folder, '--teacher', str(tmp_path / 'other.onnx'))) == 1
    assert 'are of different training runs' in capsys.readouterr().err
    (tmp_path / 'broken.json').write_text(json.dumps({'format_version': 9}))
    broken = ('--tasks', 'multi', '--reference', str(tmp_path / 'broken.json'))
    assert evaluate.main(arguments(folder, *broken)) == 1
    assert 'is not an evaluation' in capsys.readouterr().err
