# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure an earlier build beside this one, by turns in one run: whole queries and the node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, ExitStack
import json
import os
from pathlib import Path
import re
from statistics import median
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import NamedTuple

# The last one before `A query in a third of the time`: nothing of a query is compiled yet.
START = 'cdcf14cda31c17e3cb0f8e55cd5b6e5a60c282b2'
ROOT = Path(__file__).parents[3]
_STUDENT = Path('models', 'student.onnx')
_DRIVER = Path(__file__).with_name('asked_by_lines.py')
_ROUNDS, _QUERIES = 10, 20
_NODE_ROUNDS = 2
_FIGURES = re.compile(
    r'(?P<sent>\d+) sent, .* (?P<replaced>\d+) replaced'
    r'.* p50 (?P<p50>[\d.]+) p99 (?P<p99>[\d.]+) ',
    re.DOTALL,
)


class NodeFigures(NamedTuple):
    """What the running node did: milliseconds from cloud to candidates, clouds."""

    p50_ms: float
    p99_ms: float
    sent: int
    replaced: int


@contextmanager
def build_of(revision: str) -> Iterator[Path]:
    """
    Yield a folder with the sources of a revision of this checkout.

    :raise ValueError: this is no checkout, or it has no such revision
    """
    with TemporaryDirectory() as folder:
        tree = Path(folder, 'build')
        _git('worktree', 'add', '--quiet', '--detach', str(tree), revision)
        try:
            yield tree
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


def compared(revision: str, num_rows: int, node_seconds: float) -> Iterator[str]:
    """
    Yield the lines of both tables.

    :param node_seconds: of each run of the node; 0 leaves it out
    """
    with build_of(revision) as tree:
        builds = {'then': tree, 'now': ROOT}
        yield from query_table(_times_of_queries(builds, num_rows), num_rows)
        if node_seconds:
            yield from node_table(_figures_of_nodes(builds, num_rows, node_seconds))


def _times_of_queries(
    builds: Mapping[str, Path], num_rows: int
) -> dict[str, dict[str, list[float]]]:
    """Return build -> stage -> milliseconds of every query."""
    with ExitStack() as stack:
        drivers = {
            name: stack.enter_context(_driver(tree, num_rows)) for name, tree in builds.items()
        }
        for driver in drivers.values():
            _answer(driver, 3)  # the first ones load and allocate
        times: dict[str, dict[str, list[float]]] = {name: {} for name in builds}
        for _ in range(_ROUNDS):
            for name, driver in drivers.items():
                for stage, taken in _answer(driver, _QUERIES).items():
                    times[name].setdefault(stage, []).extend(taken)
    return times


@contextmanager
def _driver(tree: Path, num_rows: int) -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, '-c', _DRIVER.read_text(), str(num_rows), str(tree / _STUDENT)]
    process = subprocess.Popen(
        program, cwd=tree, env=_sources_of(tree), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        yield process
        assert process.stdin
        process.stdin.close()


def _sources_of(tree: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(tree), os.environ.get('PYTHONPATH')]))
    return {**os.environ, 'PYTHONPATH': path}


def _answer(driver: subprocess.Popen[str], num: int) -> dict[str, list[float]]:
    assert driver.stdin
    assert driver.stdout
    print(num, file=driver.stdin, flush=True)
    line = driver.stdout.readline()
    if not line:
        raise ValueError('a build ended before it had answered, see above')
    times: dict[str, list[float]] = json.loads(line)
    return times


def _figures_of_nodes(
    builds: Mapping[str, Path], num_rows: int, seconds: float
) -> dict[str, list[NodeFigures]]:
    """Return build -> what its node did in each round, beside processes that keep cores busy."""
    figures: dict[str, list[NodeFigures]] = {name: [] for name in builds}
    for _ in range(_NODE_ROUNDS):
        for name, tree in builds.items():
            arguments = ['bench_node', '--rows', str(num_rows), '--seconds', str(seconds)]
            done = subprocess.run(
                [sys.executable, '-m', 'ssd_ros', *arguments],
                cwd=tree, env=_sources_of(tree), capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise ValueError(f'bench_node of {tree} failed: {done.stderr.strip()[-1000:]}')
            figures[name].append(figures_in(done.stdout))
    return figures


def figures_in(printed: str) -> NodeFigures:
    """Return the figures in what `bench_node` prints."""
    found = _FIGURES.search(printed)
    if found is None:
        raise ValueError(f'bench_node printed no figures: {printed[-1000:]}')
    sent, replaced, p50_ms, p99_ms = found.groups()
    return NodeFigures(float(p50_ms), float(p99_ms), int(sent), int(replaced))


def query_table(
    times_ms: Mapping[str, Mapping[str, Sequence[float]]], num_rows: int
) -> Iterator[str]:
    """Yield the lines of the table of stages: medians, now as a share of then."""
    then, now = times_ms['then'], times_ms['now']
    yield f'{f"a query, {num_rows} rows":<34} {"then, ms":>10} {"now, ms":>10} {"share":>7}'
    for stage, taken in then.items():
        before_ms, after_ms = median(taken), median(now[stage])
        yield f'{stage:<34} {before_ms:>10.3f} {after_ms:>10.3f} {after_ms / before_ms:>7.2f}'
    yield f'median processor time of {len(now["whole query"])} queries by turns, one thread'


def node_table(figures: Mapping[str, Sequence[NodeFigures]]) -> Iterator[str]:
    """Yield the lines of the table of the node: medians of the rounds, and clouds of all."""
    then, now = figures['then'], figures['now']
    yield f'{"the node beside busy processes":<34} {"then":>10} {"now":>10} {"share":>7}'
    for name in ('p50_ms', 'p99_ms'):
        before, after = (median(getattr(each, name) for each in side) for side in (then, now))
        title = f'published to held, {name[:3]}, ms'
        yield f'{title:<34} {before:>10.1f} {after:>10.1f} {after / before:>7.2f}'
    for name in ('sent', 'replaced'):
        before, after = (sum(getattr(each, name) for each in side) for side in (then, now))
        yield f'{f"clouds {name}":<34} {before:>10} {after:>10}'
