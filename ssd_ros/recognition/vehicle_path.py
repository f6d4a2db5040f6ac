# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far the vehicle has come, and whether it stands: from odometry, else from Doppler."""

from __future__ import annotations

from ssd_ros.motion.odometry import DopplerOdometer, OdometryPose, PlanarOdometer
from ssd_ros.radar.ego_velocity import EgoVelocity
from ssd_ros.recognition.answer import SensorPose
from ssd_ros.recognition.standstill import StandstillDetector


class VehiclePath:
    """The path from the first scan on."""

    def __init__(self) -> None:
        self._doppler_odometer = DopplerOdometer()
        self._planar_odometer = PlanarOdometer()
        self._standstill = StandstillDetector()

    def add(
        self,
        stamp_ns: int,
        elapsed_ns: int,
        ego_velocity: EgoVelocity,
        pose: SensorPose | None,
        segment: int,
    ) -> tuple[OdometryPose | None, bool]:
        """
        Return how far the vehicle has come, None while nothing tells, and whether it stands.

        :param elapsed_ns: a time that goes on where the clock of the stamps was set
        :param pose: of the radar in the odometry frame, None if not known
        :param segment: of the odometry, see ssd_ros.motion.pose_chain
        """
        odometry = self._odometry(stamp_ns, ego_velocity, pose, segment)
        return odometry, self._standstill.add(elapsed_ns, ego_velocity.motion, odometry)

    def _odometry(
        self, stamp_ns: int, ego_velocity: EgoVelocity, pose: SensorPose | None, segment: int
    ) -> OdometryPose | None:
        travelled = self._doppler_odometer.add(stamp_ns, ego_velocity.known_mps)
        if pose is None:
            return travelled
        return self._planar_odometer.add(stamp_ns, pose.planar, segment)
