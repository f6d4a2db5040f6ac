# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Offline: a drive with spinning radar in, a map of its places out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
import logging

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import scan_panorama
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.checks import check_places
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.turn_check import TurnCheck
from ssd_ros.motion.trajectory import thin_by_distance, Trajectory
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.verification import strongest_returns, turn_motions

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
) -> PlaceDatabase:
    """
    Encode the keyframes of a drive.

    Scans without a pose and scans that cannot be read are left out, counted in the map's info
    and logged; most of them end the work. Images that turn against the headings are warned of.

    :param encoder: a teacher, for spinning radar
    :param num_views: headings in which a 4D radar may see a place, evenly around; a divisor of
        the encoder's own number; None = that number
    :param keyframe_distance_m: between two keyframes; 0 keeps every scan
    :param origin: what the zero of the map frame is, in words
    :param progress: called after each keyframe with the number done and the number expected
    :param confidence: fitted on other drives with this encoder; None = not calibrated
    :param poses_note: what was done to the poses, in words
    :raise ValueError: no scan is left to make a map of, or a map cannot hold its name, frame or
        stamps: before the work
    """
    num_views = encoder.contract.num_views if num_views is None else num_views
    _check_options(sequence, encoder, num_views, keyframe_distance_m)
    posed, poses = _posed_scans(sequence)
    check_places(poses)
    # Made before the work, since that checks it.
    info = MapInfo(
        descriptor_space=encoder.contract.descriptor_space,
        encoder_digest=encoder.digest,
        num_views=num_views,
        keyframe_distance_m=keyframe_distance_m,
        source=sequence.name,
        map_frame_id=map_frame_id,
        origin=origin,
        poses=poses_note,
        num_scans=len(sequence.scan_stamps_ns),
        num_without_pose=len(sequence.scan_stamps_ns) - len(posed),
        scan_context=encoder.scan_context,
        data_origin=origin_of(sequence),
    )
    expected = len(thin_by_distance(poses.positions_m, keyframe_distance_m))
    motions = turn_motions(poses)
    kept: list[int] = []
    descriptors: list[NDArray[np.float32]] = []
    returns_cm: list[NDArray[np.int16]] = []
    left_out, turns = LeftOut(sequence.name), TurnCheck()
    for place, scan in _keyframes(sequence, posed, poses, keyframe_distance_m, left_out):
        kept.append(place)
        panorama = scan_panorama(scan, encoder.contract.preprocessing)
        turns.add(panorama, poses.positions_m[place], float(poses.yaws_rad[place]))
        descriptors.append(encode_views(panorama, encoder, num_views))
        grid = encoder.contract.preprocessing.grid
        returns_cm.append(strongest_returns(panorama, grid, motions[place]))
        if progress:
            progress(len(kept), expected)
    left_out.require_few()
    turns.warn(sequence.name)
    info = replace(info, num_unreadable=left_out.count)
    keyframes = poses.select(np.array(kept, dtype=np.int64))
    return database_of(
        MapContent(np.concatenate(descriptors), keyframes, np.stack(returns_cm), info, confidence)
    )


def encode_views(
    panorama: NDArray[np.uint8], encoder: PlaceEncoder, num_views: int
) -> NDArray[np.float32]:
    """
    Return one descriptor per view of a place, shape (num_views, D).

    :param panorama: shape (num_ranges, panorama_azimuths)
    """
    descriptors = encoder.encode_panorama(panorama)
    return descriptors[:: len(descriptors) // num_views]


def _check_options(
    sequence: RadarSequence, encoder: PlaceEncoder, num_views: int, keyframe_distance_m: float
) -> None:
    """Refuse before the first scan is read what would fail after it."""
    available = encoder.contract.num_views
    if num_views < 1 or available % num_views:
        raise ValueError(f'{num_views} views do not divide the {available} that the teacher gives')
    if not keyframe_distance_m >= 0:
        raise ValueError(f'keyframe_distance_m is {keyframe_distance_m}, expected 0 or more')
    if len(sequence.scan_stamps_ns) == 0:
        raise ValueError(f'{sequence.name} has no spinning radar scans to make a map of')


def _posed_scans(sequence: RadarSequence) -> tuple[NDArray[np.int64], Trajectory]:
    """Return the scans that have a pose, and one pose for each."""
    num_scans = len(sequence.scan_stamps_ns)
    posed, poses = sequence.scan_poses.at(sequence.scan_stamps_ns)
    if len(posed) == 0:
        raise ValueError(
            f'{sequence.name}: none of {num_scans} spinning radar scans has a pose near in '
            f'time (there are {len(sequence.scan_poses)} poses): check the file of poses'
        )
    if len(posed) < num_scans:
        _log.warning('%s: left out %d scans without a pose', sequence.name, num_scans - len(posed))
    return posed, poses


def _keyframes(
    sequence: RadarSequence,
    posed: NDArray[np.int64],
    poses: Trajectory,
    distance_m: float,
    left_out: LeftOut,
) -> Iterator[tuple[int, SpinningRadarScan]]:
    """
    Yield the scans that become keyframes with their place in `posed`.

    The next scan takes the place of one that cannot be read: a damaged file leaves no gap in the
    map.
    """
    last = np.full(2, np.inf)
    for place, position in enumerate(poses.positions_m[:, :2]):
        if place and np.hypot(*(position - last)) < distance_m:
            continue
        if (scan := left_out.read(sequence.scan, int(posed[place]))) is not None:
            last = position
            yield place, scan
