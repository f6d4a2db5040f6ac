# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `statistics`: how far simulated radar is from real one, and whether it can be told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options

EXAMPLES = """\
  statistics --real turn.png detections.csv --range-resolution 0.0438
  statistics --real HeRCULES/Library/01 HeRCULES/Sports/01 --dataset hercules
  statistics --real drive.mcap --simulated train_wide validation --frames 5
"""
DEFAULT_SPLITS = ('train_wide', 'train')


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'statistics',
        'Compare scans of real radars with simulated ones, piece by piece (sectors of each scan): '
        'for each statistic the distance of Kolmogorov and Smirnov, and how well a logistic '
        'regression tells real from simulated pieces that it did not see (AUC: 0.5 not at all, '
        '1 always). `simulate stats` checks drives against bands of sensors instead.',
        EXAMPLES,
    )
    add = result.add_argument
    add(
        '--real',
        required=True,
        nargs='+',
        type=Path,
        metavar='PATH',
        help='recordings: a turn of a spinning radar (.png), a list of detections of a 4D radar '
        '(.csv with range_m, azimuth_rad, elevation_rad, range_rate_mps, rcs_dbsm), or a drive',
    )
    add(
        '--simulated',
        nargs='+',
        default=list(DEFAULT_SPLITS),
        metavar='SPLIT',
        help='of config/benchmark.yaml or config/random_worlds.yaml, none to test on '
        f'({" ".join(DEFAULT_SPLITS)})',
    )
    add('--drives', type=at_least(int, 3), default=60, help='of a split, at most (%(default)s)')
    add('--frames', type=at_least(int, 1), default=3, help='of a drive, at most (%(default)s)')
    add_drive_options(result, order='--real')
    return result


def compare(arguments: argparse.Namespace) -> None:
    """
    Print how far real and simulated radar are apart.

    :raise ValueError: a recording cannot be measured, or a split cannot be used
    """
    from ssd_ros.cli.common.drive_options import options_of
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.cli.statistics.comparison import sample_of
    from ssd_ros.cli.statistics.frames import RADARS, real_recording, simulated_recordings
    from ssd_ros.cli.statistics.report import lines_of

    options = options_of(arguments, arguments.real)
    real = [
        real_recording(path, of_drive, arguments.frames)
        for path, of_drive in zip(arguments.real, options, strict=True)
    ]
    for split in arguments.simulated:
        with progress_bar(f'simulate {split}', 'drive') as progress:
            simulated = simulated_recordings(split, arguments.drives, arguments.frames, progress)
        for number, radar in enumerate(RADARS):
            there = [recording[number] for recording in real if any(recording[number])]
            if there:
                instead = sample_of([recording[number] for recording in simulated])
                for line in lines_of(radar, split, sample_of(there), instead):
                    print(line)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), compare, argv)
