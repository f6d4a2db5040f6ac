# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The accepted candidates of an answer as loop closures, with an error model of accepted hits."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import carried
from ssd_ros.recognition.answer import LoopClosureCandidate
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.matching.matcher import Answer, Job
from ssd_ros.ros.messages.candidate_rows import (
    base_covariance,
    keyframe_base,
    keyframe_pose,
    knows_yaw,
)
from ssd_ros.ros.messages.geometry import Pose, turn
from ssd_ros.ros.parameters.interfaces import InterfaceParameters

_ROLL_PITCH_STD_RAD = 0.05
_DRIFT_PER_M = 0.03  # reconstructed: of odometry, double what good ones have
_PLANAR = (0, 1, 5)  # x, y and yaw among the six of a pose


def accepted_closure(
    answer: Answer, is_live: bool, base_radar: Pose, parameters: InterfaceParameters
) -> LoopClosure | None:
    """
    Return the best place of the maps, or of the running drive, if it is accepted.

    :param base_radar: T_base_radar
    """
    best = next(
        (found for found in answer.recognition.candidates if found.is_live == is_live), None
    )
    if best is None or not best.accepted:
        return None
    if not (knows_yaw(best) or parameters.allow_unknown_yaw):
        return None
    spacing_m = answer.keyframe_distance_m(best)
    return LoopClosure(
        query_stamp_ns=answer.recognition.stamp_ns,
        keyframe_id=best.keyframe_id,
        map_id=best.map_id,
        keyframe_stamp_ns=best.stamp_ns,
        map_keyframe=keyframe_pose(best),
        keyframe_base=keyframe_base(best, base_radar),
        covariance=pose_covariance(best, base_radar, spacing_m, parameters),
        confidence=best.confidence,
        is_live=is_live,
        # How the radar sat that made a map is not known.
        base_keyframe=base_radar if is_live else turn(0.0),
    )


def at_newest_scan(closure: LoopClosure, job: Job) -> LoopClosure | None:
    """
    Return where the vehicle is now: a query by submap says where it was half a submap ago.

    :return: None if the odometry does not tell how it came on
    """
    query, newest = job.query, job.newest
    if query.stamp_ns == newest.stamp_ns:
        return closure
    if query.pose is None or newest.pose is None or query.segment != newest.segment:
        return None
    radar_base = job.base_radar.inverse()
    then, now = Pose(*query.pose) @ radar_base, Pose(*newest.pose) @ radar_base
    moved = replace(
        closure,
        query_stamp_ns=newest.stamp_ns,
        keyframe_base=closure.keyframe_base @ (then.inverse() @ now),
    )
    x_m, y_m = (moved.map_base.position_m - closure.map_base.position_m)[:2]
    jacobian = np.eye(6)
    jacobian[:2, 5] = -y_m, x_m  # a wrong heading leads elsewhere
    covariance = carried(jacobian, closure.covariance)
    covariance[:2, :2] += (_DRIFT_PER_M**2 * (x_m**2 + y_m**2)) * np.eye(2)
    return replace(moved, covariance=covariance)


def pose_covariance(
    candidate: LoopClosureCandidate,
    base_radar: Pose,
    keyframe_distance_m: float,
    parameters: InterfaceParameters,
) -> NDArray[np.float64]:
    """
    Return the covariance of T_map_base in the axes of the map, shape (6, 6).

    :param base_radar: T_base_radar
    """
    planar = _planar_covariance(candidate, base_radar, keyframe_distance_m, parameters)
    covariance = np.zeros((6, 6))
    covariance[np.ix_(_PLANAR, _PLANAR)] = planar
    covariance[2, 2] = parameters.covariance_z**2
    covariance[3, 3] = covariance[4, 4] = _ROLL_PITCH_STD_RAD**2
    return covariance * parameters.covariance_scale


def _planar_covariance(
    candidate: LoopClosureCandidate,
    base_radar: Pose,
    keyframe_distance_m: float,
    parameters: InterfaceParameters,
) -> NDArray[np.float64]:
    """Return the covariance of x, y and yaw in the map, at least that of the parameters."""
    floor = parameters.covariance_floor_xy**2
    if not candidate.verified:
        xy_variance = floor + keyframe_distance_m**2 / 12
        return np.diag([xy_variance, xy_variance, candidate.relative_yaw_std_rad**2])
    yaw_rad = keyframe_pose(candidate).yaw_rad
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    place = keyframe_base(candidate, base_radar)
    covariance = carried(rotation, base_covariance(candidate, place))
    values, axes = np.linalg.eigh(covariance[:2, :2])
    # What is added has no negative eigenvalue, so the sum is a covariance, too.
    covariance[:2, :2] += carried(axes, np.diag(np.maximum(floor - values, 0)))
    return covariance
