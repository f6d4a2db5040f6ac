# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what `import ssd_ros` offers, and that it costs nothing until it is used."""

from __future__ import annotations

import ast
from pathlib import Path
import subprocess
import sys

import pytest
import ssd_ros

ROOT = Path(__file__).parents[2]


def test_the_import_brings_no_library_and_its_names_no_torch_and_no_ros() -> None:
    program = (
        'import sys\n'
        'before = set(sys.modules)\n'
        'import ssd_ros\n'
        "assert 'numpy' not in set(sys.modules) - before\n"
        "for name in ('torch', 'rclpy', 'numba', 'matplotlib', 'tqdm', 'cv2', 'onnx'):\n"
        '    sys.modules[name] = None\n'
        'from ssd_ros import *\n'
        'print(PlaceRecognizer.__name__, open_encoder.__module__)\n'
    )
    command = [sys.executable, '-c', program]
    printed = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    assert printed == 'PlaceRecognizer ssd_ros.encoders.place_encoder\n'


def test_a_type_checker_sees_the_same_names_in_the_same_modules() -> None:
    tree = ast.parse((ROOT / 'ssd_ros' / '__init__.py').read_text())
    seen = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith('ssd_ros.')
        for alias in node.names
    }
    assert len(seen) == 11
    assert {name: getattr(ssd_ros, name).__module__ for name in ssd_ros.__all__} == seen
    assert set(seen) <= set(dir(ssd_ros))


def test_a_name_that_is_not_there_is_refused_as_of_any_module() -> None:
    with pytest.raises(
        AttributeError, match="module 'ssd_ros' has no attribute 'PlaceRecogniser'"
    ):
        _ = ssd_ros.PlaceRecogniser  # type: ignore[attr-defined]
