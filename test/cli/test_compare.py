# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the command compare on cached drives past the same posts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import json
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.baselines import METHODS, PEERS
from ssd_ros.cli.common import console
from ssd_ros.cli.compare import command as compare
from ssd_ros.data_origin import Origin
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import cache_drive, Spacing
from ssd_ros.evaluation.scores.results import read_evaluation
from ssd_ros.shared_files import shared_file
from support.posts import straight_drive
from support.reading.pages import numbers, page_of

MAPPING = straight_drive(num=12)
CHEAP = ['ring_key_released', 'referee_repaired']


@pytest.fixture(scope='module', autouse=True)
def environment() -> Iterator[None]:
    """Take back what the command tells numerical libraries."""
    with pytest.MonkeyPatch.context() as patch:
        for name in console.ONE_THREAD:
            patch.setenv(name, '1')
        yield


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache of two drives past the same posts, for the shipped models."""
    path = tmp_path_factory.mktemp('compare')
    student = OnnxEncoder(shared_file('models/student.onnx'), 'cpu')
    beside = MAPPING.xy_yaw[3:9] + np.array([0.5, 0.5, 0.1])
    for name, poses in (('Sim_Posts/01', MAPPING.xy_yaw), ('Sim_Posts/02', beside)):
        drive = replace(MAPPING, xy_yaw=poses, name=name, origin=Origin('simulated'))
        spacing = Spacing(student_m=0.0, panorama_m=0.0)
        directory = path / name.replace('/', '_')
        cache_drive(drive, directory, student.contract.preprocessing, spacing)
    return path


def arguments(cache: Path, out: Path, *more: str) -> list[str]:
    given = ['--cache', str(cache), '--out', str(out), '--jobs', '1', '--query-spacing', '0']
    return [*given, '--keyframe-distance', '0', *more]


@pytest.fixture(scope='module')
def out(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compare two methods with ours and return the folder."""
    path = tmp_path_factory.mktemp('compared')
    assert compare.main(arguments(cache, path, '--methods', 'ssd', *CHEAP)) == 0
    return path


def test_every_method_of_the_help_exists() -> None:
    assert list(compare.HANDCRAFTED) == list(METHODS)
    assert list(compare.PEERS) == list(PEERS)


def test_every_method_has_a_row_for_every_task_on_the_same_queries(out: Path) -> None:
    names = {path.stem for path in (out / 'rows').iterdir()}
    tasks = ('single', 'multi', '4d', 'spinning')
    assert names >= {f'{method}-{task}' for method in ('ssd', *CHEAP) for task in tasks}
    rows = [read_evaluation(out / f'rows/{name}-multi.json').results for name in ('ssd', *CHEAP)]
    for (result,) in rows:
        assert result.title == 'Sim_Posts/01 -> Sim_Posts/02'
        assert result.records.stamps_ns.tolist() == rows[0][0].records.stamps_ns.tolist()
        assert (result.num_keyframes, len(result.records)) == (12, 6)
    assert [result.num_views for (result,) in rows] == [36, 1, 12]
    assert rows[0][0].recall_at_1 > 0.5  # posts are nothing that the models were trained on


def test_the_report_has_recall_costs_wins_and_losses(out: Path) -> None:
    text = (out / 'compare.md').read_text()
    assert '**All of our numbers are simulated radar.**' in text
    single = [one.score() for one in read_evaluation(out / 'rows/ssd-single.json').results]
    means = (
        np.mean([score.recall_at_1 for score in single]),
        np.mean([score.recall_at_1_percent for score in single]),
    )
    assert f'| SSD (ours) | {means[0]:.3f} / {means[1]:.3f} | ' in text
    assert '| Ring Key, as released | 2,048 |' in text  # 512 floats
    assert '| SSD (ours) | 36,864 |' in text  # 36 views of 256
    assert '| Ring Key, as released, 4D in spinning, other session | +' in text
    page = page_of(out / 'compare.html')
    caption = 'same session: R@1, mean over drives, with its 95 % interval'
    methods = page.charts[f'4D in spinning, {caption}']
    ours = next(trace for trace in methods['data'] if trace['name'] == 'ours')
    assert (ours['y'], numbers(ours['x'])) == (['SSD (ours)'], [pytest.approx(means[0])])
    # From top to bottom: the best first.
    assert methods['layout']['yaxis']['categoryarray'][-1] == 'SSD (ours)'
    assert any('ours beside ' in caption for caption in page.charts)
    costs = json.loads((out / 'costs/ssd.json').read_text())
    assert costs['searched_places'][0] == 1000
    assert costs['searched_places'][1] == (1 << 30) // 36864


def test_finished_rows_are_kept_and_reported_with_later_ones(
    cache: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (out / 'rows').iterdir()}
    more = ('--methods', 'ring_key_released', 'ring_key_repaired', '--tasks', '4d')
    assert compare.main(arguments(cache, out, *more)) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    printed = capsys.readouterr().out
    assert '| SSD (ours) | ' in printed
    assert '| Ring Key, repaired | - | - | ' in printed


def test_whole_turns_are_compared_where_there_is_no_4d_radar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = OnnxEncoder(shared_file('models/student.onnx'), 'cpu').contract
    back = MAPPING.xy_yaw[9:3:-1] + np.array([0.5, 0.5, np.pi])
    for name, poses in (('Sim_Posts/01', MAPPING.xy_yaw), ('Sim_Posts/02', back)):
        drive = replace(MAPPING, xy_yaw=poses, name=name)
        spacing = Spacing(student_m=None, panorama_m=0.0)
        directory = tmp_path / 'cache' / name.replace('/', '_')
        cache_drive(drive, directory, contract.preprocessing, spacing)
    methods = ('ssd', 'scan_context_repaired')
    more = ('--tasks', 'spinning_any', '--methods', *methods)
    assert compare.main(arguments(tmp_path / 'cache', tmp_path / 'out', *more)) == 0
    assert '| method | spinning in spinning, any heading |' in capsys.readouterr().out
    for method, num_views in zip(methods, (36, 1), strict=True):
        row = read_evaluation(tmp_path / f'out/rows/{method}-spinning_any.json')
        (result,) = row.results
        assert (result.title, result.num_views) == ('Sim_Posts/01 -> Sim_Posts/02', num_views)
        assert result.recall_at_1 == 1.0
        # Their own views and sectors are 10 and 3 degrees apart.
        assert np.median(result.records.yaw_errors_deg) < 3


def test_what_a_method_accepts_stands_beside_its_recall(
    cache: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ('--methods', 'dr_pogo_repaired', '--tasks', 'spinning', '--keyframe-distance', '0')
    assert compare.main(arguments(cache, out, *more)) == 0
    (result,) = read_evaluation(out / 'rows/dr_pogo_repaired-spinning.json').results
    assert result.records.accepted is not None
    num_accepted = int(result.records.accepted.sum())
    right = result.records.accepted & result.records.hits()
    precision = f'{right.sum() / num_accepted:.3f}' if num_accepted else '-'
    row = f'| Dr-PoGO, repaired | {num_accepted} of 6 / {precision} / {right.sum() / 6:.3f} |'
    assert row in capsys.readouterr().out
    assert row in (out / 'compare.md').read_text()
    assert not (out / 'costs/dr_pogo_repaired.json').exists()


def test_another_protocol_does_not_mix_with_the_rows(
    cache: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main([*arguments(cache, out), '--radius', '3']) == 1
    assert 'there are rows of other drives or another protocol' in capsys.readouterr().err


def test_rows_of_other_models_are_not_taken_for_those_of_a_name(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = shared_file('models/student.onnx').parent
    for name in ('student.onnx', 'teacher.onnx'):
        (tmp_path / name).write_bytes((models / name).read_bytes())
    out = tmp_path / 'out'
    mine = ('--learned', f'mine={tmp_path}', '--methods', 'mine', '--tasks', '4d')
    assert compare.main(arguments(cache, out, *mine)) == 0
    assert '| mine | ' in capsys.readouterr().out
    (tmp_path / 'teacher.onnx').write_bytes(b'another')
    assert compare.main(arguments(cache, out, *mine)) == 1
    assert 'there are rows of other models under the name mine' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (['--methods', 'sdd'], "unknown method 'sdd'; choose from ssd, ring_key_released"),
        (['--learned', 'ssd=models'], "--learned is 'ssd=models', expected NEW_NAME=DIR"),
        (['--learned', 'mine'], "--learned is 'mine', expected NEW_NAME=DIR"),
    ],
)
def test_what_cannot_be_done_is_said(
    cache: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    message: str,
) -> None:
    assert compare.main([*arguments(cache, tmp_path), *given]) == 1
    assert message in capsys.readouterr().err
