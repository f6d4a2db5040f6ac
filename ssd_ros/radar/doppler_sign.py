# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Does a driver count its range rate the other way round? Odometry knows."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import yaw_from_quaternion

# Reconstructed: slower than this a direction says nothing, and so many scans must agree.
_MIN_SPEED_MPS = 1.0
_NUM_SCANS = 40
_MIN_SHARE = 0.9
_MAX_GAP_NS = 500_000_000


class DopplerSignCheck:
    """Compare the direction of travel by Doppler with that by odometry over the last scans."""

    def __init__(self) -> None:
        self._opposite: deque[bool] = deque(maxlen=_NUM_SCANS)
        self._last: tuple[int, NDArray[np.float64]] | None = None

    def add(
        self,
        stamp_ns: int,
        velocity_mps: NDArray[np.floating],
        position_m: NDArray[np.float64],
        quaternion_xyzw: NDArray[np.float64],
    ) -> None:
        """
        Add a scan.

        :param velocity_mps: shape (3,), ego-velocity by Doppler in the radar frame
        :param position_m: shape (3,), of the radar in the odometry frame
        :param quaternion_xyzw: shape (4,), likewise
        """
        last, self._last = self._last, (stamp_ns, position_m)
        if last is None or not 0 < stamp_ns - last[0] <= _MAX_GAP_NS:
            return
        odometry_mps = (position_m - last[1])[:2] / ((stamp_ns - last[0]) / 1e9)
        if min(np.hypot(*velocity_mps[:2]), np.hypot(*odometry_mps)) < _MIN_SPEED_MPS:
            return
        yaw_rad = float(yaw_from_quaternion(quaternion_xyzw))
        heading, left = np.array([[np.cos(yaw_rad), np.sin(yaw_rad)],
                                  [-np.sin(yaw_rad), np.cos(yaw_rad)]])  # fmt: skip
        doppler_mps = velocity_mps[0] * heading + velocity_mps[1] * left
        self._opposite.append(bool(doppler_mps @ odometry_mps < 0))

    def clear(self) -> None:
        """Forget the scans so far."""
        self._opposite.clear()
        self._last = None

    @property
    def is_opposite(self) -> bool:
        """Whether the two disagree for so long that doppler_sign must be wrong."""
        return len(self._opposite) == _NUM_SCANS and sum(self._opposite) >= _MIN_SHARE * _NUM_SCANS
