# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Odometry of a simulated drive: the true motion with the drift of wheels and a gyroscope."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory


@dataclass(frozen=True, slots=True)
class OdometryDrift:
    """How odometry goes wrong; the values are reconstructed."""

    scale_error: float = 0.015  # share by which every distance comes out too long
    yaw_std_rad: float = math.radians(0.2)  # random walk of the heading after one metre

    def __post_init__(self) -> None:
        if not -0.5 < self.scale_error < 0.5:
            raise ValueError(f'scale_error is {self.scale_error}, expected -0.5 .. 0.5')
        if not 0 <= self.yaw_std_rad < math.inf:
            raise ValueError(f'yaw_std_rad is {self.yaw_std_rad}, expected 0 or more')


DEFAULT_DRIFT = OdometryDrift()


def drifting_odometry(
    truth: Trajectory, rng: np.random.Generator, drift: OdometryDrift = DEFAULT_DRIFT
) -> Trajectory:
    """
    Return what odometry says of a drive in the plane.

    :param truth: at least one pose, in any frame
    :return: as many poses at the same stamps, in the frame of the first one
    """
    steps_m = np.diff(truth.positions_m[:, :2], axis=0)
    driven_m = np.hypot(*steps_m.T)
    yaw_noise_rad = drift.yaw_std_rad * np.sqrt(driven_m) * rng.standard_normal(len(driven_m))
    drifted_rad = np.concatenate([[0.0], np.cumsum(yaw_noise_rad)])
    # A step is turned by what the heading has drifted before it.
    turn_rad = drifted_rad[:-1] - truth.yaws_rad[0]
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    turned_m = np.column_stack(
        [cos * steps_m[:, 0] - sin * steps_m[:, 1], sin * steps_m[:, 0] + cos * steps_m[:, 1]]
    )
    positions_m = np.zeros((len(truth), 3))
    positions_m[1:, :2] = np.cumsum((1 + drift.scale_error) * turned_m, axis=0)
    yaws_rad = truth.yaws_rad - truth.yaws_rad[0] + drifted_rad
    return Trajectory(truth.stamps_ns, positions_m, quaternion_from_yaw(yaws_rad))
