# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `export`: a run's checkpoint as the two models that ship, judged, with their card."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import logging
from pathlib import Path

from ssd_ros.cli.common.console import at_least, make_parser, run_command
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.packages import require

_EXAMPLES = """\
  export --cache runs/cache --run runs/edge --int8
  export --cache runs/cache --run runs/autoplace --out runs/autoplace/models \\
    --keyframe-distance 4 --query-spacing 8
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Export a run's checkpoint, judge it on the validation worlds, write the model card."""
    return run_command(parser(), _run, argv)


def _run(options: argparse.Namespace) -> None:
    require('onnx')  # named whether PyTorch is there or not
    from ssd_ros.evaluation.bev_cache import load_drives
    from ssd_ros.training.export.models import check_targets, export
    from ssd_ros.training.export.quantise import calibration_images
    from ssd_ros.training.runs.folder import Run
    from ssd_ros.training.runs.train import training_drives
    import torch

    logging.basicConfig(format='export: %(message)s')
    logging.getLogger('ssd_ros').setLevel(logging.INFO)
    check_targets(options.run, options.out)
    torch.set_num_threads(options.threads)
    run = Run(options.run)
    preprocessing = run.config.preprocessing
    drives = load_drives(options.cache / 'validation', preprocessing)
    calibration = None
    if options.int8:
        calibration = calibration_images(training_drives(options.cache, run.config))
    protocol = Protocol(
        keyframe_m=options.keyframe_distance,
        query_m=options.query_spacing,
        num_views=options.num_views or run.config.network.num_views,
    )
    print(export(run, drives, options.out, protocol, calibration).read_text())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result, protocol = make_parser('export', main.__doc__ or '', _EXAMPLES), Protocol()
    add, metres = result.add_argument, at_least(float, 0)
    add('--run', type=Path, required=True, help='run folder of training')
    add('--cache', type=Path, required=True, help='holds validation/ and what was trained on')
    add('--out', type=Path, default=Path('models'), help='(%(default)s)')
    add('--threads', type=at_least(int, 1), default=2, help='(%(default)s)')
    add('--num-views', type=at_least(int, 1), help="of a keyframe to judge with (the network's)")
    add(
        '--keyframe-distance',
        type=metres,
        default=protocol.keyframe_m,
        metavar='METRES',
        help='between two places of the map to judge with (%(default)s)',
    )
    add(
        '--query-spacing',
        type=metres,
        default=protocol.query_m,
        metavar='METRES',
        help='between two queries to judge with (%(default)s)',
    )
    add(
        '--int8',
        action='store_true',
        help='static int8 models; refused where they lose too much recall',
    )
    return result
