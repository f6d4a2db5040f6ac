# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Kill whoever writes a map, at fifty random moments each, and look at what stands there.

The writers are forks of one process, so that each of them is in its work at once.
"""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import pytest
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from support.posts import small_encoder, straight_drive, write_small_encoder

ROOT = Path(__file__).parents[1]

# Given the work of a writer and within which time to kill it, once it says that it has begun;
# prints what each kill left. A writer that was done before its moment is run again.
KILLER = """
import hashlib, os, random, signal, sys, time
from pathlib import Path

def kill_fifty(work, seconds, path, state):
    moments = random.Random(0)
    killed = 0
    while killed < 50:
        random.seed(moments.random())
        before = {entry.name for entry in path.parent.iterdir()}
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            # Half a line of a killed writer would swallow the next one that is printed here.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work(lambda: os.write(writer, b'.'))
            os._exit(0)
        os.close(writer)
        assert os.read(reader, 1), 'the writer failed'
        time.sleep(moments.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        ended = os.WIFEXITED(os.waitpid(child, 0)[1])
        killed += not ended
        os.close(reader)
        left = {entry.name for entry in path.parent.iterdir()} - before
        print('ended' if ended else 'killed', len(left), state(), flush=True)
"""

SAVER = (
    KILLER
    + """
from dataclasses import replace
from ssd_ros.maps.files import read_map, write_map
from ssd_ros.maps.place_database import PlaceDatabase
path = Path(sys.argv[1])
content = read_map(path)

def number_in(content):
    # The number of a save is its source and where its keyframes begin.
    number = int(content.info.source)
    assert content.keyframes.positions_m[0, 0] == number, 'mixed from two'
    return number

def save(ready):
    first = number_in(read_map(path)) + 1
    databases = []
    for number in range(first, first + 8):
        shifted_m = content.keyframes.positions_m + [number, 0, 0]
        keyframes = replace(content.keyframes, positions_m=shifted_m)
        info = replace(content.info, source=str(number))
        databases.append(PlaceDatabase(replace(content, keyframes=keyframes, info=info)))
    ready()
    while True:
        for database in databases:
            database.save(path)

content = replace(content, info=replace(content.info, source='0'))
write_map(path, content)
kill_fifty(save, 0.05, path, lambda: number_in(read_map(path)) >= 0)
"""
)

SESSION = (
    KILLER
    + """
from dataclasses import replace
import numpy as np
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.files import read_map, write_map
from ssd_ros.maps.place_database import Keyframe
path = Path(sys.argv[1])
old = read_map(path)
info = replace(old.info, num_views=1, sensor='4d')

def remember(session):
    place = np.array([10.0 * len(session), 0, 0])
    upright = np.array([0, 0, 0, 1.0])
    session.add(old.descriptors[0], Keyframe(len(session), place, upright, old.returns_cm[0]))

def whole():
    content = read_map(path)
    assert content.info.source == str(len(content.keyframes)), 'mixed from two'
    return len(content.keyframes)

def save(ready):
    session = LiveSession(old.descriptors.shape[1])
    for _ in range(whole()):
        remember(session)
    ready()
    while True:  # what ~/save_session does, one keyframe later each time
        remember(session)
        write_map(path, session.to_map(replace(info, source=str(len(session)))))

write_map(path, replace(old, info=replace(old.info, source=str(len(old.keyframes)))))
kill_fifty(save, 0.05, path, whole)
"""
)

BUILDER = (
    KILLER
    + """
from ssd_ros.cli.build_db import command as build_db, encoding
# What the command imports when it runs: a fork has it at once.
import ssd_ros.cli.common.drives, ssd_ros.cli.common.progress, ssd_ros.maps.builder
from ssd_ros.encoders.trial import require_trial
from ssd_ros.maps.files import read_map
from ssd_ros.maps.place_database import PlaceDatabase
encoding._show_first_scan = lambda *_: None  # drawing takes longer than all the rest
path, arguments = Path(sys.argv[1]), sys.argv[2:]
teacher = Path(arguments[arguments.index('--teacher') + 1])
model = teacher.read_bytes()
require_trial(teacher, model, hashlib.sha256(model).hexdigest())  # once for all forks

def build(ready):
    # Half of the writers begin where the map is written, the others where the command begins.
    if random.random() < 0.5:
        ready()
    else:
        save = PlaceDatabase.save
        PlaceDatabase.save = lambda self, path: (ready(), save(self, path))
    if build_db.main(arguments) != 0:
        os._exit(1)

old = read_map(path).info.uuid
uuids = [old]

def state():
    uuids.append(read_map(path).info.uuid)
    return uuids[-1] != uuids[-2]

kill_fifty(build, 0.05, path, state)
"""
)


def outcomes(program: str, *arguments: str) -> list[list[str]]:
    """Return of each kill: whether it came in time, files left over, what the map is."""
    command = [sys.executable, '-c', program, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert result.returncode == 0, result.stderr[-3000:]
    lines = [line.split() for line in result.stdout.splitlines()]
    return [line for line in lines if line[0] in ('ended', 'killed')]


def test_a_saver_killed_at_fifty_moments_leaves_one_whole_map(tmp_path: Path) -> None:
    path = tmp_path / 'maps' / 'map.ssd'
    build_database(straight_drive(num=8), small_encoder(tmp_path, 'spinning')).save(path)
    found = outcomes(SAVER, str(path))
    assert len(found) == 50
    assert {line[0] for line in found} == {'killed'}
    # It is written beside the map: what is left over shows that a write was hit.
    assert sum(int(line[1]) > 0 for line in found) > 25
    assert len(PlaceDatabase.load(path)) == 8


def test_a_session_killed_at_fifty_moments_while_it_is_saved_leaves_one_whole_map(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'maps' / 'session.ssd'
    build_database(straight_drive(num=8), small_encoder(tmp_path, 'spinning')).save(path)
    found = outcomes(SESSION, str(path))
    assert len(found) == 50
    assert sum(int(line[1]) > 0 for line in found) > 25
    num_keyframes = [int(line[2]) for line in found]
    assert num_keyframes == sorted(num_keyframes)  # never an older session than before
    assert num_keyframes[-1] > 8


@pytest.mark.slow
def test_build_db_killed_at_fifty_moments_leaves_the_old_map_or_the_new(tmp_path: Path) -> None:
    drive = write_hercules(tmp_path, 'Posts', '01', straight_drive(num=1))
    teacher = write_small_encoder(tmp_path / 'teacher.onnx', 'spinning')
    path = tmp_path / 'maps' / 'map.ssd'
    build_database(straight_drive(num=8), small_encoder(tmp_path, 'spinning')).save(path)
    arguments = ['--input', str(drive), '--output', str(path), '--teacher', str(teacher)]
    found = outcomes(BUILDER, str(path), *arguments, '--device', 'cpu')
    killed = [line for line in found if line[0] == 'killed']
    assert len(killed) == 50
    # Some were killed before their map was in place; all that were not have replaced it.
    assert any(line[2] == 'False' for line in killed)
    assert any(int(line[1]) > 0 for line in killed)  # in the middle of the write
    assert all(line[2] == 'True' for line in found if line[0] == 'ended')
