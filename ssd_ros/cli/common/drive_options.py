# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How recorded drives are to be read: the options of every command that takes some.

Where a command takes several drives, an option has one value for all of them or one for each, in
the order in which the command line names the drives; `-` leaves a drive as it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
import hashlib
from pathlib import Path
from typing import Any

from ssd_ros.cli.common.pose_options import (
    add_pose_options,
    AS_IT_IS,
    Extrinsics,
    in_sixes,
    one_word,
)
from ssd_ros.extensions import OrInstalled

# Kept here so that --help need not import the readers; a test compares it with theirs.
DATASETS = (
    'auto',
    'hercules',
    'oxford',
    'mulran',
    'boreas',
    'polar_png',
    'snail',
    'transloc4d',
    'ntu4dradlm',
    'pcd_tiles',
    'rosbag2',
)
SPINNING_PRESETS = (
    'hercules',
    'mulran',
    'navtech_usl',
    'utias',
    'navtech_image',
    'navtech_fft',
    'navtech_points',
    'navtech_b_scan',
    'fomo',
)
BOTH = ('4d', 'spinning')
SENSORS = (*BOTH, 'lidar')
_SEVERAL = (
    'Each option has one value for all drives or one for each, in the order of '
    '{order}; - leaves a drive as it is.'
)


@dataclass(frozen=True, slots=True)
class DriveOptions:
    """What the command line says about one recorded drive; None = as the drive has it."""

    dataset: str | None = None
    poses: Path | None = None
    poses_topic: str | None = None
    points_topic: str | None = None
    scan_topic: str | None = None
    lidar_source: str | None = None
    spinning_preset: str | None = None
    range_resolution: float | None = None
    heading: str | None = None
    extrinsics: Extrinsics | None = None
    points_extrinsics: Extrinsics | None = None

    def extrinsics_of(self, sensor: str) -> Extrinsics | None:
        """Return where a radar sits in the frame of the poses; None = the poses are its own."""
        return (sensor == '4d' and self.points_extrinsics) or self.extrinsics

    @property
    def digest(self) -> str:
        """
        Return what changes the drive, to be added to the words that tell it from others.

        The poses count by what is in their file, not by its name.
        """
        given = {name: getattr(self, name) for name in NAMES if name not in ('dataset', 'poses')}
        if self.poses is not None:
            given['poses'] = hashlib.sha256(self.poses.read_bytes()).hexdigest()[:16]
        return ''.join(f', {name} {value}' for name, value in given.items() if value is not None)


NAMES = tuple(field.name for field in fields(DriveOptions))


def flag_of(name: str) -> str:
    """Return an option as it is written on the command line."""
    return '--' + name.replace('_', '-')


def add_drive_options(
    parser: argparse.ArgumentParser, sensors: Collection[str] = BOTH, order: str = ''
) -> None:
    """
    Add the options of recorded drives in a group of their own.

    :param sensors: that the command reads, of SENSORS; options of others are left out
    :param order: the options that name the drives of a command that takes several; empty = one
    """
    group = parser.add_argument_group(
        'recorded drives', _SEVERAL.format(order=order) if order else None
    )

    def add(*flags: str, **how: Any) -> None:
        if order:
            how['nargs'] = '+'
            if 'metavar' in how:
                how['metavar'] = one_word(how['metavar'])
            if 'choices' in how:
                how['choices'] = type(how['choices'])((*how['choices'], AS_IT_IS))
        group.add_argument(*flags, **how)

    add(
        '--dataset',
        choices=OrInstalled(DATASETS),
        help='format, or the name of a reader that another package brings (auto)',
    )
    add(
        '--poses',
        type=Path,
        metavar='FILE',
        help='poses of the radar instead of those in the drive: TUM, KITTI, EuRoC, or lines '
        'stamp_ns x y z qx qy qz qw',
    )
    add('--poses-topic', metavar='TOPIC', help='rosbag2: odometry or poses (the only one)')
    if '4d' in sensors:
        add(
            '--points-topic',
            '--topic',
            metavar='TOPIC',
            help='rosbag2: clouds of the 4D radar (the only topic whose clouds have a Doppler '
            'field); snail: its folder, such as eagleg7/pcl',
        )
    if 'lidar' in sensors:
        add(
            '--lidar-source',
            metavar='NAME',
            help='rosbag2: topic of the LiDAR (the only one whose clouds have no Doppler field); '
            'boreas: its folder, lidar or aeva (lidar)',
        )
    if 'spinning' in sensors:
        add('--scan-topic', metavar='TOPIC', help='rosbag2: messages of the spinning radar')
        add(
            '--spinning-preset',
            choices=SPINNING_PRESETS,
            help='rosbag2: source of the scans, which says how they are laid out (by their type)',
        )
        add(
            '--range-resolution',
            type=_metres,
            metavar='METRES',
            help='depth of one range bin, but for hercules (as recorded, of the preset or of the '
            'data set; polar_png has none)',
        )
    add_pose_options(add, sensors)


def options_of(arguments: argparse.Namespace, drives: Sequence[Path]) -> list[DriveOptions]:
    """
    Return the options of each drive.

    :param arguments: of a parser with `add_drive_options`
    :param drives: in the order that its help names
    :raise ValueError: an option has neither one value nor one for each drive
    """
    values = {name: _value_of_each(arguments, name, len(drives)) for name in NAMES}
    return [
        DriveOptions(**{name: of_drives[number] for name, of_drives in values.items()})
        for number in range(len(drives))
    ]


def refuse_drive_options(
    arguments: argparse.Namespace, reason: str, allowed: Collection[str] = ()
) -> None:
    """
    Refuse the options where no recorded drive is named.

    :raise ValueError: one is given; `reason` is the rest of the sentence after it
    """
    for name in NAMES:
        if name not in allowed and getattr(arguments, name, None) is not None:
            raise ValueError(f'{flag_of(name)} {reason}')


def _value_of_each(arguments: argparse.Namespace, name: str, num_drives: int) -> list[Any]:
    value = getattr(arguments, name, None)
    values = value if isinstance(value, list) else [value]
    if value is not None and name.endswith('extrinsics'):
        values = in_sixes(flag_of(name), values)
    if len(values) not in (1, num_drives):
        raise ValueError(
            f'{flag_of(name)} has {len(values)} values for {num_drives} drives: give one for all '
            f'or one for each, {AS_IT_IS} for a drive as it is'
        )
    known = [None if str(value) == AS_IT_IS else value for value in values]
    return known if len(known) > 1 else known * num_drives


def _metres(text: str) -> float | str:
    if text == AS_IT_IS:
        return text
    value = float(text)
    if not 0 < value < 10:
        raise argparse.ArgumentTypeError(f'{text} is not between 0 and 10 m')
    return value
