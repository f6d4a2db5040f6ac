# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure an earlier build beside this one, by turns in one run: whole queries and the node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
import re
from statistics import median
import subprocess
import sys
from typing import NamedTuple

from ssd_ros.cli.bench.against.builds import answer, builds_beside, driver, NOW, sources_of, THEN

_STUDENT = Path('models', 'student.onnx')
_DRIVER = Path(__file__).parents[1] / 'asked_by_lines.py'
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


def compared(revision: str, num_rows: int, node_seconds: float) -> Iterator[str]:
    """
    Yield the lines of both tables.

    :param node_seconds: of each run of the node; 0 leaves it out
    """
    with builds_beside(revision) as builds:
        yield from query_table(_times_of_queries(builds, num_rows), num_rows)
        if node_seconds:
            yield from node_table(_figures_of_nodes(builds, num_rows, node_seconds))


def _times_of_queries(
    builds: Mapping[str, Path], num_rows: int
) -> dict[str, dict[str, list[float]]]:
    """Return build -> stage -> milliseconds of every query."""
    with ExitStack() as stack:
        drivers = {
            name: stack.enter_context(driver(tree, _DRIVER, num_rows, tree / _STUDENT))
            for name, tree in builds.items()
        }
        for asked in drivers.values():
            answer(asked, 3)  # the first ones load and allocate
        times: dict[str, dict[str, list[float]]] = {name: {} for name in builds}
        for _ in range(_ROUNDS):
            for name, asked in drivers.items():
                for stage, taken in answer(asked, _QUERIES).items():
                    times[name].setdefault(stage, []).extend(taken)
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
                cwd=tree, env=sources_of(tree), capture_output=True, text=True, check=False,
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
    then, now = times_ms[THEN], times_ms[NOW]
    yield f'{f"a query, {num_rows} rows":<34} {"then, ms":>10} {"now, ms":>10} {"share":>7}'
    for stage, taken in then.items():
        before_ms, after_ms = median(taken), median(now[stage])
        yield f'{stage:<34} {before_ms:>10.3f} {after_ms:>10.3f} {after_ms / before_ms:>7.2f}'
    yield f'median processor time of {len(now["whole query"])} queries by turns, one thread'


def node_table(figures: Mapping[str, Sequence[NodeFigures]]) -> Iterator[str]:
    """Yield the lines of the table of the node: medians of the rounds, and clouds of all."""
    then, now = figures[THEN], figures[NOW]
    yield f'{"the node beside busy processes":<34} {"then":>10} {"now":>10} {"share":>7}'
    for name in ('p50_ms', 'p99_ms'):
        before, after = (median(getattr(each, name) for each in side) for side in (then, now))
        title = f'published to held, {name[:3]}, ms'
        yield f'{title:<34} {before:>10.1f} {after:>10.1f} {after / before:>7.2f}'
    for name in ('sent', 'replaced'):
        before, after = (sum(getattr(each, name) for each in side) for side in (then, now))
        yield f'{f"clouds {name}":<34} {before:>10} {after:>10}'
