# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `statistics` on the real frames at hand and a few simulated ones."""

from __future__ import annotations

from pathlib import Path
import re

import pytest
from ssd_ros.cli.main import main
from ssd_ros.simulator.config import UNIT_SEED

DATA = Path(__file__).parents[2] / 'data'
TURN = str(DATA / 'boreas_rt/1733239501984460.png')
DETECTIONS = str(DATA / 'ars548/detections.csv')
FEW = ('--simulated', 'train_wide', '--drives', '4', '--frames', '1')


def test_both_real_radars_are_compared_with_simulated_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ['--real', TURN, DETECTIONS, '--range-resolution', '0.0438', *FEW]
    assert main(['statistics', *arguments]) == 0
    text = capsys.readouterr().out
    of_turn, of_cloud = text.split('4D radar: real ')
    assert of_turn.startswith(
        'spinning radar: real 1 independent frame of 1 recording, 20 pieces | simulated, '
        'train_wide: 4 independent frames of 4 recordings, 80 pieces\n'
    )
    assert of_cloud.startswith('1 independent frame of 1 recording, 6 pieces | ')
    # The frame's median power, in half-decibels, far above that of the simulated receivers.
    assert re.search(r'level: median at 20-60 m +41\.00 .* (0\.[89]\d|1\.00)\n', of_turn)
    assert len(re.findall(r'AUC, .*: [01]\.\d{3} \(simulated in their place: ', of_turn)) == 3
    assert len(re.findall(r'AUC, .*: [01]\.\d{3} \(simulated in their place: ', of_cloud)) == 2
    assert text.count('One independent frame: its pieces are of one place and one radar') == 2


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        (('--real', TURN, *FEW), 'give --range-resolution METRES'),
        (('--real', DETECTIONS, '--simulated', 'test_far'), 'test_far is kept for the last'),
        (('--real', DETECTIONS, '--simulated', 'nowhere'), 'nowhere'),
        (('--real', 'absent.csv'), 'absent.csv'),
    ],
)
def test_what_cannot_be_compared_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    assert main(['statistics', *arguments]) == 1
    assert expected in capsys.readouterr().err


def test_a_simulated_drive_is_no_real_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['simulate', 'generate', '--preset', 'unit', '--out', str(tmp_path)]) == 0
    drive = tmp_path / f'Sim_Town_{UNIT_SEED}/01'
    assert main(['statistics', '--real', str(drive), *FEW]) == 1
    assert 'is simulated: --real is for recordings of real radars' in capsys.readouterr().err
