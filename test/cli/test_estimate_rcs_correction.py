# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `estimate_rcs_correction`: one number from drives, and refusals."""

from __future__ import annotations

from pathlib import Path
import re
import shutil

import pytest
from ssd_ros.cli.estimate_rcs_correction import command as estimate_rcs_correction


def run(*arguments: object) -> int:
    return estimate_rcs_correction.main([str(argument) for argument in arguments])


def test_the_correction_of_two_simulated_drives_is_their_mean(
    hercules_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drives = [hercules_root / 'Mountain' / number for number in ('01', '02')]
    assert run('--drives', *drives, '--spacing', 2) == 0
    output = capsys.readouterr().out
    means = re.findall(r'Mountain/0\d: (-?[\d.]+) from (\d+) pairs', output)
    (total,) = re.findall(r'C_corr  (-?[\d.]+) pixels', output)
    num_pairs = sum(int(num) for _, num in means)
    expected = sum(float(mean) * int(num) for mean, num in means) / num_pairs
    assert len(means) == 2
    assert float(total) == pytest.approx(expected, abs=2e-4)  # printed with four digits
    assert f'pairs   {num_pairs}' in output
    assert num_pairs >= 6  # 1.75 s at 5 to 6.5 m/s, a pair each 2 m


def test_the_correction_explains_itself(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = hercules_root / 'Mountain' / '01'
    assert run('--drives', drive) == 0
    output = capsys.readouterr().out
    (found,) = re.findall(r'C_corr  (-?[\d.]+) pixels', output)
    assert f'put rcs_correction: {found} there' in output
    assert 'training_fixed.yaml says 0. To train' in output
    assert 'of 5 scans and 3 x 3 cells' in output
    by_content = tmp_path / 'content.yaml'
    by_content.write_text(
        'preprocessing: {cloud: {normalisation: content}, scan: {normalisation: content}}'
    )
    assert run('--drives', drive, '--config', by_content) == 0
    output = capsys.readouterr().out
    (left,) = re.findall(r'C_corr  (-?[\d.]+) pixels', output)
    assert abs(float(left)) < abs(float(found)) / 2
    assert 'Nothing is to be done' in output
    assert 'rcs_correction is not used' in output


def test_a_drive_without_the_4d_radar_is_refused(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(hercules_root / 'Library' / '01', tmp_path / '01')
    shutil.rmtree(tmp_path / '01' / 'Radar' / 'Continental')
    assert run('--drives', tmp_path / '01') == 1
    assert 'it needs both radars' in capsys.readouterr().err
    assert run('--drives', tmp_path / '01', '--huber-delta', 0) == 1
    assert 'huber_delta is 0.0, expected more than 0' in capsys.readouterr().err


def test_a_pair_with_a_bad_file_is_left_out_and_told(
    hercules_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(hercules_root / 'Mountain' / '01', tmp_path / '01')
    whole = ('--drives', tmp_path / '01', '--spacing', 0)
    assert run(*whole) == 0
    assert 'from 8 pairs, 0 unreadable' in capsys.readouterr().out
    scans = sorted((tmp_path / '01' / 'Radar' / 'Navtech').rglob('*.png'))
    scans[3].write_bytes(b'no image')
    assert run(*whole) == 0
    assert 'from 7 pairs, 1 unreadable' in capsys.readouterr().out
    for scan in scans[:6]:
        scan.write_bytes(b'no image')
    assert run(*whole) == 1
    assert '6 of the first 8 pairs cannot be used' in capsys.readouterr().err
