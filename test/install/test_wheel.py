# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Install the wheel where nothing else of the project is, and do the main job with it."""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv

import pytest
from ssd_ros.cli.main import COMMANDS
from ssd_ros.datasets.formats.hercules import write_hercules
from support.posts import straight_drive

ROOT = Path(__file__).parents[2]
SOURCES = ('config', 'launch', 'models', 'resource', 'ssd_ros')
LIMIT_S = 60


def run(command: Sequence[str], where: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who has the wheel and no checkout."""
    variables = {name: text for name, text in os.environ.items() if name != 'PYTHONPATH'}
    result = subprocess.run(
        command, cwd=where, env=variables, capture_output=True, text=True, check=False
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the wheel of a copy of the sources: making it leaves files beside them."""
    work = tmp_path_factory.mktemp('wheel')
    copy = work / 'sources'
    for name in SOURCES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns('__pycache__'))
    for path in ROOT.glob('*'):
        if path.is_file():
            shutil.copy(path, copy)
    pip = [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-build-isolation']
    run([*pip, '--wheel-dir', str(work), str(copy)], work)
    return next(work.glob('*.whl'))


@pytest.fixture(scope='module')
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return bin/ of an environment that has the wheel, and the libraries of this one."""
    home = tmp_path_factory.mktemp('clean')
    venv.create(home, with_pip=False, symlinks=True)
    python = home / 'bin' / 'python'
    purelib = Path(sysconfig.get_path('purelib', vars={'base': str(home)}))
    (purelib / 'libraries.pth').write_text(sysconfig.get_path('purelib') + '\n')
    install = [sys.executable, '-m', 'pip', '--python', str(python), 'install', '--quiet']
    run([*install, '--no-deps', '--no-index', '--ignore-installed', str(wheel)], home)
    return python.parent


def test_one_command_comes_into_the_path_and_everything_ships(clean: Path) -> None:
    programs = {path.name for path in clean.iterdir()}
    assert 'ssd_ros' in programs
    assert programs & set(COMMANDS) == set()
    share = clean.parent / 'share' / 'ssd_ros'
    for folder in ('config', 'config/drivers', 'config/backends', 'launch', 'models'):
        there = {path.name for path in (share / folder).iterdir() if path.is_file()}
        here = {path.name for path in (ROOT / folder).iterdir() if path.is_file()}
        assert there == here, folder


def test_the_page_ships(clean: Path) -> None:
    program = (
        'from importlib.resources import files\n'
        'print(*sorted(each.name for each in (files("ssd_ros.view") / "page").iterdir()))'
    )
    printed = run([str(clean / 'python'), '-c', program], clean).stdout.split()
    here = sorted(path.name for path in (ROOT / 'ssd_ros' / 'view' / 'page').iterdir())
    assert printed == here
    assert 'index.html' in here


def test_the_package_is_that_of_the_wheel(clean: Path) -> None:
    program = 'import ssd_ros; print(ssd_ros.__file__)'
    printed = run([str(clean / 'python'), '-c', program], clean).stdout
    assert clean.parent in Path(printed.strip()).parents


def test_a_map_is_built_and_a_recording_replayed_in_it(clean: Path, tmp_path: Path) -> None:
    write_hercules(tmp_path, 'Posts', '01', straight_drive(num=5))
    command = str(clean / 'ssd_ros')
    built = run([command, 'build_db', '--input', 'Posts/01', '--output', 'posts.map'], tmp_path)
    assert 'keyframes        5\n' in built.stdout
    files = ['--input', 'Posts/01', '--map', 'posts.map', '--json', 'summary.json']
    run([command, 'replay', *files], tmp_path)
    assert json.loads((tmp_path / 'summary.json').read_text())['queries'] == 5


def test_the_node_starts_and_ends(clean: Path, tmp_path: Path, ros_domain: None) -> None:
    pytest.importorskip('rclpy')
    arguments = ['--ros-args', '-p', 'online_index:=true']
    variables = {name: text for name, text in os.environ.items() if name != 'PYTHONPATH'}
    node = subprocess.Popen(
        [str(clean / 'ssd_ros'), 'localize', *arguments],
        cwd=tmp_path, env=variables, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert node.stderr is not None
        started = any('the running drive only' in line for line in node.stderr)
        assert started
        node.send_signal(signal.SIGINT)
        assert node.wait(LIMIT_S) == 0
    finally:
        node.kill()
        node.wait()


def test_a_file_that_did_not_ship_is_named_with_the_places_searched(
    clean: Path, tmp_path: Path
) -> None:
    teacher = clean.parent / 'share' / 'ssd_ros' / 'models' / 'teacher.onnx'
    hidden = teacher.with_suffix('.hidden')
    teacher.rename(hidden)
    try:
        result = run(
            [str(clean / 'ssd_ros'), 'build_db', '--input', '.', '--output', 'map'], tmp_path, 1
        )
    finally:
        hidden.rename(teacher)
    assert 'ssd_ros build_db: models/teacher.onnx, which ships with ssd_ros, is missing' in (
        result.stderr
    )
    assert str(teacher.parents[1]) in result.stderr
