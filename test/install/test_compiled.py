# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that compiled functions work where nothing can be kept for the next start."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

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
