# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build the package with colcon, as on a vehicle, and look at what it installs."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import sysconfig

import pytest

ROOT = Path(__file__).parents[2]
PYTHON_LIB = f'lib/python{sysconfig.get_python_version()}/site-packages'


def run(*command: str, **options: str) -> str:
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **options}
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope='module')
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ssd_ros is installed, as `source install/setup.bash` would find it."""
    work = tmp_path_factory.mktemp('colcon')
    colcon = str(Path(sys.executable).with_name('colcon'))
    if not Path(colcon).is_file():
        pytest.skip('colcon is not installed (requirements-dev.txt)')
    listed = run(colcon, '--log-base', str(work / 'log'), 'list', '--base-paths', str(ROOT))
    # A package.xml that does not parse makes colcon fall back to plain `(python)`.
    assert '(ros.ament_python)' in listed
    bases = ['--build-base', str(work / 'build'), '--install-base', str(work / 'install')]
    run(colcon, '--log-base', str(work / 'log'), 'build', '--base-paths', str(ROOT), *bases)
    return work / 'install' / 'ssd_ros'


def test_commands_are_where_ros2_run_looks(prefix: Path) -> None:
    commands = {path.name for path in (prefix / 'lib' / 'ssd_ros').iterdir()}
    assert {'build_db', 'localize', 'simulate', 'evaluate', 'demo', 'train'} <= commands


def test_launch_config_and_models_are_in_the_share_directory(prefix: Path) -> None:
    share = prefix / 'share' / 'ssd_ros'
    for name in ('package.xml', 'launch/localize.launch.py', 'config/localize.yaml'):
        assert (share / name).read_bytes() == (ROOT / name).read_bytes()
    for name in ('student.onnx', 'teacher.onnx'):
        assert (share / 'models' / name).stat().st_size > 0


def test_the_ament_index_resolves_the_package(prefix: Path) -> None:
    pytest.importorskip('ament_index_python')
    program = (
        'from ament_index_python.packages import get_package_prefix\n'
        "print(get_package_prefix('ssd_ros'))"
    )
    printed = run(sys.executable, '-c', program, AMENT_PREFIX_PATH=str(prefix))
    assert Path(printed.strip()) == prefix
    assert (prefix / 'share' / 'ssd_ros' / 'hook' / 'ament_prefix_path.sh').is_file()


@pytest.mark.parametrize('command', ['build_db', 'evaluate', 'simulate'])
def test_an_installed_command_explains_itself(prefix: Path, command: str) -> None:
    printed = run(
        str(prefix / 'lib' / 'ssd_ros' / command), '--help', PYTHONPATH=str(prefix / PYTHON_LIB)
    )
    assert 'usage:' in printed
    assert 'example' in printed.lower()
