# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command `build_db`: a recorded drive in, a map of its places out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import time
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, make_parser, run_command, usable_cores
from ssd_ros.cli.common.drive_options import add_drive_options, flag_of, options_of, SENSORS
from ssd_ros.cli.common.map_options import add_opposite_lane
from ssd_ros.extensions import OrOwn
from ssd_ros.shared_files import ENCODERS, shared_file

if TYPE_CHECKING:
    from ssd_ros.datasets.sequence import RadarSequence
    from ssd_ros.maps.place_database import PlaceDatabase

EXAMPLES = """\
  build_db --input HeRCULES/Library/01 --output library.map
  build_db --input boreas-2021-09-02-11-42 --output glen_shields.map --origin 'UTM 17N'
  build_db --input drive.mcap --scan-topic /radar/polar --poses poses.txt --output yard.map
  build_db --input HeRCULES/Library/01 --output library.map --encoder scan_context
  build_db --input fomo.mcap --spinning-preset fomo --poses-topic /odom --output forest.map
  build_db --sensor 4d --input drive.bag --points-topic /radar/points --output yard.map
  build_db --sensor lidar --input boreas-2021-09-02-11-42 --output glen_shields.map
  build_db --input HeRCULES/Library/01 --output both_ways.map --opposite-lane 3.5
  build_db --sensor 4d --submap 150 --input HeRCULES/Library/01 --output library.map
"""
# Options that have no meaning for other sensors.
_SENSORS_OF = {
    **dict.fromkeys(('teacher', 'views', 'opposite_lane'), ('spinning', 'lidar')),
    **dict.fromkeys(('scan_topic', 'spinning_preset', 'range_resolution'), ('spinning',)),
    **dict.fromkeys(('student', 'params', 'points_topic', 'submap'), ('4d',)),
    'lidar_source': ('lidar',),
}
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
    add('--input', required=True, type=Path, help='the recorded drive')
    add('--output', required=True, type=Path, help='the map, a directory')
    add(
        '--sensor',
        choices=SENSORS,
        default='spinning',
        help='whose scans make the map (%(default)s)',
    )
    add('--force', action='store_true', help='also replace a map of another sensor')
    add_drive_options(result, SENSORS)
    add(
        '--encoder',
        choices=OrOwn(ENCODERS),
        default='network',
        help='what recognises places: the trained network, scan contexts, which need no '
        'training, or module:Class, a PlaceEncoder of your own (%(default)s)',
    )
    add(
        '--teacher',
        type=Path,
        help="the spinning radar's model, or a LiDAR's (the one that is installed)",
    )
    add('--student', type=Path, help="the 4D radar's model (the one that is installed)")
    add(
        '--params',
        type=Path,
        nargs='+',
        default=[],
        metavar='FILE',
        help='4d: parameters of the node, for the layout of its clouds, where the radar sits and '
        'aggregation.min_points (its defaults)',
    )
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
    add('--device', default='auto', choices=('auto', 'cpu', 'cuda'), help='(%(default)s)')
    add('--threads', type=at_least(int, 1), default=usable_cores(), help='(%(default)s)')
    return result


def build(arguments: argparse.Namespace) -> None:
    """Build the map that the arguments ask for and say what it holds."""
    from ssd_ros.maps.target import check_map_target
    from ssd_ros.recognition.map_check import doubt_of, misfit_words
    from ssd_ros.targets import check_file

    _refuse_options_of_the_other(arguments)
    check_map_target(arguments.output, None if arguments.force else arguments.sensor)
    if arguments.sensor == 'spinning':
        check_file(_first_scan_of(arguments.output))
    if arguments.sensor == '4d':
        from ssd_ros.cli.build_db.recorded_clouds import map_of_arguments

        database, seconds, provider = map_of_arguments(arguments)
    else:
        database, seconds, provider = _of_scans(arguments)
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
    print(f'seconds per scan {seconds / len(database):.3f} on {provider}')
    if doubt := doubt_of(info):
        print(f'warning          {doubt}')


def _refuse_options_of_the_other(arguments: argparse.Namespace) -> None:
    """Refuse what would be passed over: the map would be made as if it were not said."""
    for name, sensors in _SENSORS_OF.items():
        if arguments.sensor in sensors or (name == 'teacher' and arguments.submap):
            continue
        if getattr(arguments, name) not in (None, []):
            raise ValueError(f'{flag_of(name)} is an option of --sensor {" or ".join(sensors)}')


def _of_scans(arguments: argparse.Namespace) -> tuple[PlaceDatabase, float, str]:
    """Return the map of a spinning radar or LiDAR, its seconds and what ran its model."""
    from ssd_ros.cli.common.drives import open_drive
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.confidence.file import load_confidence
    from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
    from ssd_ros.encoders.place_encoder import named_encoder
    from ssd_ros.maps.builder import build_database

    sensor = arguments.sensor
    teacher = named_encoder(
        arguments.encoder, arguments.teacher, arguments.device, arguments.threads, sensor
    )
    (options,) = options_of(arguments, [arguments.input])
    drive = open_drive(arguments.input, options, Rosbag2Config(sensors=(sensor,)))
    if sensor == 'spinning':
        _show_first_scan(arguments.output, drive)
    confidence = load_confidence(
        arguments.confidence or shared_file(ENCODERS[teacher.kind].confidence),
        teacher.contract.descriptor_space,
        sensor,
    )
    start = time.perf_counter()
    with progress_bar(drive.name, 'keyframe') as progress:
        database = build_database(
            drive,
            teacher,
            arguments.views,
            arguments.keyframe_distance,
            arguments.origin,
            arguments.map_frame,
            progress,
            confidence,
            drive.notes.get(sensor, ''),
            sensor,
            arguments.opposite_lane or 0.0,
        )
    return database, time.perf_counter() - start, teacher.provider


def _first_scan_of(output: Path) -> Path:
    return output.absolute().with_name(f'{output.absolute().name}.first_scan.png')


def _show_first_scan(output: Path, drive: RadarSequence) -> None:
    """Draw it beside the map before the work: a wrong layout is seen at once."""
    from ssd_ros.cli.common.scan_picture import write_first_scan

    picture = _first_scan_of(output)
    if write_first_scan(picture, drive):
        print(f'first scan       {picture}', flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(parser(), build, argv)
