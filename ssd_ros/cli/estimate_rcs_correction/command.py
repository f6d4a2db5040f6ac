# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `estimate_rcs_correction`: C_corr of a pair of radars from drives that have both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options, options_of

EXAMPLES = """\
  estimate_rcs_correction --drives HeRCULES/Mountain/01 --config my_training.yaml
  estimate_rcs_correction --drives drives/01 drives/02 --spacing 5
  estimate_rcs_correction --drives a.mcap b.mcap --poses a.txt b.txt --points-topic /ars548
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'estimate_rcs_correction',
        'Estimate what to add to the pixels of the spinning radar so that they agree with those '
        'of the 4D radar: the option preprocessing.scan.rcs_correction of a training. Needed '
        'once for a pair of sensors; the paper used one drive.',
        EXAMPLES,
    )
    add = result.add_argument
    add('--drives', required=True, type=Path, nargs='+', metavar='PATH', help='with both radars')
    add_drive_options(result, order='--drives')
    add(
        '--spacing',
        type=at_least(float, 0),
        default=2.0,
        metavar='METRES',
        help='between two pairs of images (%(default)s)',
    )
    add(
        '--huber-delta',
        type=float,
        default=10.0,
        metavar='PIXELS',
        help='differences beyond count less (%(default)s)',
    )
    add(
        '--smoothness',
        type=float,
        default=0.1,
        help='weight of the squared change from pair to pair (%(default)s)',
    )
    add(
        '--config',
        type=Path,
        metavar='FILE',
        help='YAML of the training, for its section preprocessing (config/training.yaml)',
    )
    return result


def run(arguments: argparse.Namespace) -> None:
    """Fit each drive and print the correction over all of them."""
    import numpy as np
    from ssd_ros.bev.rcs_correction import estimate_offsets, FitConfig
    from ssd_ros.cli.cache.jobs import read_preprocessing
    from ssd_ros.cli.common.drives import open_drive
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.datasets.left_out import LeftOut
    from ssd_ros.datasets.sequence import origin_of
    from ssd_ros.shared_files import shared_file

    preprocessing = read_preprocessing(arguments.config or shared_file('config/training.yaml'))
    fit = FitConfig(arguments.huber_delta, arguments.smoothness)
    offsets = []
    for path, options in zip(
        arguments.drives, options_of(arguments, arguments.drives), strict=True
    ):
        drive = open_drive(path, options, heading='file')
        left_out = LeftOut(drive.name, 'pair')
        with progress_bar(drive.name, 'pair') as progress:
            found = estimate_offsets(
                drive, preprocessing, arguments.spacing, fit, progress, left_out
            )
        told = f'{left_out.count} unreadable, {origin_of(drive).text}'
        print(f'{drive.name}: {found.mean():.4f} from {len(found)} pairs, {told}')
        offsets.append(found)
    px = np.concatenate(offsets)
    print(f'C_corr  {px.mean():.4f} pixels, {px.mean() / 2:.3f} dB')
    print(f'spread  {px.std():.4f} pixels from pair to pair')
    print(f'pairs   {len(px)}')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
