# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the training command on a tiny cache: it learns, resumes exactly, refuses the wrong."""

from dataclasses import asdict, replace
import json
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ssd_ros.evaluation.bev_cache import cache_drive, load_drives, Spacing
from ssd_ros.training.batches.augmentation import thinned
from ssd_ros.training.batches.pairs import PlaceSampler
from ssd_ros.training.config import load_config, OptimiserConfig, TrainingConfig
from ssd_ros.training.network_config import NETWORKS
from ssd_ros.training.networks.encoding import torch_encoders
from ssd_ros.training.runs.command import main
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.train import train
from ssd_ros.training.runs.trainer import learning_rate, Trainer
from support.drives.tiny import StraightDrive
import torch


def run_command(cache: Path, out: Path, config: Path, *more: str) -> int:
    return main(['--cache', str(cache), '--out', str(out), '--config', str(config), *more])


def test_the_command_leaves_config_origin_checkpoint_metrics_and_curves(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, tiny_config: TrainingConfig
) -> None:
    assert run_command(tiny_cache, tmp_path / 'run', tiny_config_file, '--steps', '10') == 0
    names = {path.name for path in (tmp_path / 'run').iterdir()}
    assert names == {
        '.lock', 'checkpoint.pt', 'config.yaml', 'curves.png', 'metrics.jsonl', 'origin.json'
    }  # fmt: skip
    run = Run(tmp_path / 'run')
    assert run.config == replace(tiny_config, optimiser=OptimiserConfig(num_steps=10))
    assert run.origin['training_data'] == 'simulated radar, training worlds train_0, train_1'
    logged, tested = run.metrics()
    assert logged['step'] == 10
    assert 0 <= logged['loading_share'] < 1
    assert set(tested) == {'step', 'single_session', 'multi_session'}
    assert run.steps_per_epoch == 32 / 4


def test_what_is_logged_is_the_mean_over_ten_steps(
    tmp_path: Path, tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    config = replace(tiny_config, optimiser=OptimiserConfig(num_steps=10))
    drives = load_drives(tiny_cache / 'train', config.preprocessing)
    sampler, run = PlaceSampler(drives, config), Run(tmp_path)
    train(run, Trainer(config), sampler.draw, None, None, save_every_s=1e9)
    trainer = Trainer(config)
    losses = [trainer.step(sampler.draw(step), step / 10)['loss'] for step in range(10)]
    (logged,) = run.metrics()
    assert logged['loss'] == pytest.approx(sum(losses) / 10, rel=1e-12)


def test_the_scheme_adds_the_statistics_of_its_masks(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    assert run_command(tiny_cache, tmp_path, tiny_config_file, '--scheme', 'ssd') == 0
    logged = Run(tmp_path).metrics()[0]
    assert logged['joint_share'] + logged['gap_share'] == pytest.approx(logged['teacher_share'])


def test_the_relational_scheme_adds_its_loss_and_no_masks(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    assert run_command(tiny_cache, tmp_path, tiny_config_file, '--scheme', 'relational') == 0
    logged = Run(tmp_path).metrics()[0]
    assert logged['loss'] == pytest.approx(logged['metric_loss'] + logged['relational_loss'])
    assert logged['relational_difference'] > 0
    assert 'joint_share' not in logged


@pytest.mark.parametrize(
    ('scheme', 'terms'),
    [
        ('enhancement', {'enhancement_loss'}),
        ('imitation', {'imitation_loss'}),
        ('4dral', {'enhancement_loss', 'imitation_loss', 'relational_loss'}),
    ],
)
def test_each_idea_of_4dral_adds_its_loss_and_a_model_that_has_it(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, scheme: str, terms: set[str]
) -> None:
    assert run_command(tiny_cache, tmp_path, tiny_config_file, '--scheme', scheme) == 0
    run = Run(tmp_path)
    logged = run.metrics()[0]
    found = {name for name in logged if name.endswith('_loss')} - {'metric_loss'}
    assert found == terms
    assert logged['loss'] == pytest.approx(
        logged['metric_loss'] + sum(logged[name] for name in terms)
    )
    assert all(logged[name] > 0 for name in terms)
    state = run.load_checkpoint()
    assert state is not None
    parts = {name.partition('.')[0] for name in state['networks']}
    assert parts & {'enhancement', 'imitation'} == {
        name.removesuffix('_loss') for name in terms
    } - {'relational'}


def test_so_many_worlds_are_trained_on_as_asked(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    settings = ('--set', 'max_worlds=1', '--set', 'batch.num_worlds=1')
    assert run_command(tiny_cache, tmp_path, tiny_config_file, *settings) == 0
    assert Run(tmp_path).origin['training_data'] == 'simulated radar, training worlds train_0'


def test_images_of_several_windows_of_way_are_trained_on_together(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, tiny_config: TrainingConfig
) -> None:
    cache, longer = tmp_path / 'cache', replace(tiny_config.preprocessing, window_m=20.0)
    shutil.copytree(tiny_cache, cache)
    spacing = Spacing(1.0, 1.0)
    for name in ('train_2/01', 'train_2/02'):
        drive = StraightDrive(name, 16, 0)
        cache_drive(drive, cache / 'train_20m' / name.replace('/', '_'), longer, spacing)
    settings = ('--set', 'splits=[train, train_20m]')
    assert run_command(cache, tmp_path / 'run', tiny_config_file, *settings) == 0
    told = Run(tmp_path / 'run').origin['training_data']
    assert told == 'simulated radar, training worlds train_0, train_1, train_2'


def test_recall_of_a_sparse_radar_is_that_of_thinned_images(
    tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drive = load_drives(tiny_cache / 'validation', tiny_config.preprocessing)[0]
    networks = Trainer(tiny_config).networks
    images = np.asarray(drive.student_bevs[:3])
    sparse = torch_encoders(networks, False, max_returns=2).student(images)
    by_hand = np.stack([thinned(image, 2) for image in images])
    np.testing.assert_array_equal(sparse, torch_encoders(networks, False).student(by_hand))
    assert not np.array_equal(sparse, torch_encoders(networks, False).student(images))


def comparable(run: Run) -> list[dict[str, float]]:
    """Return the metrics but for those that depend on the machine's speed."""
    clocks = {'elapsed_s', 'step_s', 'loading_share'}
    return [
        {name: value for name, value in line.items() if name not in clocks}
        for line in run.metrics()
    ]


def test_a_process_killed_at_any_time_goes_on_to_the_very_same_metrics_and_weights(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    killed, whole = Run(tmp_path / 'killed'), Run(tmp_path / 'whole')
    more = ['--steps', '30', '--save-minutes', '0', '--scheme', 'ssd']
    command = [
        sys.executable,
        '-m',
        'ssd_ros',
        'train',
        '--config',
        str(tiny_config_file),
    ]
    command += ['--cache', str(tiny_cache), '--out', str(killed.directory), *more]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None and killed.last_step < 20:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert killed.last_step == 20
    for run in (killed, whole):
        assert run_command(tiny_cache, run.directory, tiny_config_file, *more) == 0
    assert comparable(killed) == comparable(whole)
    states = [run.load_checkpoint() for run in (killed, whole)]
    weights, expected = [state['networks'] for state in states if state]
    for name, tensor in expected.items():
        assert torch.equal(weights[name], tensor), name


def test_a_line_of_the_metrics_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for step in (10, 20):
        run.log(step=step, loss=1.5)
    with run.metrics_path.open('a') as file:
        file.write('{"step": 30, "lo')
    assert run.last_step == 20
    run.forget_after(10)
    assert run.metrics() == [{'step': 10, 'loss': 1.5}]


def test_two_processes_cannot_train_the_same_run(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Run(tmp_path).locked():
        assert run_command(tiny_cache, tmp_path, tiny_config_file) == 1
    assert 'another process is training' in capsys.readouterr().err
    assert not (tmp_path / 'config.yaml').exists()


def test_a_frozen_teacher_and_its_pooling_stay_as_they_were_and_the_student_learns(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    first, second = Run(tmp_path / 'first'), Run(tmp_path / 'second')
    run_command(tiny_cache, first.directory, tiny_config_file)
    more = ('--start-from', str(first.directory), '--set', 'teacher=frozen', '--scheme', 'ssd')
    assert run_command(tiny_cache, second.directory, tiny_config_file, *more) == 0
    states = [run.load_checkpoint() for run in (first, second)]
    before, after = [state['networks'] for state in states if state]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.partition('.')[0] for name in changed} == {'student', 'alignment'}


def test_a_run_killed_after_two_steps_ends_with_the_weights_of_one_that_was_not(
    tmp_path: Path, tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drives = load_drives(tiny_cache / 'train', tiny_config.preprocessing)
    sampler, killed, whole = PlaceSampler(drives, tiny_config), Trainer(tiny_config), []
    for directory in (tmp_path / 'killed', tmp_path / 'whole'):
        run = Run(directory)
        if directory.name == 'killed':
            for step in range(2):
                killed.step(sampler.draw(step), step / 4)
            run.save_checkpoint(killed.state())
        trainer = Trainer(tiny_config)
        train(run, trainer, sampler.draw, None, None, save_every_s=1e9)
        assert trainer.num_steps == 4
        whole.append(trainer.networks.state_dict())
    for name, tensor in whole[0].items():
        assert torch.equal(tensor, whole[1][name]), name


def test_going_on_with_a_finished_run_changes_nothing(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    run_command(tiny_cache, tmp_path, tiny_config_file)
    before = (tmp_path / 'checkpoint.pt').read_bytes()
    assert run_command(tiny_cache, tmp_path, tiny_config_file) == 0
    assert (tmp_path / 'checkpoint.pt').read_bytes() == before


@pytest.mark.parametrize('loss', ['infonce', 'triplet'])
def test_either_loss_falls_on_a_batch_seen_again_and_again(
    tiny_cache: Path, tiny_config: TrainingConfig, loss: str
) -> None:
    config = replace(tiny_config, loss=replace(tiny_config.loss, name=loss))
    drives = load_drives(tiny_cache / 'train', config.preprocessing)
    batch, trainer = PlaceSampler(drives, config).draw(0), Trainer(config)
    losses = [trainer.step(batch, 0.1)['loss'] for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_run_starts_from_the_weights_of_another_and_says_so(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    first, second = tmp_path / 'first', tmp_path / 'second'
    run_command(tiny_cache, first, tiny_config_file)
    start = ('--start-from', str(first), '--steps', '1')
    assert run_command(tiny_cache, second, tiny_config_file, *start) == 0
    assert Run(second).origin['start_from'] == 'first'
    states = [Run(directory).load_checkpoint() for directory in (first, second)]
    before, after = [state['networks']['pooling.power'] for state in states if state]
    # One step of the warm-up has learning rate 0; without a start it would be at 3 exactly.
    assert torch.equal(before, after)
    assert before != 3.0


def test_a_start_from_a_folder_without_checkpoint_is_refused(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = ('--start-from', str(tmp_path / 'none'))
    assert run_command(tiny_cache, tmp_path / 'run', tiny_config_file, *start) == 1
    assert 'has no checkpoint to start from' in capsys.readouterr().err


def test_a_run_folder_of_another_configuration_is_refused(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command(tiny_cache, tmp_path, tiny_config_file)
    assert run_command(tiny_cache, tmp_path, tiny_config_file, '--seed', '1') == 1
    assert 'differs from the configuration asked for' in capsys.readouterr().err


def test_a_missing_cache_is_one_line_on_stderr(
    tmp_path: Path, tiny_config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(tmp_path / 'none', tmp_path / 'run', tiny_config_file) == 1
    error = capsys.readouterr().err
    assert error.startswith('train: ')
    assert 'holds no cached drive' in error
    assert error.count('\n') == 1


def test_a_checkpoint_that_would_need_unpickling_is_refused(tmp_path: Path) -> None:
    torch.save({'networks': Path('code')}, tmp_path / 'checkpoint.pt')
    with pytest.raises(Exception, match='Weights only load failed'):
        Run(tmp_path).load_checkpoint()


def test_the_learning_rate_rises_then_falls_by_half_a_cosine() -> None:
    config = OptimiserConfig(learning_rate=1.0, final_learning_rate=0.0, warmup=0.2)
    assert learning_rate(config, 0.1) == pytest.approx(0.5)
    assert learning_rate(config, 0.2) == pytest.approx(1.0)
    assert learning_rate(config, 0.6) == pytest.approx(0.5)
    assert learning_rate(config, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_the_first_configuration_is_the_default_but_for_distillation_and_duration() -> None:
    directory, default = Path(__file__).parents[3] / 'config', TrainingConfig()
    config = load_config(directory / 'training_fixed.yaml')
    optimiser = replace(config.optimiser, num_steps=default.optimiser.num_steps)
    assert replace(config, distillation=default.distillation, optimiser=optimiser) == default
    real = load_config(directory / 'training_hercules.yaml')
    assert real.preprocessing.scan.rcs_correction == 2.1025
    assert replace(
        real, preprocessing=default.preprocessing, distillation=default.distillation
    ) == (default)


def test_the_shipped_recipe_and_its_short_forms_differ_in_length_and_data_alone() -> None:
    directory = Path(__file__).parents[3] / 'config'
    config = load_config(directory / 'training_wide.yaml')
    assert config.network == NETWORKS['fast']
    assert config.optimiser.num_steps >= 10 * 400
    assert config.batch == TrainingConfig().batch
    assert config.preprocessing.is_by_content
    quick = load_config(directory / 'training.yaml')
    optimiser = replace(config.optimiser, num_steps=quick.optimiser.num_steps)
    assert quick == replace(config, optimiser=optimiser, splits=('train',))
    rows = load_config(directory / 'ablation.yaml')
    assert rows == replace(
        quick, optimiser=rows.optimiser, splits=('train_wide',), batch=rows.batch
    )


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('max_worlds: -1', 'max_worlds is -1, expected at least 0'),
        ('colour: red', 'unknown option colour'),
        ('batch: {num_place: 3}', r'unknown option batch\.num_place'),
        ('seed: one', "seed is 'one', expected int"),
        ('loss: {name: l2}', "loss.name is 'l2'; choose from infonce, triplet"),
        ('a: [', 'is not YAML'),
    ],
)
def test_a_wrong_option_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'training.yaml'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_config(path)


def test_a_configuration_survives_its_file(tmp_path: Path, tiny_config: TrainingConfig) -> None:
    run = Run(tmp_path)
    run.start(tiny_config, 'made up', 64)
    assert asdict(run.config) == asdict(tiny_config)
    assert json.loads((tmp_path / 'origin.json').read_text())['training_data'] == 'made up'
