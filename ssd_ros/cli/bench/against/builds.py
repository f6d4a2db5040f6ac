# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Builds of this checkout, each asked in its own sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
import json
import os
from pathlib import Path
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any

# The last one before `A query in a third of the time`: nothing of a query is compiled yet.
START = 'cdcf14cda31c17e3cb0f8e55cd5b6e5a60c282b2'
ROOT = Path(__file__).parents[4]
THEN, NOW = 'then', 'now'


@contextmanager
def builds_beside(revision: str | None) -> Iterator[dict[str, Path]]:
    """
    Yield the folders of the sources: NOW, and THEN where a revision of this checkout is given.

    :param revision: '' = START
    :raise ValueError: this is no checkout, or it has no such revision
    """
    if revision is None:
        yield {NOW: ROOT}
        return
    with TemporaryDirectory() as folder:
        tree = Path(folder, 'build')
        _git('worktree', 'add', '--quiet', '--detach', str(tree), revision or START)
        try:
            yield {THEN: tree, NOW: ROOT}
        finally:
            _git('worktree', 'remove', '--force', str(tree))


def _git(*arguments: str) -> None:
    try:
        done = subprocess.run(
            ['git', '-C', str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ValueError('--against needs git') from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ValueError(f'--against needs a checkout that has the revision: {said[-1]}')


def sources_of(tree: Path) -> dict[str, str]:
    """Return the environment of a process that is to import what a folder has."""
    path = os.pathsep.join(filter(None, [str(tree), os.environ.get('PYTHONPATH')]))
    return {**os.environ, 'PYTHONPATH': path}


@contextmanager
def driver(tree: Path, program: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a program in the sources of a build; it answers lines until no more come."""
    words = [sys.executable, '-c', program.read_text(), *map(str, arguments)]
    process = subprocess.Popen(
        words, cwd=tree, env=sources_of(tree), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        yield process
        assert process.stdin
        process.stdin.close()


def answer(asked: subprocess.Popen[str], question: object) -> Any:
    """
    Return the answer of a driver, a line of JSON.

    :raise ValueError: it has ended
    """
    assert asked.stdin
    assert asked.stdout
    print(question, file=asked.stdin, flush=True)
    line = asked.stdout.readline()
    if not line:
        raise ValueError('a build ended before it had answered, see above')
    return json.loads(line)


def beside(title: str, figures: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """
    Yield a table of figures, and NOW as a share of THEN where there are both.

    :param figures: build -> row -> figure
    """
    names = list(figures)
    shares = ['share'] if THEN in figures else []
    yield f'{title:<46}' + ''.join(f'{name:>11}' for name in [*names, *shares])
    for row in figures[NOW]:
        values = [figures[name][row] for name in names]
        cells = [f'{value:.4g}' if abs(value) < 1000 else f'{value:.0f}' for value in values]
        if shares:
            cells.append(f'{values[1] / values[0]:.2f}' if values[0] else '')
        yield f'{row:<46}' + ''.join(f'{cell:>11}' for cell in cells)
