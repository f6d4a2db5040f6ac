# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check where a closure puts the vehicle and what its uncertainty becomes in other frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.ros.adapters.closure import covariance_at_query, covariance_at_target
from ssd_ros.ros.messages.geometry import Pose, pose_from_xyzrpy
from support.adapters import closure
from transforms3d.quaternions import mat2quat, quat2mat

TILTED = [1.0, -2.0, 0.5, 0.1, -0.2, 2.1]


def matrix(pose: Pose) -> NDArray[np.float64]:
    result = np.eye(4)
    result[:3, :3] = quat2mat(np.roll(pose.quaternion_xyzw, 1))
    result[:3, 3] = pose.position_m
    return result


def pushed(pose: Pose, shift: NDArray[np.float64]) -> Pose:
    """Move and turn a pose a little, in the axes of the map."""
    angle = np.linalg.norm(shift[3:])
    axis = shift[3:] / angle if angle else np.array([1.0, 0.0, 0.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turned = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    rotation = turned @ matrix(pose)[:3, :3]
    return Pose(pose.position_m + shift[:3], np.roll(mat2quat(rotation), -1))


def noise_between(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return xi of after = before * Exp(xi), for a small one."""
    small = np.linalg.inv(before) @ after
    return np.array([*small[:3, 3], small[2, 1], small[0, 2], small[1, 0]])


def jacobian(of: Callable[[Pose], NDArray[np.float64]], pose: Pose) -> NDArray[np.float64]:
    step = 1e-6
    columns = [noise_between(of(pose), of(pushed(pose, step * axis))) for axis in np.eye(6)]
    return np.stack(columns, axis=1) / step


def test_the_base_lies_where_keyframe_and_relative_pose_put_it() -> None:
    map_base = closure().map_base
    np.testing.assert_allclose(map_base.position_m, [9.0, 22.0, 0.0], atol=1e-12)
    assert map_base.yaw_rad == pytest.approx(np.radians(120.0))


def test_the_base_at_the_keyframe_lies_behind_a_radar_on_the_bumper() -> None:
    on_bumper = pose_from_xyzrpy([3.5, 0.0, 0.5, 0.0, 0.0, 0.0])
    map_base = closure(base_keyframe=on_bumper).map_keyframe_base
    np.testing.assert_allclose(map_base.position_m, [10.0, 16.5, -0.5], atol=1e-12)


def test_the_covariance_at_the_query_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(6, 6))
    found = closure(map_keyframe=pose_from_xyzrpy(TILTED), covariance=factor @ factor.T)
    derivative = jacobian(matrix, found.map_base)
    expected = derivative @ found.covariance @ derivative.T
    np.testing.assert_allclose(covariance_at_query(found), expected, rtol=1e-4, atol=1e-4)


def test_the_covariance_at_a_target_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    factor = rng.normal(size=(6, 6))
    found = closure(map_keyframe=pose_from_xyzrpy(TILTED), covariance=factor @ factor.T)
    target = pose_from_xyzrpy([4.0, 3.0, -1.0, 0.3, 0.1, -0.7])

    def seen_from(map_base: Pose) -> NDArray[np.float64]:
        return np.linalg.inv(matrix(map_base)) @ matrix(target)

    derivative = jacobian(seen_from, found.map_base)
    expected = derivative @ found.covariance @ derivative.T
    np.testing.assert_allclose(covariance_at_target(found, target), expected, rtol=1e-4, atol=1e-3)


def test_a_covariance_that_cannot_be_inverted_is_refused() -> None:
    with pytest.raises(ValueError, match='not positive definite'):
        closure(covariance=np.zeros((6, 6)))
    with pytest.raises(ValueError, match='not positive definite'):
        closure(covariance=np.full((6, 6), np.nan))
    with pytest.raises(ValueError, match=r'shape \(3, 3\), expected \(6, 6\)'):
        closure(covariance=np.eye(3))
