# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Offline: a drive with spinning radar or LiDAR in, a map of its places out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import logging

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.beside import panorama_beside
from ssd_ros.bev.keyframe_views import PlaceView, PosedScans, VIEWS
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import origin_of, RadarSequence, sensor_scans, SENSORS
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.checks import check_places
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.turn_check import TurnCheck
from ssd_ros.motion.trajectory import in_lanes, thin_by_distance, Trajectory
from ssd_ros.verification import returns_beside, strongest_returns, turn_motions

_log = logging.getLogger(__name__)


def build_database(
    sequence: RadarSequence,
    encoder: PlaceEncoder,
    num_views: int | None = None,
    keyframe_distance_m: float = 2.0,
    origin: str = '',
    map_frame_id: str = 'map',
    progress: Callable[[int, int], None] | None = None,
    confidence: ConfidenceModel | None = None,
    poses_note: str = '',
    sensor: str = 'spinning',
    opposite_lane_m: float = 0.0,
) -> PlaceDatabase:
    """
    Encode the keyframes of a drive.

    Scans without a pose and scans that cannot be read are left out, counted in the map's info
    and logged; most of them end the work. Images that turn against the headings are warned of.

    :param encoder: a teacher, for spinning radar or LiDAR
    :param num_views: headings in which a 4D radar may see a place, evenly around; a divisor of
        the encoder's own number; None = that number
    :param keyframe_distance_m: between two keyframes; 0 keeps every scan
    :param origin: what the zero of the map frame is, in words
    :param progress: called after each keyframe with the number done and the number expected
    :param confidence: fitted on other drives with this encoder; None = not calibrated
    :param poses_note: what was done to the poses, in words
    :param sensor: whose scans make the map, 'spinning' or 'lidar'
    :param opposite_lane_m: to the left, of the lane from which each place is described, too, as
        who comes the other way sees it; 0 = none
    :raise ValueError: no scan is left to make a map of, or a map cannot hold its name, frame or
        stamps: before the work
    """
    num_views = encoder.contract.num_views if num_views is None else num_views
    num_scans = len(sensor_scans(sequence, sensor))
    _check_options(encoder, num_views, keyframe_distance_m)
    if num_scans == 0:
        raise ValueError(f'{sequence.name} has no {SENSORS[sensor]} scans to make a map of')
    posed = _posed_scans(sequence, sensor)
    poses = posed.poses
    check_places(poses)
    # Made before the work, since that checks it.
    info = MapInfo(
        descriptor_space=encoder.contract.descriptor_space,
        encoder_digest=encoder.digest,
        num_views=num_views,
        keyframe_distance_m=keyframe_distance_m,
        sensor=sensor,
        source=sequence.name,
        map_frame_id=map_frame_id,
        origin=origin,
        poses=poses_note,
        num_scans=num_scans,
        num_without_pose=num_scans - len(poses),
        scan_context=encoder.scan_context,
        data_origin=origin_of(sequence),
        opposite_lane_m=opposite_lane_m,
    )
    expected = len(thin_by_distance(poses.positions_m, keyframe_distance_m))
    # A local map is of no moment, and its scans are taken for rigid.
    motions = turn_motions(poses) if sensor == 'spinning' else [None] * len(poses)
    left_out, turns = LeftOut(sequence.name), TurnCheck()
    described = _Described(encoder, num_views, opposite_lane_m)
    preprocessing = encoder.contract.preprocessing
    for view in VIEWS[sensor](posed, preprocessing, keyframe_distance_m, left_out):
        position_m, yaw_rad = poses.positions_m[view.row], float(poses.yaws_rad[view.row])
        turns.add(view.panorama, position_m, yaw_rad)
        described.add(view, motions[view.row])
        if progress:
            progress(len(described.rows), expected)
    left_out.require_few()
    turns.warn(sequence.name)
    info = replace(info, num_unreadable=left_out.count)
    return database_of(described.content(poses, info, confidence))


class _Described:
    """What a map will hold, keyframe by keyframe."""

    def __init__(self, encoder: PlaceEncoder, num_views: int, opposite_lane_m: float) -> None:
        self.rows: list[int] = []  # of their poses
        self._encoder, self._num_views, self._lane_m = encoder, num_views, opposite_lane_m
        self._descriptors: list[NDArray[np.float32]] = []
        self._returns_cm: list[NDArray[np.int16]] = []

    def add(self, view: PlaceView, turn_motion: NDArray[np.float64] | None) -> None:
        """Describe a place, from the lane beside, too, if that is asked for."""
        grid = self._encoder.contract.preprocessing.grid
        returns_cm = strongest_returns(view.sharp, grid, turn_motion)
        self.rows.append(view.row)
        self._add(view.panorama, returns_cm)
        if self._lane_m:
            beside = panorama_beside(view.panorama, grid, self._lane_m)
            self._add(beside, returns_beside(returns_cm, self._lane_m))

    def _add(self, panorama: NDArray[np.uint8], returns_cm: NDArray[np.int16]) -> None:
        self._descriptors.append(encode_views(panorama, self._encoder, self._num_views))
        self._returns_cm.append(returns_cm)

    def content(
        self, poses: Trajectory, info: MapInfo, confidence: ConfidenceModel | None
    ) -> MapContent:
        """Return what the map holds."""
        keyframes = poses.select(np.array(self.rows, dtype=np.int64))
        if self._lane_m:
            keyframes = in_lanes(keyframes, self._lane_m)
        descriptors, returns_cm = np.concatenate(self._descriptors), np.stack(self._returns_cm)
        return MapContent(descriptors, keyframes, returns_cm, info, confidence)


def encode_views(
    panorama: NDArray[np.uint8], encoder: PlaceEncoder, num_views: int
) -> NDArray[np.float32]:
    """
    Return one descriptor per view of a place, shape (num_views, D).

    :param panorama: shape (num_ranges, panorama_azimuths)
    """
    descriptors = encoder.encode_panorama(panorama)
    return descriptors[:: len(descriptors) // num_views]


def _check_options(encoder: PlaceEncoder, num_views: int, keyframe_distance_m: float) -> None:
    """Refuse before the first scan is read what would fail after it."""
    available = encoder.contract.num_views
    if num_views < 1 or available % num_views:
        raise ValueError(f'{num_views} views do not divide the {available} that the teacher gives')
    if encoder.contract.is_one_view:
        raise ValueError(
            'the model sees density images, which show what is ahead: a map is made of panoramas, '
            'by a model that was trained on them'
        )
    if not keyframe_distance_m >= 0:
        raise ValueError(f'keyframe_distance_m is {keyframe_distance_m}, expected 0 or more')


def _posed_scans(sequence: RadarSequence, sensor: str) -> PosedScans:
    """Return the scans that have a pose."""
    scans, name = sensor_scans(sequence, sensor), SENSORS[sensor]
    numbers, poses = scans.poses.at(scans.stamps_ns)
    if len(numbers) == 0:
        raise ValueError(
            f'{sequence.name}: none of {len(scans)} {name} scans has a pose near in time (there '
            f'are {len(scans.poses)} poses): check the file of poses'
        )
    if len(numbers) < len(scans):
        _log.warning(
            '%s: left out %d scans without a pose', sequence.name, len(scans) - len(numbers)
        )
    return PosedScans(sequence, numbers, poses)
