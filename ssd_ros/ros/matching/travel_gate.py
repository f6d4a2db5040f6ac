# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Automatic queries by the way travelled."""

from __future__ import annotations

from ssd_ros.motion.odometry import apart_m, OdometryPose


class TravelGate:
    """Let a query pass when the vehicle has moved since the last that passed."""

    def __init__(self) -> None:
        self._last: OdometryPose | None = None

    def passes(self, here: OdometryPose | None, min_travel_m: float) -> bool:
        """Return whether the vehicle has, or may have, come so far."""
        last = self._last
        if here is not None and last is not None and apart_m(last, here) < min_travel_m:
            return False
        self._last = here
        return True
