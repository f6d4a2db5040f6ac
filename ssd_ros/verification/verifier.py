# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Correlative matching of a 4D radar's static points with a keyframe's returns.

Coarse to fine over all shifts and headings about a candidate, after Olson, Real-time correlative
scan matching (ICRA 2009); the covariance is the second moment of the correlation surface.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import symmetric
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.verification.likelihood import (
    COARSE_M,
    FINE_M,
    KeyframeGrids,
    PEAK,
    REACH_M,
    SEARCH_M,
)

_SEARCH_RAD = math.radians(8)
_COARSE_YAWS_RAD = np.linspace(-_SEARCH_RAD, _SEARCH_RAD, 9)
_NUM_STARTS = 12  # best coarse poses that are looked at more closely
_CLOSER_STEPS = np.arange(-2, 3, 2)  # in fine cells
_FINE_STEPS = np.arange(-4, 5)
_FINE_YAWS_RAD = np.radians(np.linspace(-1.2, 1.2, 5))
_POINT_CELL_M = 0.25  # points in one cell count once
_POINT_LIMIT = 1300  # half of them is what the coarse sums hold


@dataclass(frozen=True, slots=True)
class VerificationConfig:
    """Constants of the matching; all reconstructed, on simulated validation worlds."""

    max_points: int = 800  # of the query in the fine search, half of them in the coarse one
    min_points: int = 20  # fewer are not matched
    full_gain: float = 0.3  # gain of explained share over poses about it that is a full overlap
    surface_scale: float = 0.005  # loss of explained share that makes a pose e times less likely
    position_floor_m: float = 0.1  # standard deviation that is never undercut
    yaw_floor_rad: float = math.radians(0.3)
    num_cached_keyframes: int = 32  # 1.5 MB each

    def __post_init__(self) -> None:
        if not 1 <= self.min_points <= self.max_points <= _POINT_LIMIT:
            raise ValueError(
                f'min_points is {self.min_points} and max_points {self.max_points}, '
                f'expected 1 <= min_points <= max_points <= {_POINT_LIMIT}'
            )
        for name in ('full_gain', 'surface_scale', 'position_floor_m', 'yaw_floor_rad'):
            if not getattr(self, name) > 0:
                raise ValueError(f'{name} is {getattr(self, name)}, expected more than 0')


@dataclass(frozen=True, slots=True)
class Verification:
    """
    How a query fits a keyframe; x_m, y_m, yaw_rad are T_keyframe_query.

    :param covariance: shape (3, 3) float64 of x, y, yaw
    :param overlap: how much larger the share of the query's points that returns of the keyframe
        explain is here than at poses about it: 0 = by chance alone, 1 = as large as between two
        scans of the same radar from the same place
    """

    x_m: float
    y_m: float
    yaw_rad: float
    covariance: NDArray[np.float64]
    overlap: float


DEFAULT_CONFIG = VerificationConfig()


class Verifier:
    """Match queries with keyframes; for one thread at a time."""

    def __init__(self, config: VerificationConfig = DEFAULT_CONFIG) -> None:
        self._config = config
        self._grids: OrderedDict[Hashable, KeyframeGrids] = OrderedDict()
        self._query_m: NDArray[np.float32] = np.empty((0, 2), np.float32)
        self._points: NDArray[np.float32] = self._query_m

    def verify(
        self,
        points_m: NDArray[np.float32],
        returns_cm: NDArray[np.int16],
        yaw_rad: float,
        key: Hashable | None = None,
    ) -> Verification:
        """
        Find the pose of the query within 6 m of the keyframe and 8 degrees of a heading.

        :param points_m: shape (P, 2), static points, query frame, x forward, y left; not changed
            before the next call
        :param returns_cm: shape (M, 2), of the keyframe
        :param yaw_rad: of the best view: heading of the query in the keyframe frame
        :param key: tells the keyframe from all others, to keep its grids; None keeps nothing
        """
        config = self._config
        points = self._points_of(points_m)
        if len(points) < config.min_points:
            return _unmatched(yaw_rad)
        grids = self._grids_of(returns_cm, key)
        start = _coarse_pose(points[::2], grids, yaw_rad)
        return _refined(points, grids, start, config)

    def _points_of(self, points_m: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the points of a query thinned, once for all its candidates."""
        if points_m is not self._query_m:
            self._points = _thinned(points_m, self._config.max_points)
            self._query_m = points_m
        return self._points

    def _grids_of(self, returns_cm: NDArray[np.int16], key: Hashable | None) -> KeyframeGrids:
        if key is None:
            return KeyframeGrids(returns_cm)
        grids = self._grids.pop(key, None) or KeyframeGrids(returns_cm)
        self._grids[key] = grids
        if len(self._grids) > self._config.num_cached_keyframes:
            self._grids.popitem(last=False)
        return grids


def _thinned(points_m: NDArray[np.float32], max_points: int) -> NDArray[np.float32]:
    """Return at most max_points points within reach, one per cell, spread over the view."""
    near = points_m[np.hypot(points_m[:, 0], points_m[:, 1]) < REACH_M]  # a NaN is not
    column, row = np.floor(near * (1 / _POINT_CELL_M)).astype(np.int64).T
    first = np.unique(column * 65536 + row, return_index=True)[1]
    return near[first[:: max(1, -(-len(first) // max_points))]]


def _coarse_pose(
    points: NDArray[np.float32], grids: KeyframeGrids, yaw_rad: float
) -> NDArray[np.float64]:
    """Return the pose x, y, yaw that explains most points, to half a metre and two degrees."""
    yaws = yaw_rad + _COARSE_YAWS_RAD
    sums = grids.coarse_sums(*_turned(points, yaws))
    best = np.argpartition(sums.ravel(), -_NUM_STARTS)[-_NUM_STARTS:]
    turn, row, column = np.unravel_index(best, sums.shape)
    x_m = (column - SEARCH_M) * COARSE_M
    y_m = (row - SEARCH_M) * COARSE_M
    closer = grids.fine_sums(*_placed(points, x_m, y_m, yaws[turn]), _CLOSER_STEPS)
    start, row_step, column_step = np.unravel_index(closer.argmax(), closer.shape)
    shift = _CLOSER_STEPS[[column_step, row_step]] * FINE_M
    return np.array([x_m[start] + shift[0], y_m[start] + shift[1], yaws[turn[start]]])


def _refined(
    points: NDArray[np.float32],
    grids: KeyframeGrids,
    start: NDArray[np.float64],
    config: VerificationConfig,
) -> Verification:
    """Search about a pose, and take mean and covariance of the poses that fit."""
    x_m, y_m, yaw_rad = start.tolist()
    yaws = yaw_rad + _FINE_YAWS_RAD
    sums = grids.fine_sums(*_placed(points, x_m, y_m, yaws), _FINE_STEPS)
    scores = sums / (PEAK * len(points))
    best, chance = float(scores.max()), float(scores.mean())
    shifts = _FINE_STEPS * FINE_M
    yaw, y, x = np.meshgrid(yaws, y_m + shifts, x_m + shifts, indexing='ij')
    poses = np.column_stack([x.ravel(), y.ravel(), yaw.ravel()])
    weights = np.exp((scores.ravel() - best) / config.surface_scale)
    weights /= weights.sum()
    mean = weights @ poses
    apart = poses - mean
    floor = np.square([config.position_floor_m, config.position_floor_m, config.yaw_floor_rad])
    covariance = symmetric((weights * apart.T) @ apart) + np.diag(floor)
    x_mean, y_mean, yaw_mean = mean.tolist()
    overlap = min((best - chance) / config.full_gain, 1.0)
    return Verification(x_mean, y_mean, float(wrap_angle(yaw_mean)), covariance, overlap)


def _turned(
    points: NDArray[np.float32], yaws_rad: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of the points at each heading, shape (headings, points)."""
    cos, sin = np.cos(yaws_rad, dtype=np.float32), np.sin(yaws_rad, dtype=np.float32)
    x, y = points.T
    return np.outer(cos, x) - np.outer(sin, y), np.outer(sin, x) + np.outer(cos, y)


def _placed(
    points: NDArray[np.float32],
    x_m: NDArray[np.floating] | float,
    y_m: NDArray[np.floating] | float,
    yaws_rad: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x and y of the points at each pose; one shift may serve all headings."""
    x, y = _turned(points, yaws_rad)
    x += np.asarray(x_m, np.float32).reshape(-1, 1)
    y += np.asarray(y_m, np.float32).reshape(-1, 1)
    return x, y


def _unmatched(yaw_rad: float) -> Verification:
    """Return that the pose may be anywhere in the search, and nothing overlaps."""
    variance = np.square([SEARCH_M, SEARCH_M, _SEARCH_RAD]) / 3
    return Verification(0.0, 0.0, float(wrap_angle(yaw_rad)), np.diag(variance), 0.0)
