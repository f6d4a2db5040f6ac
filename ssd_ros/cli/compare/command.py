# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `compare`: every method in one benchmark, handcrafted and learned."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import os
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, ONE_THREAD, run_command, usable_cores
from ssd_ros.cli.evaluate.command import TASKS
from ssd_ros.extensions import is_own
from ssd_ros.user_paths import user_path

EXAMPLES = """\
  compare --cache runs/cache/test --out runs/compare
  compare --cache runs/cache/test --out runs/compare --methods autoplace --tasks multi 4d \\
      --learned autoplace=runs/autoplace/models
  compare --cache runs/cache/validation --out runs/trial --methods ssd radvlad_repaired
  compare --cache runs/cache/test --out runs/peers --tasks 4d --methods ssd map_closures
"""
TAKES = (
    'about 20 minutes of a core for all methods and the default tasks on the split test; '
    'finished rows are kept, so that it can be stopped and gone on with'
)
# Kept here so that --help need not import the methods; a test compares it with theirs.
HANDCRAFTED = (
    'ring_key_released',
    'ring_key_repaired',
    'scan_context_ring_key_released',
    'scan_context_ring_key_repaired',
    'scan_context_released',
    'scan_context_repaired',
    'intensity_scan_context_released',
    'intensity_scan_context_repaired',
    'raplace_released',
    'raplace_repaired',
    'radvlad_released',
    'radvlad_repaired',
    'fft_radvlad_released',
    'fft_radvlad_repaired',
    'referee_released',
    'referee_repaired',
)
PEERS = ('dr_pogo_released', 'dr_pogo_repaired', 'map_closures')
OURS = 'ssd'


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'compare',
        'Judge methods on cached drives: ours, every handcrafted baseline as released and '
        'repaired, other trained models. All see the same images, maps and queries. Finished '
        'rows are kept in OUT and not done again; the report covers all rows that are there.',
        EXAMPLES,
        TAKES,
    )
    add = result.add_argument
    add('--cache', type=Path, nargs='+', required=True, metavar='DIR', help='split to judge on')
    add('--out', type=Path, required=True, help='for the rows, compare.md and compare.html')
    add(
        '--methods',
        nargs='+',
        metavar='NAME',
        help=f'of {OURS} (the installed models), {", ".join(HANDCRAFTED)}, the names of '
        f'--learned (all of these), {", ".join(PEERS)} (loop closures of other systems, slow; '
        'map_closures needs pip install map-closures==2.2.0), and module:Class of a Method of '
        'your own',
    )
    add(
        '--learned',
        action='append',
        default=[],
        metavar='NAME=DIR',
        help='student.onnx and teacher.onnx of another training run; repeatable',
    )
    add(
        '--tasks',
        nargs='+',
        choices=TASKS,
        default=TASKS[:4],
        help=f'see evaluate ({" ".join(TASKS[:4])})',
    )
    add('--database', choices=('A', 'B', 'C'), default='C', help='see evaluate (%(default)s)')
    metres = at_least(float, 0)
    for name, default, what in (
        ('--keyframe-distance', 2.0, 'between two places of the map, database C'),
        ('--query-spacing', 2.0, 'between two queries'),
        ('--radius', 5.0, 'within which an answer is right'),
    ):
        add(name, type=metres, default=default, metavar='METRES', help=f'{what} (%(default)s)')
    views = 'headings of the map for trained models (%(default)s)'
    add('--views', type=at_least(int, 1), default=36, help=views)
    add('--jobs', type=at_least(int, 1), default=usable_cores(), help='(%(default)s)')
    return result


def run(arguments: argparse.Namespace) -> None:
    """Judge what is missing, measure costs, write the report and print its table."""
    os.environ.update(ONE_THREAD)  # a core for each process, so that times compare
    from ssd_ros.baselines import own_method
    from ssd_ros.cli.compare.report import REPORTS, write_report
    from ssd_ros.cli.compare.rows import Comparing, finish_rows
    from ssd_ros.evaluation.queries.protocol import Protocol
    from ssd_ros.packages import require
    from ssd_ros.shared_files import shared_file
    from ssd_ros.targets import check_files, check_working_folder

    check_files([arguments.out / name for name in REPORTS])
    for name in ('rows', 'costs', 'models'):
        check_working_folder(arguments.out / name)
    learned = {OURS: shared_file('models/student.onnx').parent} | _learned(arguments.learned)
    own = [name for name in arguments.methods or () if is_own(name)]
    for name in own:
        own_method(name)  # before the work
    usual = (OURS, *HANDCRAFTED, *(name for name in learned if name != OURS))
    known = (*usual, *PEERS, *own)
    methods = arguments.methods or usual
    if unknown := sorted(set(methods) - set(known)):
        raise ValueError(f'unknown method {unknown[0]!r}; choose from {", ".join(known)}')
    if 'map_closures' in methods:
        require('map_closures')
    protocol = Protocol(
        database=arguments.database,
        keyframe_m=arguments.keyframe_distance,
        query_m=arguments.query_spacing,
        num_views=arguments.views,
        radius_m=arguments.radius,
    )
    comparing = Comparing(tuple(arguments.cache), arguments.out, protocol, learned)
    finish_rows(comparing, methods, arguments.tasks, arguments.jobs)
    print(write_report(comparing, known))


def _learned(texts: Sequence[str]) -> dict[str, Path]:
    """Return the folders of other models by the name of their method."""
    result = {}
    for text in texts:
        name, has_folder, folder = text.partition('=')
        if not (has_folder and name.isidentifier()) or name in (OURS, *HANDCRAFTED, *PEERS):
            raise ValueError(f'--learned is {text!r}, expected NEW_NAME=DIR')
        result[name] = user_path(folder)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
