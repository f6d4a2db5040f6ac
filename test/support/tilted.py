# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scans as a tilted radar measures them: upside down, on its side, looking down."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.types import RadarPointCloud
from support.posts import PostDrive

# Roll and pitch (rad): upside down; pitched over; on a side; looking down; all mixed.
UPSIDE_DOWN = (math.pi, 0.0)
TILTS = [UPSIDE_DOWN, (0.0, math.pi), (math.pi / 2, 0.0), (0.0, math.radians(10)), (2.5, -0.4)]


def rotation(roll: float, pitch: float, yaw: float = 0.0) -> NDArray[np.float64]:
    """Return the rotation by URDF's angles, written out."""
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (roll, pitch, yaw))
    return np.array([
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ])  # fmt: skip


def yaw_for(heading: float, pitch: float) -> float:
    """Return the yaw of a radar that looks to a heading: pitched over, x looks back."""
    return heading if math.cos(pitch) > 0 else heading - math.pi


def tilt(roll: float, pitch: float) -> NDArray[np.float64]:
    """Return the rotation level <- radar."""
    return rotation(roll, pitch, yaw_for(0.0, pitch))


def tilted(cloud: RadarPointCloud, roll: float, pitch: float) -> RadarPointCloud:
    """Return what a radar of the same place and heading measures that is tilted."""
    return replace(cloud, xyz_m=(cloud.xyz_m @ tilt(roll, pitch)).astype(np.float32))


@dataclass
class TiltedDrive(PostDrive):
    """A drive past posts whose 4D radar is tilted; its poses are those of a level one."""

    roll_pitch: tuple[float, float] = (0.0, 0.0)

    def cloud(self, index: int) -> RadarPointCloud:
        return tilted(super().cloud(index), *self.roll_pitch)
