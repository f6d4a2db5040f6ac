# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `replay`: a recording through the recogniser of the node, without ROS."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
import time
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options, BOTH
from ssd_ros.cli.common.page_options import add_page_options, server_config_of
from ssd_ros.devices import DEVICES
from ssd_ros.extensions import OrOwn
from ssd_ros.packages import FOR_PAGES, require
from ssd_ros.shared_files import ENCODERS

if TYPE_CHECKING:
    from ssd_ros.cli.replay.live import LivePage
    from ssd_ros.cli.replay.run import Replay

EXAMPLES = """\
  replay --input drive.mcap --map library.map --html replay.html
  replay --input drive --topic /ars548/points --map library.map --params config/localize.yaml \\
         --csv candidates.csv --json summary.json
  replay --input HeRCULES/Library/02 --map library.map --truth --rate 2 --html replay.html
  replay --input HeRCULES/Library/02 --map library.map --sensor spinning --truth
  replay --input drive.mcap --map library.map --live
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'replay',
        'Answer the radar scans of a recording as the node would, as fast as this machine can: '
        'every candidate to a table, the figures to a summary, plots to a report. Needs no ROS.',
        EXAMPLES,
    )
    add = result.add_argument
    add('--input', required=True, type=Path, help='rosbag2 (directory, .db3 or .mcap) or drive')
    add(
        '--map',
        type=Path,
        nargs='+',
        metavar='DIR',
        help='maps made by build_db, in one frame (index_path of the parameters; none with '
        'online_index)',
    )
    add(
        '--params',
        type=Path,
        nargs='+',
        default=[],
        metavar='FILE',
        help='parameters of the node, such as config/localize.yaml config/drivers/hercules.yaml; '
        'those of topics, frames and clocks are without effect (its defaults)',
    )
    add(
        '--encoder',
        choices=OrOwn(ENCODERS),
        help='or module:Class of your own (encoder of the parameters)',
    )
    add('--sensor', choices=BOTH, help='that is asked with (of input_type of the parameters)')
    add('--student', type=Path, help="that radar's model (model_path of the parameters)")
    add(
        '--rate',
        type=at_least(float, 0.01),
        metavar='HZ',
        help='most queries per second of the recording (query_rate of the parameters)',
    )
    add_drive_options(result)
    _add_poses(result)
    files = result.add_argument_group('files to write')
    for name, what in (
        ('csv', 'one line per candidate: the stamp of its query and the columns of ~/candidates'),
        ('json', 'the summary'),
        ('html', 'summary and charts in one page that needs no other file'),
    ):
        files.add_argument(f'--{name}', type=Path, metavar='FILE', help=what)
    _add_page(result)
    add('--device', choices=DEVICES, help='(device of the parameters)')
    add('--threads', type=at_least(int, 1), help='of the encoder (num_threads of the parameters)')
    return result


def _add_page(result: argparse.ArgumentParser) -> None:
    page = add_page_options(result)
    page.add_argument(
        '--live',
        nargs='?',
        type=at_least(float, 0.1),
        const=1.0,
        metavar='PACE',
        help='show each answer in the browser when it was due in the recording; 2 = twice as fast',
    )


def _add_poses(result: argparse.ArgumentParser) -> None:
    poses = result.add_argument_group('poses of the input, where it has some')
    poses.add_argument(
        '--truth',
        action='store_true',
        help='they are true, in the frame of the map: judge the answers by them; else they are '
        'odometry, and answers are compared with the motion between them',
    )
    poses.add_argument(
        '--radius',
        type=at_least(float, 0.1),
        default=5.0,
        metavar='METRES',
        help='within which an answer is right (%(default)s)',
    )


def replay(arguments: argparse.Namespace) -> None:
    """Replay the recording that the arguments name, print the summary and write the files."""
    if arguments.live:
        require('aiohttp')
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.cli.replay.files import CSV_MARK, Table
    from ssd_ros.cli.replay.log import log_of
    from ssd_ros.cli.replay.poses import judge
    from ssd_ros.cli.replay.run import open_replay
    from ssd_ros.cli.replay.summary import summary_of, text_of
    from ssd_ros.targets import (
        check_distinct,
        check_files,
        file_written,
        write_file,
        write_json,
    )

    check_files([arguments.csv], CSV_MARK)
    check_files([arguments.json, arguments.html])
    check_distinct([arguments.csv, arguments.json, arguments.html])
    if arguments.html:
        require(*FOR_PAGES)
    run = open_replay(arguments)
    kept = []
    with ExitStack() as stack:
        live = stack.enter_context(_live(run, arguments))
        start_s = time.monotonic()
        table = None
        if arguments.csv:
            table = Table(stack.enter_context(file_written(arguments.csv, CSV_MARK)))
        progress = stack.enter_context(progress_bar(run.drive.name, 'scan'))
        for step in run.steps(progress):
            if live is not None:
                live.show(step)
            kept.append(step.without_the_rest())
            if table is not None:
                table.add(step)
        wall_s = time.monotonic() - start_s - (live.idle_s if live else 0.0)
    log = log_of(kept, run.faults)
    judged = judge(run, log, arguments.radius if arguments.truth else None)
    summary = summary_of(run, log, judged, wall_s)
    print(text_of(summary))
    if arguments.json:
        write_json(arguments.json, summary)
    if arguments.html:
        from ssd_ros.cli.replay.report import html_report

        document = html_report(run, log, judged, summary)
        write_file(arguments.html, document.encode())


def _live(run: Replay, arguments: argparse.Namespace) -> AbstractContextManager[LivePage | None]:
    if not arguments.live:
        return nullcontext()
    from ssd_ros.cli.replay.live import live_page

    return live_page(run, server_config_of(arguments), arguments.live)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), replay, argv)
