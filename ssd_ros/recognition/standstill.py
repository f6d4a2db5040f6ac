# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the vehicle stands, and which places it was told since it moved last."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.place_search import ELSEWHERE_M
from ssd_ros.motion.odometry import apart_m, OdometryPose
from ssd_ros.radar.ego_velocity import Motion

# All reconstructed.
_MOVED_M = 0.1  # of creeping; a scan at 20 Hz and 2 m/s is as far from the next
_DRIFT_M, _DRIFT_MPS = 1.5, 0.3  # of the odometry of a vehicle that stands
_REST_S = 5.0  # over which drift is looked at


class StandstillDetector:
    """
    Tell for each scan whether the vehicle stands.

    It does if the Doppler velocity says so, or said so last where it is not known now. Odometry
    that goes on faster than it drifts is believed instead, until the Doppler velocity tells of
    motion: there are drivers that send zeros.
    """

    def __init__(self) -> None:
        self._is_still = self._is_refuted = False
        self._rest: tuple[int, OdometryPose] | None = None  # since when, and where

    def add(self, elapsed_ns: int, motion: Motion, odometry: OdometryPose | None) -> bool:
        """
        Return whether the vehicle stands.

        :param elapsed_ns: of the scan, a time that goes on
        :param odometry: counts if it has a pose: without, it is the Doppler velocity again
        """
        if motion is not Motion.UNKNOWN:
            self._is_still = motion is Motion.STANDSTILL
        goes_on = self._goes_on(elapsed_ns, odometry)
        self._is_refuted = self._is_still and (self._is_refuted or goes_on)
        return self._is_still and not self._is_refuted

    def _goes_on(self, elapsed_ns: int, odometry: OdometryPose | None) -> bool:
        if odometry is None or odometry.planar is None:
            return False
        since_ns, place = self._rest or (elapsed_ns, odometry)
        moved_m, elapsed_s = apart_m(place, odometry), (elapsed_ns - since_ns) / 1e9
        if not self._is_still or math.isinf(moved_m) or elapsed_s <= 0:
            self._rest = elapsed_ns, odometry
            return False
        goes_on = moved_m >= max(_DRIFT_M, _DRIFT_MPS * elapsed_s)
        if goes_on or elapsed_s > _REST_S:
            self._rest = elapsed_ns, odometry
        return goes_on


class AcceptedPlaces:
    """
    The places accepted since the vehicle moved last: who stands learns nothing new of them.

    Where neither odometry nor the Doppler velocity tells, the vehicle is taken to move.
    """

    def __init__(self) -> None:
        self._here: OdometryPose | None = None
        self._places: list[tuple[int, NDArray[np.float64]]] = []

    def arrive(self, odometry: OdometryPose | None, is_standing: bool) -> None:
        """Forget them if the vehicle has moved to this next query."""
        if is_standing or _is_here(self._here, odometry):
            return
        self._here = odometry
        self._places.clear()

    def holds(self, frame: int, pose: NDArray[np.float64]) -> bool:
        """
        Return whether this place is one of them.

        :param frame: number of the frame of the pose, in which others compare
        :param pose: shape (3,), x, y, yaw
        """
        return any(
            frame == of and math.dist(pose[:2], place[:2]) <= ELSEWHERE_M
            for of, place in self._places
        )

    def add(self, frame: int, pose: NDArray[np.float64]) -> None:
        """Note that a place is accepted; see `holds`."""
        if not self.holds(frame, pose):
            self._places.append((frame, pose))


def _is_here(before: OdometryPose | None, now: OdometryPose | None) -> bool:
    return before is not None and now is not None and apart_m(before, now) < _MOVED_M
