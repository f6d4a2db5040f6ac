# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options that tell how the poses of a recorded drive are to be taken."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
import re
from typing import Any

AS_IT_IS = '-'
Extrinsics = tuple[float, ...]  # x, y, z (m), roll, pitch, yaw (rad), as radar_extrinsics
_HEADING = re.compile(r'file|(auto|motion)(:\d+(\.\d*)?)?|[-+]?\d+(\.\d*)?')
_MAX_EXTRINSICS = 100.0
_MAX_LEVER_ARM_M = 20.0
XYZRPY = ('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW')


def add_pose_options(add: Callable[..., None], sensors: Collection[str]) -> None:
    """Add what tells how the poses are to be taken."""
    add(
        '--heading',
        type=_heading,
        metavar='HOW',
        help='auto: headings of the poses are kept where they fit the course of motion, turned '
        'where they are off by a constant, else the drive is refused; file: kept unchecked; '
        'motion or motion:METRES: taken from the course of a sensor so far ahead of the rear '
        'axle; auto:METRES: so instead of refusing; DEGREES: turned counter-clockwise by so much '
        '(auto)',
    )
    numbers: dict[str, Any] = {'type': _number_or_none, 'nargs': 6, 'metavar': XYZRPY}
    add(
        '--extrinsics',
        help='the poses are those of the vehicle, on which the radar sits here (metres, radians), '
        'as in radar_extrinsics of the node (the poses are those of the radar)',
        **numbers,
    )
    if len(sensors) > 1:
        add(
            '--points-extrinsics',
            help='likewise, of the 4D radar of drives that have both (as --extrinsics)',
            **numbers,
        )


def one_word(metavar: str | tuple[str, ...]) -> str:
    """Return what argparse takes for any number of values."""
    return metavar if isinstance(metavar, str) else ' '.join(metavar)


def in_sixes(flag: str, words: Sequence[Any]) -> list[Any]:
    """Return the words as the extrinsics of one drive after the other."""
    values: list[Any] = []
    rest = list(words)
    while rest:
        if rest[0] == AS_IT_IS:
            values.append(AS_IT_IS)
            del rest[0]
            continue
        six = [number for number in rest[:6] if isinstance(number, float)]
        if len(six) < 6:
            raise ValueError(f'{flag} has {len(words)} words, expected {one_word(XYZRPY)}')
        values.append(tuple(six))
        del rest[:6]
    return values


def metres_or_radians(text: str) -> float:
    """Return a number that a mounting can have."""
    if not abs(value := float(text)) < _MAX_EXTRINSICS:
        raise argparse.ArgumentTypeError(f'{text} is no number of metres or radians on a vehicle')
    return value


def _number_or_none(text: str) -> float | str:
    return text if text == AS_IT_IS else metres_or_radians(text)


def _heading(text: str) -> str:
    """Return a word that `check_poses` takes."""
    if text == AS_IT_IS:
        return text
    if not _HEADING.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f'{text!r} is none of auto, auto:METRES, file, motion, motion:METRES and no angle in '
            'DEGREES'
        )
    if float(text.partition(':')[2] or 0) > _MAX_LEVER_ARM_M:
        raise argparse.ArgumentTypeError(f'{text}: no sensor sits so far ahead of the rear axle')
    return text
