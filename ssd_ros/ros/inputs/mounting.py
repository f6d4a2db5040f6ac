# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How a radar is mounted: its place and heading on the vehicle, and how it is tilted there.

Queries and keyframes are planar, so roll and pitch of a radar are taken out of its clouds. What
is left, a level radar at the same place with the same heading, is the radar of everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.levelling import levelled
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.ros.messages.geometry import Pose, turn

# Of a spinning radar; reconstructed: its beam is 2 degrees high and more.
MAX_TURN_TILT_DEG = 10.0
_UPRIGHT_RAD = 1e-6  # 0.15 mm at 150 m: rounding in a chain of transforms


@dataclass(frozen=True, slots=True)
class Mounting:
    """
    Where the level radar is, and how the real one is turned in it.

    :param base_level: T_base_level: origin of the radar, z of the base, x below or above the
        radar's x (any, should that be vertical)
    :param level_radar: shape (3, 3), rotation level <- radar; None = the radar is upright
    """

    base_level: Pose
    level_radar: NDArray[np.float64] | None = None

    def level(self, cloud: RadarPointCloud) -> RadarPointCloud:
        """Return a scan as the level radar would have measured it."""
        return cloud if self.level_radar is None else levelled(cloud, self.level_radar)

    @property
    def tilt_deg(self) -> float:
        """Angle by which the radar is turned in level axes, 0 .. 180."""
        if self.level_radar is None:
            return 0.0
        cosine = (float(np.trace(self.level_radar)) - 1) / 2
        return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


def mounting_of(base_radar: Pose) -> Mounting:
    """
    Split the pose of a radar.

    :param base_radar: T_base_radar
    """
    level = turn(base_radar.yaw_rad)
    tilt = level.inverse() @ Pose(np.zeros(3), base_radar.quaternion_xyzw)
    if 2 * float(np.linalg.norm(tilt.quaternion_xyzw[:3])) < _UPRIGHT_RAD:
        return Mounting(base_radar)
    return Mounting(Pose(base_radar.position_m, level.quaternion_xyzw), tilt.matrix[:3, :3])
