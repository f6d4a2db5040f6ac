# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What tells radars apart: running statistics of the scans, which need no truth.

They are medians over the last scans. Those of a vehicle that stands add nothing once there are
some: a traffic jam shows one place again and again, and the radar is what it was.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.mounting_check import YawError
from ssd_ros.radar.ego_velocity import EgoVelocity, Motion
from ssd_ros.radar.types import RadarPointCloud


class Statistic(NamedTuple):
    """
    One figure of a radar.

    :param words: how it is said, with a place for the value
    :param margin: by which it may lie outside of what is known: a factor, or a difference
    :param is_factor: which of the two
    :param limits: of possible values
    :param usual: what drives are taken to have had that do not tell; None = anything possible
    """

    words: str
    margin: float
    is_factor: bool
    limits: tuple[float, float]
    usual: float | None = None

    @property
    def untold(self) -> tuple[float, float]:
        """Between what it is taken to have been in a drive that does not tell."""
        return self.limits if self.usual is None else (self.usual, self.usual)

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values in margins: 1 apart is as much as one may lie outside."""
        if self.is_factor:
            return np.asarray(np.log(values) / math.log(self.margin))
        return np.asarray(values / self.margin)


# Margins are reconstructed: each of the simulated validation worlds lies within what the others
# teach; so do traffic, rain, 12 dB more and half the rate, but not a fifth of the points, half the
# view, azimuth in steps of 15 degrees or 150 false alarms a scan.
STATISTICS = {
    'points': Statistic('{:.0f} static points a scan', 2.0, True, (0.5, 1e6)),
    'directions': Statistic('{:.0f} directions with static points', 1.4, True, (0.5, 181)),
    'cells': Statistic('{:.2f} cells of 2 m for each point', 0.08, False, (0.0, 1.0)),
    'near_m': Statistic('half of the points within {:.0f} m', 1.6, True, (0.1, 1e5)),
    'far_m': Statistic('95 % of the points within {:.0f} m', 1.5, True, (0.1, 1e5)),
    'width_deg': Statistic('points over {:.0f} degrees', 20.0, False, (0.0, 360.0)),
    'rcs_db': Statistic('RCS over {:.0f} dB', 4.0, False, (0.0, 1e4)),
    'moving': Statistic('{:.0%} of the points not static', 0.15, False, (0.0, 1.0)),
    'rate_hz': Statistic('{:.1f} scans a second', 5.0, True, (1e-3, 1e6)),
    'yaw_deg': Statistic(
        'at least {:.1f} degrees off its mounting', 1.5, False, (0.0, 180.0), 0.0
    ),
}
NAMES = tuple(STATISTICS)

NOT_KNOWN = YawError()
_HORIZON = 200  # scans, 10 s of a fast radar
_ENOUGH_STANDING = 20  # scans
_MIN_POINTS = 3  # fewer have a number alone
_MAX_POINTS = 600  # of a scan that are looked at, evenly
_DIRECTION_RAD = math.radians(2)
_CELL_M = 2.0


def is_misaligned(profiles: NDArray[np.float64]) -> NDArray[np.bool_]:
    """
    Return which radars point elsewhere than their mounting says, beyond doubt.

    No calibration mends that: their poses are turned.

    :param profiles: shape (..., S)
    :return: shape (...)
    """
    return np.asarray(profiles[..., NAMES.index('yaw_deg')] > STATISTICS['yaw_deg'].margin)


def unknown_profiles(num: int) -> NDArray[np.float64]:
    """Return the statistics of radars of which nothing is known, shape (num, S)."""
    return np.full((num, len(NAMES)), np.nan)


class RadarProfile:
    """The running statistics of a radar; made anew when a drive begins anew."""

    def __init__(self) -> None:
        self._rows: NDArray[np.float64] = np.full((len(NAMES), _HORIZON), np.nan)
        self._num_scans = 0
        self._stamp_ns: int | None = None
        (self._values,) = unknown_profiles(1)

    def add(
        self, cloud: RadarPointCloud, motion: EgoVelocity, yaw_error: YawError = NOT_KNOWN
    ) -> NDArray[np.float64]:
        """
        Add a scan and return the statistics, shape (S,) as NAMES; NaN where not yet known.

        :param motion: of this scan
        :param yaw_error: of the mounting, as known by now
        """
        before_ns, self._stamp_ns = self._stamp_ns, cloud.stamp_ns
        stands = motion.motion is Motion.STANDSTILL
        if stands and self._num_scans >= _ENOUGH_STANDING:
            return self._values
        elapsed_s = 0.0 if before_ns is None else (cloud.stamp_ns - before_ns) / 1e9
        rate_hz = 1 / elapsed_s if elapsed_s > 0 else math.nan
        row = [*_figures_of(cloud, motion.usable), rate_hz, math.degrees(yaw_error.at_least_rad)]
        self._rows[:, self._num_scans % _HORIZON] = row
        self._num_scans += 1
        self._values = _medians(self._rows[:, : self._num_scans])
        return self._values


def _figures_of(cloud: RadarPointCloud, static: NDArray[np.bool_]) -> list[float]:
    """Return the statistics of the points of one scan."""
    chosen = np.flatnonzero(static)
    num_points = len(chosen)
    moving = 1 - num_points / max(len(cloud), 1)
    if num_points < _MIN_POINTS:
        return [max(num_points, 0.5), *[math.nan] * (len(NAMES) - 4), moving]
    chosen = chosen[:: -(-num_points // _MAX_POINTS)]
    x, y = cloud.xyz_m[chosen, :2].T.astype(np.float64)
    azimuth_rad, range_m = np.arctan2(y, x), np.hypot(x, y)
    direction = ((azimuth_rad + math.pi) / _DIRECTION_RAD).astype(np.int64)
    column, row = np.floor(x / _CELL_M), np.floor(y / _CELL_M)
    num_cells = np.count_nonzero(np.diff(np.sort(column * 65536 + row))) + 1
    right, left = _quantiles(azimuth_rad, 0.05, 0.95)
    weak, strong = _quantiles(cloud.rcs_dbsm[chosen], 0.1, 0.9)
    return [
        num_points,
        np.count_nonzero(np.bincount(direction)),
        num_cells / len(chosen),
        *_quantiles(np.maximum(range_m, 0.1), 0.5, 0.95),
        math.degrees(left - right),
        strong - weak,
        moving,
    ]


def _quantiles(values: NDArray[np.floating], *shares: float) -> list[float]:
    ordered = np.sort(values)
    return [float(ordered[int(share * (len(ordered) - 1) + 0.5)]) for share in shares]


def _medians(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (lower) median of what is known of each statistic, shape (S,)."""
    ordered = np.sort(rows, axis=1)  # NaN last
    num_known = np.count_nonzero(ordered == ordered, axis=1)
    return np.asarray(ordered[np.arange(len(rows)), num_known // 2 - (num_known % 2 == 0)])
