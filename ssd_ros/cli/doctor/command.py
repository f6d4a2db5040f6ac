# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `doctor`: whether a recording is fit for use, and what is to be mended."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.common.console import make_parser, run_command
from ssd_ros.cli.common.drive_options import add_drive_options, BOTH
from ssd_ros.extensions import OrOwn
from ssd_ros.shared_files import ENCODERS

EXAMPLES = """\
  doctor drive.mcap
  doctor drive --topic /ars548/points --poses-topic /odom --extrinsics 3.6 0 0.5 0 0 0
  doctor drive.mcap --map library.map --params config/localize.yaml config/drivers/hercules.yaml
  doctor drive.mcap --sensor spinning --spinning-preset mulran --map library.map
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'doctor',
        'Look through a recording: which topics are of a radar, how many points and scans come, '
        'whether Doppler runs with the odometry, whether the radar points where its mounting '
        'says, whether turns of a spinning radar are some and turn with the headings, and whether '
        'the map knows such a radar. Says in plain words what is to be mended. Exit code: 0 fit '
        'for use, 1 something is to be mended. Needs no ROS.',
        EXAMPLES,
    )
    add = result.add_argument
    add('input', type=Path, help='rosbag2 (directory, .db3 or .mcap), .bag of ROS 1 or drive')
    add('--map', type=Path, nargs='+', metavar='DIR', help='maps that it is to be used with')
    add(
        '--params',
        type=Path,
        nargs='+',
        default=[],
        metavar='FILE',
        help='parameters of the node: how the clouds are to be read and where the radar sits '
        '(its defaults)',
    )
    add(
        '--encoder',
        choices=OrOwn(ENCODERS),
        help='or module:Class of your own (encoder of the parameters)',
    )
    add('--sensor', choices=BOTH, help='that is asked with (of input_type of the parameters)')
    add('--student', type=Path, help="that radar's model (model_path of the parameters)")
    add_drive_options(result)
    result.set_defaults(truth=False, rate=None, device='cpu', threads=None)
    return result


def examine(arguments: argparse.Namespace) -> None:
    """
    Print what is found.

    :raise ValueError: something is to be mended
    """
    from ssd_ros.cli.doctor.contents import contents_of
    from ssd_ros.cli.doctor.findings import Finding, findings_of, MEND
    from ssd_ros.cli.doctor.scans import scans_of
    from ssd_ros.cli.replay.run import open_replay, parameters_of

    parameters = parameters_of(arguments)
    for finding in (contents := contents_of(arguments.input, parameters)):
        print(finding.text)
    mounting = parameters.radar_topics()[0].extrinsics
    if contents and arguments.extrinsics is None and mounting and any(mounting):
        arguments.extrinsics = list(mounting)  # odometry in recordings is that of the vehicle
    try:
        replay = open_replay(arguments, needs_map=False)
        findings = findings_of(scans_of(replay), replay)
    except ValueError as error:
        findings = [Finding(MEND, 'reading', str(error))]
    for finding in findings:
        print(finding.text)
    if num := sum(finding.level == MEND for finding in [*contents, *findings]):
        raise ValueError(f'{num} to mend in {arguments.input}, see above')
    print(f'{arguments.input} is fit for use')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), examine, argv)
