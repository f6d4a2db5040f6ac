# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Run the whole chain: simulate, build_db, rosbag2, node, player and collector over DDS, table.

The models are those that ship, the world is one that they were not trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
import json
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]


def run_demo(output: Path) -> str:
    # At half the pace, so that a busy machine answers nearly every scan.
    command = [sys.executable, '-m', 'ssd_ros.cli.demo', '--preset', 'unit', '--rate', '0.5']
    result = subprocess.run(
        [*command, '--output', str(output)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def table_of(printed: str) -> Mapping[str, float]:
    """Return the first number of each row."""
    rows = re.findall(r'^(\S.*?)  +([\d.]+)', printed, re.MULTILINE)
    return {name: float(value.rstrip('.')) for name, value in rows}


@pytest.fixture(scope='module')
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip('rclpy')
    return tmp_path_factory.mktemp('demo')


@pytest.fixture(scope='module')
def first_run(demo: Path) -> Mapping[str, float]:
    return table_of(run_demo(demo))


def test_nearly_every_cloud_gets_an_answer(first_run: Mapping[str, float]) -> None:
    assert first_run['clouds played'] == 60
    # A scan that comes while another is in work takes the place of the waiting one.
    assert first_run['queries'] >= 50


def test_the_models_recognise_a_world_they_never_saw(first_run: Mapping[str, float]) -> None:
    assert first_run['R@1 by chance'] < 0.7
    assert first_run['R@1 within 5 m'] > 0.8


def test_accepted_answers_are_seldom_wrong(first_run: Mapping[str, float], demo: Path) -> None:
    assert first_run['accepted precision'] >= 0.98
    lines = [json.loads(line) for line in (demo / 'answers.jsonl').read_text().splitlines()]
    assert any(line['rows'][0]['flags'] & 1 for line in lines if line.get('rows'))


def test_a_picture_is_drawn(first_run: Mapping[str, float], demo: Path) -> None:
    assert (demo / 'demo.png').read_bytes()[:8] == b'\x89PNG\r\n\x1a\n'


def test_a_second_run_keeps_drives_and_map(first_run: Mapping[str, float], demo: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (demo / 'map').iterdir()}
    assert run_demo(demo).count('the map is in') == 1
    assert {path: path.stat().st_mtime_ns for path in (demo / 'map').iterdir()} == before


def test_no_process_is_left_behind(first_run: Mapping[str, float], demo: Path) -> None:
    assert not [command for command in running_commands() if os.fsencode(demo) in command]


def running_commands() -> list[bytes]:
    commands = []
    for path in Path('/proc').glob('[0-9]*/cmdline'):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            commands.append(path.read_bytes())
    return commands
