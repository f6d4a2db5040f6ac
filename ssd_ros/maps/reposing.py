# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""New poses for the keyframes of a map, after a back end has optimised the drive."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
import math
import uuid

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.poses import poses_at
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.meta import MapError, REBUILD
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.odometry import motion_between
from ssd_ros.motion.trajectory import Trajectory, wrap_angle
from ssd_ros.verification.pose_misfit import MAX_MISFIT_M, pose_misfit_m

_MIN_STEP_M = 0.5  # from keyframe to keyframe, to compare directions
_MAX_TURN_RAD = math.radians(15.0)  # in the median; of a heading that is another one
_MAX_STRETCH = 1.5  # in the median; odometry is less wrong than this


def reposed(
    database: PlaceDatabase,
    poses: Trajectory,
    source: str,
    may_drop: bool = False,
    map_frame_id: str | None = None,
    origin: str | None = None,
) -> PlaceDatabase:
    """
    Return the map with other poses under another UUID; all else stays.

    What were segments of the odometry is one afterwards: the poses are in one frame. They are
    compared with those of the map, or, if these disagree with its returns, with the returns.

    :param poses: of the radar, in the new map frame
    :param source: what the poses are called in the map's info
    :param may_drop: leave out keyframes without a pose instead of refusing
    :param map_frame_id: of the poses; None = that of the map
    :param origin: of that frame in words; None = that of the map, if the frame is
    :raise MapError: keyframes have no pose, are submaps or beside the way, or the poses are not
        those of this drive's radar
    """
    if database.info.submap_m:
        raise MapError(
            'the keyframes of this map are submaps, gathered by the poses that it was built with: '
            f'{REBUILD} --poses'
        )
    if database.info.opposite_lane_m:
        raise MapError(
            'this map shows the lane beside, too, by the headings that it was built with: '
            f'{REBUILD} --poses'
        )
    at = poses_at(poses, database.keyframes.stamps_ns)
    is_posed = np.isin(database.keyframes.stamps_ns, at.stamps_ns)
    num_without = int(np.count_nonzero(~is_posed))
    if num_without and (not may_drop or num_without == len(database)):
        raise MapError(_no_pose(database, poses, is_posed))
    segment = np.digitize(np.flatnonzero(is_posed), database.info.segment_starts)
    is_known = np.diff(segment) == 0
    old = database.info
    misfit_m = pose_misfit_m(database.keyframes, database.returns_cm, old.segment_starts)
    if not (are_wrong := misfit_m > MAX_MISFIT_M):
        _check_motion(database.keyframes.select(is_posed), at, is_known, source)
    info = replace(
        old,
        num_without_pose=old.num_without_pose + num_without,
        map_frame_id=map_frame_id or old.map_frame_id,
        origin=origin or (old.origin if map_frame_id in (None, old.map_frame_id) else ''),
        poses=f'put in from {source}',
        segment_starts=(0,),
        uuid=str(uuid.uuid4()),
        created=datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )
    rows = np.repeat(is_posed, info.num_views)
    descriptors, returns_cm = database.descriptors()[rows], database.returns_cm[is_posed]
    new = database_of(MapContent(descriptors, at, returns_cm, info, database.confidence))
    if are_wrong:
        _check_misfit(new.info, source)
    return new


def _no_pose(database: PlaceDatabase, poses: Trajectory, is_posed: NDArray[np.bool_]) -> str:
    missing = int(np.argmin(is_posed))
    stamps_ns = database.keyframes.stamps_ns
    return (
        f'{np.count_nonzero(~is_posed)} of {len(database)} keyframes have no pose near in time, '
        f'the first at {stamps_ns[missing] / 1e9:.3f} s: the poses reach from '
        f'{poses.stamps_ns[0] / 1e9:.3f} to {poses.stamps_ns[-1] / 1e9:.3f} s, the keyframes from '
        f'{stamps_ns[0] / 1e9:.3f} to {stamps_ns[-1] / 1e9:.3f} s; give poses for all of them, or '
        'leave those out with --drop'
    )


def _check_motion(
    old: Trajectory, new: Trajectory, is_known: NDArray[np.bool_], source: str
) -> None:
    """
    Compare the motion from keyframe to keyframe, which a back end changes little.

    :param is_known: shape (N - 1,), both keyframes are of one segment
    :raise MapError: it has another direction in the frame of the radar, or another length
    """
    before, after = map(_motions, (old, new))
    length_m = np.hypot(before[:, 0], before[:, 1])
    used = is_known & (length_m >= _MIN_STEP_M)
    if not used.any():
        return
    stretch = float(np.median(np.hypot(after[:, 0], after[:, 1])[used] / length_m[used]))
    if not 1 / _MAX_STRETCH <= stretch <= _MAX_STRETCH:
        raise MapError(
            f'{source} moves {stretch:.2g} times as far from keyframe to keyframe as the map: it '
            'is of another drive or unit'
        )
    courses_rad = (np.arctan2(motion[:, 1], motion[:, 0]) for motion in (before, after))
    turns_rad = wrap_angle(np.subtract(*courses_rad)[used])
    turns = np.exp(1j * turns_rad)
    turn_rad = math.atan2(np.median(turns.imag), np.median(turns.real))
    if abs(float(wrap_angle(turn_rad))) > _MAX_TURN_RAD:
        raise MapError(
            f'the headings of {source} are {math.degrees(turn_rad):+.0f} degrees off those of the '
            'map, as seen from the course: they are not those of the radar; --extrinsics says how '
            'it is mounted'
        )
    apart_rad = float(np.median(np.abs(turns_rad)))
    if apart_rad > _MAX_TURN_RAD:
        raise MapError(
            f'{source} moves {math.degrees(apart_rad):.0f} degrees off the map in the median, now '
            'to the left and now to the right: its positions are mirrored, or of another drive'
        )


def _check_misfit(info: MapInfo, source: str) -> None:
    """
    Compare poses with the returns alone, where those of the map tell nothing.

    :raise MapError: they are no better
    """
    if info.pose_misfit_m is not None and info.pose_misfit_m > MAX_MISFIT_M:
        raise MapError(
            f'{source} disagrees with the returns of the map by {info.pose_misfit_m:.2f} m '
            f'between neighbouring keyframes (median; at most {MAX_MISFIT_M:.1f}), as the poses '
            'of the map do: it is of another drive, or wrong'
        )


def _motions(poses: Trajectory) -> NDArray[np.float64]:
    """Return the planar motion from each pose to the next, in the frame of the former."""
    planar = np.column_stack([poses.positions_m[:, :2], poses.yaws_rad])
    return motion_between(planar[:-1], planar[1:])
