# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid poses, as few as the node needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.trajectory import quaternion_from_yaw, yaw_from_quaternion
from transforms3d.euler import euler2quat
from transforms3d.quaternions import qconjugate, qmult, rotate_vector


@dataclass(frozen=True, slots=True)
class Pose:
    """
    Pose of b in a.

    :param position_m: shape (3,), of b's origin
    :param quaternion_xyzw: shape (4,), unit length
    """

    position_m: NDArray[np.float64]
    quaternion_xyzw: NDArray[np.float64]

    @property
    def yaw_rad(self) -> float:
        """Heading of b's x axis about a's z axis."""
        return float(yaw_from_quaternion(self.quaternion_xyzw))

    def __matmul__(self, other: Pose) -> Pose:
        """Return T_a_c of T_a_b @ T_b_c."""
        wxyz = np.roll(self.quaternion_xyzw, 1)
        position_m = self.position_m + rotate_vector(other.position_m, wxyz)
        turned = qmult(wxyz, np.roll(other.quaternion_xyzw, 1))
        return Pose(position_m, np.roll(turned, -1))

    def inverse(self) -> Pose:
        """Return the pose of a in b."""
        back = qconjugate(np.roll(self.quaternion_xyzw, 1))
        return Pose(-rotate_vector(self.position_m, back), np.roll(back, -1))


def pose_from_xyzrpy(values: Sequence[float]) -> Pose:
    """
    Make a pose from x, y, z in metres and roll, pitch, yaw in radians.

    The angles turn about the fixed x, then y, then z axis, as in URDF.
    """
    x, y, z, roll, pitch, yaw = values
    return Pose(np.array([x, y, z]), np.roll(euler2quat(roll, pitch, yaw), -1))


def turn(yaw_rad: float) -> Pose:
    """Return a pure rotation about z."""
    return Pose(np.zeros(3), quaternion_from_yaw(yaw_rad))
