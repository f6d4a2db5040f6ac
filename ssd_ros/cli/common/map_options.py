# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of commands that make maps."""

from __future__ import annotations

import argparse


def add_opposite_lane(options: argparse._ActionsContainer, note: str = '') -> None:
    """
    Add the lane from which each place is described, too.

    :param options: a parser, or a group of one
    :param note: behind the help
    """
    options.add_argument(
        '--opposite-lane',
        type=float,
        metavar='METRES',
        help='describe each place of a spinning radar or LiDAR also as seen from the lane so far '
        'to the left, such as 3.5, where traffic comes the other way (negative: to the right): '
        f'the way back is found, in twice the rows{note}',
    )
