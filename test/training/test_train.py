# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the training command on a tiny cache: it learns, resumes exactly, refuses the wrong."""

from dataclasses import asdict, replace
import json
from pathlib import Path

import pytest
from ssd_ros.training.bev_cache import load_drives
from ssd_ros.training.config import load_config, OptimiserConfig, TrainingConfig
from ssd_ros.training.pairs import PlaceSampler
from ssd_ros.training.run import Run
from ssd_ros.training.train import learning_rate, main, train, Trainer
import torch


def run_command(cache: Path, out: Path, config: Path, *more: str) -> int:
    return main(['--cache', str(cache), '--out', str(out), '--config', str(config), *more])


def test_the_command_leaves_config_origin_checkpoint_metrics_and_curves(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path, tiny_config: TrainingConfig
) -> None:
    assert run_command(tiny_cache, tmp_path / 'run', tiny_config_file, '--steps', '10') == 0
    names = {path.name for path in (tmp_path / 'run').iterdir()}
    assert names == {
        'checkpoint.pt', 'config.yaml', 'curves.png', 'metrics.jsonl', 'origin.json'
    }  # fmt: skip
    run = Run(tmp_path / 'run')
    assert run.config == replace(tiny_config, optimiser=OptimiserConfig(num_steps=10))
    assert run.origin['training_data'] == 'simulated radar, training worlds train_0, train_1'
    logged, tested = run.metrics()
    assert logged['step'] == 10
    assert set(tested) == {'step', 'single_session', 'multi_session'}


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
        train(run, trainer, sampler, [], None, save_every_s=1e9)
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


def test_the_shipped_configuration_is_the_default() -> None:
    directory = Path(__file__).parents[2] / 'config'
    assert load_config(directory / 'training.yaml') == TrainingConfig()
    first_stage = load_config(directory / 'training_stage1.yaml')
    assert first_stage.batch.negative_radius_m == 25.0
    assert first_stage.network == replace(TrainingConfig().network, position_octaves=0)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
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
    run.start(tiny_config, 'made up')
    assert asdict(run.config) == asdict(tiny_config)
    assert json.loads((tmp_path / 'origin.json').read_text())['training_data'] == 'made up'
