# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `evaluate`: recall of the shipped models, beside a handcrafted baseline."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from ssd_ros.cli.build_db import DATASETS
from ssd_ros.cli.console import at_least, make_parser, run_command, usable_cores

if TYPE_CHECKING:
    from ssd_ros.cli.evaluation_run import Result

EXAMPLES = """\
  evaluate --map HeRCULES/Library/01 --queries HeRCULES/Library/02 HeRCULES/Library/03
  evaluate --simulate demo --baseline scan_context --plot demo.png
  evaluate --map 01 --queries 02 --radius 25 --json result.json
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'evaluate',
        'Build a map from the spinning radar of one drive, look up the 4D radar scans of others '
        'and compare the answers with the poses. A keyframe counts once, with its best view; '
        'queries with no keyframe within the radius do not count and are listed as left out.',
        EXAMPLES,
    )
    add = result.add_argument
    drives = result.add_argument_group('drives, recorded or simulated')
    drives.add_argument('--map', type=Path, help='drive with spinning radar')
    drives.add_argument('--queries', type=Path, nargs='+', default=[], help='drives with 4D radar')
    drives.add_argument('--dataset', default='auto', choices=DATASETS, help='(%(default)s)')
    drives.add_argument(
        '--simulate',
        choices=('validation', 'demo'),
        help='simulated worlds that no model was trained on, instead of --map and --queries',
    )
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add('--teacher', type=Path, help="the spinning radar's model (the one that is installed)")
    add('--baseline', choices=('scan_context',), help='a handcrafted method on the same queries')
    add(
        '--radius',
        type=at_least(float, 0.1),
        default=5.0,
        metavar='METRES',
        help='within which an answer is right (%(default)s)',
    )
    add(
        '--query-spacing',
        type=at_least(float, 0),
        default=2.0,
        metavar='METRES',
        help='between two queries (%(default)s; the papers use 0.3 to 0.5)',
    )
    add(
        '--keyframe-distance',
        type=at_least(float, 0),
        default=2.0,
        metavar='METRES',
        help='between two places of the map (%(default)s; 0 = every scan, as the papers)',
    )
    add('--views', type=at_least(int, 1), default=36, help='headings of the map (%(default)s)')
    add('--json', type=Path, metavar='FILE', help='write the results there')
    add('--plot', type=Path, metavar='FILE', help='draw precision over recall there (PNG)')
    add('--device', default='auto', choices=('auto', 'cpu', 'cuda'), help='(%(default)s)')
    add('--threads', type=at_least(int, 1), default=usable_cores(), help='(%(default)s)')
    return result


def evaluate(arguments: argparse.Namespace) -> None:
    """Run the evaluation that the arguments ask for, print its table and write its files."""
    from ssd_ros.cli.evaluation_run import draw, recorded_drives, run, simulated_drives, to_json
    from ssd_ros.files import write_bytes_atomically

    if arguments.simulate:
        if arguments.map or arguments.queries:
            raise ValueError('--simulate replaces --map and --queries: give one or the other')
        places = simulated_drives(arguments.simulate)
    elif arguments.map and arguments.queries:
        places = recorded_drives(arguments.map, arguments.queries, arguments.dataset)
    else:
        raise ValueError('what to evaluate on? give --map and --queries, or --simulate')
    results = run(places, arguments)
    if arguments.simulate:
        print('simulated radar, worlds that no model was trained on')
    print(table(results))
    if arguments.json:
        write_bytes_atomically(arguments.json, to_json(results, arguments).encode())
    if arguments.plot:
        draw(results, arguments.plot, 'simulated radar' if arguments.simulate else '')


def table(results: Sequence[Result]) -> str:
    """Return the scores as lines of text."""
    width = max(len(result.title) for result in results)
    lines = [
        f'{"map -> queries":<{width}} {"method":<13} {"N":>5} {"out":>4} {"R@1":>6} {"95 %":>12} '
        f'{"R@5":>6} {"R@1%":>6} {"chance":>7} {"precision":>9} {"accepted":>8} {"yaw":>6}'
    ]
    for result in results:
        score = result.score
        low, high = score.recall_at_1_interval
        lines.append(
            f'{result.title:<{width}} {result.method:<13} {score.num_queries:>5} '
            f'{score.num_left_out:>4} {score.recall_at_1:>6.3f} {low:>6.3f}-{high:.3f} '
            f'{score.recall_at_5:>5.3f} {score.recall_at_1_percent:>6.3f} {score.chance:>7.4f} '
            f'{_or_dash(score.accepted_precision, 9)} {_or_dash(score.accepted_recall, 8)} '
            f'{_or_dash(score.median_yaw_error_deg, 6)}'
        )
    radius_m = results[0].score.radius_m
    lines.append(
        f'right = within {radius_m:g} m; N = queries that count, out = left out (no keyframe '
        'within the radius);\nprecision = of accepted first answers, accepted = right accepted '
        'answers among N; yaw = median error in degrees where right'
    )
    return '\n'.join(lines)


def _or_dash(value: float | None, width: int) -> str:
    return f'{"-":>{width}}' if value is None else f'{value:>{width}.3f}'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), evaluate, argv)


if __name__ == '__main__':
    sys.exit(main())
