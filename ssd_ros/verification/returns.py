# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a keyframe keeps for verification: its strongest returns, 8 kB.

All constants are reconstructed: chosen on simulated validation worlds by how well the returns
tell right candidates from wrong ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.motion.trajectory import Trajectory, wrap_angle

NUM_RETURNS = 2000  # of a keyframe, 4 bytes each
NO_RETURN = -32768  # fills unused rows
MAX_RANGE_M = 86.0  # what a query can reach from the edge of the search
_MIN_RANGE_M = 2.0  # nearer is the own car and leakage
_CELL_M = 1.0  # only the strongest return of a cell is kept
_MAX_TURN_S = 0.25  # of the radars with 4 turns a second
_NUM_SECTORS, _RING_M = 36, 12.0  # each takes its turn, so that near clutter does not take all


def strongest_returns(
    panorama: NDArray[np.uint8],
    grid: PolarGrid,
    turn_motion: NDArray[np.float64] | None = None,
) -> NDArray[np.int16]:
    """
    Return the strongest returns of a spinning radar scan, spread over azimuth and range.

    :param panorama: shape (num_ranges, panorama_azimuths), column 0 at the start of the turn
    :param turn_motion: shape (3,): x, y in metres and yaw in radians by which the radar moved
        during the turn, in its own frame, see `turn_motions`; None = it stood still
    :return: shape (NUM_RETURNS, 2): x forward, y left in centimetres, NO_RETURN in unused rows;
        frame of the radar in the middle of the turn, when it is taken to have been stamped
    """
    if panorama.shape != (grid.num_ranges, grid.panorama_azimuths):
        raise ValueError(
            f'panorama has shape {panorama.shape}, '
            f'expected ({grid.num_ranges}, {grid.panorama_azimuths})'
        )
    rows, columns = np.nonzero(_is_peak(panorama))
    range_m = (rows + 0.5) * (grid.max_range_m / grid.num_ranges)
    share = (columns + 0.5) / grid.panorama_azimuths  # of the turn, clockwise
    points = np.column_stack([np.cos(2 * np.pi * share), -np.sin(2 * np.pi * share)])
    points *= range_m[:, None]
    if turn_motion is not None:
        points = _moved(points, share - 0.5, turn_motion)
    near_enough = (range_m >= _MIN_RANGE_M) & (np.hypot(*points.T) <= MAX_RANGE_M)
    order = np.flatnonzero(near_enough)
    order = order[np.argsort(-panorama[rows, columns][order].astype(np.int64), kind='stable')]
    order = order[_first_of_each(_cells(points[order], _CELL_M))]
    sector = (share[order] * _NUM_SECTORS).astype(np.int64)
    ring = (range_m[order] / _RING_M).astype(np.int64)
    turn = _rank_within(sector * 1000 + ring)
    return _as_rows(points[order[np.argsort(turn, kind='stable')]])


def returns_of_points(points_m: NDArray[np.float32]) -> NDArray[np.int16]:
    """
    Return the returns of a keyframe that a 4D radar made, at most one per cell.

    :param points_m: shape (P, 2), keyframe frame, x forward, y left
    :return: as `strongest_returns`
    """
    near_enough = np.hypot(points_m[:, 0], points_m[:, 1]) <= MAX_RANGE_M  # a NaN is not
    points = points_m[near_enough].astype(np.float64)
    points = points[_first_of_each(_cells(points, _CELL_M / 4))]
    step = max(1, -(-len(points) // NUM_RETURNS))
    return _as_rows(points[::step])


def used_returns(returns_cm: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the rows of a keyframe's returns that are used, shape (M, 2)."""
    return returns_cm[returns_cm[:, 0] != NO_RETURN]


def returns_beside(returns_cm: NDArray[np.int16], to_left_m: float) -> NDArray[np.int16]:
    """
    Return the returns of a keyframe in the frame of one beside it, turned as it is.

    :param returns_cm: as `strongest_returns` gives
    """
    beside_cm = returns_cm.copy()
    beside_cm[returns_cm[:, 1] != NO_RETURN, 1] -= round(100 * to_left_m)
    return beside_cm


def turn_motions(poses: Trajectory) -> NDArray[np.float64]:
    """
    Return how far the spinning radar moves during each turn.

    The usual time between two scans is taken for the duration of a turn, unless it is so long
    that scans were left out.

    :param poses: of all scans of a drive, at their stamps
    :return: shape (N, 3): x, y in metres and yaw in radians, in the frame of the scan
    """
    if len(poses) < 2:
        return np.zeros((len(poses), 3))
    time_s = (poses.stamps_ns - poses.stamps_ns[0]) / 1e9
    yaw = poses.yaws_rad
    before = np.maximum(np.arange(len(poses)) - 1, 0)
    after = np.minimum(np.arange(len(poses)) + 1, len(poses) - 1)
    turn_s = min(float(np.median(np.diff(time_s))), _MAX_TURN_S)
    turns = turn_s / (time_s[after] - time_s[before])
    x, y = ((poses.positions_m[after] - poses.positions_m[before])[:, :2] * turns[:, None]).T
    cos, sin = np.cos(yaw), np.sin(yaw)
    turned = wrap_angle(yaw[after] - yaw[before]) * turns
    return np.column_stack([cos * x + sin * y, cos * y - sin * x, turned])


def _is_peak(panorama: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which cells are brighter than the next and not darker than the one before."""
    peak = panorama > 0
    peak[1:] &= panorama[1:] >= panorama[:-1]
    peak[:-1] &= panorama[:-1] > panorama[1:]
    return peak


def _moved(
    points: NDArray[np.float64], turns: NDArray[np.float64], turn_motion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bring points seen at times about the middle of the turn into the frame at the middle."""
    x, y, yaw = turns * turn_motion[:, None]
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.column_stack(
        [cos * points[:, 0] - sin * points[:, 1] + x, sin * points[:, 0] + cos * points[:, 1] + y]
    )


def _cells(points: NDArray[np.float64], cell_m: float) -> NDArray[np.int64]:
    """Return one number per point, the same within a cell."""
    column, row = np.floor(points / cell_m).astype(np.int64).T
    return np.asarray(row * 65536 + column)


def _first_of_each(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index of the first of each key, in order."""
    return np.sort(np.unique(keys, return_index=True)[1])


def _rank_within(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each element how many of its group come before it."""
    order = np.argsort(groups, kind='stable')
    ordered = groups[order]
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - np.searchsorted(ordered, ordered)
    return ranks


def _as_rows(points: NDArray[np.float64]) -> NDArray[np.int16]:
    rows = np.full((NUM_RETURNS, 2), NO_RETURN, np.int16)
    chosen = points[:NUM_RETURNS]
    rows[: len(chosen)] = np.rint(chosen * 100)
    return rows
