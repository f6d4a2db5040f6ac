# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the exported models are the trained ones and say what they are."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.evaluation.bev_cache import load_drives
from ssd_ros.training.config import TrainingConfig
from ssd_ros.training.export.command import main
from ssd_ros.training.export.compare_encoding import main as compare
from ssd_ros.training.export.models import check_int8_loss, descriptor_space
from ssd_ros.training.export.onnx_export import check_parity
from ssd_ros.training.networks.encoders import TeacherStudent
from ssd_ros.training.runs.folder import Run
from ssd_ros.training.runs.trainer import Trainer


@pytest.fixture(scope='module')
def exported(
    tmp_path_factory: pytest.TempPathFactory, tiny_cache: Path, tiny_config: TrainingConfig
) -> Path:
    """Export networks that were never trained, beside their run folder, not their first one."""
    directory = tmp_path_factory.mktemp('export')
    before, run = Run(directory / 'earlier' / 'first'), Run(directory / 'run')
    for stage, start in ((before, None), (run, before.directory)):
        stage.start(tiny_config, 'simulated radar, made-up worlds', 64, start, 'simulated')
        stage.save_checkpoint(Trainer(tiny_config).state())
    arguments = ['--run', str(directory / 'run'), '--cache', str(tiny_cache)]
    arguments += ['--out', str(directory / 'models'), '--threads', '1', '--num-views', '12']
    assert main(arguments) == 0
    return directory


def test_both_models_compute_what_the_networks_compute(
    exported: Path, tiny_cache: Path, tiny_config: TrainingConfig
) -> None:
    drive = load_drives(tiny_cache / 'validation', tiny_config.preprocessing)[0]
    networks = TeacherStudent(tiny_config.network, tiny_config.seed)
    student = OnnxEncoder(exported / 'models' / 'student.onnx', 'cpu')
    assert check_parity(networks.encoder('4d'), student, drive.student_bevs) < 1e-5
    teacher = OnnxEncoder(exported / 'models' / 'teacher.onnx', 'cpu')
    assert teacher.encode_panorama(drive.panoramas[0]).shape == (12, 8)
    assert check_parity(networks.panorama_encoder(), teacher, drive.panoramas) < 1e-5


def test_the_contract_says_what_the_run_was(exported: Path, tiny_config: TrainingConfig) -> None:
    student = OnnxEncoder(exported / 'models' / 'student.onnx', 'cpu', expected_sensor='4d')
    teacher = OnnxEncoder(exported / 'models' / 'teacher.onnx', 'cpu', expected_sensor='spinning')
    contract = student.contract
    assert contract.preprocessing == teacher.contract.preprocessing == tiny_config.preprocessing
    assert contract.descriptor_space == teacher.contract.descriptor_space
    assert contract.descriptor_size == 8
    assert (contract.num_views, teacher.contract.num_views) == (1, 12)
    assert contract.training_data == 'simulated radar, made-up worlds'
    assert 0 < contract.accept_max_distance <= 2
    assert 0 < contract.accept_max_ratio < 2


def test_the_model_file_names_no_source_file_of_this_machine(exported: Path) -> None:
    text = (exported / 'models' / 'student.onnx').read_bytes()
    assert b'.py' not in text
    assert b'/' + b'home' not in text
    model = onnx.load_model_from_string(text)
    assert [entry.key for entry in model.metadata_props] == ['ssd_ros.contract']


def test_the_card_says_simulated_and_gives_recall_for_every_drive(exported: Path) -> None:
    card = (exported / 'models' / 'README.md').read_text()
    assert 'Trained on simulated radar only' in card
    for name in ('validation_0/00', 'validation_0/01', 'validation_1/00', 'validation_1/01'):
        assert f'| {name} |' in card
    assert 'code at commit' in card
    assert '- stage 1: ' in card
    assert '--out runs/first --steps 0\n' in card
    assert '--out runs/run --steps 0 --start-from runs/first\n' in card


def test_the_space_changes_with_any_weight(tiny_config: TrainingConfig) -> None:
    first = TeacherStudent(tiny_config.network, seed=0)
    second = TeacherStudent(tiny_config.network, seed=0)
    assert descriptor_space(first) == descriptor_space(second)
    next(second.teacher.parameters()).data.view(-1)[0] += 1
    assert descriptor_space(first) != descriptor_space(second)


def test_an_export_that_differs_from_its_network_is_refused(
    exported: Path, tiny_config: TrainingConfig
) -> None:
    student = OnnxEncoder(exported / 'models' / 'student.onnx', 'cpu')
    other = TeacherStudent(tiny_config.network, seed=1).encoder('4d')
    with pytest.raises(ValueError, match=r'export differs by .* from the network'):
        check_parity(other, student, np.full((1, 64, 32), 9, np.uint8))


def test_a_run_without_checkpoint_is_refused(
    tmp_path: Path,
    tiny_cache: Path,
    tiny_config: TrainingConfig,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Run(tmp_path).start(tiny_config, 'made up', 64)
    assert main(['--run', str(tmp_path), '--cache', str(tiny_cache)]) == 1
    assert 'has no checkpoint: train first' in capsys.readouterr().err


def test_a_run_whose_first_stage_is_gone_is_refused(
    tmp_path: Path,
    tiny_cache: Path,
    tiny_config: TrainingConfig,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(tmp_path / 'run')
    run.start(tiny_config, 'worlds', 64, tmp_path / 'earlier' / 'first', 'simulated')
    run.save_checkpoint(Trainer(tiny_config).state())
    arguments = ['--run', str(run.directory), '--cache', str(tiny_cache)]
    assert main([*arguments, '--out', str(tmp_path / 'models')]) == 1
    told = capsys.readouterr().err
    assert f'started from the run {tmp_path / "earlier" / "first"}, which is not there' in told
    assert not (tmp_path / 'models').exists()


def test_int8_is_accepted_up_to_half_a_point_of_recall(
    caplog: pytest.LogCaptureFixture,
) -> None:
    in_float = {'single': 0.9, 'multi': 0.8}
    with caplog.at_level('INFO'):
        check_int8_loss(in_float, {'single': 0.91, 'multi': 0.7951})
    assert 'multi-session R@1 on validation is 0.7951 in int8, 0.8000 in float' in caplog.text
    with pytest.raises(ValueError, match=r'multi-session .* 0\.7949 in int8.*leave out --int8'):
        check_int8_loss(in_float, {'single': 0.91, 'multi': 0.7949})


@pytest.mark.parametrize(('limit', 'code'), [(1.0, 0), (-1.0, 1)])
def test_int8_models_are_written_unless_they_lose_too_much(
    exported: Path,
    tiny_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limit: float,
    code: int,
) -> None:
    monkeypatch.setattr('ssd_ros.training.export.models.MAX_INT8_LOSS', limit)
    arguments = ['--run', str(exported / 'run'), '--cache', str(tiny_cache)]
    arguments += ['--out', str(tmp_path), '--threads', '1', '--num-views', '12', '--int8']
    assert main(arguments) == code
    if code == 1:
        assert 'leave out --int8' in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []
        return
    teacher = onnx.load(tmp_path / 'teacher.onnx')
    assert 'QuantizeLinear' in {node.op_type for node in teacher.graph.node}
    assert 'compute in int8' in (tmp_path / 'README.md').read_text()


def test_the_comparison_prints_time_and_recall_of_both_ways(
    exported: Path, tiny_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(['--run', str(exported / 'run'), '--cache', str(tiny_cache)]) == 0
    header, by_view, at_once, ratio = capsys.readouterr().out.splitlines()
    assert header.split() == ['encoded', 's', 'per', 'scan', 'R@1', 'single', 'R@1', 'multi']
    assert by_view.startswith('each view by itself')
    for line in (by_view, at_once):
        seconds, single, multi = map(float, line.split()[-3:])
        assert 0 < seconds < 5
        assert min(single, multi) >= 0
        assert max(single, multi) <= 1
    assert 'times faster at once, on 1 thread(s)' in ratio
