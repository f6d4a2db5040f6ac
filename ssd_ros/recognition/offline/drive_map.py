# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Offline: a drive with 4D radar and poses in, the map out that the node would have saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import logging

from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.checks import check_places
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.answer import DEFAULT_CONFIG, RecognizerConfig, SensorPose
from ssd_ros.recognition.offline.drive_odometry import odometry_of
from ssd_ros.recognition.place_recognizer import PlaceRecognizer

_log = logging.getLogger(__name__)


def map_of_clouds(
    sequence: RadarSequence,
    encoder: PlaceEncoder,
    keyframe_distance_m: float = 2.0,
    origin: str = '',
    map_frame_id: str = 'map',
    progress: Callable[[int, int], None] | None = None,
    confidence: ConfidenceModel | None = None,
    config: RecognizerConfig = DEFAULT_CONFIG,
    poses_note: str = '',
) -> PlaceDatabase:
    """
    Make a map of the scans of a 4D radar, windows and keyframes as in a live session.

    Scans without a pose are part of the windows, but never a keyframe. Where the poses begin anew,
    a segment begins.

    :param encoder: a student, for 4D radar
    :param keyframe_distance_m: between two keyframes; 0 keeps every scan
    :param origin: what the zero of the map frame is, in words
    :param progress: called after each scan with the number done and of all
    :param confidence: fitted on 4D radar looked up in 4D radar; None = not calibrated
    :param config: of it, the least number of points counts
    :param poses_note: what became of the poses before
    :raise ValueError: no scan has a pose, or none is left to make a map of, or a map cannot hold
        its name, frame or stamps: before the work
    """
    poses = _posed(sequence)
    check_places(sequence.cloud_poses.at(sequence.cloud_stamps_ns)[1])
    contract, num_scans = encoder.contract, len(sequence.cloud_stamps_ns)
    # Made before the work, since that checks it.
    info = MapInfo(
        descriptor_space=contract.descriptor_space,
        encoder_digest=encoder.digest,
        num_views=1,
        keyframe_distance_m=keyframe_distance_m,
        sensor='4d',
        source=sequence.name,
        map_frame_id=map_frame_id,
        origin=origin,
        poses=poses_note,
        num_scans=num_scans,
        num_without_pose=num_scans - len(poses),
        scan_context=encoder.scan_context,
        data_origin=origin_of(sequence),
    )
    live = LiveSession(
        contract.descriptor_size, keyframe_distance_m, confidence, encoder.scan_context
    )
    recognizer = PlaceRecognizer(encoder, [], config, live)
    left_out = LeftOut(sequence.name, '4D radar scan')
    for index in range(num_scans):
        cloud = left_out.read(sequence.cloud, index)
        if cloud is not None and len(cloud):
            recognizer.remember(recognizer.prepare(cloud, *poses.get(index, (None, 0))))
        if progress:
            progress(index + 1, num_scans)
    left_out.require_few()
    _require_some_and_all(sequence, live, config)
    return database_of(live.to_map(replace(info, num_unreadable=left_out.count)))


def _posed(sequence: RadarSequence) -> dict[int, tuple[SensorPose, int]]:
    """Return the pose, and its segment, of each scan that has one."""
    num_scans = len(sequence.cloud_stamps_ns)
    if num_scans == 0:
        raise ValueError(f'{sequence.name} has no 4D radar scans to make a map of')
    poses = odometry_of(sequence)
    if not poses:
        raise ValueError(
            f'{sequence.name}: none of {num_scans} 4D radar scans has a pose near in time '
            f'(there are {len(sequence.cloud_poses)} poses): check where the poses come from'
        )
    if len(poses) < num_scans:
        _log.warning('%s: %d scans without a pose make no place', sequence.name,
                     num_scans - len(poses))  # fmt: skip
    return poses


def _require_some_and_all(
    sequence: RadarSequence, live: LiveSession, config: RecognizerConfig
) -> None:
    """Refuse a map of nothing and one that ends in the middle of the drive."""
    if not len(live):
        raise ValueError(
            f'{sequence.name}: no scan with a pose shows the {config.min_points} static points '
            'that a place needs'
        )
    if live.is_full:
        raise ValueError(
            f'{sequence.name} has more places than the {len(live)} that one map of a 4D radar '
            'holds: make maps of parts of it, or raise the keyframe distance'
        )
