# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options of `map add`, `replace`, `drop` and `merge`."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from pathlib import Path
import textwrap
from typing import TYPE_CHECKING

from ssd_ros.cli.build_db.encoding import add_model_options
from ssd_ros.cli.common.drive_options import add_drive_options, SENSORS

if TYPE_CHECKING:
    from argparse import _SubParsersAction  # generic for type checkers alone

_ATOMIC = (
    'The map is the old one until the new one is whole, also where the command is killed; '
    'nodes that have it open answer as before until ~/reload_map. The files of the state before '
    'are removed by the next change.'
)
_DRIVE = (
    'a recorded drive, which is encoded as the map was, or a map of one drive that build_db or '
    '~/save_session made'
)


def add_growth(actions: _SubParsersAction[ArgumentParser]) -> None:
    """Add the actions that change what a map of squares consists of."""

    def action(name: str, summary: str, description: str, examples: str) -> ArgumentParser:
        parser: ArgumentParser = actions.add_parser(
            name,
            help=summary,
            description=textwrap.fill(f'{description} {_ATOMIC}', 78),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        lines = textwrap.indent(textwrap.dedent(examples).strip(), f'  {parser.prog} ')
        parser.epilog = f'examples:\n{lines}'
        parser.add_argument('map', type=Path, metavar='MAP', help='a map that map convert made')
        parser.add_argument(
            '--output', type=Path, metavar='NEW', help='write a new map and leave MAP as it is'
        )
        return parser

    add = action(
        'add',
        'add a drive to a map of squares',
        'Add a drive to a map of squares. Squares that it does not meet stay as they are.',
        """
        city.map HeRCULES/Library/02
        city.map drive.mcap --scan-topic /radar/polar --poses poses.txt
        city.map yard.map --session Yard --day 2026-03-01
        """,
    )
    _add_drive(add)
    replace = action(
        'replace',
        'put a drive in the place of others',
        'Add a drive to a map of squares and drop others from it, in one step.',
        """
        city.map library.map
        city.map HeRCULES/Library/03 --old Library/02
        city.map HeRCULES/Library/03 --old Library/02 --old-day 2025-11-30
        """,
    )
    _add_drive(replace)
    replace.add_argument(
        '--old', metavar='NAME', help='the drives that go (those called as the new one)'
    )
    replace.add_argument('--old-day', metavar='YYYY-MM-DD', help='of these only those of a day')
    drop = action(
        'drop',
        'drop drives from a map of squares',
        'Drop drives from a map of squares, by name, day or both.',
        """
        city.map --session Library/02
        city.map --day 2025-11-30
        """,
    )
    drop.add_argument('--session', metavar='NAME', help='drives of this name (map info has them)')
    drop.add_argument('--day', metavar='YYYY-MM-DD', help='drives of this day')
    merge = action(
        'merge',
        'take other maps into a map of squares',
        'Take all drives of other maps, of squares or of one piece, into a map of squares; with '
        '--output that need not be one, either.',
        """
        city.map suburb.map
        north.map south.map east.map --output city.map
        """,
    )
    merge.add_argument('others', type=Path, nargs='+', metavar='OTHER', help='other maps')


def _add_drive(parser: ArgumentParser) -> None:
    parser.add_argument('drive', type=Path, metavar='DRIVE', help=_DRIVE)
    parser.add_argument(
        '--session', metavar='NAME', help='what the drive is called in the map (its own name)'
    )
    parser.add_argument(
        '--day', metavar='YYYY-MM-DD', help='of the drive (that of its first stamp, UTC)'
    )
    add_drive_options(parser, SENSORS)
    add_model_options(parser)
