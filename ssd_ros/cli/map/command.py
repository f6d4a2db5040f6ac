# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `map`: what a map holds, new poses for it, and the form of it for a whole city."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.common.console import make_parser, run_command
from ssd_ros.cli.common.pose_options import metres_or_radians, XYZRPY
from ssd_ros.cli.map.growth_options import add_growth

EXAMPLES = """\
  map info library.map
  map repose session.map --poses optimized.tum --output yard.map --map-frame map
  map repose session.map --poses optimized.tum --extrinsics 3.7 0 0.5 0 0 0
  map convert library.map --output city.map
  map add city.map HeRCULES/Library/02
  map add city.map yard.map --session Yard --day 2026-03-01
  map replace city.map HeRCULES/Library/03 --old Library/02
  map drop city.map --day 2025-11-30
  map merge city.map suburb.map --output both.map
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'map',
        'Look at a map or a saved session, give its keyframes new poses, or make it a map of '
        'squares, which a whole city can be. Drives are added to such a map, replaced and dropped '
        'without building it again.',
        EXAMPLES,
    )
    actions = result.add_subparsers(dest='action', required=True)
    info = actions.add_parser('info', help='print what a map holds')
    info.add_argument('map', type=Path, metavar='MAP', help='a map or a saved session')
    repose = actions.add_parser(
        'repose',
        help='put new poses under a map',
        description='Give the keyframes of a map or a saved session the poses that a back end '
        'has found for their stamps. Descriptors, returns and calibration stay; the map gets a '
        'new UUID.',
    )
    add = repose.add_argument
    add('map', type=Path, metavar='MAP', help='a map or a saved session')
    add(
        '--poses',
        required=True,
        type=Path,
        metavar='FILE',
        help='poses of the radar: optimized.tum of pose_graph_node, or any file that build_db '
        '--poses takes',
    )
    add(
        '--extrinsics',
        type=metres_or_radians,
        nargs=6,
        metavar=XYZRPY,
        help='the poses are those of the vehicle, on which the radar sits here (metres, radians)',
    )
    add('--output', type=Path, metavar='NEW', help='the new map (MAP, which is replaced)')
    add('--drop', action='store_true', help='leave out keyframes that have no new pose')
    add('--map-frame', metavar='FRAME', help='name of the frame of the poses (that of the map)')
    add('--origin', metavar='TEXT', help='what its zero is, such as "UTM 52N" (that of the map)')
    convert = actions.add_parser(
        'convert',
        help='keep a map in squares, of which those in reach are read',
        description='Write a map as format 3: descriptors in half precision and returns in a '
        'file for each square of 512 m. With a prior those in reach are searched exactly. '
        'Without, few rows are all compared, many are searched by codes of 32 bytes, tuned to '
        'find what comparing all finds. Keyframes, their numbers and the UUID stay.',
    )
    convert.add_argument('map', type=Path, metavar='MAP', help='a map or a saved session')
    convert.add_argument(
        '--output', required=True, type=Path, metavar='NEW', help='the map of squares'
    )
    convert.add_argument(
        '--session', metavar='NAME', help='what the drive is called in it (its source)'
    )
    convert.add_argument(
        '--day', metavar='YYYY-MM-DD', help='of the drive (that of its first stamp, UTC)'
    )
    add_growth(actions)
    return result


def run(arguments: argparse.Namespace) -> None:
    """Do what is asked and say what came of it."""
    from ssd_ros.cli.map import actions, growth

    if arguments.action == 'info':
        actions.print_info(arguments.map)
    elif arguments.action == 'convert':
        actions.convert(arguments)
    elif arguments.action == 'repose':
        actions.repose(arguments)
    else:
        growth.change_map(arguments)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
