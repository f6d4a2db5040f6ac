# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How a radar moves from scan to scan: by odometry, else by its own Doppler.

Doppler tells how fast and whereto, not how the radar turns. A vehicle does not slip sideways at
its rear axle, though: a radar ahead of that moves sideways as the vehicle turns.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.odometry import motion_between

_MAX_GAP_S = 0.5  # reconstructed: for which the last known velocity is kept
_MIN_LEVER_M = 1.0  # reconstructed: nearer to the axle a turn hardly shows


class ScanMotion:
    """The motion between one scan and the next, planar: x, y in metres and yaw in radians."""

    def __init__(self) -> None:
        self._base_radar = np.zeros(3)
        self.clear()

    def clear(self) -> None:
        """Forget the scans so far."""
        self._stamp_ns: int | None = None
        self._velocity_mps = np.zeros(2)
        self._known_ns: int | None = None  # when the velocity was measured
        self._planar: NDArray[np.float64] | None = None
        self._segment = 0

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """
        Take over how the radar is mounted.

        :param base_radar: shape (3,): planar pose of the radar in the vehicle, whose origin is on
            the rear axle; at less than 1 m from the axle turns are not told
        """
        self._base_radar = base_radar

    def add(
        self,
        stamp_ns: int,
        velocity_mps: NDArray[np.floating] | None,
        planar: NDArray[np.float64] | None = None,
        segment: int = 0,
    ) -> NDArray[np.float64] | None:
        """
        Return the pose of the radar in its frame at the last scan, shape (3,).

        None if it is not known: at the first scan, at an earlier stamp, and where neither
        odometry nor a velocity of the last half second tells.

        :param velocity_mps: of the radar, shape (2,) or more: x ahead, y left; None = unknown
        :param planar: shape (3,), of the radar in the odometry frame; None = unknown
        :param segment: of the odometry, see ssd_ros.motion.pose_chain
        """
        last_ns, last_planar, last_segment = self._stamp_ns, self._planar, self._segment
        self._stamp_ns, self._planar, self._segment = stamp_ns, planar, segment
        if last_ns is None or stamp_ns < last_ns:
            self._known_ns = None
        by_doppler = self._by_doppler(stamp_ns, last_ns, velocity_mps)
        if last_ns is None or stamp_ns < last_ns:
            return None
        if planar is not None and last_planar is not None and segment == last_segment:
            return motion_between(last_planar, planar)
        return by_doppler

    def _by_doppler(
        self, stamp_ns: int, last_ns: int | None, velocity_mps: NDArray[np.floating] | None
    ) -> NDArray[np.float64] | None:
        """Return what the velocities at both scans lead to, and keep the newer one."""
        before, known_ns = self._velocity_mps, self._known_ns
        is_known = known_ns is not None and stamp_ns - known_ns <= _MAX_GAP_S * 1e9
        if velocity_mps is not None:
            self._velocity_mps, self._known_ns = velocity_mps[:2].astype(np.float64), stamp_ns
        if not is_known or last_ns is None:
            return None
        x, y = (before + self._velocity_mps) / 2
        elapsed_s = (stamp_ns - last_ns) / 1e9
        turn_rad = self._turn_rate_radps(x, y) * elapsed_s
        cos, sin = math.cos(turn_rad / 2), math.sin(turn_rad / 2)
        return np.array(
            [(cos * x - sin * y) * elapsed_s, (sin * x + cos * y) * elapsed_s, turn_rad]
        )

    def _turn_rate_radps(self, x_mps: float, y_mps: float) -> float:
        """Return how fast the vehicle turns: what moves the radar sideways, over its lever."""
        lever_m, _, yaw_rad = map(float, self._base_radar)
        if abs(lever_m) < _MIN_LEVER_M:
            return 0.0
        return (math.sin(yaw_rad) * x_mps + math.cos(yaw_rad) * y_mps) / lever_m
