# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check ego-velocity and mover removal on planted scenes and on a real ARS548 scan."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity, Motion

CONFIG = EgoVelocityConfig()
REAL_SCAN = Path(__file__).parents[1] / 'data' / 'ars548' / 'detections.csv'


def static_points(num_points: int, seed: int = 0) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    range_m = generator.uniform(5, 140, num_points)
    azimuth = np.radians(generator.uniform(-58, 58, num_points))
    elevation = np.radians(generator.uniform(-2, 10, num_points))  # above z = -5 m
    flat = np.cos(elevation)
    directions = np.stack(
        [flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], axis=1
    )
    return (range_m[:, None] * directions).astype(np.float32)


def doppler(xyz: NDArray[np.float32], velocity: list[float]) -> NDArray[np.float32]:
    directions = xyz / np.linalg.norm(xyz, axis=1, keepdims=True)
    return (-directions @ np.array(velocity)).astype(np.float32)


def zeros(xyz: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.zeros(len(xyz), np.float32)


def test_velocity_is_recovered_and_movers_are_dropped() -> None:
    xyz = static_points(300)
    speeds = doppler(xyz, [8.0, 0.5, 0.0])
    speeds += np.random.default_rng(1).normal(0, 0.05, 300).astype(np.float32)
    speeds[:60] += 3.0
    result = estimate_ego_velocity(xyz, zeros(xyz), speeds, CONFIG)
    assert result.motion is Motion.MOVING
    np.testing.assert_allclose(result.velocity_mps[:2], [8.0, 0.5], atol=0.05)
    assert not result.usable[:60].any()
    assert result.usable[60:].mean() > 0.98


def test_the_real_ars548_scan_moves_at_6_18_mps() -> None:
    scan = np.genfromtxt(REAL_SCAN, delimiter=',', names=True)
    flat = scan['range_m'] * np.cos(scan['elevation_rad'])
    xyz = np.stack(
        [
            flat * np.cos(scan['azimuth_rad']),
            flat * np.sin(scan['azimuth_rad']),
            scan['range_m'] * np.sin(scan['elevation_rad']),
        ],
        axis=1,
    ).astype(np.float32)
    result = estimate_ego_velocity(xyz, scan['rcs_dbsm'], scan['range_rate_mps'], CONFIG)
    np.testing.assert_allclose(result.velocity_mps[:2], [6.18, 0.07], atol=0.1)


def test_standing_still_keeps_static_returns_and_drops_a_pedestrian() -> None:
    xyz = static_points(50)
    speeds = zeros(xyz)
    speeds[7] = -1.5
    result = estimate_ego_velocity(xyz, zeros(xyz), speeds, CONFIG)
    assert result.motion is Motion.STANDSTILL
    assert not result.velocity_mps.any()
    assert np.flatnonzero(~result.usable).tolist() == [7]


@pytest.mark.parametrize('movers', [20, 60])
def test_who_stands_in_traffic_stands(movers: int) -> None:
    xyz = static_points(200)
    rng = np.random.default_rng(1)
    speeds = 0.055 * rng.standard_normal(len(xyz)).astype(np.float32)
    speeds[:movers] += rng.uniform(3, 9, movers)
    result = estimate_ego_velocity(xyz, zeros(xyz), speeds, EgoVelocityConfig())
    assert result.motion is Motion.STANDSTILL
    np.testing.assert_array_equal(result.velocity_mps, np.zeros(3))
    assert not result.usable[:movers].any()
    assert result.usable[movers:].mean() > 0.95


def test_who_creeps_at_1_km_an_hour_does_not_stand() -> None:
    xyz = static_points(200)
    speeds = doppler(xyz, [0.28, 0.0, 0.0])
    speeds += 0.055 * np.random.default_rng(1).standard_normal(len(xyz)).astype(np.float32)
    result = estimate_ego_velocity(xyz, zeros(xyz), speeds, EgoVelocityConfig())
    assert result.motion is Motion.MOVING
    assert result.velocity_mps[0] == pytest.approx(0.28, abs=0.02)


def test_returns_outside_the_gate_are_not_usable() -> None:
    xyz = static_points(40)
    xyz[0] = [160, 0, 0]  # beyond 150 m
    xyz[1] = [1, 5, 0]  # 79 degrees to the left
    xyz[2] = [1, 0, 3]  # 72 degrees up
    xyz[3] = [50, 0, -6]  # under the ground
    rcs = zeros(xyz)
    rcs[4] = -60
    result = estimate_ego_velocity(xyz, rcs, doppler(xyz, [5.0, 0, 0]), CONFIG)
    assert np.flatnonzero(~result.usable).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize('num_points', [0, 1, 2])
def test_too_few_returns_leave_the_cloud_as_it_is(num_points: int) -> None:
    xyz = static_points(num_points)
    result = estimate_ego_velocity(xyz, zeros(xyz), zeros(xyz) - 5, CONFIG)
    assert result.motion is Motion.UNKNOWN
    assert result.usable.all()
    assert np.isinf(result.sigma_mps).all()


def test_exactly_three_inliers_are_no_proof() -> None:
    xyz = static_points(3)
    result = estimate_ego_velocity(xyz, zeros(xyz), doppler(xyz, [5.0, 0, 0]), CONFIG)
    assert result.motion is Motion.UNKNOWN


def test_returns_on_one_ray_do_not_determine_a_velocity() -> None:
    xyz = np.outer(np.arange(5, 25), [1, 0, 0]).astype(np.float32)
    result = estimate_ego_velocity(xyz, zeros(xyz), zeros(xyz) - 5, CONFIG)
    assert result.motion is Motion.UNKNOWN
    assert result.usable.all()


def test_the_estimate_is_repeatable() -> None:
    xyz = static_points(100)
    speeds = np.random.default_rng(2).normal(-4, 2, 100).astype(np.float32)
    first = estimate_ego_velocity(xyz, zeros(xyz), speeds, CONFIG)
    second = estimate_ego_velocity(xyz, zeros(xyz), speeds, CONFIG)
    np.testing.assert_array_equal(first.usable, second.usable)
