# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Poses in the plane by the thousand: arrays x, y in metres and yaw in radians, shape (..., 3).

Tangents are in the order and by the conventions of `gtsam.Pose2`, which knows one pose at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import wrap_angle

Poses = NDArray[np.float64]
_NO_TURN = 1e-9  # radians


def composed(first: Poses, second: Poses) -> Poses:
    """Return T_a_c of T_a_b and T_b_c."""
    turned = rotated(second[..., :2], first[..., 2])
    yaw_rad = wrap_angle(first[..., 2] + second[..., 2])
    return np.concatenate([first[..., :2] + turned, yaw_rad[..., None]], axis=-1)


def inverted(pose: Poses) -> Poses:
    """Return T_b_a of T_a_b."""
    moved = rotated(-pose[..., :2], -pose[..., 2])
    return np.concatenate([moved, -pose[..., 2:]], axis=-1)


def rotated(vector: NDArray[np.float64], angle_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn vectors, shape (..., 2)."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    x, y = vector[..., 0], vector[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def logarithm(pose: Poses) -> Poses:
    """Return the tangent whose exponential is the pose."""
    half = pose[..., 2] / 2
    is_turned = np.abs(half) > _NO_TURN
    along = np.where(is_turned, half / np.tan(np.where(is_turned, half, 1.0)), 1.0)
    x, y = pose[..., 0], pose[..., 1]
    return np.stack([along * x + half * y, along * y - half * x, pose[..., 2]], axis=-1)


def adjoint(pose: Poses) -> NDArray[np.float64]:
    """Return what takes tangents at T_a_b from b to a, shape (..., 3, 3)."""
    cos, sin = np.cos(pose[..., 2]), np.sin(pose[..., 2])
    zero, one = np.zeros_like(cos), np.ones_like(cos)
    rows = [cos, -sin, pose[..., 1], sin, cos, -pose[..., 0], zero, zero, one]
    return np.stack(rows, axis=-1).reshape(*cos.shape, 3, 3)
