# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `bench`: how long each stage takes, beside a plain way to do it in the same run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, ONE_THREAD, run_command, usable_cores
from ssd_ros.packages import require, way_out

if TYPE_CHECKING:
    from ssd_ros.cli.bench.stages import Stage

EXAMPLES = """\
  bench
  bench --full
  bench --city 1000000
  bench --serve 100000
  bench --against
  bench --start --against
  bench --long-drive
  bench --devices
"""
TAKES = 'some minutes; 30 s of them (--node-seconds) the running node'


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'bench',
        'Time every stage of a query, of map building and of training on one core, beside a '
        'peer: a plain way to the same result (loops over points, eager PyTorch, NumPy search, '
        'each view by itself), the networks of SHeRLoc and 4DRaL, the student in float. At '
        'the end, the running node beside processes that keep all cores busy.',
        EXAMPLES,
        TAKES,
    )
    add = result.add_argument
    add('--full', action='store_true', help='search in a million rows, too (3 GB of memory)')
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add('--teacher', type=Path, help="the spinning radar's model (the one that is installed)")
    add(
        '--node-seconds',
        type=at_least(float, 0),
        default=30.0,
        help='time of the running node, 0 leaves it out (%(default)s)',
    )
    add(
        '--against',
        nargs='?',
        const='',
        metavar='REVISION',
        help='measure an earlier build of this checkout beside this one instead, by turns: a '
        'query in 100,000 rows by stages, and the running node; without REVISION the last one '
        'before anything was compiled; takes some minutes',
    )
    _add_others(result)
    return result


def _add_others(parser: argparse.ArgumentParser) -> None:
    """Add what is measured in place of the stages, one of them at a time."""
    add = parser.add_mutually_exclusive_group().add_argument
    add(
        '--city',
        type=at_least(int, 3600),
        metavar='ROWS',
        help='measure a map of a city of so many rows instead, simulated: memory, time to open, '
        'to search with and without a prior, answers kept (1000000 take a GB of disk)',
    )
    add(
        '--serve',
        type=at_least(int, 36),
        metavar='ROWS',
        help='load a place server of a map of so many rows instead: answers a second, their '
        'times, what is refused and lost; takes a minute',
    )
    add(
        '--start',
        action='store_true',
        help='start the node again and again instead: time until it is active, memory; with '
        '--against beside an earlier build; takes a minute',
    )
    add(
        '--long-drive',
        nargs='?',
        type=at_least(float, 0.01),
        const=5.0,
        metavar='HOURS',
        help='remember a simulated drive instead, of %(const)s hours if none are given: memory, '
        'search, and what waits while it is saved; with --against beside an earlier build; takes '
        'a minute',
    )
    add(
        '--devices',
        action='store_true',
        help='compare the devices that are installed (see --device of build_db) instead: times, '
        'and which answers they change on a simulated street; takes a minute',
    )


def bench(arguments: argparse.Namespace) -> None:
    """Time the stages and print each as it is done."""
    alone = [name for name in ('city', 'serve', 'devices') if getattr(arguments, name)]
    if alone and arguments.against is not None:
        raise ValueError(f'--against measures queries, --start or --long-drive, not --{alone[0]}')
    os.environ.update(ONE_THREAD)  # for us and for the peers
    from ssd_ros.cli.bench.stages import stages
    from ssd_ros.shared_files import shared_file

    student = arguments.student or shared_file('models/student.onnx')
    teacher = arguments.teacher or shared_file('models/teacher.onnx')
    if lines := _instead(arguments, student, teacher):
        for line in lines:
            print(line, flush=True)
        return
    for line in table(stages(student, teacher, arguments.full)):
        print(line, flush=True)
    if arguments.node_seconds:
        _measure_node(arguments.node_seconds, student)


def _measure_node(seconds: float, student: Path) -> None:
    from ssd_ros.cli.bench.node import measured_node, NUM_POINTS, NUM_ROWS, RATE_HZ
    from ssd_ros.cli.bench.node_load import Load

    try:
        require('rclpy')
    except ModuleNotFoundError as error:
        print(f'running node: {way_out(error)}')
        return
    load = Load(RATE_HZ, NUM_POINTS, seconds, usable_cores(), 0, {})
    for line in measured_node(load, student, NUM_ROWS):
        print(line)


def _instead(arguments: argparse.Namespace, student: Path, teacher: Path) -> Iterable[str] | None:
    """Return the lines of what was asked for in place of the stages, None if nothing was."""
    if arguments.city:
        from ssd_ros.cli.bench.city import measured_city

        return measured_city(arguments.city, student, teacher)
    if arguments.serve:
        require('aiohttp')
        from ssd_ros.cli.bench.fleet import measured_server

        return measured_server(arguments.serve, student)
    if arguments.devices:
        from ssd_ros.cli.bench.devices import measured_devices

        return table(measured_devices(student, teacher))
    if arguments.start:
        require('rclpy')
        from ssd_ros.cli.bench.against.start import measured_start, NUM_ROWS

        return measured_start(NUM_ROWS, arguments.against)
    if arguments.long_drive:
        from ssd_ros.cli.bench.against.long_drive import measured_drive

        return measured_drive(arguments.long_drive, arguments.against)
    if arguments.against is not None:
        if arguments.node_seconds:
            require('rclpy')
        from ssd_ros.cli.bench.against.queries import compared
        from ssd_ros.cli.bench.node import NUM_ROWS

        return compared(arguments.against, NUM_ROWS, arguments.node_seconds)
    return None


def table(measured: Iterable[Stage | str]) -> Iterable[str]:
    """
    Yield the lines of the table: milliseconds as median (minimum), and their ratio.

    :param measured: stages, and lines that stand between them
    """
    yield f'{"stage":<34} {"ours, ms":>18}   {"peer":<28} {"peer, ms":>18} {"ratio":>7}'
    for stage in measured:
        if isinstance(stage, str):
            yield stage
            continue
        line = f'{stage.name:<34} {_milliseconds(stage.ours_ms) if stage.ours_ms else "":>18}'
        if stage.peer_ms:
            ratio = _median(stage.peer_ms) / _median(stage.ours_ms)
            line += f'   {stage.peer:<28} {_milliseconds(stage.peer_ms)} {ratio:>6.1f}x'
        elif stage.peer:
            line += f'   {stage.peer}'
        yield line
    yield (
        'median (minimum) of processor time of repeated runs on random input, one thread; in '
        'brackets what the paper reports of a graphics card'
    )


def _median(times_ms: Sequence[float]) -> float:
    ordered = sorted(times_ms)
    return ordered[len(ordered) // 2]


def _milliseconds(times_ms: Sequence[float]) -> str:
    return f'{_median(times_ms):>8.3f} ({min(times_ms):>7.3f})'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), bench, argv)
