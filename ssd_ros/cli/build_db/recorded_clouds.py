# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The map of a recorded drive with 4D radar, as the node would have saved it."""

from __future__ import annotations

import argparse
import time

from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import level_drive, open_drive
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.confidence.file import load_confidence, shipped_confidence
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.offline.drive_map import map_of_clouds
from ssd_ros.recognition.offline.submap_drive import map_of_submaps
from ssd_ros.ros.inputs.mounting import mounting_of
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy
from ssd_ros.ros.parameters.file import read_parameter_files
from ssd_ros.ros.parameters.node import NodeParameters


def map_of_arguments(
    arguments: argparse.Namespace, encoder: PlaceEncoder, options: DriveOptions
) -> tuple[PlaceDatabase, float]:
    """
    Return the map and the seconds that it took.

    :param encoder: the teacher for submaps, else the student
    :raise ValueError: the drive, the model or the parameters cannot be used
    :raise OSError: one of them cannot be read
    """
    parameters = read_parameter_files(arguments.params)
    wanted = Rosbag2Config(sensors=('4d',), decoder=parameters.decoder_config())
    opened = open_drive(arguments.input, options, wanted)
    drive: RadarSequence = opened
    mounting = mounting_of(pose_from_xyzrpy(parameters.radar_topics()[0].extrinsics or (0.0,) * 6))
    if options.extrinsics_of('4d') is None and mounting.level_radar is not None:
        drive = level_drive(opened, mounting.level_radar)
    note = opened.notes.get('4d', '')
    if arguments.submap:
        return _of_submaps(drive, arguments, encoder, note)
    return _of_windows(drive, arguments, encoder, parameters, note)


def _of_submaps(
    drive: RadarSequence, arguments: argparse.Namespace, teacher: PlaceEncoder, note: str
) -> tuple[PlaceDatabase, float]:
    start = time.perf_counter()
    with progress_bar(drive.name, 'scan') as progress:
        database = map_of_submaps(
            drive,
            teacher,
            arguments.submap,
            arguments.keyframe_distance,
            arguments.origin,
            arguments.map_frame,
            progress,
            note,
        )
    return database, time.perf_counter() - start


def _of_windows(
    drive: RadarSequence,
    arguments: argparse.Namespace,
    student: PlaceEncoder,
    parameters: NodeParameters,
    note: str,
) -> tuple[PlaceDatabase, float]:
    space, given = student.contract.descriptor_space, arguments.confidence
    confidence = (
        load_confidence(given, space, '4d')
        if given
        else shipped_confidence(student.kind, space, '4d')
    )
    start = time.perf_counter()
    with progress_bar(drive.name, 'scan') as progress:
        database = map_of_clouds(
            drive,
            student,
            arguments.keyframe_distance,
            arguments.origin,
            arguments.map_frame,
            progress,
            confidence,
            parameters.recognizer_config(),
            note,
        )
    return database, time.perf_counter() - start
