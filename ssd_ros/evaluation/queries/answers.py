# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was asked and what was answered, whatever the method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.sequence import RadarSequence, sensor_scans
from ssd_ros.motion.trajectory import thin_by_distance, Trajectory
from ssd_ros.radar.types import RADARS


@dataclass(frozen=True, slots=True)
class Answers:
    """
    What a method answered to Q queries.

    :param keyframes: shape (Q, K) int64, nearest first, -1 where there are fewer
    :param distances: shape (Q,), of the first
    :param relative_yaws_rad: shape (Q,), heading of the query in the frame of the first; NaN if
        the method cannot tell
    :param ratios: shape (Q,), of the first; None if the method has none
    :param accepted: shape (Q,) bool, of the first; None if the method does not decide
    """

    keyframes: NDArray[np.int64]
    distances: NDArray[np.float64]
    relative_yaws_rad: NDArray[np.float64]
    ratios: NDArray[np.float64] | None = None
    accepted: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """
    Which keyframes show the place of each query.

    :param positives: for each query, the keyframes within the radius
    """

    queries: Trajectory
    keyframes: Trajectory
    radius_m: float
    positives: list[NDArray[np.int64]]


def select_queries(
    sequence: RadarSequence, spacing_m: float, sensor: str = '4d'
) -> tuple[NDArray[np.int64], Trajectory]:
    """
    Return scans at least spacing_m apart, and their poses.

    :param sensor: whose scans, '4d' or 'spinning'
    :raise ValueError: no scan has a pose
    """
    scans = sensor_scans(sequence, sensor)
    posed, poses = scans.poses.at(scans.stamps_ns)
    if len(posed) == 0:
        raise ValueError(
            f'{sequence.name}: none of {len(scans)} {RADARS[sensor]} scans has a pose near in '
            f'time (there are {len(scans.poses)} poses)'
        )
    chosen = thin_by_distance(poses.positions_m, spacing_m)
    return posed[chosen], poses.select(chosen)


def ground_truth(queries: Trajectory, keyframes: Trajectory, radius_m: float) -> GroundTruth:
    """Return which keyframes lie within the radius of each query, in xy."""
    if not radius_m > 0:
        raise ValueError(f'radius_m is {radius_m}, expected more than 0')
    is_near = distances_m(queries, keyframes) <= radius_m
    return GroundTruth(queries, keyframes, radius_m, [np.flatnonzero(row) for row in is_near])


def distances_m(queries: Trajectory, keyframes: Trajectory) -> NDArray[np.float64]:
    """Return the distance in xy of every query to every keyframe, shape (Q, K)."""
    offsets = queries.positions_m[:, None, :2] - keyframes.positions_m[None, :, :2]
    return np.asarray(np.hypot(offsets[..., 0], offsets[..., 1]))
