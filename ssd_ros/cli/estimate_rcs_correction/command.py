# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `estimate_rcs_correction`: C_corr of a pair of radars from drives that have both."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options, options_of

if TYPE_CHECKING:
    from ssd_ros.bev.preprocessing import PreprocessingConfig

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
        'once for a pair of sensors, before their models are trained; the paper used one drive. '
        'Models that are trained keep what their contract says, and with normalisation: content '
        'it is not needed at all.',
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
        help='YAML of the training, for its section preprocessing (config/training_fixed.yaml)',
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

    file = arguments.config or shared_file('config/training_fixed.yaml')
    preprocessing = read_preprocessing(file)
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
    print(explanation(float(px.mean()), preprocessing, file))


def explanation(offset_px: float, preprocessing: PreprocessingConfig, file: Path) -> str:
    """
    Return what the correction means and what to do with it.

    :param offset_px: found by preprocessing, which is that of the file
    """
    splat = 2 * preprocessing.cloud.splat_radius + 1
    meaning = (
        f'\nWhere both images show a return, that of the 4D radar is {offset_px:.1f} pixels '
        'brighter.\nThat is not gain alone: a 4D radar reports peaks, of which a cell keeps the '
        f'strongest\nof {preprocessing.num_scans} scans and {splat} x {splat} cells; a cell '
        'of the spinning radar is a mean over its depth.\n'
    )
    if preprocessing.is_by_content:
        return meaning + (
            f'Nothing is to be done: by {file} both images count from their own median\n'
            '(normalisation: content), and rcs_correction is not used.'
        )
    return meaning + (
        f'{file} says {preprocessing.scan.rcs_correction:g}. To train models for these radars, '
        'either\n'
        f'- put rcs_correction: {offset_px:.4f} there, then cache and train, as the papers do, '
        'or\n'
        '- set normalisation: content in scan and cloud there, which needs no correction.\n'
        'Nothing is to be changed for models that are trained: they have learnt the difference,\n'
        'or see images by content, as the shipped ones do.'
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), run, argv)
