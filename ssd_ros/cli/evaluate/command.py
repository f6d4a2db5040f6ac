# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `evaluate`: recall of the shipped models; `compare` judges others."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores
from ssd_ros.cli.common.drive_options import add_drive_options, refuse_drive_options, SENSORS
from ssd_ros.cli.common.map_options import add_opposite_lane
from ssd_ros.devices import DEVICES, MEANING
from ssd_ros.extensions import OrOwn
from ssd_ros.packages import FOR_PAGES, require
from ssd_ros.shared_files import ENCODERS

if TYPE_CHECKING:
    from ssd_ros.evaluation.scores.results import Result

EXAMPLES = """\
  evaluate --cache runs/cache/test --markdown test.md --html test.html --json test.json
  evaluate --cache runs/cache/test --views 36 18 12 6 --random-yaw 0
  evaluate --cache runs/cache/test --student a/student.onnx --teacher a/teacher.onnx \\
           --reference test.json
  evaluate --map HeRCULES/Library/01 --queries HeRCULES/Library/02 HeRCULES/Library/03
  evaluate --map mapping_car.mcap --queries radar_car.mcap --poses mapping_car.txt radar_car.txt \\
           --scan-topic /radar/polar --points-topic /ars548/points
  evaluate --simulate demo --encoder scan_context --html demo.html
  evaluate --simulate validation --window 5 10 20
  evaluate --cache runs/cache/validation_20m --window 20
  evaluate --simulate opposite --submap 150 --map-sensor 4d
  evaluate --simulate validation --map-sensor lidar --encoder scan_context
  evaluate --boreas-rt boreas-rt --points 300
"""
TASKS = (
    'single',
    'multi',
    '4d',
    'spinning',
    '4d_single',
    'spinning_single',
    'spinning_any',
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'evaluate',
        'Look up queries in maps and compare the answers with the poses. On cached drives, all '
        'tasks of the papers, place by place; on drives, 4D radar scans in the map of a spinning '
        'radar or LiDAR through the chain of the node. A keyframe counts once, with its best '
        'view; queries with no keyframe within the radius do not count and are listed as left '
        'out.',
        EXAMPLES,
    )
    add = result.add_argument
    _add_drives(result)
    add_drive_options(result, SENSORS, order='--map --queries')
    _add_caches(result)
    add(
        '--encoder',
        choices=OrOwn(ENCODERS),
        default='network',
        help='of the node, or module:Class of your own, on drives (%(default)s); `compare` judges '
        'others on caches',
    )
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add('--teacher', type=Path, help="the spinning radar's model (the one that is installed)")
    add(
        '--reference',
        type=Path,
        metavar='FILE',
        help='--json of another run on the same queries: count wins and losses against it',
    )
    metres = at_least(float, 0)
    add(
        '--radius',
        type=at_least(float, 0.1),
        default=5.0,
        metavar='METRES',
        help='within which an answer is right (%(default)s)',
    )
    add(
        '--query-spacing',
        type=metres,
        metavar='METRES',
        help='between two queries (2.0; 0.5 with --cache, as the papers)',
    )
    add(
        '--keyframe-distance',
        type=metres,
        default=2.0,
        metavar='METRES',
        help='between two places of the map (%(default)s; 0 = every scan; with --cache for '
        '--database C alone)',
    )
    add(
        '--views',
        type=at_least(int, 1),
        nargs='+',
        default=[],
        help='headings of the map (all that the teacher makes); with --cache further numbers '
        'are compared',
    )
    add_opposite_lane(result, '; with --cache the results with and without it are compared')
    files = result.add_argument_group('files to write')
    for name, what in (
        ('json', 'the results with every query'),
        ('markdown', "tables laid out as the papers', with theirs beside ours"),
        ('html', 'tables and charts in one page that needs no other file'),
    ):
        files.add_argument(f'--{name}', type=Path, metavar='FILE', help=what)
    add('--device', default='auto', choices=DEVICES, help=f'{MEANING} (%(default)s)')
    add('--threads', type=at_least(int, 1), default=usable_cores(), help='(%(default)s)')
    return result


def _add_drives(result: argparse.ArgumentParser) -> None:
    drives = result.add_argument_group('drives, recorded or simulated')
    drives.add_argument('--map', type=Path, help='drive to map, see --map-sensor')
    drives.add_argument('--queries', type=Path, nargs='+', default=[], help='drives with 4D radar')
    drives.add_argument(
        '--boreas-rt',
        type=Path,
        metavar='ROOT',
        help='all drives of Boreas-RT below: on each route the Aevas of later drives, thinned to '
        'what a 4D radar sends, ask in the map of the first drive (the nearest real stand-in)',
    )
    drives.add_argument(
        '--points',
        type=at_least(int, 1),
        default=300,
        metavar='NUM',
        help='with --boreas-rt: that are left of a scan (%(default)s)',
    )
    drives.add_argument(
        '--window',
        type=at_least(float, 0),
        nargs='+',
        default=[],
        metavar='METRES',
        help="also ask with windows of so much way, 0 = of scans, instead of the model's, and say "
        'how far it is from a cold start to the first right answer; with --cache: the one '
        'that it was made with',
    )
    drives.add_argument(
        '--submap',
        type=at_least(float, 10),
        metavar='METRES',
        help='ask with local maps of so much way of the 4D radar, seen all around by the teacher',
    )
    drives.add_argument(
        '--map-sensor',
        choices=('spinning', '4d', 'lidar'),
        default='spinning',
        help='whose scans make the map; 4d: with --submap, it is of such local maps, too '
        '(%(default)s)',
    )
    drives.add_argument(
        '--simulate',
        choices=('validation', 'demo', 'opposite', 'test', 'test_opposite'),
        help='simulated worlds that no model was trained on, instead of --map and --queries; '
        'opposite: one whose queries are driven the opposite way; test: the test worlds, by which '
        'nothing may be chosen, test_opposite: what is driven the opposite way there',
    )


def _add_caches(result: argparse.ArgumentParser) -> None:
    caches = result.add_argument_group('cached drives, instead')
    caches.add_argument(
        '--cache', type=Path, nargs='+', metavar='DIR', help='split made by the command cache'
    )
    caches.add_argument(
        '--tasks',
        nargs='+',
        choices=TASKS,
        help='4D in spinning of the same or another session, 4D in 4D, spinning in spinning by '
        'the view ahead, or (spinning_any) by the whole turn, every query turned by an angle of '
        'its own (single multi 4d spinning)',
    )
    caches.add_argument(
        '--database',
        choices=('A', 'B', 'C'),
        help='A: the scan nearest to each query; B: all scans; C: --keyframe-distance apart (B)',
    )
    caches.add_argument(
        '--random-yaw',
        type=int,
        metavar='SEED',
        help='also turn every scan of the map by a random angle',
    )


def evaluate(arguments: argparse.Namespace) -> None:
    """Run the evaluation that the arguments ask for, print its table and write its files."""
    _check(arguments)
    from ssd_ros.cli.evaluate.report import write_reports
    from ssd_ros.cli.evaluate.run import evaluate_caches, evaluate_drives
    from ssd_ros.data_origin import radar_of

    evaluation, charts = (
        evaluate_caches(arguments) if arguments.cache else evaluate_drives(arguments)
    )
    print(radar_of(evaluation.origin))
    print(table(evaluation.results))
    for line in write_reports(evaluation, charts, arguments):
        print(line)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what contradicts itself, or cannot be written, before anything is loaded."""
    from ssd_ros.targets import check_files

    check_files([arguments.json, arguments.markdown, arguments.html])
    if arguments.html:
        require(*FOR_PAGES)
    has_drives = bool(arguments.map or arguments.queries)
    others = [bool(arguments.cache), bool(arguments.simulate), bool(arguments.boreas_rt)]
    if sum([*others, has_drives]) > 1:
        raise ValueError(
            '--cache, --simulate, --boreas-rt, or --map with --queries: give one or the other'
        )
    if not (any(others) or (arguments.map and arguments.queries)):
        raise ValueError(
            'what to evaluate on? give --map and --queries, or --simulate, or --boreas-rt, or '
            '--cache'
        )
    if not has_drives:
        refuse_drive_options(arguments, 'is for --map and --queries')
    if arguments.cache:
        _refuse_options_of_drives(arguments)
    else:
        _refuse_options_of_caches(arguments)
    if arguments.query_spacing is None:
        arguments.query_spacing = 0.5 if arguments.cache else 2.0


def _refuse_options_of_drives(arguments: argparse.Namespace) -> None:
    if arguments.encoder != 'network':
        raise ValueError('--encoder is for drives: compare judges other methods on caches')
    if arguments.submap:
        raise ValueError('--submap is for drives: a cache holds images of one kind')
    if len(arguments.window or []) > 1:
        raise ValueError('several of --window are for drives: a cache holds images of one')


def _refuse_options_of_caches(arguments: argparse.Namespace) -> None:
    for name in ('tasks', 'database', 'random_yaw'):
        if getattr(arguments, name) is not None:
            raise ValueError(f'--{name.replace("_", "-")} is for --cache alone')
    if len(arguments.views) > 1:
        raise ValueError('several numbers of --views are for --cache alone')
    if arguments.map_sensor == '4d' and arguments.opposite_lane:
        raise ValueError('--opposite-lane is for maps of a spinning radar or LiDAR')
    if arguments.map_sensor == '4d' and not arguments.submap:
        raise ValueError('--map-sensor 4d is for --submap: compare maps of windows on caches')
    if arguments.submap and arguments.window:
        raise ValueError('--submap or --window: give one or the other')


def table(results: Sequence[Result]) -> str:
    """Return the scores as lines of text."""
    results = [result for result in results if result.is_answerable]
    if not results:
        raise ValueError(
            'no query lies within the radius of the map: are the drives in one map frame?'
        )
    width = max(len(result.title) for result in results)
    lines = [
        f'{"map -> queries":<{width}} {"task":<8} {"method":<13} {"N":>5} {"out":>4} {"R@1":>6} '
        f'{"95 %":>12} {"R@5":>6} {"R@1%":>6} {"chance":>7} {"precision":>9} {"accepted":>8} '
        f'{"yaw":>6}'
    ]
    for result in results:
        score = result.score()
        low, high = score.recall_at_1_interval
        lines.append(
            f'{result.title:<{width}} {result.task:<8} {result.method:<13} {score.num_queries:>5} '
            f'{score.num_left_out:>4} {score.recall_at_1:>6.3f} {low:>6.3f}-{high:.3f} '
            f'{score.recall_at_5:>5.3f} {score.recall_at_1_percent:>6.3f} {score.chance:>7.4f} '
            f'{_or_dash(score.accepted_precision, 9)} {_or_dash(score.accepted_recall, 8)} '
            f'{_or_dash(score.median_yaw_error_deg, 6)} {result.variant}'.rstrip()
        )
    lines.append(
        f'right = within {results[0].radius_m:g} m; N = queries that count, out = left out (no '
        'keyframe within the radius);\nprecision = of accepted first answers, accepted = right '
        'accepted answers among N; yaw = median error in degrees where right'
    )
    return '\n'.join(lines)


def _or_dash(value: float | None, width: int) -> str:
    return f'{"-":>{width}}' if value is None else f'{value:>{width}.3f}'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), evaluate, argv)
