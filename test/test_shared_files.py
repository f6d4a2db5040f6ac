# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that shipped files are found in the source tree and in an installation."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
import sys

import pytest
from ssd_ros.shared_files import shared_file

ROOT = Path(__file__).parents[1]


def test_a_shipped_file_is_found_in_the_source_tree() -> None:
    assert shared_file('config/localize.yaml') == ROOT / 'config' / 'localize.yaml'


@pytest.mark.parametrize(
    'library', ['lib/python3.12/site-packages', 'local/lib/python3.10/dist-packages']
)
def test_a_shipped_file_is_found_beside_an_installed_package(tmp_path: Path, library: str) -> None:
    package = tmp_path / library / 'ssd_ros'
    package.mkdir(parents=True)
    for name in ('__init__.py', 'shared_files.py'):
        shutil.copy(ROOT / 'ssd_ros' / name, package)
    shipped = tmp_path / 'share' / 'ssd_ros' / 'models' / 'student.onnx'
    shipped.parent.mkdir(parents=True)
    shipped.write_bytes(b'model')
    program = (
        'from ssd_ros.shared_files import shared_file; print(shared_file("models/student.onnx"))'
    )
    found = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True,
        cwd=package.parent,
    )  # fmt: skip
    assert Path(found.stdout.strip()) == shipped


def test_a_file_that_is_nowhere_is_named_with_the_places_that_were_searched() -> None:
    with pytest.raises(FileNotFoundError) as error:
        shared_file('models/none.onnx')
    text = str(error.value)
    assert 'models/none.onnx, which ships with ssd_ros, is missing' in text
    assert f'looked in {ROOT}, ' in text
    assert str(ROOT / 'share' / 'ssd_ros') in text
