# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of `~/candidates`, made without ROS: for the node and for the command replay."""

from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.covariance import carried
from ssd_ros.recognition import candidates
from ssd_ros.recognition.answer import LoopClosureCandidate, Recognition
from ssd_ros.recognition.candidates import Flag, VERIFIED_OVERLAP
from ssd_ros.ros.messages.geometry import Pose, turn

_UNKNOWN_YAW_STD_RAD = math.pi / math.sqrt(3)  # uniform over the circle
_COPIED = ('distance', 'ratio', 'confidence', 'support', 'keyframe_id', 'map_id', 'rank')
_COVARIANCES = {'xx': (0, 0), 'xy': (0, 1), 'yy': (1, 1), 'x_yaw': (0, 2), 'y_yaw': (1, 2)}


def keyframe_pose(candidate: LoopClosureCandidate) -> Pose:
    """Return T_map_keyframe."""
    return Pose(np.asarray(candidate.position_m), np.asarray(candidate.quaternion_xyzw))


def knows_yaw(candidate: LoopClosureCandidate) -> bool:
    """Return whether the yaw says anything: with one view per keyframe it does not."""
    return candidate.relative_yaw_std_rad < 0.99 * _UNKNOWN_YAW_STD_RAD


def keyframe_base(candidate: LoopClosureCandidate, base_radar: Pose) -> Pose:
    """
    Return T_keyframe_base; before a verification, as if the radar were at the keyframe.

    :param base_radar: T_base_radar
    """
    shift_m = np.zeros(3)
    if candidate.verified:
        shift_m[:2] = candidate.relative_x_m, candidate.relative_y_m
    keyframe_radar = Pose(shift_m, turn(candidate.relative_yaw_rad).quaternion_xyzw)
    return keyframe_radar @ base_radar.inverse()


def base_covariance(candidate: LoopClosureCandidate, place: Pose) -> NDArray[np.float64]:
    """
    Return the covariance of T_keyframe_base in x, y, yaw, shape (3, 3).

    An error of the radar's heading moves the base, which lies aside of it.

    :param place: T_keyframe_base
    """
    lever = place.position_m[:2] - [candidate.relative_x_m, candidate.relative_y_m]
    jacobian = np.eye(3)
    jacobian[:2, 2] = -lever[1], lever[0]
    return carried(jacobian, candidate.covariance)


def candidate_rows(
    found: Sequence[LoopClosureCandidate],
    base_radar: Pose,
    max_ratio: float,
    query_flags: Flag,
    maps: Sequence[PlaceDatabase] = (),
    age_s: float = math.nan,
) -> NDArray[np.void]:
    """
    Return the rows of `~/candidates`.

    :param base_radar: T_base_radar
    :param max_ratio: above it a candidate is flagged ambiguous
    :param query_flags: what holds for all rows of the query
    :param maps: that were searched; of others the revision is not known
    :param age_s: since the newest scan came; NaN = not known
    """
    rows = np.zeros(len(found), candidates.DTYPE)
    if not found:
        return rows
    # Column by column: setting the fields of one row at a time takes ten times as long.
    for name in _COPIED:
        rows[name] = [getattr(candidate, name) for candidate in found]
    rows['intensity'] = rows['confidence']
    rows['age'] = age_s
    revisions = {place.map_id: int(place.revision or '0', 16) for place in maps}
    rows['map_revision'] = [revisions.get(candidate.map_id, 0) for candidate in found]
    stamps = [divmod(candidate.stamp_ns, 1_000_000_000) for candidate in found]
    rows['kf_stamp_sec'], rows['kf_stamp_nanosec'] = zip(*stamps, strict=True)
    rows['flags'] = [int(query_flags | _flags_of(candidate, max_ratio)) for candidate in found]
    positions_m = np.array([candidate.position_m for candidate in found])
    quaternions_xyzw = np.array([candidate.quaternion_xyzw for candidate in found])
    for name, column in zip('xyz', positions_m.T, strict=True):
        rows[name] = rows[f'map_{name}'] = column
    for name, column in zip('xyzw', quaternions_xyzw.T, strict=True):
        rows[f'q{name}'] = column
    _fill_relative_poses(rows, found, base_radar)
    return rows


def flags_of_query(recognition: Recognition) -> Flag:
    """Return what holds for all rows of a query."""
    flags = Flag.STATIONARY if recognition.stationary else Flag(0)
    flags |= Flag.UNKNOWN_RADAR if recognition.unlike_radar else Flag(0)
    flags |= Flag.SUBMAP if recognition.is_submap else Flag(0)
    return flags | (Flag.LOW_POINTS if recognition.low_points else Flag(0))


def _flags_of(candidate: LoopClosureCandidate, max_ratio: float) -> Flag:
    flags = Flag(0)
    for flag, holds in (
        (Flag.ACCEPTED, candidate.accepted),
        (Flag.AMBIGUOUS, candidate.ratio > max_ratio or candidate.decision.kind == 'ambiguous'),
        (Flag.SEQUENCE_CONSISTENT, candidate.support >= 0.5),
        (Flag.GEOMETRICALLY_VERIFIED, candidate.overlap >= VERIFIED_OVERLAP),
        (Flag.YAW_VALID, knows_yaw(candidate)),
        (Flag.LIVE_SESSION, candidate.is_live),
    ):
        flags |= flag if holds else Flag(0)
    return flags


def _fill_relative_poses(
    rows: NDArray[np.void], found: Sequence[LoopClosureCandidate], base_radar: Pose
) -> None:
    poses = [keyframe_base(candidate, base_radar) for candidate in found]
    covariances = np.array(list(map(base_covariance, found, poses)))
    rows['relative_yaw'] = [
        pose.yaw_rad if knows_yaw(candidate) else math.nan
        for pose, candidate in zip(poses, found, strict=True)
    ]
    rows['relative_yaw_std'] = [candidate.relative_yaw_std_rad for candidate in found]
    is_known = [1.0 if candidate.verified else math.nan for candidate in found]
    positions_m = np.array([pose.position_m for pose in poses])
    rows['relative_x'], rows['relative_y'] = positions_m.T[:2] * is_known
    for name, place in _COVARIANCES.items():
        rows[f'covariance_{name}'] = covariances[:, place[0], place[1]]
