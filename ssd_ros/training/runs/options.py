# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of the commands that train: how long a run works, with what, what it changes."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssd_ros.cli.common.console import at_least


def add_run_options(parser: argparse.ArgumentParser, changed: str, validations: str) -> None:
    """
    Add what every training takes.

    :param changed: an example of an option of the configuration, OPTION=VALUE
    :param validations: what recall is measured for, in words
    """
    add = parser.add_argument
    add('--cache', type=Path, required=True, help='holds the splits to train on and validation/')
    add('--out', type=Path, required=True, help='run folder, new or to go on with')
    add('--minutes', type=at_least(float, 0), help='of each run: end its schedule after this time')
    add('--seed', type=at_least(int, 0))
    add('--threads', type=at_least(int, 1))
    add('--device', choices=('auto', 'cpu', 'cuda'), default='auto', help='(%(default)s)')
    add(
        '--set',
        action='append',
        default=[],
        metavar='OPTION=VALUE',
        help=f'any option of the configuration, such as {changed}; repeatable',
    )
    add(
        '--validations',
        type=at_least(int, 1),
        default=10,
        help=f'times to measure recall and {validations} (%(default)s)',
    )
    add('--save-minutes', type=float, default=2.0, help='between checkpoints (%(default)s)')
