# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the ablation on a tiny cache: rows differ by the scheme alone, resume, are compared."""

from dataclasses import replace
import json
from pathlib import Path
import re

import pytest
from ssd_ros.training.ablation import command as ablate
from ssd_ros.training.ablation.command import main
from ssd_ros.training.ablation.rows import planned_rows
from ssd_ros.training.ablation.table import findings, finished_runs
from ssd_ros.training.config import load_config, TrainingConfig
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.trainer import Trainer
from support.reading.pages import page_of
import torch

COMMAND = ['--seeds', '0', '1', '--schemes', 'none', 'ssd', '--jobs', '2', '--cache']


@pytest.fixture(scope='module')
def ablation(
    tmp_path_factory: pytest.TempPathFactory, tiny_cache: Path, tiny_config_file: Path
) -> Path:
    """Return the folder of an ablation of two schemes and two seeds."""
    out = tmp_path_factory.mktemp('ablation')
    arguments = [*COMMAND, str(tiny_cache), '--config', str(tiny_config_file), '--out', str(out)]
    assert main(arguments) == 0
    return out


def test_an_ablation_leaves_a_run_for_each_row_a_table_and_a_page(ablation: Path) -> None:
    # Another test evaluates it on a split, into ablation_train.*
    names = {path.name for path in ablation.iterdir() if not path.stem.startswith('ablation_')}
    rows = {'none_0', 'none_1', 'ssd_0', 'ssd_1'}
    assert names == rows | {'ablation.md', 'ablation.json', 'ablation.html'}
    for row in rows:
        assert (ablation / row / 'evaluation.json').exists()
        assert Run(ablation / row).last_step == 4
    text = (ablation / 'ablation.md').read_text()
    lines = text.partition('-->')[2].strip().splitlines()  # behind who made it
    assert lines[0].startswith('Simulated radar, split validation')
    assert [line.split(' | ')[:2] for line in lines[4:]] == [['| none', '0 1'], ['| ssd', '0 1']]
    page = page_of(ablation / 'ablation.html')
    found = {one['label']: one for one in json.loads((ablation / 'ablation.json').read_text())}
    recall = page.charts['R@1 with its 95 % interval over seeds and drives, best first']
    multi = dict(zip(recall['data'][1]['y'], recall['data'][1]['x'], strict=True))
    assert multi == {label: one['recall']['multi']['mean'] for label, one in found.items()}
    assert (
        'shares a seed'
        in page.charts['Difference of R@1 to uniform, in points, on the same seeds and queries']
    )


def test_the_difference_to_a_reference_is_that_of_the_means(ablation: Path) -> None:
    none, ssd = json.loads((ablation / 'ablation.json').read_text())
    for task in ('single', 'multi'):
        difference = ssd['recall'][task]['mean'] - none['recall'][task]['mean']
        assert ssd['against']['none'][task]['difference'] == pytest.approx(difference)
        versus = ssd['against']['none'][task]
        assert versus['low'] <= versus['difference'] <= versus['high']
    assert none['against'] == {}
    assert ssd['statistics']['joint_share'] <= ssd['statistics']['teacher_share']


def test_rows_of_a_seed_share_their_initial_weights_and_all_options_but_the_scheme(
    tmp_path: Path, tiny_config: TrainingConfig
) -> None:
    rows = planned_rows(tiny_config, tmp_path, ['none', 'ssd'], [0, 1])
    assert [row.directory.name for row in rows] == ['none_0', 'ssd_0', 'none_1', 'ssd_1']
    none, ssd = rows[0].config, rows[1].config
    assert replace(ssd, distillation=none.distillation) == none
    weights = [Trainer(row.config).networks.state_dict() for row in rows]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    stem = 'student.stem.0.weight'
    assert not torch.equal(weights[0][stem], weights[2][stem])


def test_a_sweep_has_a_row_for_each_value(tmp_path: Path, tiny_config: TrainingConfig) -> None:
    sweeps = ['gap_weight=0,0.5', 'batch.num_worlds=1,2']
    rows = planned_rows(tiny_config, tmp_path, ['ssd'], [3], sweeps)
    assert {row.label: row.config.distillation.gap_weight for row in rows} == {
        'ssd-gap_weight=0': 0.0,
        'ssd-gap_weight=0.5': 0.5,
        'ssd-num_worlds=1': 0.1,
        'ssd-num_worlds=2': 0.1,
    }
    assert [row.config.batch.num_worlds for row in rows] == [2, 2, 1, 2]
    assert {row.config.seed for row in rows} == {3}


def test_finished_rows_are_kept_and_interrupted_ones_go_on(
    ablation: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    kept, interrupted = (ablation / name / 'checkpoint.pt' for name in ('none_0', 'ssd_1'))
    before = kept.stat().st_mtime_ns, interrupted.read_bytes()
    (interrupted.parent / 'evaluation.json').unlink()
    arguments = [*COMMAND, str(tiny_cache), '--config', str(tiny_config_file)]
    assert main([*arguments, '--out', str(ablation)]) == 0
    assert (kept.stat().st_mtime_ns, interrupted.read_bytes()) == before
    assert (interrupted.parent / 'evaluation.json').exists()


def test_finished_rows_are_evaluated_on_another_split_into_files_of_their_own(
    ablation: Path, tiny_cache: Path
) -> None:
    assert main(['--out', str(ablation), '--evaluate-on', str(tiny_cache / 'train')]) == 0
    assert (ablation / 'none_0' / 'evaluation_train.json').exists()
    assert 'split train' in (ablation / 'ablation_train.md').read_text()
    runs = finished_runs(ablation, 'train')
    assert [finding.label for finding in findings(runs, 'train')] == ['none', 'ssd']


def test_a_row_that_fails_is_named_and_the_others_are_finished(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ['--cache', str(tiny_cache), '--config', str(tiny_config_file), '--seeds', '0']
    arguments += ['--schemes', 'none', 'ssd', '--out', str(tmp_path)]
    (tmp_path / 'ssd_0' / '.lock').mkdir(parents=True)  # where a run has a file
    assert main(arguments) == 1
    assert 'these rows failed, see log.txt in their folders: ssd_0' in capfd.readouterr().err
    assert 'Error' in (tmp_path / 'ssd_0' / 'log.txt').read_text()
    assert list(finished_runs(tmp_path, 'validation')) == ['none']


@pytest.mark.parametrize(
    ('more', 'message'),
    [
        (['--seeds', '0'], '--cache is missing'),
        (['--cache', 'CACHE', '--sweep', 'tau'], "'tau' is no sweep, expected such as tau="),
        (['--cache', 'CACHE', '--sweep', 'tow=1'], 'unknown option distillation.tow'),
        (['--cache', 'CACHE', '--teacher', 'CACHE'], 'has no checkpoint to start from'),
        (['--evaluate-on', 'CACHE/train'], 'has no finished row'),
    ],
)
def test_wrong_usage_is_one_line_on_stderr(
    tmp_path: Path,
    tiny_cache: Path,
    tiny_config_file: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    message: str,
) -> None:
    more = [part.replace('CACHE', str(tiny_cache)) for part in more]
    assert main(['--out', str(tmp_path), '--config', str(tiny_config_file), *more]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count('\n') == 1


def test_a_row_begun_with_another_configuration_is_refused_before_any_training(
    ablation: Path, tiny_cache: Path, tiny_config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*COMMAND, str(tiny_cache), '--config', str(tiny_config_file)]
    arguments += ['--out', str(ablation), '--set', 'batch.num_distractors=0']
    assert main(arguments) == 1
    assert 'differs from the configuration asked for' in capsys.readouterr().err


def test_the_shipped_ablation_is_a_valid_configuration_on_one_thread_per_row() -> None:
    config = load_config(Path(__file__).parents[3] / 'config' / 'ablation.yaml')
    assert config.num_threads == 1
    assert config.network.channels[-1] == 64


def test_the_module_that_each_process_reads_again_imports_nothing_that_may_change_meanwhile() -> (
    None
):
    text = Path(ablate.__file__).read_text()
    imported = re.findall(r'^(?:from|import) (\S+)', text, flags=re.MULTILINE)
    assert set(imported) == {'__future__', 'argparse', 'pathlib', 'ssd_ros.cli.common.console'}
