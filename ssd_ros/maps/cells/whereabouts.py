# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where in its maps a vehicle can be: about its last accepted place, moved on by odometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.neighbours import Prior
from ssd_ros.motion.odometry import compose, motion_between, OdometryPose

# All reconstructed.
_REACH_M = 150.0  # about a place that was accepted
_DRIFT_PER_M = 0.05  # of the way since
_MAX_MISSES = 10  # queries in a row without an accepted place, after which all is searched again


class Whereabouts:
    """A circle that grows with the way; a place accepted wrongly is left after some queries."""

    def __init__(self) -> None:
        """Begin without a place."""
        self._place: tuple[OdometryPose, NDArray[np.float64]] | None = None
        self._num_misses = 0

    def prior(self, odometry: OdometryPose | None) -> Prior | None:
        """
        Return where the vehicle is, None if it may be anywhere.

        :param odometry: of the query
        """
        if self._place is None or odometry is None or self._num_misses >= _MAX_MISSES:
            return None
        then, place = self._place
        if odometry.segment != then.segment:
            return None
        way_m = abs(odometry.travelled_m - then.travelled_m)
        radius_m = _REACH_M + _DRIFT_PER_M * way_m
        if odometry.planar is None or then.planar is None:
            radius_m += way_m  # in any direction
        else:
            place = compose(place, motion_between(then.planar, odometry.planar))
        return Prior(float(place[0]), float(place[1]), radius_m)

    def add(self, odometry: OdometryPose | None, place: NDArray[np.float64] | None) -> None:
        """
        Note what came of a query.

        :param place: shape (3,), x, y, yaw in the map frame; None if none was accepted
        """
        if place is None:
            self._num_misses += 1
        elif odometry is not None:
            self._place, self._num_misses = (odometry, place), 0
