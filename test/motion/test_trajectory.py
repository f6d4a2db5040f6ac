# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check poses, their lookup by stamp and their thinning."""

import math

import numpy as np
import pytest
from ssd_ros.motion.trajectory import (
    quaternion_from_yaw,
    thin_by_distance,
    Trajectory,
    wrap_angle,
    yaw_from_quaternion,
)

SECOND = 1_000_000_000
START = 1_700_000_000_123_456_789  # 19 digits: float64 would lose the last two


def straight_line(num_poses: int = 4, yaws_rad: float = 0.0) -> Trajectory:
    stamps = START + np.arange(num_poses, dtype=np.int64) * SECOND
    positions = np.stack([np.arange(num_poses) * 2.0, np.zeros(num_poses), np.zeros(num_poses)], 1)
    return Trajectory(stamps, positions, quaternion_from_yaw(np.full(num_poses, yaws_rad)))


def test_yaw_survives_the_quaternion() -> None:
    yaws = np.array([-3.0, -0.5, 0.0, 1.0, 3.1])
    np.testing.assert_allclose(yaw_from_quaternion(quaternion_from_yaw(yaws)), yaws)


def test_the_nearest_pose_is_exact_to_the_nanosecond() -> None:
    line = straight_line()
    index, found = line.nearest(np.array([START + SECOND, START + SECOND + 6]), tolerance_ns=5)
    np.testing.assert_array_equal(index, [1, 1])
    np.testing.assert_array_equal(found, [True, False])


def test_nearest_in_an_empty_trajectory_finds_nothing() -> None:
    empty = Trajectory(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 4)))
    _, found = empty.nearest(np.array([START]), tolerance_ns=SECOND)
    assert not found.any()


def test_interpolation_halves_the_way_and_takes_the_short_turn() -> None:
    line = straight_line(2)
    turned = quaternion_from_yaw(np.array([math.radians(170), math.radians(-170)]))
    drive = Trajectory(line.stamps_ns, line.positions_m, turned)
    between = drive.interpolate(np.array([START + SECOND // 2]))
    np.testing.assert_allclose(between.positions_m[0], [1, 0, 0])
    assert abs(between.yaws_rad[0]) == pytest.approx(math.pi)


def test_a_stamp_outside_the_trajectory_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match=f'stamp {START - 1} ns lies outside'):
        straight_line().interpolate(np.array([START - 1]))


def test_poses_near_in_time_are_returned_under_the_stamps_asked_for() -> None:
    wanted = START + np.array([-SECOND, 1_000, SECOND // 2, 2 * SECOND])
    posed, poses = straight_line(3).at(wanted, tolerance_ns=1_000)
    np.testing.assert_array_equal(posed, [1, 3])
    np.testing.assert_array_equal(poses.stamps_ns, wanted[[1, 3]])
    np.testing.assert_allclose(poses.positions_m[:, 0], [0, 4])


def test_an_empty_trajectory_has_no_pose_at_any_stamp() -> None:
    empty = Trajectory(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 4)))
    posed, poses = empty.at(np.array([START]))
    assert len(posed) == len(poses) == 0


def test_unsorted_stamps_are_refused() -> None:
    line = straight_line()
    with pytest.raises(ValueError, match='sort the poses'):
        Trajectory(line.stamps_ns[::-1].copy(), line.positions_m, line.quaternions_xyzw)


def test_thinning_keeps_the_first_pose_and_then_each_spacing() -> None:
    positions = np.array([[0.0, 0], [1, 0], [2, 0], [2.5, 0], [4, 0], [4, 3]])
    np.testing.assert_array_equal(thin_by_distance(positions, 2.0), [0, 2, 4, 5])
    np.testing.assert_array_equal(thin_by_distance(positions, 0.0), np.arange(6))


def test_angles_wrap_into_the_half_open_circle() -> None:
    np.testing.assert_allclose(
        wrap_angle(np.array([-math.pi, math.pi, 3 * math.pi, 0.5 - 2 * math.pi])),
        [math.pi, math.pi, math.pi, 0.5],
    )
