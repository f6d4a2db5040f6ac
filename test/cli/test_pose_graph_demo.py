# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Run the whole loop: drive round a block, find the place again while driving, correct the drift.

Simulator, node with its online index, pose graph, player and collector are real and meet over DDS.
"""

from __future__ import annotations

import json
from pathlib import Path
import re
import subprocess
import sys
from typing import Any

import pytest
from ssd_ros.cli.pose_graph_demo import command as pose_graph_demo
from ssd_ros.pose_graph.trajectory_files import write_tum
from support.drives.three_laps import truth

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip('rclpy')
    pytest.importorskip('gtsam')
    folder = tmp_path_factory.mktemp('pose_graph')
    write_tum(folder / 'optimized_in_map.tum', truth())  # of an earlier run
    command = [sys.executable, '-m', 'ssd_ros.cli.pose_graph_demo', '--preset', 'unit']
    result = subprocess.run(
        [*command, '--laps', '1.25', '--rate', '6', '--output', str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'ATE with closures' in result.stdout
    return folder


@pytest.fixture(scope='module')
def figures(output: Path) -> dict[str, Any]:
    values = json.loads((output / 'pose_graph.json').read_text())
    assert isinstance(values, dict)
    return values


def test_closures_found_while_driving_take_away_drift(figures: dict[str, Any]) -> None:
    assert figures['drive']['simulated'] is True
    # 1.25 laps: only the last fifth can close a loop. A busy machine answers fewer scans.
    assert figures['edges_live']['used'] >= 3
    assert figures['ate_without_closures_m'] > 1.5
    assert figures['ate_with_closures_m'] < 0.75 * figures['ate_without_closures_m']


def test_closures_found_while_driving_are_right_and_precise(figures: dict[str, Any]) -> None:
    edges = figures['edges_live']
    assert edges['wrong'] <= 0.1 * edges['used']
    assert edges['median_error_m'] < 0.5
    assert edges['median_error_deg'] < 1


def test_a_picture_and_trajectories_for_other_tools_are_written(output: Path) -> None:
    assert (output / 'pose_graph.png').read_bytes()[:8] == b'\x89PNG\r\n\x1a\n'
    _, *lines = (output / 'optimized.tum').read_text().splitlines()
    assert {len(line.split()) for line in lines} == {8}
    assert not (output / 'optimized_in_map.tum').exists()  # this run had no map


def test_another_drive_does_not_take_the_place_of_the_one_that_is_there(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pose_graph_demo.main(['--preset', 'unit', '--output', str(output)]) == 1
    assert 'holds another drive: choose another --output or --fresh' in capsys.readouterr().err


def test_false_closures_are_fed_to_the_graph_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip('gtsam')
    arguments = ['--output', str(tmp_path), '--false-closures', '0.5', '--seeds', '1']
    assert pose_graph_demo.main(arguments) == 0
    assert re.search(r'shifted, 50%, first 20 all .* 1 of 1,', capsys.readouterr().out)
    cases = json.loads((tmp_path / 'rejection.json').read_text())['cases']
    assert [case['kind'] for case in cases] == ['shifted', 'shifted', 'along', 'scattered']
    for case in cases:
        assert case['consensus']['worst'] < 1.05
        assert case['false_believed'] == 0
    assert (tmp_path / 'rejection.png').read_bytes()[:8] == b'\x89PNG\r\n\x1a\n'


@pytest.mark.parametrize(
    'arguments',
    [['--laps', '0'], ['--rate', 'x'], ['--preset', 'moon'], ['--false-closures', '1']],
)
def test_wrong_usage_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        pose_graph_demo.main(arguments)
