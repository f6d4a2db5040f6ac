# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Follow the recipe of the README beside the libraries that each distribution of ROS owns.

`make test-install` does it with those releases from PyPI, in environments that hold nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
import os
from pathlib import Path
import re
import shutil
import subprocess

import pytest
from ssd_ros.datasets.formats.hercules import write_hercules
from support.posts import straight_drive

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / 'config' / 'constraints'
# By distribution: the newest Python that PyPI has wheels for of all that its Ubuntu brings.
PYTHONS = {'humble': '3.10', 'jazzy': '3.11', 'kilted': '3.11', 'lyrical': '3.13'}
# Our requirements that the distributions do not bring.
MISSING = ['faiss-cpu', 'rosbags', 'tqdm>=4.60', 'Jinja2', 'plotly']
# What ROS has by other names, or the test does not need.
NOT_INSTALLED = {'opencv-python', 'setuptools'}
# No wheel for Python 3.10, and its sources want an old Cython.
FROM_SOURCES = {'PyYAML==5.4.1': ['cython<3', 'setuptools==59.6.0', 'wheel'],
                'transforms3d==0.3.1': ['setuptools==59.6.0', 'wheel']}  # fmt: skip
OPENCV = 'opencv-python-headless'


def constraints(distribution: str) -> list[str]:
    """Return the lines that pip reads, with those of files that a file names."""
    lines = []
    for line in (CONSTRAINTS / f'{distribution}.txt').read_text().splitlines():
        if other := re.fullmatch(r'-c (\w+)\.txt', line):
            lines += constraints(other[1])
        elif line and not line.startswith('#'):
            lines.append(line)
    return lines


def test_every_distribution_has_its_file_and_the_readme_names_them() -> None:
    assert {path.stem for path in CONSTRAINTS.glob('*.txt')} == set(PYTHONS)
    readme = (ROOT / 'README.md').read_text()
    assert 'pip install -c src/ssd_ros/config/constraints/$ROS_DISTRO.txt faiss-cpu' in readme
    assert 'share/{package_name}/config/constraints' in (ROOT / 'setup.py').read_text()


@pytest.mark.parametrize('distribution', PYTHONS)
def test_what_ros_owns_is_pinned_and_what_is_ours_is_free(distribution: str) -> None:
    names = {re.split('[=<>]', line)[0] for line in constraints(distribution)}
    assert {'numpy', OPENCV, 'opencv-python'} <= names
    assert names & {'onnxruntime', 'rosbags'} == set()


def run(command: Sequence[str | Path], where: Path) -> str:
    variables = {name: text for name, text in os.environ.items() if name != 'PYTHONPATH'}
    variables['PYTHONPATH'] = str(ROOT)
    result = subprocess.run(
        [str(word) for word in command],
        cwd=where, env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def installed(python: Path) -> dict[str, str]:
    lines = run([python, '-m', 'pip', 'freeze', '--all'], python.parent).splitlines()
    return dict(line.split('==') for line in lines if '==' in line)


@pytest.mark.slow
@pytest.mark.skipif('SSD_ROS_TEST_INSTALL' not in os.environ, reason='make test-install')
@pytest.mark.parametrize('distribution', ['humble', 'jazzy', 'lyrical'])
def test_the_recipe_leaves_what_ros_owns_and_the_main_job_runs(
    tmp_path: Path, distribution: str
) -> None:
    found = shutil.which(f'python{PYTHONS[distribution]}')
    if found is None or subprocess.run([found, '--version'], check=False).returncode:
        pytest.skip(f'python{PYTHONS[distribution]} is not installed')
    run([found, '-m', 'venv', tmp_path / 'venv'], tmp_path)
    python = tmp_path / 'venv' / 'bin' / 'python'
    pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    owned = [line for line in constraints(distribution) if '==' in line]
    owned = [line for line in owned if line.partition('==')[0] not in NOT_INSTALLED]
    if not any(line.startswith(OPENCV) for line in owned):
        owned += [line for line in constraints(distribution) if line.startswith(OPENCV)]
    for line in set(owned) & set(FROM_SOURCES):
        run([*pip, 'numpy==1.21.5', *FROM_SOURCES[line]], tmp_path)
        run([*pip, '--no-build-isolation', '--no-deps', line], tmp_path)
    run([*pip, *owned], tmp_path)
    if distribution == 'lyrical':  # which releases Ubuntu 26.04 has of these was not to be had
        run([*pip, 'PyYAML', 'matplotlib', 'transforms3d', 'argcomplete'], tmp_path)
    before = installed(python)

    file = CONSTRAINTS / f'{distribution}.txt'
    run([*pip, '-c', file, *MISSING], tmp_path)
    run([*pip, '--no-deps', 'onnxruntime'], tmp_path)
    after = installed(python)
    names = [re.split('[=<>]', line)[0] for line in owned]
    assert {name: after[name] for name in names} == {name: before[name] for name in names}

    write_hercules(tmp_path, 'Posts', '01', straight_drive(num=5))
    command = [python, '-m', 'ssd_ros']
    files = ['--input', 'Posts/01', '--output', 'posts.map']
    assert 'keyframes        5\n' in run([*command, 'build_db', *files], tmp_path)
    files = ['--input', 'Posts/01', '--map', 'posts.map', '--html', 'replay.html']
    assert 'queries              5\n' in run([*command, 'replay', *files], tmp_path)
    assert (tmp_path / 'replay.html').stat().st_size > 10_000  # with plots
