# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses of a sensor on a vehicle whose rear axle does not slip, with the faults of real ones."""

import numpy as np
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

START_NS = 1_724_811_866_000_000_000


def drive_on_wheels(
    duration_s: float = 120.0,
    rate_hz: float = 20.0,
    lever_arm_m: float = 3.7,
    offset_deg: float = 0.0,
    drift_deg: float = 0.0,
    reverse: float = 0.0,
    speed_mps: float = 6.0,
    max_curvature: float = 0.08,
    position_noise_m: float = 0.0,
    yaw_noise_deg: float = 0.0,
    start_m: tuple[float, float] = (320_000.0, 4_150_000.0),
    seed: int = 0,
) -> tuple[Trajectory, np.ndarray]:
    """
    Return the poses of the sensor and the true headings, shape (N,).

    :param offset_deg: of the headings in the poses from the true ones, and how far it drifts
    :param reverse: share of the time in which the vehicle goes backwards, in parts of 10 s
    """
    rng = np.random.default_rng(seed)
    fine = 200  # steps per second
    num_steps = round(duration_s * fine)
    time_s = np.arange(num_steps) / fine
    waves = zip((3, 7, 17), rng.uniform(0, 2 * np.pi, 3), strict=True)
    wave = sum(np.sin(time_s / period_s + phase) for period_s, phase in waves)
    curvature = max_curvature * np.clip(wave, -1, 1)
    is_back = (time_s // 10 % 10) >= 10 * (1 - reverse)
    stops = np.clip(np.abs(np.sin(time_s / 10 * np.pi)) * 3, 0, 1)
    speed = speed_mps * np.where(is_back, -1, 1) * stops
    yaw = rng.uniform(-np.pi, np.pi) + np.cumsum(speed * curvature) / fine
    axle = np.cumsum(np.stack([speed * np.cos(yaw), speed * np.sin(yaw)]), axis=1).T / fine
    arm = lever_arm_m * np.column_stack([np.cos(yaw), np.sin(yaw)])
    kept = np.unique(np.round(np.arange(0, num_steps - 1, fine / rate_hz)).astype(int))
    xy = (start_m + axle + arm)[kept] + rng.normal(0, position_noise_m, (len(kept), 2))
    wrong = np.radians(offset_deg + drift_deg * time_s[kept] / duration_s)
    wrong += np.radians(rng.normal(0, yaw_noise_deg, len(kept)))
    stamps_ns = START_NS + np.round(time_s[kept] * 1e9).astype(np.int64)
    positions_m = np.column_stack([xy, np.full(len(kept), 50.0)])
    poses = Trajectory(stamps_ns, positions_m, quaternion_from_yaw(yaw[kept] + wrong))
    return poses, yaw[kept]
