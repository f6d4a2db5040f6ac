# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The keyframes of a recorded drive, encoded: for a map of its own, or for one that is there."""

from __future__ import annotations

import argparse
from pathlib import Path
import time
from typing import TYPE_CHECKING

from ssd_ros.cli.common.console import at_least, usable_cores
from ssd_ros.cli.common.drive_options import flag_of
from ssd_ros.devices import DEVICES, MEANING
from ssd_ros.extensions import OrOwn
from ssd_ros.shared_files import ENCODERS, shared_file

if TYPE_CHECKING:
    from ssd_ros.cli.common.drive_options import DriveOptions
    from ssd_ros.datasets.sequence import RadarSequence
    from ssd_ros.encoders.place_encoder import PlaceEncoder
    from ssd_ros.maps.place_database import PlaceDatabase

# Options that have no meaning for other sensors.
_SENSORS_OF = {
    **dict.fromkeys(('teacher', 'views', 'opposite_lane'), ('spinning', 'lidar')),
    **dict.fromkeys(('scan_topic', 'spinning_preset', 'range_resolution'), ('spinning',)),
    **dict.fromkeys(('student', 'params', 'points_topic', 'submap'), ('4d',)),
    'lidar_source': ('lidar',),
}


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of what encodes a drive."""
    add = parser.add_argument
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
    add('--device', default='auto', choices=DEVICES, help=f'{MEANING} (%(default)s)')
    add('--threads', type=at_least(int, 1), default=usable_cores(), help='(%(default)s)')


def refuse_options_of_the_other(arguments: argparse.Namespace) -> None:
    """Refuse what would be passed over: the map would be made as if it were not said."""
    for name, sensors in _SENSORS_OF.items():
        if arguments.sensor in sensors or (name == 'teacher' and arguments.submap):
            continue
        if getattr(arguments, name) not in (None, []):
            raise ValueError(f'{flag_of(name)} is an option of --sensor {" or ".join(sensors)}')


def encoder_of(arguments: argparse.Namespace) -> PlaceEncoder:
    """
    Return what is to encode a drive.

    :raise ValueError: it or the parameters cannot be used
    :raise OSError: one of them cannot be read
    """
    from ssd_ros.encoders.place_encoder import named_encoder

    sensor, given = arguments.sensor, arguments.teacher
    if arguments.submap:
        sensor = 'spinning'
    elif sensor == '4d':
        from ssd_ros.ros.parameters.file import read_parameter_files
        from ssd_ros.user_paths import user_path

        model = read_parameter_files(arguments.params).model_path
        given = arguments.student or (user_path(model) if model else None)
    return named_encoder(arguments.encoder, given, arguments.device, arguments.threads, sensor)


def map_of_drive(
    arguments: argparse.Namespace,
    encoder: PlaceEncoder,
    options: DriveOptions,
    picture: Path | None = None,
) -> tuple[PlaceDatabase, float]:
    """
    Return the map that options of `build_db` ask for and the seconds that it took.

    :param encoder: see `encoder_of`
    :param options: of the drive
    :param picture: where the first scan of a spinning radar is drawn; None = nowhere
    :raise ValueError: the drive or the parameters cannot be used
    :raise OSError: one of them cannot be read
    """
    if arguments.sensor != '4d':
        return _of_scans(arguments, encoder, options, picture)
    from ssd_ros.cli.build_db.recorded_clouds import map_of_arguments

    return map_of_arguments(arguments, encoder, options)


def _of_scans(
    arguments: argparse.Namespace,
    teacher: PlaceEncoder,
    options: DriveOptions,
    picture: Path | None,
) -> tuple[PlaceDatabase, float]:
    """Return the map of a spinning radar or LiDAR and its seconds."""
    from ssd_ros.cli.common.drives import open_drive
    from ssd_ros.cli.common.progress import progress_bar
    from ssd_ros.confidence.file import load_confidence
    from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
    from ssd_ros.maps.builder import build_database

    sensor = arguments.sensor
    drive = open_drive(arguments.input, options, Rosbag2Config(sensors=(sensor,)))
    if picture is not None:
        _show_first_scan(picture, drive)
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
    return database, time.perf_counter() - start


def _show_first_scan(picture: Path, drive: RadarSequence) -> None:
    """Draw it beside the map before the work: a wrong layout is seen at once."""
    from ssd_ros.cli.common.scan_picture import write_first_scan

    if write_first_scan(picture, drive):
        print(f'first scan       {picture}', flush=True)
