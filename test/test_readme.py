# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold the README's tables to the code."""

from __future__ import annotations

import math
from pathlib import Path
import re

from ssd_ros.ros.parameters import Option, OPTIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()


def parameter_row(option: Option) -> str:
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    shown = f'`{str(default).lower() if isinstance(default, bool) else default}`'
    limits = ', '.join(f'`{choice}`' for choice in option.choices)
    if not math.isnan(option.low):
        limits = f'{option.low:g} … {option.high:g}'
    name = f'`{option.name}`' + (' (read-only)' if option.read_only else '')
    return f'| {name} | {"" if default == "" else shown} | {limits} | {option.description} |'


def test_the_parameter_table_is_that_of_the_node() -> None:
    rows = '\n'.join(['| parameter | default | range | meaning |', '|---|---|---|---|']
                     + [parameter_row(option) for option in OPTIONS])  # fmt: skip
    assert rows in README, f'the README should have this table:\n{rows}'


def test_every_command_of_the_make_file_is_mentioned() -> None:
    targets = re.findall(r'^(\w+):.*##', (ROOT / 'Makefile').read_text(), re.MULTILINE)
    assert {'help', 'demo', 'test', 'check', 'bench', 'fmt'} <= set(targets)
    assert [name for name in targets if f'`{name}`' not in README and f'make {name}' not in README
            ] == []  # fmt: skip


def test_every_picture_of_the_readme_is_there() -> None:
    pictures = re.findall(r'!\[[^]]*]\(([^)]+)\)', README)
    assert len(pictures) >= 2
    assert [name for name in pictures if not (ROOT / name).is_file()] == []
