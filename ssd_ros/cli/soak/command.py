# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `soak`: load the localizer for an hour and see that its memory does not grow."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.packages import require

EXAMPLES = """\
  soak --minutes 60
  soak --minutes 10 --output soak
"""
TAKES = 'as long as --minutes says'


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'soak',
        'Publish large clouds at 100 Hz to a running localizer. Ends with code 1 if a cloud is '
        'unaccounted for or the memory of the node grows: the growth over an hour at 100 Hz is '
        'extrapolated from a line through what it held after the first fifth of the time.',
        EXAMPLES,
        TAKES,
    )
    add = result.add_argument
    add('--minutes', type=at_least(float, 0.1), default=60.0, help='(%(default)s)')
    add('--rate', type=at_least(float, 0.1), default=100.0, help='clouds a second (%(default)s)')
    add('--points', type=at_least(int, 1), default=10_000, help='in each cloud (%(default)s)')
    add('--rows', type=at_least(int, 36), default=10_000, help='of the map (%(default)s)')
    add('--busy', type=at_least(int, 0), default=0, metavar='N',
        help='processes that do nothing but compute (%(default)s)')  # fmt: skip
    add('--max-latency', type=at_least(float, 1), default=500.0, metavar='MS',
        help='99th percentile that is allowed (%(default)s)')  # fmt: skip
    add('--max-growth', type=at_least(float, 0), default=20.0, metavar='MIB',
        help='growth over 360,000 clouds that is allowed (%(default)s)')  # fmt: skip
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add('--output', type=Path, default=Path('soak'), help='directory of figures (%(default)s)')
    return result


def soak(arguments: argparse.Namespace) -> None:
    """Load the node, write figures and judge them."""
    require('rclpy')
    from dataclasses import asdict

    from ssd_ros.cli.bench.inputs import random_database
    from ssd_ros.cli.bench.node_load import Load, run_load
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.cli.soak.report import draw, summarise
    from ssd_ros.encoders.network import OnnxEncoder
    from ssd_ros.shared_files import shared_file
    from ssd_ros.targets import check_files, write_json

    output: Path = arguments.output.absolute()
    figures, picture = output / 'soak.json', output / 'soak.png'
    check_files([figures, picture])
    student = arguments.student or shared_file('models/student.onnx')
    seconds = arguments.minutes * 60
    load = Load(arguments.rate, arguments.points, seconds, arguments.busy, 0, {})
    with TemporaryDirectory() as folder, progress_bar('soak', 's') as progress:
        map_path = Path(folder, 'map')
        random_database(arguments.rows, OnnxEncoder(student, 'cpu')).save(map_path)
        result = run_load(load, map_path, student, Path(folder), progress)
    summary = summarise(result)
    write_json(figures, asdict(summary))
    draw(result, picture)
    print(summary.table())
    print(f'figures: {figures}, picture: {picture}')
    summary.check(arguments.max_latency, arguments.max_growth)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), soak, argv)
