# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scans of one radar in, queries out: windows, the way travelled, what the radar is like."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, RadarImage
from ssd_ros.confidence.radar_profile import RadarProfile, unknown_profiles
from ssd_ros.motion.mounting_check import MountingCheck
from ssd_ros.radar.types import Scan, SpinningRadarScan
from ssd_ros.recognition.answer import Query, SensorPose
from ssd_ros.recognition.submap_queries import SubmapQueries
from ssd_ros.recognition.turn_preprocessor import TurnPreprocessor
from ssd_ros.recognition.vehicle_path import VehiclePath


class QueryStream:
    """Make queries of scans, of one radar and in the order in which they come."""

    def __init__(self, config: PreprocessingConfig, submap_m: float = 0.0) -> None:
        """
        Start without a scan.

        :param submap_m: of way that a query of a 4D radar shows around a place; 0 = windows
        """
        self.submaps = SubmapQueries(submap_m, config) if submap_m else None
        self._clouds, self._turns = CloudPreprocessor(config), TurnPreprocessor(config)
        self.mounting_check = MountingCheck()
        self._set_by_ns = 0
        self.clear()

    def clear(self) -> None:
        """Forget the scans so far."""
        self._clouds.clear()
        self._turns.clear()
        if self.submaps is not None:
            self.submaps.clear()
        self.mounting_check.begin_anew()
        self._profile = RadarProfile()
        self._path = VehiclePath()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """
        Take over how the radar is mounted.

        :param base_radar: shape (3,): x, y, yaw of the radar in the vehicle, see ScanMotion
        """
        self.mounting_check.mount(float(base_radar[2]))
        self._clouds.mount(base_radar)
        if self.submaps is not None:
            self.submaps.mount(base_radar)

    def set_clock(self, step_ns: int) -> None:
        """
        Expect stamps of a clock that was set: the drive goes on.

        :param step_ns: by how much it was set ahead
        """
        self._set_by_ns += step_ns

    def add(
        self,
        scan: Scan,
        pose: SensorPose | None = None,
        segment: int = 0,
        checked_by: SensorPose | None = None,
    ) -> Query:
        """
        Return the query that a scan makes, with those before it.

        With submaps it is of the place in the middle, once there is one.

        :param pose: of the radar in the odometry frame; without it the Doppler velocity of a 4D
            radar tells how far the vehicle has come
        :param segment: of the odometry: poses of two of them are of frames not related
        :param checked_by: a pose for the check of the mounting, for a window of way and for the
            motion during a turn alone, where `pose` is not given
        """
        start = time.perf_counter()
        known = pose or checked_by
        image = self._image(scan, known, segment)
        elapsed_ns, ego_velocity = scan.stamp_ns - self._set_by_ns, image.ego_velocity
        planar = known and known.planar
        self.mounting_check.add(scan.stamp_ns, ego_velocity.known_mps, planar, segment)
        odometry, is_standing = self._path.add(
            scan.stamp_ns, elapsed_ns, ego_velocity, pose, segment
        )
        profile, bev_ms = self._profile_with(scan, image), (time.perf_counter() - start) * 1e3
        query = Query(
            scan.stamp_ns,
            image,
            pose,
            odometry,
            bev_ms,
            elapsed_ns,
            segment,
            profile,
            is_standing,
        )
        if self.submaps is None or isinstance(scan, SpinningRadarScan):
            return query
        return self.submaps.add(scan, query, planar)

    def _image(self, scan: Scan, pose: SensorPose | None, segment: int) -> RadarImage:
        if isinstance(scan, SpinningRadarScan):
            return self._turns.process(scan, pose, segment)
        return self._clouds.process(scan, pose and pose.planar, segment)

    def _profile_with(self, scan: Scan, image: RadarImage) -> NDArray[np.float64]:
        """Return the statistics of the radar; those of a spinning one are not known."""
        if isinstance(scan, SpinningRadarScan):
            (unknown,) = unknown_profiles(1)
            return unknown
        return self._profile.add(scan, image.ego_velocity, self.mounting_check.yaw_error)
