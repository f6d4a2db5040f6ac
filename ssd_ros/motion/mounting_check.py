# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
By how much a radar points elsewhere than its mounting says: the Doppler velocity tells.

A vehicle goes where its x axis points, but for the swing of what sits ahead of the rear axle in
turns. Where the velocity that the radar measures, turned as the mounting says, leads to the left
of that, the radar points to the right. Odometry tells the turns, and which way it has gone
itself: what both agree on is an error of the mounting, however base_frame lies in the vehicle.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.angle_fit import fit_angle
from ssd_ros.motion.heading import MAX_LEVER_ARM_M

WRONG_RAD = math.radians(
    1.5
)  # reconstructed: calibrated mountings are better, 2 degrees spoil poses
_CHORD_M = 5.0  # reconstructed: noise of positions does not show, and corners are not cut
_MIN_SPEED_MPS = 3.0
_MAX_GAP_NS = 500_000_000
_NOISE_MPS, _MAX_ACCELERATION_MPS2 = 1.0, 10.0
_MIN_CHORDS, _NUM_CHORDS = 3, 300  # 15 m, 1.5 km
_MAX_SIGMA_RAD = math.radians(1.5)  # vaguer is unknown
_NUM_SIGMA = 3.0
_MAX_LATERAL_MPS2 = 3.0  # reconstructed: what drivers take turns at
_ARM_M, _ARM_STD_M = 1.5, 3.0  # a prior, from the rear axle
_OFFSET_STD_M = 2.0  # a prior of how far the stated place of a radar is off


class _Sample(NamedTuple):
    """
    A scan.

    :param pose: shape (3,), x, y, yaw of the vehicle's axes at the radar in the odometry frame, or
        None
    :param velocity_mps: shape (2,), of the radar in that frame; without pose in the vehicle's axes
    """

    stamp_ns: int
    pose: NDArray[np.float64] | None
    velocity_mps: NDArray[np.float64]
    segment: int


class _Chord(NamedTuple):
    """
    A few metres of way.

    :param doppler_rad: its direction by Doppler, to the left of the vehicle's x axis
    :param odometry_rad: likewise by odometry; NaN without
    :param curvature_per_m: by odometry
    """

    doppler_rad: float
    odometry_rad: float
    curvature_per_m: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class YawError:
    """
    Yaw of the radar minus that of its mounting as stated; NaN = unknown.

    :param rad: in (-pi, pi]; without odometry within a right angle, ahead and back being alike
    :param sigma_rad: its standard deviation
    """

    rad: float = math.nan
    sigma_rad: float = math.nan

    @property
    def at_least_rad(self) -> float:
        """How far off the mounting is beyond doubt: 0 if it may be right, NaN if unknown."""
        return max(abs(self.rad) - _NUM_SIGMA * self.sigma_rad, 0.0 * self.rad)

    @property
    def words(self) -> str:
        """What is known, after 'the radar '."""
        if math.isnan(self.rad):
            return 'points where nothing tells yet'
        degrees, sigma_deg = math.degrees(abs(self.rad)), math.degrees(self.sigma_rad)
        side = 'left' if self.rad > 0 else 'right'
        return (
            f'points {degrees:.1f} degrees (+-{sigma_deg:.1f}) to the {side} of where its '
            'mounting says'
        )

    @property
    def is_wrong(self) -> bool:
        """Whether the mounting is off by more than poses bear."""
        return self.at_least_rad > WRONG_RAD


UNKNOWN_YAW = YawError()


class MountingCheck:
    """Watch the scans of one radar; all of it is cheap."""

    def __init__(self) -> None:
        self._mounted_rad = 0.0
        self.clear()

    def clear(self) -> None:
        """Forget what was seen."""
        self._with_odometry: deque[_Chord] = deque(maxlen=_NUM_CHORDS)
        self._without: deque[_Chord] = deque(maxlen=_NUM_CHORDS)
        self._yaw_error = UNKNOWN_YAW
        self.begin_anew()

    def begin_anew(self) -> None:
        """Expect scans of any time; what was seen of the mounting still counts."""
        self._first: _Sample | None = None  # scan of the chord that has begun
        self._last: _Sample | None = None
        self._moved_m = np.zeros(2)  # since the first, by Doppler

    def mount(self, yaw_rad: float) -> None:
        """
        Say where the radar points, before the scans for which that is so.

        :param yaw_rad: of its x axis, to the left of the vehicle's; another one begins all anew
        """
        if abs(math.remainder(yaw_rad - self._mounted_rad, math.tau)) > 1e-3:
            self.clear()
        self._mounted_rad = yaw_rad

    @property
    def yaw_error(self) -> YawError:
        """What is known by now."""
        return self._yaw_error

    def add(
        self,
        stamp_ns: int,
        velocity_mps: NDArray[np.floating] | None,
        pose: NDArray[np.float64] | None = None,
        segment: int = 0,
    ) -> None:
        """
        Add a scan.

        :param velocity_mps: shape (2,) or more, of the radar in its own level axes; None = unknown
        :param pose: shape (3,), x, y, yaw of the radar in the odometry frame, None if not known
        :param segment: of the odometry; the motion between two of them is not known
        """
        if velocity_mps is None:
            return
        if pose is None:
            velocity = _turned(velocity_mps, self._mounted_rad)
        else:
            velocity = _turned(velocity_mps, pose[2])
            pose = np.array([pose[0], pose[1], pose[2] - self._mounted_rad])
        sample, last = _Sample(stamp_ns, pose, velocity, segment), self._last
        self._last = sample
        if self._first is None or last is None or not _follows(last, sample):
            self._first, self._moved_m = sample, np.zeros(2)
            return
        seconds = (stamp_ns - last.stamp_ns) / 1e9
        self._moved_m = self._moved_m + (last.velocity_mps + velocity) / 2 * seconds
        if np.hypot(*self._moved_m) >= _CHORD_M:
            self._take(_chord_of(self._first, sample, self._moved_m))
            self._first, self._moved_m = sample, np.zeros(2)

    def _take(self, chord: _Chord) -> None:
        if chord.speed_mps < _MIN_SPEED_MPS:
            return
        self._without.append(chord)
        if not math.isnan(chord.odometry_rad):
            self._with_odometry.append(chord)
        found = _by_odometry(self._with_odometry) or _by_doppler_alone(self._without)
        self._yaw_error = found or UNKNOWN_YAW


def _follows(last: _Sample, sample: _Sample) -> bool:
    """Return whether the motion between two scans is known."""
    elapsed_ns = sample.stamp_ns - last.stamp_ns
    change_mps = float(np.hypot(*(sample.velocity_mps - last.velocity_mps)))
    return (
        0 < elapsed_ns <= _MAX_GAP_NS
        and (last.pose is None, last.segment) == (sample.pose is None, sample.segment)
        and change_mps <= _NOISE_MPS + _MAX_ACCELERATION_MPS2 * elapsed_ns / 1e9
    )


def _chord_of(first: _Sample, last: _Sample, moved_m: NDArray[np.float64]) -> _Chord:
    """
    Return the chord from a scan to another.

    :param moved_m: shape (2,), by Doppler
    """
    length_m = float(np.hypot(*moved_m))
    speed_mps = length_m / ((last.stamp_ns - first.stamp_ns) / 1e9)
    doppler_rad = math.atan2(moved_m[1], moved_m[0])
    if first.pose is None or last.pose is None:
        return _Chord(doppler_rad, math.nan, math.nan, speed_mps)
    turn_rad = math.remainder(last.pose[2] - first.pose[2], math.tau)
    heading_rad = first.pose[2] + turn_rad / 2
    x, y, _ = last.pose - first.pose
    odometry_rad = math.atan2(y, x) - heading_rad
    return _Chord(doppler_rad - heading_rad, odometry_rad, turn_rad / length_m, speed_mps)


def _by_odometry(chords: deque[_Chord]) -> YawError | None:
    """Return what the vehicle's axes and the way by odometry both say, None while vague."""
    if len(chords) < _MIN_CHORDS:
        return None
    doppler_rad, odometry_rad, curvature, _ = np.array(chords).T
    curvature = curvature * _gears(odometry_rad)
    ahead = fit_angle(-doppler_rad, curvature, -_ARM_M, _ARM_STD_M, period_rad=math.pi)
    along = fit_angle(odometry_rad - doppler_rad, curvature, 0.0, _OFFSET_STD_M)
    # The axes of base_frame may be turned, or the odometry may come from this radar itself.
    apart_rad = math.remainder(ahead.rad - along.rad, math.pi)
    sigma_rad = math.hypot(max(ahead.sigma_rad, along.sigma_rad), apart_rad / _NUM_SIGMA)
    return _unless_vague(along.rad, sigma_rad)


def _gears(odometry_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 where the vehicle goes ahead and -1 where it backs up, shape (N,)."""
    axis_rad = np.angle(np.exp(2j * odometry_rad).sum()) / 2
    return np.where(np.cos(odometry_rad - axis_rad) < 0, -1.0, 1.0)


def _unless_vague(rad: float, sigma_rad: float) -> YawError | None:
    return YawError(rad, sigma_rad) if sigma_rad <= _MAX_SIGMA_RAD else None


def _by_doppler_alone(chords: deque[_Chord]) -> YawError | None:
    """Return what the vehicle's axes say; that it does not turn, speed alone vouches for."""
    if len(chords) < _MIN_CHORDS:
        return None
    doppler_rad, _, _, speed_mps = np.array(chords).T
    # At most so far a turn leads off the x axis: taken for three standard deviations.
    swing_rad = MAX_LEVER_ARM_M * _MAX_LATERAL_MPS2 / speed_mps**2 / _NUM_SIGMA
    used = swing_rad <= _MAX_SIGMA_RAD
    if np.count_nonzero(used) < _MIN_CHORDS:
        return None
    straight = np.zeros(np.count_nonzero(used))
    fit = fit_angle(-doppler_rad[used], straight, 0.0, 1.0, period_rad=math.pi)
    return _unless_vague(fit.rad, math.hypot(fit.sigma_rad, float(swing_rad[used].mean())))


def _turned(vector: NDArray[np.floating], yaw_rad: float) -> NDArray[np.float64]:
    cos, sin, (x, y) = math.cos(yaw_rad), math.sin(yaw_rad), vector[:2]
    return np.array([cos * x - sin * y, sin * x + cos * y])
