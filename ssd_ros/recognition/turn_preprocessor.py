# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A turn of a spinning radar as a query: its panorama, and its returns as keyframes have them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig, RadarImage, scan_panorama
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.ego_velocity import unknown_velocity
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.recognition.answer import SensorPose
from ssd_ros.verification import NO_RETURN, strongest_returns, turn_motions


class _Place(NamedTuple):
    """Where the radar was at a scan, in the odometry frame."""

    stamp_ns: int
    pose: SensorPose
    segment: int


class TurnPreprocessor:
    """Make images of scans, each by itself; the one before tells how the radar moved meanwhile."""

    def __init__(self, config: PreprocessingConfig) -> None:
        self._config = config
        self.clear()

    def clear(self) -> None:
        """Forget the scan before."""
        self._before: _Place | None = None

    def process(
        self, scan: SpinningRadarScan, pose: SensorPose | None = None, segment: int = 0
    ) -> RadarImage:
        """
        Return the image of a scan; its returns are moved to where the radar was at the stamp.

        :param pose: of the radar in the odometry frame; None = it is taken to stand
        :param segment: of the odometry, see ssd_ros.motion.pose_chain
        """
        config = self._config
        panorama = scan_panorama(scan, config)
        motion = self._motion_to(pose and _Place(scan.stamp_ns, pose, segment))
        returns_cm = strongest_returns(panorama, config.grid, motion)
        used = returns_cm[returns_cm[:, 0] != NO_RETURN]
        points_m = used.astype(np.float32) / 100
        return RadarImage(panorama, unknown_velocity(len(points_m)), points_m)

    def _motion_to(self, here: _Place | None) -> NDArray[np.float64] | None:
        """Return the motion during the turn, see strongest_returns; None if it is not known."""
        before, self._before = self._before, here
        if before is None or here is None or before.segment != here.segment:
            return None
        if here.stamp_ns <= before.stamp_ns:
            return None
        poses = Trajectory(
            np.array([before.stamp_ns, here.stamp_ns]),
            np.stack([before.pose.position_m, here.pose.position_m]),
            np.stack([before.pose.quaternion_xyzw, here.pose.quaternion_xyzw]),
        )
        motion: NDArray[np.float64] = turn_motions(poses)[1]
        return motion
