# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scans of one radar in, queries out: windows, the way travelled, what the radar is like."""

from __future__ import annotations

from dataclasses import replace
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, RadarImage
from ssd_ros.bev.submap import SubmapImage, SubmapWindow
from ssd_ros.confidence.radar_profile import RadarProfile, unknown_profiles
from ssd_ros.motion.mounting_check import MountingCheck
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.radar.types import RadarPointCloud, Scan, SpinningRadarScan
from ssd_ros.recognition.answer import Query, SensorPose
from ssd_ros.recognition.turn_preprocessor import TurnPreprocessor
from ssd_ros.recognition.vehicle_path import VehiclePath

_WHOLE = 0.9  # reconstructed: of the way before its middle; with less it does not show all around


class _Place(NamedTuple):
    """What is kept of a query, by its names."""

    stamp_ns: int
    pose: SensorPose | None
    odometry: OdometryPose | None
    elapsed_ns: int
    segment: int


class SubmapQueries:
    """Turn the queries of a drive, scan by scan, into such of submaps."""

    def __init__(self, length_m: float, preprocessing: PreprocessingConfig) -> None:
        """
        Start without a scan.

        :param length_m: of the way that a submap shows
        :param preprocessing: of the encoder, for spinning radar
        """
        self.length_m = length_m
        self._config = preprocessing
        self._window = SubmapWindow(length_m)
        self.sees_all = False  # of what is asked: maps of spinning radar, which see as far ahead

    def clear(self) -> None:
        """Forget the scans so far."""
        self._window.clear()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """Take over how the radar is mounted, see ScanMotion."""
        self._window.mount(base_radar)

    def add(
        self, cloud: RadarPointCloud, query: Query, planar: NDArray[np.float64] | None
    ) -> Query:
        """
        Return the query of the place half a submap back; the same one until there is one.

        :param query: of the scan, by its window
        :param planar: shape (3,): x, y, yaw of the radar in the odometry frame; None = by Doppler
        """
        place = _Place(*(getattr(query, name) for name in _Place._fields))
        ego_velocity = query.image.ego_velocity
        submap = self._window.add(cloud, ego_velocity, planar, query.segment, place)
        if submap is None or submap.before_m < _WHOLE * self.length_m / 2:
            return query
        reach_m = self._config.grid.max_range_m if self.sees_all else self.length_m / 2
        image = SubmapImage(submap, self._config, reach_m, ego_velocity)
        return replace(query, image=image, **submap.middle.tag._asdict())


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
