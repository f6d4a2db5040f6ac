# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that two processes train as one: same loss, same weights, batch shared out or refused."""

from dataclasses import replace
from pathlib import Path
import subprocess
import sys

import pytest
from ssd_ros.training.config import BatchConfig
from ssd_ros.training.runs.command import main
from ssd_ros.training.runs.distributed import check_shares, own_device
from ssd_ros.training.runs.folder import Run
import torch

# Sinkhorn cancels what is added to all scores, so their gradient is rounding alone, which Adam
# blows up to a whole step.
WITHOUT_GRADIENT = {'pooling.mid.ghost', 'pooling.mid.dust', 'pooling.mid.scores.2.bias'}


def test_two_processes_reach_the_loss_and_the_weights_of_one(
    tmp_path: Path, tiny_cache: Path, tiny_config_file: Path
) -> None:
    arguments = ['--cache', str(tiny_cache), '--config', str(tiny_config_file), '--device', 'cpu']
    arguments += ['--scheme', 'ssd', '--steps', '3', '--out']
    single, double = Run(tmp_path / 'single'), Run(tmp_path / 'double')
    assert main([*arguments, str(single.directory)]) == 0
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    launcher += ['--nproc-per-node', '2', '-m', 'ssd_ros', 'train']
    subprocess.run([*launcher, *arguments, str(double.directory)], check=True, timeout=120)
    expected, found = single.metrics()[0], double.metrics()[0]
    for name in ('loss', 'metric_loss', 'accuracy', 'feature_loss', 'joint_share'):
        assert found[name] == pytest.approx(expected[name], rel=1e-5), name
    states = [run.load_checkpoint() for run in (single, double)]
    weights, others = [state['networks'] for state in states if state]
    assert weights.keys() == others.keys()
    for name in weights.keys() - WITHOUT_GRADIENT:
        torch.testing.assert_close(others[name], weights[name], rtol=1e-4, atol=1e-5, msg=name)


def test_a_batch_that_cannot_be_shared_out_evenly_is_refused() -> None:
    batch = BatchConfig(num_places=32, num_distractors=8)
    check_shares(batch, 8)
    with pytest.raises(ValueError, match=r'batch\.num_places is 32, expected a multiple of the 3'):
        check_shares(batch, 3)
    with pytest.raises(ValueError, match=r'batch\.num_distractors is 36, expected a multiple'):
        check_shares(replace(batch, num_distractors=4), 8)


def test_a_device_that_is_not_there_is_refused() -> None:
    assert own_device('cpu').type == 'cpu'
    if not torch.cuda.is_available():
        assert own_device('auto').type == 'cpu'
        with pytest.raises(ValueError, match='PyTorch finds none: choose cpu'):
            own_device('cuda')
