# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid poses, as few as the node needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from transforms3d.euler import euler2quat, quat2euler
from transforms3d.quaternions import quat2mat


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
        x, y, z, w = self.quaternion_xyzw.tolist()
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))

    @property
    def planar(self) -> NDArray[np.float64]:
        """Its x, y in metres and yaw in radians, shape (3,)."""
        return np.append(self.position_m[:2], self.yaw_rad)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The same as a matrix, shape (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] = quat2mat(np.roll(self.quaternion_xyzw, 1))
        matrix[:3, 3] = self.position_m
        return matrix

    def __matmul__(self, other: Pose) -> Pose:
        """Return T_a_c of T_a_b @ T_b_c."""
        # Python's floats: NumPy takes ten times as long for so few numbers.
        x, y, z, w = self.quaternion_xyzw.tolist()
        i, j, k, r = other.quaternion_xyzw.tolist()
        turned = (
            w * i + x * r + y * k - z * j,
            w * j - x * k + y * r + z * i,
            w * k + x * j - y * i + z * r,
            w * r - x * i - y * j - z * k,
        )
        position_m = self.position_m + _rotated(other.position_m, x, y, z, w)
        return Pose(position_m, np.array(turned))

    def inverse(self) -> Pose:
        """Return the pose of a in b."""
        x, y, z, w = self.quaternion_xyzw.tolist()
        position_m = -_rotated(self.position_m, -x, -y, -z, w)
        return Pose(position_m, np.array((-x, -y, -z, w)))


def _rotated(
    vector: NDArray[np.float64], x: float, y: float, z: float, w: float
) -> NDArray[np.float64]:
    """Return the vector turned by a unit quaternion."""
    a, b, c = vector.tolist()
    # v + 2 w (q x v) + 2 q x (q x v)
    p, q, r = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return np.array(
        (a + w * p + y * r - z * q, b + w * q + z * p - x * r, c + w * r + x * q - y * p)
    )


def pose_from_xyzrpy(values: Sequence[float]) -> Pose:
    """
    Make a pose from x, y, z in metres and roll, pitch, yaw in radians.

    The angles turn about the fixed x, then y, then z axis, as in URDF.
    """
    x, y, z, roll, pitch, yaw = values
    return Pose(np.array([x, y, z]), np.roll(euler2quat(roll, pitch, yaw), -1))


def xyzrpy_of(pose: Pose) -> tuple[float, ...]:
    """Return what pose_from_xyzrpy makes a pose of."""
    angles_rad = quat2euler(np.roll(pose.quaternion_xyzw, 1))
    return (*pose.position_m.tolist(), *map(float, angles_rad))


def turn(yaw_rad: float) -> Pose:
    """Return a pure rotation about z."""
    half_rad = yaw_rad / 2
    return Pose(np.zeros(3), np.array((0.0, 0.0, math.sin(half_rad), math.cos(half_rad))))


UNMOVED = turn(0.0)
