# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Offline: a drive with 4D radar in, its submaps out, and the map whose keyframes they are.

Who comes the other way sees a place from the lane beside. A submap can be looked at from anywhere
near its middle, so that each makes a keyframe in every lane.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.submap import LANES_M, outstanding, submap_panorama, SubmapStream
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.builder import encode_views
from ssd_ros.maps.checks import check_places
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.ego_velocity import estimate_ego_velocity
from ssd_ros.recognition.answer import SensorPose
from ssd_ros.recognition.offline.drive_odometry import odometry_of
from ssd_ros.verification import strongest_returns


class _Place(NamedTuple):
    number: int  # of the scan
    stamp_ns: int
    pose: SensorPose
    segment: int  # of the odometry


class Submap(NamedTuple):
    """
    A place of a drive, seen all around.

    :param pose: of a radar there; in another lane, it is turned as the own one
    :param segment: of the odometry
    :param panorama: shape (num_ranges, panorama_azimuths) uint8
    """

    stamp_ns: int
    pose: SensorPose
    segment: int
    panorama: NDArray[np.uint8]


def submaps_of(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    length_m: float,
    spacing_m: float,
    lanes_m: Sequence[float] = LANES_M,
    progress: Callable[[int, int], None] = lambda done, total: None,
    left_out: LeftOut | None = None,
    reach_m: float | None = None,
) -> Iterator[Submap]:
    """
    Yield the submaps of a drive in order of time; those of several lanes are 1 ns apart.

    Places nearer to the end of the drive than half a submap have none.

    :param length_m: of the way that a submap shows
    :param spacing_m: between two places
    :param progress: called after each scan with the number done and of all
    :param left_out: counts the scans that cannot be read
    :param reach_m: returns farther from a place are left out; None = half of a submap, how far
        it is seen all around, for submaps that are compared with each other
    """
    reach_m = length_m / 2 if reach_m is None else reach_m
    stream = SubmapStream(length_m, spacing_m)
    for place, returns in _local_maps(sequence, preprocessing, stream, left_out, progress):
        yield from _in_lanes(place, returns, preprocessing, reach_m, lanes_m)


def panoramas_at(
    sequence: RadarSequence,
    clouds: NDArray[np.int64],
    preprocessing: PreprocessingConfig,
    length_m: float,
    spacing_m: float,
    left_out: LeftOut,
) -> Iterator[NDArray[np.uint8] | None]:
    """
    Yield for each of some scans what the submap around it shows, None for those that have none.

    :param clouds: numbers of the scans, rising
    :param length_m: of the way that a submap shows; it reaches half as far
    :param spacing_m: between two submaps
    :param left_out: counts the scans that cannot be read
    :return: shape (num_ranges, panorama_azimuths) uint8 each
    """
    stream, waiting = SubmapStream(length_m, spacing_m), deque(clouds.tolist())
    for place, returns in _local_maps(sequence, preprocessing, stream, left_out, at=set(waiting)):
        while waiting.popleft() != place.number:
            yield None
        yield submap_panorama(outstanding(returns), preprocessing, length_m / 2)
    yield from [None] * len(waiting)


def _local_maps(
    sequence: RadarSequence,
    preprocessing: PreprocessingConfig,
    stream: SubmapStream,
    left_out: LeftOut | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    at: Container[int] | None = None,
) -> Iterator[tuple[_Place, NDArray[np.float32]]]:
    """
    Yield the places of a drive and the returns around each, see SubmapStream.

    :param at: numbers of the scans that may be one, None = all that have a pose
    """
    left_out = left_out or LeftOut(sequence.name, '4D radar scan')
    poses, num_scans = odometry_of(sequence), len(sequence.cloud_stamps_ns)
    for index in range(num_scans):
        cloud = left_out.read(sequence.cloud, index)
        if cloud is not None:
            pose, segment = poses.get(index, (None, 0))
            ego_velocity = estimate_ego_velocity(
                cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, preprocessing.ego_velocity
            )
            is_place = at is None or index in at
            place = _Place(index, cloud.stamp_ns, pose, segment) if pose and is_place else None
            new = stream.add(cloud, ego_velocity, pose and pose.planar, segment, place)
            if new is not None:
                yield new
        progress(index + 1, num_scans)


def _in_lanes(
    place: _Place,
    returns: NDArray[np.float32],
    preprocessing: PreprocessingConfig,
    reach_m: float,
    lanes_m: Sequence[float],
) -> Iterator[Submap]:
    _, stamp_ns, pose, segment = place
    strong = outstanding(returns)
    for number, lane_m in enumerate(lanes_m):
        there = strong - np.array([0, lane_m, 0, 0], np.float32)
        panorama = submap_panorama(there, preprocessing, reach_m)
        yield Submap(stamp_ns + number, pose.beside(lane_m), segment, panorama)


def map_of_submaps(
    sequence: RadarSequence,
    teacher: PlaceEncoder,
    length_m: float,
    keyframe_distance_m: float = 2.0,
    origin: str = '',
    map_frame_id: str = 'map',
    progress: Callable[[int, int], None] = lambda done, total: None,
    poses_note: str = '',
) -> PlaceDatabase:
    """
    Make a map of the scans of a 4D radar whose keyframes are submaps, described as whole turns.

    No calibration saw such maps: they carry none.

    :param teacher: for spinning radar
    :param length_m: of the way that a keyframe shows
    :param keyframe_distance_m: between two keyframes of a lane
    :param origin: what the zero of the map frame is, in words
    :param progress: called after each scan with the number done and of all
    :param poses_note: what became of the poses before
    :raise ValueError: the drive is too short for a submap, most scans cannot be read, or a map
        cannot hold its name, frame or stamps: before the work
    """
    check_places(sequence.cloud_poses.at(sequence.cloud_stamps_ns)[1])
    contract, num_scans = teacher.contract, len(sequence.cloud_stamps_ns)
    # Made before the work, since that checks it.
    info = MapInfo(
        descriptor_space=contract.descriptor_space,
        encoder_digest=teacher.digest,
        num_views=contract.num_views,
        keyframe_distance_m=keyframe_distance_m,
        sensor='4d',
        source=sequence.name,
        map_frame_id=map_frame_id,
        origin=origin,
        poses=poses_note,
        num_scans=num_scans,
        num_without_pose=num_scans - len(odometry_of(sequence)),
        scan_context=teacher.scan_context,
        data_origin=origin_of(sequence),
        submap_m=length_m,
    )
    left_out = LeftOut(sequence.name, '4D radar scan')
    places: list[tuple[int, SensorPose, int]] = []
    descriptors: list[NDArray[np.float32]] = []
    returns_cm: list[NDArray[np.int16]] = []
    for submap in submaps_of(
        sequence,
        contract.preprocessing,
        length_m,
        keyframe_distance_m,
        progress=progress,
        left_out=left_out,
    ):
        places.append(submap[:3])
        descriptors.append(encode_views(submap.panorama, teacher, contract.num_views))
        returns_cm.append(strongest_returns(submap.panorama, contract.preprocessing.grid))
    left_out.require_few()
    if not places:
        raise ValueError(
            f'{sequence.name}: no {length_m / 2:g} m of way with poses, that a submap of '
            f'{length_m:g} m needs: choose a shorter one'
        )
    keyframes, starts = _keyframes(places)
    info = replace(info, num_unreadable=left_out.count, segment_starts=starts)
    return database_of(
        MapContent(np.concatenate(descriptors), keyframes, np.stack(returns_cm), info)
    )


def _keyframes(
    places: Sequence[tuple[int, SensorPose, int]],
) -> tuple[Trajectory, tuple[int, ...]]:
    """Return the poses of places by stamp, pose and segment, and where each segment begins."""
    stamps_ns, poses, segments = zip(*places, strict=True)
    keyframes = Trajectory(
        np.array(stamps_ns, np.int64),
        np.stack([pose.position_m for pose in poses]),
        np.stack([pose.quaternion_xyzw for pose in poses]),
    )
    return keyframes, (0, *(np.flatnonzero(np.diff(segments)) + 1).tolist())
