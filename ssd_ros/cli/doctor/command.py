# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `doctor`: whether a recording or a running graph is fit, and what is to be mended."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options, BOTH
from ssd_ros.extensions import OrOwn
from ssd_ros.shared_files import ENCODERS

if TYPE_CHECKING:
    from ssd_ros.cli.doctor.examination import Examination

EXAMPLES = """\
  doctor drive.mcap
  doctor --seconds 60 --map library.map --write my.yaml
  doctor drive --topic /ars548/points --poses-topic /odom --extrinsics 3.6 0 0.5 0 0 0
  doctor drive.mcap --map library.map --write my.yaml --picture drive.png
  doctor drive.mcap --map library.map --params config/localize.yaml config/drivers/hercules.yaml
  doctor drive.mcap --sensor spinning --spinning-preset mulran --map library.map
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'doctor',
        'Look through a recording or, without one, at the running graph: which topics are of a '
        'radar and of which driver, how many points and scans come, whether stamps, frames, TF '
        'and odometry go together, whether Doppler runs with the odometry, whether the radar '
        'points where its mounting says, whether turns of a spinning radar are some and turn '
        'with the headings, whether maps fit, know such a radar and answer. Says in plain words '
        'what is to be mended and which parameters of the node it would set. Exit code: 0 fit '
        'for use (with --write: with the parameters that were written), 1 something is to be '
        'mended. Needs no ROS for recordings.',
        EXAMPLES,
    )
    add = result.add_argument
    add(
        'input',
        type=Path,
        nargs='?',
        help='rosbag2 (directory, .db3 or .mcap), .bag of ROS 1 or drive (the running graph)',
    )
    add_node_options(result)
    add('--write', type=Path, metavar='FILE', help='parameter file to write, of what it would set')
    add_graph_options(result)
    add_drive_options(result)
    return result


def add_graph_options(result: argparse.ArgumentParser) -> None:
    """Add how to listen to the running graph."""
    add = result.add_argument_group('the running graph').add_argument
    add(
        '--seconds',
        type=at_least(float, 1),
        default=20.0,
        help='to listen (%(default)s)',
    )
    add('--record', type=Path, metavar='DIR', help='where to keep what was heard, as rosbag2')


def add_node_options(result: argparse.ArgumentParser) -> None:
    """Add what is to be known of the node, and the picture."""
    add = result.add_argument
    add('--map', type=Path, nargs='+', metavar='DIR', help='maps that it is to be used with')
    add(
        '--params',
        type=Path,
        nargs='+',
        default=[],
        metavar='FILE',
        help='parameters of the node: how the clouds are to be read and where the radar sits '
        '(its defaults, and what the messages tell)',
    )
    add(
        '--encoder',
        choices=OrOwn(ENCODERS),
        help='or module:Class of your own (encoder of the parameters)',
    )
    add('--sensor', choices=BOTH, help='that is asked with (of input_type of the parameters)')
    add('--student', type=Path, help="that radar's model (model_path of the parameters)")
    add(
        '--picture',
        type=Path,
        metavar='FILE',
        help='PNG to write: the course, what was seen, a scan and its polar BEV',
    )
    result.set_defaults(truth=False, rate=None, device=None, threads=None)


def examine(arguments: argparse.Namespace) -> None:
    """
    Print what is found.

    :raise ValueError: something is to be mended
    """
    from ssd_ros.cli.doctor.examination import Examination
    from ssd_ros.targets import check_files

    check_files([arguments.write, arguments.picture])
    if arguments.input is None:
        from ssd_ros.cli.doctor.graph import examined_graph, NAME

        with examined_graph(arguments, print) as examination:
            conclude(examination, arguments, NAME)
        _judge(examination, arguments, NAME)
        return
    examination = Examination(arguments, print)
    examination.run()
    conclude(examination, arguments, str(arguments.input))
    _judge(examination, arguments, str(arguments.input))


def _judge(examination: Examination, arguments: argparse.Namespace, name: str) -> None:
    to_mend = examination.left_to_mend if arguments.write else examination.to_mend
    if to_mend:
        raise ValueError(f'{len(to_mend)} to mend in {name}, see above')
    print(f'{name} is fit for use')


def conclude(examination: Examination, arguments: argparse.Namespace, name: str) -> None:
    """
    Say what would be set, and write the files.

    :param name: of what was looked at
    """
    settings = examination.settings
    if lines := settings.lines():
        print('would set', *lines, sep='\n  ')
    if arguments.write:
        settings.write(arguments.write, f'of {name}')
        print(f'{arguments.write} has it:\n  {settings.launch_line(arguments.write)}')
    _draw(examination, arguments.picture)


def _draw(examination: Examination, path: Path | None) -> None:
    if path is None or examination.scans is None or examination.replay is None:
        return
    from ssd_ros.cli.common.pictures import write_figure
    from ssd_ros.cli.doctor.picture import picture_of

    replay = examination.replay
    grid = replay.encoder.contract.preprocessing.grid
    print(f'picture: {write_figure(path, picture_of(examination.scans, grid, replay.drive.name))}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), examine, argv)
