# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of `~/candidates` as what a pose graph in the plane measures."""

from __future__ import annotations

from dataclasses import dataclass, field
import math

import gtsam
import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import carried
from ssd_ros.motion.pose_faults import fault_of_pose, MAX_POSITION_M
from ssd_ros.motion.trajectory import yaw_from_quaternion
from ssd_ros.pose_graph.config import EdgeNoise
from ssd_ros.recognition.candidates import Flag

_KEYFRAME = ('map_x', 'map_y', 'map_z', 'qx', 'qy', 'qz', 'qw')
_MAX_STD = 1e3  # metres or radians; who knows less knows nothing
_USABLE = Flag.ACCEPTED | Flag.YAW_VALID


@dataclass(frozen=True, slots=True)
class CandidateEdge:
    """
    One accepted candidate.

    :param keyframe_query: T_keyframe_query, the base frame of the query in the keyframe
    :param covariance: shape (3, 3), x, y, yaw of its error in the query's own axes
    :param map_keyframe: T_map_keyframe
    """

    query_stamp_ns: int
    keyframe_stamp_ns: int
    map_id: int
    is_live: bool
    keyframe_query: gtsam.Pose2
    covariance: NDArray[np.float64] = field(repr=False)
    map_keyframe: gtsam.Pose2


def candidate_edges(
    stamp_ns: int, rows: NDArray[np.void], noise: EdgeNoise
) -> list[CandidateEdge]:
    """
    Return the first accepted candidate of each map; others of the same query repeat its errors.

    Rows without a heading, or with numbers that no localizer sends, are left out.

    :param stamp_ns: of the query
    :param rows: shape (N,), type `ssd_ros.recognition.candidates.DTYPE`, best first
    """
    edges: dict[int, CandidateEdge] = {}
    for row in rows:
        map_id = int(row['map_id'])
        if map_id in edges or int(row['flags']) & _USABLE != _USABLE:
            continue
        edge = _edge(stamp_ns, row, noise)
        if edge is not None:
            edges[map_id] = edge
    return list(edges.values())


def _edge(stamp_ns: int, row: np.void, noise: EdgeNoise) -> CandidateEdge | None:
    yaw_rad = float(row['relative_yaw'])
    is_placed = bool(np.isfinite(row['relative_x']))
    position_m = (float(row['relative_x']), float(row['relative_y'])) if is_placed else (0.0, 0.0)
    covariance = _covariance(row, is_placed, noise)
    keyframe = [float(row[name]) for name in _KEYFRAME]
    is_far = max(map(abs, position_m)) > MAX_POSITION_M
    if is_far or fault_of_pose(keyframe) or not math.isfinite(yaw_rad):
        return None
    if not _is_covariance(covariance):
        return None
    keyframe_yaw_rad = float(yaw_from_quaternion(np.array(keyframe[3:])))
    return CandidateEdge(
        stamp_ns,
        int(row['kf_stamp_sec']) * 10**9 + int(row['kf_stamp_nanosec']),
        int(row['map_id']),
        bool(int(row['flags']) & Flag.LIVE_SESSION),
        gtsam.Pose2(*position_m, yaw_rad),
        _in_query_axes(covariance, yaw_rad),
        gtsam.Pose2(keyframe[0], keyframe[1], keyframe_yaw_rad),
    )


def _is_covariance(covariance: NDArray[np.float64]) -> bool:
    """Return whether it says something that a solver can use."""
    if not np.isfinite(covariance).all():
        return False
    variances = np.linalg.eigvalsh(covariance)
    return bool(variances[0] > 0 and variances[-1] <= _MAX_STD**2)


def _covariance(row: np.void, is_placed: bool, noise: EdgeNoise) -> NDArray[np.float64]:
    """Return the covariance of x, y and yaw in the keyframe's axes, shape (3, 3)."""
    covariance = np.zeros((3, 3))
    if is_placed:
        covariance[0, 0], covariance[1, 1] = row['covariance_xx'], row['covariance_yy']
        covariance[0, 1] = covariance[1, 0] = row['covariance_xy']
        covariance[0, 2] = covariance[2, 0] = row['covariance_x_yaw']
        covariance[1, 2] = covariance[2, 1] = row['covariance_y_yaw']
    else:
        covariance[0, 0] = covariance[1, 1] = noise.unverified_std_m**2
    covariance[2, 2] = float(row['relative_yaw_std']) ** 2
    floor = [noise.position_std_m, noise.position_std_m, noise.yaw_std_rad]
    return covariance + np.diag(np.square(floor))


def _in_query_axes(covariance: NDArray[np.float64], yaw_rad: float) -> NDArray[np.float64]:
    """Turn a covariance from the keyframe's axes into the query's, as GTSAM wants it."""
    turn = np.eye(3)
    if math.isfinite(yaw_rad):
        cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
        turn[:2, :2] = [[cos, sin], [-sin, cos]]
    return carried(turn, covariance)
