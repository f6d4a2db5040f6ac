# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Odometry of a simulated drive: exact without drift, wrong by known amounts with it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory, wrap_angle
from ssd_ros.simulator.config import UNIT_SEED
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.odometry import drifting_odometry, OdometryDrift


def circle(num: int = 401, radius_m: float = 50.0) -> Trajectory:
    """Return once round to the left, beginning in the south and looking east."""
    angle = np.linspace(0, 2 * np.pi, num)
    xyz = np.column_stack([radius_m * np.sin(angle), -radius_m * np.cos(angle), np.ones(num)])
    return Trajectory(np.arange(num) * 50_000_000, xyz, quaternion_from_yaw(angle))


def test_without_drift_it_is_the_truth_seen_from_the_first_pose() -> None:
    odometry = drifting_odometry(circle(), stream(UNIT_SEED, 'odometry'), OdometryDrift(0.0, 0.0))
    np.testing.assert_allclose(odometry.positions_m[100], [50, 50, 0], atol=1e-9)
    np.testing.assert_allclose(odometry.positions_m[200], [0, 100, 0], atol=1e-9)
    assert wrap_angle(odometry.yaws_rad[100]) == pytest.approx(math.pi / 2)


def test_a_scale_error_makes_every_distance_too_long() -> None:
    drift = OdometryDrift(scale_error=0.02, yaw_std_rad=0.0)
    odometry = drifting_odometry(circle(), stream(UNIT_SEED, 'odometry'), drift)
    np.testing.assert_allclose(odometry.positions_m[200], [0, 102, 0], atol=1e-9)


def test_the_heading_walks_off_with_the_root_of_the_distance() -> None:
    drift = OdometryDrift(scale_error=0.0, yaw_std_rad=0.01)
    ends = [
        drifting_odometry(circle(), stream(UNIT_SEED, 'odometry', draw), drift).yaws_rad[-1]
        for draw in range(200)
    ]
    # 100 pi metres; a standard deviation of 200 draws is within 10 % of the true one.
    assert np.std(wrap_angle(np.array(ends))) == pytest.approx(0.01 * math.sqrt(314.2), rel=0.15)


@pytest.mark.parametrize('values', [(0.6, 0.0), (0.0, -0.1), (math.nan, 0.0), (0.0, math.nan)])
def test_an_impossible_drift_is_refused(values: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match='expected'):
        OdometryDrift(*values)
