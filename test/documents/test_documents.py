# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that what the documents point at is there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
import re
import shlex

import pytest
from ssd_ros.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / 'resource' / 'docs'
PAGES = [path.relative_to(DOCS).as_posix() for path in sorted(DOCS.rglob('*.md'))]
# With the fewest links that each has.
DOCUMENTS = {
    'README.md': 25,
    **{f'resource/docs/{name}': 0 for name in PAGES},
    'CONTRIBUTING.md': 0,
    'QUALITY_DECLARATION.md': 9,
    'SECURITY.md': 2,
    'config/backends/README.md': 8,
    'config/drivers/README.md': 0,
}


def anchors_of(document: Path) -> set[str]:
    titles = re.findall(r'^#+ (.*)', document.read_text(), re.MULTILINE)
    return {re.sub(r'[^\w -]', '', title).lower().replace(' ', '-') for title in titles}


@pytest.mark.parametrize(('name', 'least'), DOCUMENTS.items())
def test_every_picture_and_link_is_there(name: str, least: int) -> None:
    document = ROOT / name
    links = re.findall(r'\[[^]]*]\(([^)]+)\)', document.read_text())
    assert len(links) >= least
    for link in links:
        if link.startswith('https://'):
            continue
        path, _, anchor = link.partition('#')
        target = document.parent / path if path else document
        assert target.is_file(), link
        assert not anchor or anchor in anchors_of(target), link


@pytest.mark.parametrize('name', DOCUMENTS)
def test_every_file_that_is_named_is_there(name: str) -> None:
    named = re.findall(
        r'`((?:config|models|launch|ssd_ros|test)/[\w./]*)`', (ROOT / name).read_text()
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def commands_of(name: str) -> list[tuple[str, str]]:
    """Return the commands in the blocks of a document with their options; `...` is no command."""
    text = (ROOT / name).read_text()
    blocks = ''.join(re.findall(r'^```\w*\n(.*?)^```', text, re.MULTILINE | re.DOTALL))
    lines = blocks.replace('\\\n', ' ').splitlines()
    found = [re.match(r'(?:ros2 run ssd_ros |ssd_ros )?(\w+) +(--.*)', line) for line in lines]
    return [(one[1], one[2]) for one in found if one and one[1] in COMMANDS]


@pytest.mark.parametrize(
    ('name', 'least'),
    [
        ('README.md', 1),
        ('BENCHMARK.md', 12),
        ('resource/docs/guide/training.md', 12),
        ('resource/docs/tutorials/calibrate.md', 6),
        ('resource/docs/tutorials/lidar_map.md', 4),
        ('resource/docs/tutorials/loop_closure.md', 2),
        ('resource/docs/tutorials/navtech_ars548.md', 3),
        ('resource/docs/tutorials/train.md', 6),
    ],
)
def test_every_command_is_one_that_its_parser_takes(name: str, least: int) -> None:
    commands = commands_of(name)
    assert len(commands) >= least
    for command, options in commands:
        words = shlex.split(options, comments=True)
        import_module(COMMANDS[command].module).parser().parse_args(words)
