# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that compiled functions work where nothing can be kept for the next start."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from doubled import doubled
print(doubled(21), type(doubled._cache).__name__)
"""
MODULE = """
from ssd_ros.compiled import compiled

@compiled()
def doubled(x):
    return 2 * x
"""


def output(folder: Path, home: Path) -> list[str]:
    (folder / 'doubled.py').write_text(MODULE)
    environment = {name: text for name, text in os.environ.items() if name[:5] != 'NUMBA'}
    environment |= {'HOME': str(home), 'XDG_CACHE_HOME': str(home / 'cache')}
    command = [sys.executable, '-c', PROGRAM, str(folder)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**environment, 'PYTHONDONTWRITEBYTECODE': '1'},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_without_a_place_for_a_cache_a_function_is_compiled_all_the_same(tmp_path: Path) -> None:
    # A file in the place of each folder keeps root out, too.
    (tmp_path / '__pycache__').write_text('')
    (tmp_path / 'home').write_text('')
    assert output(tmp_path, tmp_path / 'home') == ['42', 'NullCache']


def test_with_one_it_is_kept(tmp_path: Path) -> None:
    assert output(tmp_path, tmp_path / 'home') == ['42', 'FunctionCache']
    assert list((tmp_path / '__pycache__').glob('doubled.*.nbc'))


WITHOUT_SCIPY = """
import sys
from ssd_ros.recognition.compiled_parts import use_compiled
from ssd_ros.verification import why_numpy
use_compiled()
print(why_numpy() == '', 'scipy.linalg' in sys.modules)
import numba, numpy as np
product = numba.njit(lambda left, right: left @ right)
print(product(np.eye(2), np.ones((2, 2))).sum())
"""


def test_scipy_is_loaded_by_those_alone_who_compile_its_algebra() -> None:
    pytest.importorskip('scipy')
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT_SCIPY],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.split() == ['True', 'False', '4.0']
