# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `build_db`: a recorded drive in, a map of its places out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ssd_ros.cli.build_db.encoding import (
    add_model_options,
    encoder_of,
    map_of_drive,
    refuse_options_of_the_other,
)
from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores
from ssd_ros.cli.common.drive_options import add_drive_options, options_of, SENSORS
from ssd_ros.cli.common.map_options import add_opposite_lane
from ssd_ros.packages import require

EXAMPLES = """\
  build_db --input HeRCULES/Library/01 --output library.map
  build_db --input boreas-2021-09-02-11-42 --output glen_shields.map --origin 'UTM 17N'
  build_db --input drive.mcap --scan-topic /radar/polar --poses poses.txt --output yard.map
  build_db --input HeRCULES/Library/01 --output library.map --encoder scan_context
  build_db --input fomo.mcap --spinning-preset fomo --poses-topic /odom --output forest.map
  build_db --sensor 4d --input drive.bag --points-topic /radar/points --output yard.map
  build_db --sensor lidar --input boreas-2021-09-02-11-42 --output glen_shields.map
  build_db --input HeRCULES/Library/01 --output both_ways.map --opposite-lane 3.5
  build_db --drives HeRCULES/*/01 --output city.map --workers 4
  build_db --drives /data/*.mcap --output city.map --scheduler tcp://10.0.0.5:8786
  build_db --sensor 4d --submap 150 --input HeRCULES/Library/01 --output library.map
"""
NOT_CALIBRATED = "none for these models: candidates pass the model's own limits (trust --fit)"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = make_parser(
        'build_db',
        'Build a map of places from a drive with spinning radar, with LiDAR (--sensor lidar): '
        'local maps of what stands on the ground, seen all around, or with 4D radar (--sensor '
        '4d): then it is the map that ~/save_session would write. An existing map at OUTPUT is '
        'replaced when the new one is whole, and kept if the command fails or is interrupted. '
        'OUTPUT.first_scan.png shows the first scan of a spinning radar from above: see whether '
        'it is right.',
        EXAMPLES,
    )
    add = result.add_argument
    drives = result.add_mutually_exclusive_group(required=True)
    drives.add_argument('--input', type=Path, help='the recorded drive')
    drives.add_argument(
        '--drives',
        type=Path,
        nargs='+',
        metavar='DRIVE',
        help='several, for one map of squares (see `map convert`), in one frame, each a task on '
        'one core',
    )
    add('--output', required=True, type=Path, help='the map, a directory')
    add(
        '--sensor',
        choices=SENSORS,
        default='spinning',
        help='whose scans make the map (%(default)s)',
    )
    add('--force', action='store_true', help='also replace a map of another sensor')
    add_drive_options(result, SENSORS, order='--drives')
    _add_workers(result)
    add_model_options(result)
    add(
        '--confidence',
        type=Path,
        metavar='FILE',
        help='calibration of the models, made by trust --fit (the one that is installed)',
    )
    add(
        '--keyframe-distance',
        type=at_least(float, 0),
        default=2.0,
        metavar='METRES',
        help='between two places of the map, 0 for every scan (%(default)s)',
    )
    add(
        '--views',
        type=at_least(int, 1),
        help='headings in which a place can be recognised, evenly around; a divisor of those that '
        'the teacher gives (all; those of the installed network are 36)',
    )
    add(
        '--submap',
        type=at_least(float, 10),
        metavar='METRES',
        help='4d: each place is a local map of so much way, such as 150, described by the teacher '
        'as a turn of a spinning radar, also as seen from the lanes beside: whole turns are found '
        'in it, of a spinning radar or of such local maps',
    )
    add_opposite_lane(result)
    add('--map-frame', default='map', metavar='FRAME', help='name of its frame (%(default)s)')
    add('--origin', default='', metavar='TEXT', help='what its zero is, such as "UTM 52N"')
    return result


def _add_workers(result: argparse.ArgumentParser) -> None:
    add = result.add_argument_group('with --drives').add_argument
    add(
        '--scheduler',
        default='local',
        metavar='ADDRESS',
        help='local: processes of this machine; else of a Dask scheduler that you trust, such as '
        'tcp://10.0.0.5:8786, whose workers see the same paths (%(default)s)',
    )
    add(
        '--workers',
        type=at_least(int, 1),
        default=usable_cores(),
        help='processes of this machine (%(default)s)',
    )


def build(arguments: argparse.Namespace) -> None:
    """Build the map that the arguments ask for and say what it holds."""
    from ssd_ros.maps.target import check_map_target

    refuse_options_of_the_other(arguments)
    check_map_target(arguments.output, None if arguments.force else arguments.sensor)
    if arguments.submap and (arguments.student or arguments.confidence):
        name = 'student' if arguments.student else 'confidence'
        raise ValueError(f'--{name} is not for --submap: the teacher makes such a map')
    if arguments.drives:
        _build_many(arguments)
    else:
        _build_one(arguments)


def _build_many(arguments: argparse.Namespace) -> None:
    require('distributed')
    from ssd_ros.cli.build_db.many import build_many

    encoded, step = build_many(arguments)
    for drive in encoded:
        print(f'drive            {drive.name}, {drive.num_keyframes} keyframes, '
              f'{drive.seconds / drive.num_keyframes:.3f} s each')  # fmt: skip
    print(f'keyframes        {sum(drive.num_keyframes for drive in encoded)}')
    print(f'squares          {step.num_squares}')
    print(f'map              {arguments.output}')


def _build_one(arguments: argparse.Namespace) -> None:
    from ssd_ros.recognition.map_check import doubt_of, misfit_words
    from ssd_ros.targets import check_file

    picture = _first_scan_of(arguments.output) if arguments.sensor == 'spinning' else None
    if picture is not None:
        check_file(picture)
    (options,) = options_of(arguments, [arguments.input])
    encoder = encoder_of(arguments)
    database, seconds = map_of_drive(arguments, encoder, options, picture)
    database.save(arguments.output)
    info, confidence = database.info, database.confidence
    num_bytes = sum(file.stat().st_size for file in arguments.output.iterdir())
    print(f'map              {arguments.output} ({info.uuid})')
    print(f'drive            {info.source}, {info.num_scans} scans, {info.data_origin.text}')
    print(f'poses            {info.poses}; {misfit_words(info)}')
    print(f'left out         {info.num_without_pose} without a pose, '
          f'{info.num_unreadable} unreadable')  # fmt: skip
    print(f'keyframes        {len(database)}')
    print(f'rows             {database.num_rows} of {database.descriptor_size} numbers')
    print(f'bytes            {num_bytes}')
    print(f'calibration      {confidence.data if confidence else NOT_CALIBRATED}')
    print(f'seconds per scan {seconds / len(database):.3f} on {encoder.provider}')
    if doubt := doubt_of(info):
        print(f'warning          {doubt}')


def _first_scan_of(output: Path) -> Path:
    return output.absolute().with_name(f'{output.absolute().name}.first_scan.png')


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), build, argv)
