# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Submaps of a 4D radar as queries, which show all around and are found with any heading."""

from __future__ import annotations

import argparse

import numpy as np
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.evaluate.judged import judged
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.evaluation.queries.answers import Answers, ground_truth
from ssd_ros.evaluation.scores.results import Result
from ssd_ros.evaluation.scores.summary import one_percent
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import PlaceDatabase, ratios_to_other_places
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.recognition.answer import DEFAULT_CONFIG
from ssd_ros.recognition.offline.submap_drive import map_of_submaps, Submap, submaps_of

OWN_LANE = (0.0,)


def submap_map(
    drive: RadarSequence, teacher: PlaceEncoder, arguments: argparse.Namespace
) -> PlaceDatabase:
    """Return the map of a drive's 4D radar whose keyframes are submaps."""
    with progress_bar(f'map {drive.name}', 'scan') as progress:
        return map_of_submaps(
            drive, teacher, arguments.submap, arguments.keyframe_distance, progress=progress
        )


def judge_submaps(
    drive: RadarSequence,
    teacher: PlaceEncoder,
    database: PlaceDatabase,
    arguments: argparse.Namespace,
) -> Result:
    """
    Ask the submaps of a drive and judge the answers.

    :raise ValueError: the drive is too short for one
    """
    asked: list[Submap] = []
    found: list[Neighbours] = []
    left_out = LeftOut(drive.name, '4D radar scan')
    preprocessing = teacher.contract.preprocessing
    # A spinning radar sees as far everywhere, and a LiDAR's local map shows as much.
    whole_m = preprocessing.grid.max_range_m if database.info.sensor != '4d' else None
    with progress_bar(f'queries {drive.name}', 'scan') as progress:
        for submap in submaps_of(
            drive,
            preprocessing,
            arguments.submap,
            arguments.query_spacing,
            OWN_LANE,
            progress,
            left_out,
            whole_m,
        ):
            asked.append(submap)
            ring = teacher.encode_panorama(submap.panorama)
            found.append(database.search_turn(ring, len(database)))
    left_out.require_few()
    if not asked:
        raise ValueError(f'{drive.name} is too short for a submap of {arguments.submap:g} m')
    poses = Trajectory(
        np.array([submap.stamp_ns for submap in asked], np.int64),
        np.stack([submap.pose.position_m for submap in asked]),
        np.stack([submap.pose.quaternion_xyzw for submap in asked]),
    )
    truth = ground_truth(poses, database.keyframes, arguments.radius)
    occupied = [int(np.count_nonzero(submap.panorama)) for submap in asked]
    variant = f'submaps of {arguments.submap:g} m'
    return judged(drive.name, database, _answers(found, database), truth, occupied, variant)


def _answers(found: list[Neighbours], database: PlaceDatabase) -> Answers:
    num_answers = min(max(5, one_percent(len(database))), *map(len, found))
    ratios = [
        ratios_to_other_places(
            one.distances,
            database.positions_m(one.keyframes),
            one.horizon,
            [0],
            DEFAULT_CONFIG.ambiguity_radius_m,
        )[0]
        for one in found
    ]
    return Answers(
        np.stack([one.keyframes[:num_answers] for one in found]),
        np.array([one.distances[0] for one in found], np.float64),
        np.array([one.yaws_rad[0] for one in found]),
        np.array(ratios),
    )
