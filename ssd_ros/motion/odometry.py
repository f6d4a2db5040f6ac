# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How far and where to a vehicle has gone since its last queries.

Planar poses are x, y in metres and yaw in radians, shapes (..., 3).
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OdometryPose:
    """
    Where the vehicle is on its way.

    :param travelled_m: along the path, less when it reverses
    :param planar: shape (3,), in the odometry frame; None if only the speed is measured
    :param segment: the motion between poses of two segments is not known
    """

    travelled_m: float
    planar: NDArray[np.float64] | None = None
    segment: int = 0

    def __post_init__(self) -> None:
        if self.planar is not None and np.shape(self.planar) != (3,):
            raise ValueError(f'planar has shape {np.shape(self.planar)}, expected (3,)')
        values = [self.travelled_m, *([] if self.planar is None else self.planar)]
        if not all(map(math.isfinite, values)):
            raise ValueError(f'odometry pose is {values}, expected finite numbers')


class PlanarOdometer:
    """Path length from the poses of an odometry topic or of TF."""

    def __init__(self, max_speed_mps: float = 100.0) -> None:
        """
        Start a path.

        :param max_speed_mps: a step that would take more is a reset: a segment starts
        """
        self._max_speed_mps = max_speed_mps
        self._last: tuple[int, NDArray[np.float64]] | None = None
        self._travelled_m = 0.0
        self._segment = self._frame = 0

    def add(self, stamp_ns: int, planar: NDArray[np.float64], frame: int = 0) -> OdometryPose:
        """
        Return the pose with the path so far; an earlier stamp starts a segment.

        :param planar: shape (3,), in the odometry frame
        :param frame: number of that frame; another one starts a segment, too
        """
        planar = np.array(planar, np.float64)
        pose = OdometryPose(self._travelled_m, planar, self._segment)
        if self._last is not None:
            elapsed_s = (stamp_ns - self._last[0]) / 1e9
            step_m = _step_m(motion_between(self._last[1], planar))
            is_near = abs(step_m) <= self._max_speed_mps * elapsed_s
            if elapsed_s >= 0 and is_near and frame == self._frame:
                self._travelled_m += step_m
            else:
                self._segment += 1
            pose = OdometryPose(self._travelled_m, planar, self._segment)
        self._last, self._frame = (stamp_ns, planar), frame
        return pose


class DopplerOdometer:
    """Path length from the ego-velocity that the radar itself measures."""

    def __init__(self, max_gap_s: float = 0.5) -> None:
        """
        Start a path.

        :param max_gap_s: for which the last known velocity is kept
        """
        self._max_gap_ns = max_gap_s * 1e9
        self._known: tuple[int, float] | None = None  # last known speed, m/s, and its stamp
        self._travelled_m = 0.0  # at that stamp
        self._segment = -1

    def add(self, stamp_ns: int, velocity_mps: NDArray[np.floating] | None) -> OdometryPose | None:
        """
        Return the place on the path, None while the velocity is unknown for too long.

        After such a gap, and at an earlier stamp, a segment starts.

        :param velocity_mps: of the radar, shape (2,) or more: x ahead, y left; None = unknown
        """
        speed_mps = None if velocity_mps is None else _signed_speed(velocity_mps)
        if self._known is None or not 0 <= stamp_ns - self._known[0] <= self._max_gap_ns:
            self._known = None if speed_mps is None else (stamp_ns, speed_mps)
            self._segment += speed_mps is not None
            return None if speed_mps is None else self._pose(self._travelled_m)
        known_ns, known_mps = self._known
        elapsed_s = (stamp_ns - known_ns) / 1e9
        if speed_mps is None:
            return self._pose(self._travelled_m + known_mps * elapsed_s)
        self._known = stamp_ns, speed_mps
        self._travelled_m += (known_mps + speed_mps) / 2 * elapsed_s
        return self._pose(self._travelled_m)

    def _pose(self, travelled_m: float) -> OdometryPose:
        return OdometryPose(travelled_m, None, self._segment)


def compose(T_a_b: NDArray[np.float64], T_b_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the planar poses T_a_c; their yaw is not wrapped."""
    cos, sin = np.cos(T_a_b[..., 2]), np.sin(T_a_b[..., 2])
    x, y, yaw = (T_b_c[..., axis] for axis in range(3))
    moved = [T_a_b[..., 0] + cos * x - sin * y, T_a_b[..., 1] + sin * x + cos * y]
    return np.stack([*moved, T_a_b[..., 2] + yaw], axis=-1)


def motion_between(T_a_b: NDArray[np.float64], T_a_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the planar poses T_b_c; their yaw is not wrapped."""
    cos, sin = np.cos(T_a_b[..., 2]), np.sin(T_a_b[..., 2])
    apart = T_a_c - T_a_b
    x, y, yaw = (apart[..., axis] for axis in range(3))
    return np.stack([cos * x + sin * y, cos * y - sin * x, yaw], axis=-1)


def apart_m(one: OdometryPose, other: OdometryPose) -> float:
    """
    Return how far apart two places of a path are; infinite if nothing tells.

    As the crow flies, which jitter at standstill does not add up in; where only the speed is
    measured, along the path.
    """
    if one.segment != other.segment or (one.planar is None) != (other.planar is None):
        return math.inf
    if one.planar is None or other.planar is None:
        return abs(other.travelled_m - one.travelled_m)
    return math.dist(one.planar[:2], other.planar[:2])


def _step_m(motion: NDArray[np.float64]) -> float:
    """Return the length of a short motion, negative if it leads backward."""
    x, y, yaw = map(float, motion)
    half = math.remainder(yaw, 2 * math.pi) / 2
    return math.copysign(math.hypot(x, y), math.cos(half) * x + math.sin(half) * y)


def _signed_speed(velocity_mps: NDArray[np.floating]) -> float:
    x, y = map(float, velocity_mps[:2])
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f'velocity is {[x, y]} m/s, expected finite numbers, or None if unknown')
    return math.copysign(math.hypot(x, y), x)
