# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where a drive went in a map, from the agreement of its answers with its odometry alone.

Right answers move through the map as the vehicle moves over the ground. So every answer of the
last and next metres says, carried along by the odometry, where a query was; the place that many of
them name is taken for the truth, if no other place is named nearly as often and if the places of
the queries make a way that the odometry went.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.odometry import compose, motion_between
from ssd_ros.motion.trajectory import wrap_angle

# Chosen on validation worlds: hardly a query of a drive from elsewhere finds such agreement.
_HALF_WINDOW_M = 75.0  # of the way before and after a query: the odometry drifts little on it
_MIN_AGREEING = 10
_MIN_SHARE = 0.15  # of the queries on that way
_MIN_WAY_M = 75.0  # that queries with a pose go on: what agrees by chance ends sooner
_TOLERANCE_M = 1.5
_TOLERANCE_PER_M = 0.03  # travelled: drift of the odometry, and error of the answered heading
_YAW_TOLERANCE_RAD = np.radians(8)
_CHORD_M = 20.0  # of way, whose direction is compared
_RIVAL_M = 5.0  # farther away is another place
_RIVAL_SHARE = 0.5  # of the votes for the best: with that many nothing tells the two apart


def consensus_of(
    odometry: NDArray[np.float64], answers: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return the poses on which the answers of a drive agree, shape (Q, 3); NaN where they do not.

    A query has no vote about its own pose, and one vote about that of each other query.

    :param odometry: shape (Q, 3), x, y, yaw in any frame, in order of time
    :param answers: shape (Q, 3), x, y, yaw in the map that the best answer gives; NaN for none
    """
    travelled_m = _travelled_m(odometry)
    poses = np.full((len(odometry), 3), np.nan)
    for number in range(len(odometry)):
        away_m = np.abs(travelled_m - travelled_m[number])
        near = np.flatnonzero(away_m <= _HALF_WINDOW_M)
        near = near[near != number]
        if len(near) >= _MIN_AGREEING:
            said = compose(answers[near], motion_between(odometry[near], odometry[number]))
            poses[number] = _agreed(said, _TOLERANCE_M + _TOLERANCE_PER_M * away_m[near])
    poses[~_is_on_a_way(odometry, travelled_m, poses)] = np.nan
    return poses


def _travelled_m(odometry: NDArray[np.float64]) -> NDArray[np.float64]:
    steps_m = np.hypot(*np.diff(odometry[:, :2], axis=0, prepend=odometry[:1, :2]).T)
    return np.cumsum(steps_m)


def _agreed(said: NDArray[np.float64], tolerance_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the pose that most of those said agree with; NaN if they are too few or have rivals.

    :param said: shape (N, 3)
    :param tolerance_m: shape (N,), of each
    """
    apart_m = np.hypot(*(said[:, None, :2] - said[None, :, :2]).transpose(2, 0, 1))
    agrees = apart_m <= np.maximum(tolerance_m[:, None], tolerance_m)
    agrees &= np.abs(wrap_angle(said[:, None, 2] - said[None, :, 2])) <= _YAW_TOLERANCE_RAD
    votes = agrees.sum(axis=1)
    best = int(votes.argmax())
    rivals = votes[apart_m[best] > _RIVAL_M]
    is_rivalled = rivals.max(initial=0) >= _RIVAL_SHARE * votes[best]
    if votes[best] < max(_MIN_AGREEING, _MIN_SHARE * len(said)) or is_rivalled:
        return np.full(3, np.nan)
    agreeing, weights = said[agrees[best]], 1 / tolerance_m[agrees[best]] ** 2
    weights /= weights.sum()
    yaws = agreeing[:, 2]
    yaw = np.arctan2(weights @ np.sin(yaws), weights @ np.cos(yaws))
    return np.append(weights @ agreeing[:, :2], yaw)


def _is_on_a_way(
    odometry: NDArray[np.float64],
    travelled_m: NDArray[np.float64],
    poses: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return which poses belong to a way that is long enough and that the odometry went."""
    known = np.flatnonzero(np.isfinite(poses).all(axis=1))
    is_on_way = np.zeros(len(poses), bool)
    before, after = known[:-1], known[1:]
    moved = motion_between(poses[before], poses[after])
    moved = moved - motion_between(odometry[before], odometry[after])
    gap_m = travelled_m[after] - travelled_m[before]
    is_torn = np.hypot(moved[:, 0], moved[:, 1]) > _TOLERANCE_M + _TOLERANCE_PER_M * gap_m
    is_torn |= gap_m > _HALF_WINDOW_M
    for way in np.split(known, np.flatnonzero(is_torn) + 1):
        if len(way) and travelled_m[way[-1]] - travelled_m[way[0]] >= _MIN_WAY_M:
            is_on_way[way] = True
    return is_on_way


def turn_of(odometry: NDArray[np.float64], answers: NDArray[np.float64]) -> float:
    """
    Return by which angle the headings of the odometry must be turned to be those of the radar.

    Both know in which direction the vehicle moved, seen from its own heading. They differ by the
    error of the yaw with which the radar is said to be mounted.

    :param odometry: shape (Q, 3), see consensus_of
    :param answers: shape (Q, 3), likewise
    :return: radians, counter-clockwise positive; NaN if too few answers move as the odometry does
    """
    travelled_m = _travelled_m(odometry)
    before = np.arange(len(odometry))
    after = np.searchsorted(travelled_m, travelled_m + _CHORD_M)
    before, after = before[after < len(odometry)], after[after < len(odometry)]
    in_map = motion_between(answers[before], answers[after])
    driven = motion_between(odometry[before], odometry[after])
    lengths_m = np.hypot(in_map[:, 0], in_map[:, 1]), np.hypot(driven[:, 0], driven[:, 1])
    is_same = np.abs(lengths_m[0] - lengths_m[1]) <= _TOLERANCE_M
    is_same &= np.abs(wrap_angle(in_map[:, 2] - driven[:, 2])) <= _YAW_TOLERANCE_RAD
    is_same &= lengths_m[1] >= _CHORD_M / 2
    if is_same.sum() < _MIN_AGREEING:
        return float('nan')
    in_map, driven = in_map[is_same], driven[is_same]
    turns = np.arctan2(driven[:, 1], driven[:, 0]) - np.arctan2(in_map[:, 1], in_map[:, 0])
    mean = np.arctan2(np.median(np.sin(turns)), np.median(np.cos(turns)))
    return float(mean + np.median(wrap_angle(turns - mean)))
