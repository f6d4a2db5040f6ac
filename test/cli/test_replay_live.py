# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Look at a replay through the page of the browser, and at how long that takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import json
import os
from pathlib import Path
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('aiohttp', reason='aiohttp is not installed (make test installs it)')

import aiohttp
from ssd_ros.cli.replay.live import covariance_in_map
from ssd_ros.datasets.bags.rosbag2_writer import write_rosbag2
from ssd_ros.maps.builder import build_database
from ssd_ros.recognition.candidates import DTYPE
from support.calibrations import EASY
from support.posts import random_posts, SMALL, small_encoder, straight_drive, write_small_encoder

ROOT = Path(__file__).parents[2]
LIMIT_S = 60.0
PACE = 10.0
MAPPING = replace(straight_drive(num=20), posts=random_posts(1000))
# Ten scans, two seconds between two of them: two seconds in all at that pace.
DRIVE = replace(MAPPING, xy_yaw=MAPPING.xy_yaw[5:15])


def command_of(folder: Path, *more: str) -> list[str]:
    """Write a calibrated map and a bag, and return the command that replays it."""
    teacher = small_encoder(folder, 'spinning')
    build_database(MAPPING, teacher, 36, 2.0, confidence=EASY).save(folder / 'map')
    student = write_small_encoder(folder / 'student.onnx', '4d')
    write_rosbag2(folder / 'bag', DRIVE, with_scans=False)
    given = ['--input', folder / 'bag', '--map', folder / 'map', '--student', student]
    given += ['--json', folder / 'summary.json', *more]
    return [sys.executable, '-m', 'ssd_ros', 'replay', *map(str, given)]


async def told(url: str) -> list[Any]:
    """Return everything that is said until the end."""
    heard = []
    async with aiohttp.ClientSession() as session, session.ws_connect(f'{url}socket') as socket:
        while True:
            message = await asyncio.wait_for(socket.receive(), LIMIT_S)
            if message.type == aiohttp.WSMsgType.TEXT:
                heard.append(json.loads(message.data))
            elif message.type == aiohttp.WSMsgType.BINARY:
                heard.append({'channel': 'image', 'data': message.data})
            else:
                return heard


def test_a_recording_is_shown_at_its_pace_and_judged_as_ever(tmp_path: Path) -> None:
    command = command_of(tmp_path, '--live', str(PACE), '--port', '0')
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.endswith('and begins when somebody looks\n')
        begun_s = time.monotonic()
        heard = asyncio.run(told(line.split(' is shown at ')[1].split()[0]))
        text = process.stdout.read()
        assert process.wait(LIMIT_S) == 0
    assert time.monotonic() - begun_s >= 18 / PACE
    newest = {message['channel']: message for message in heard}
    assert set(newest) == {'maps', 'places', 'image', 'answer', 'pose', 'path', 'health'}
    assert newest['places']['total'] == 20
    assert newest['answer']['candidates'][0]['keyframe_id'] == 14
    assert newest['pose']['pose'][:2] == pytest.approx([140, 0], abs=1.6)
    assert newest['path']['xy'][-2:] == newest['pose']['pose'][:2]
    size = 4 + SMALL.grid.num_ranges * SMALL.grid.num_azimuths
    assert len(newest['image']['data']) == size
    (status,) = newest['health']['statuses']
    assert status['name'] == 'replay'
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert status['message'] == f'{summary["accepted"]} of {summary["queries"]} accepted'
    assert (summary['queries'], summary['accepted'] > 0) == (10, True)
    assert f'in {summary["wall_s"]:.1f} s' in text
    assert summary['wall_s'] < time.monotonic() - begun_s  # without the time spent waiting


@pytest.mark.parametrize('given', [['--live', '0'], ['--live', '--port', '70000']])
def test_a_pace_or_port_that_cannot_be_is_wrong_usage(given: list[str]) -> None:
    command = [sys.executable, '-m', 'ssd_ros', 'replay', '--input', 'drive', *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f'{given[-1]} is ' in done.stderr


def test_the_covariance_is_turned_from_the_keyframe_into_the_map() -> None:
    row = np.zeros(1, DTYPE)
    row['qz'] = row['qw'] = np.sqrt(0.5)  # looks along y
    row['covariance_xx'], row['covariance_yy'] = 4.0, 1.0
    np.testing.assert_allclose(covariance_in_map(row), [[1, 0], [0, 4]], atol=1e-6)
    row['covariance_xx'] = np.nan  # not laid over
    assert covariance_in_map(row).tolist() == [[0, 0], [0, 0]]
