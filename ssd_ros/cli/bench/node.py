# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `bench_node`: how soon the running localizer answers while others use the cores."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores
from ssd_ros.packages import require

if TYPE_CHECKING:
    from ssd_ros.cli.bench.node_load import Load, LoadResult

EXAMPLES = """\
  bench_node
  bench_node --rows 10000 --busy 0 --seconds 10
  bench_node --nice -10
  bench_node --parameter num_threads=2
"""
RATE_HZ = 20.0
NUM_POINTS = 800
NUM_ROWS = 100_000
STAGES = ('decode', 'bev', 'encode', 'search', 'verify', 'total')


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'bench_node',
        'Measure the running node: a process publishes clouds over DDS and waits for their '
        'candidates, while other processes keep all cores busy. The map is random: it takes as '
        'long to search as a real one.',
        EXAMPLES,
    )
    add = result.add_argument
    add('--rows', type=at_least(int, 36), default=NUM_ROWS, help='of the map (%(default)s)')
    add('--rate', type=at_least(float, 0.1), default=RATE_HZ, help='clouds a second (%(default)s)')
    add('--points', type=at_least(int, 1), default=NUM_POINTS, help='in each (%(default)s)')
    add('--seconds', type=at_least(float, 2), default=30.0, help='(%(default)s)')
    add('--busy', type=at_least(int, 0), default=usable_cores(), metavar='N',
        help='processes that do nothing but compute (%(default)s)')  # fmt: skip
    add('--nice', type=int, default=0, help='priority of the node, -20 = first (%(default)s)')
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add('--parameter', action='append', default=[], metavar='NAME=VALUE', help='of the node')
    return result


def bench_node(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    require('rclpy')
    from ssd_ros.cli.bench.node_load import Load
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.shared_files import shared_file

    pairs = [text.partition('=') for text in arguments.parameter]
    given = {name: value for name, _, value in pairs}
    load = Load(
        arguments.rate, arguments.points, arguments.seconds, arguments.busy, arguments.nice, given
    )
    student = arguments.student or shared_file('models/student.onnx')
    with progress_bar('load', 's') as progress:
        lines = list(measured_node(load, student, arguments.rows, progress))
    print('\n'.join(lines))


def measured_node(
    load: Load,
    student_path: Path,
    num_rows: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[str]:
    """Measure the node and yield the lines of the table."""
    from ssd_ros.cli.bench.inputs import random_database
    from ssd_ros.cli.bench.node_load import run_load
    from ssd_ros.encoders.network import OnnxEncoder

    with TemporaryDirectory() as folder:
        map_path = Path(folder, 'map')
        database = random_database(num_rows, OnnxEncoder(student_path, 'cpu'))
        database.save(map_path)
        result = run_load(load, map_path, student_path, Path(folder), progress)
    yield from table(load, result, database.num_rows)


def table(load: Load, result: LoadResult, num_rows: int) -> Iterator[str]:
    """Yield what happened, and where the time went."""
    import numpy as np

    yield (
        f'running node, {load.rate_hz:g} Hz of {load.points} points, map of {num_rows} rows, '
        f'{load.num_busy} busy processes on {usable_cores()} cores, '
        f'nice {load.nice}, load average {os.getloadavg()[0]:.1f}'
    )
    sent, received = result.sent, result.count('input', 'messages')
    drops = result.count('inference', 'queue_drops')
    yield (
        f'{"clouds":<34} {sent} sent, {sent - received} lost, '
        f'{len(result.latencies_ms)} answered, {drops} replaced by a newer one'
    )
    p50, p99 = np.percentile(result.latencies_ms, (50, 99))
    yield (
        f'{"cloud published to candidates held":<34} p50 {p50:.1f} p99 {p99:.1f} '
        f'max {result.latencies_ms.max():.1f} ms'
    )
    for stage in STAGES:
        if text := result.last('inference', f'{stage}_ms'):
            yield f'{"in the node, " + stage:<34} {text} ms'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), bench_node, argv)


if __name__ == '__main__':
    sys.exit(main())
