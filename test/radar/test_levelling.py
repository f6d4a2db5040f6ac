# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the scan of a tilted radar is that of a level one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity, Motion
from ssd_ros.radar.levelling import levelled
from ssd_ros.radar.types import RadarPointCloud
from support.tilted import tilt, tilted, TILTS, UPSIDE_DOWN

VELOCITY_MPS = (9.0, -1.0, 0.2)


def scan(num_points: int = 200, seed: int = 0) -> RadarPointCloud:
    """Return static returns from 5 m above the road to 1 m below the radar, seen while driving."""
    generator = np.random.default_rng(seed)
    azimuth = generator.uniform(-1, 1, num_points)
    flat_m = generator.uniform(5, 100, num_points)
    xyz_m = np.column_stack(
        [flat_m * np.cos(azimuth), flat_m * np.sin(azimuth), generator.uniform(-1, 5, num_points)]
    )
    radial_mps = -(xyz_m @ VELOCITY_MPS) / np.linalg.norm(xyz_m, axis=1)
    rcs_dbsm = generator.uniform(-10, 30, num_points)
    columns = (column.astype(np.float32) for column in (xyz_m, rcs_dbsm, radial_mps))
    return RadarPointCloud(7, *columns, 'radar')


def flat(points_m: list[list[float]]) -> RadarPointCloud:
    """Return points of a radar that does not measure elevation."""
    xyz_m = np.column_stack([np.array(points_m), np.zeros(len(points_m))]).astype(np.float32)
    none: NDArray[np.float32] = np.zeros(len(xyz_m), np.float32)
    return RadarPointCloud(7, xyz_m, none, none, 'radar')


@pytest.mark.parametrize('roll_pitch', TILTS)
def test_points_are_where_a_level_radar_sees_them(roll_pitch: tuple[float, float]) -> None:
    level = scan()
    found = levelled(tilted(level, *roll_pitch), tilt(*roll_pitch))
    np.testing.assert_allclose(found.xyz_m, level.xyz_m, atol=3e-5)
    np.testing.assert_array_equal(found.rcs_dbsm, level.rcs_dbsm)
    np.testing.assert_array_equal(found.radial_velocity_mps, level.radial_velocity_mps)
    assert (found.stamp_ns, found.frame_id, found.xyz_m.dtype) == (7, 'radar', np.float32)


@pytest.mark.parametrize('roll_pitch', TILTS)
def test_velocity_and_static_returns_are_those_of_a_level_radar(
    roll_pitch: tuple[float, float],
) -> None:
    cloud = levelled(tilted(scan(), *roll_pitch), tilt(*roll_pitch))
    motion = estimate_ego_velocity(
        cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, EgoVelocityConfig()
    )
    assert motion.motion is Motion.MOVING
    np.testing.assert_allclose(motion.velocity_mps, VELOCITY_MPS, atol=2e-3)
    assert motion.usable.sum() == 200


def test_upside_down_left_is_right_and_up_is_down() -> None:
    cloud = tilted(scan(), *UPSIDE_DOWN)
    np.testing.assert_allclose(
        levelled(cloud, tilt(*UPSIDE_DOWN)).xyz_m, cloud.xyz_m * [1, -1, -1], atol=1e-5
    )


def test_without_elevation_points_stay_on_the_level_at_their_range() -> None:
    # Looking down by 10 degrees: a point 100 m ahead would be 17 m under the ground.
    down = tilt(0.0, math.radians(10))
    found = levelled(flat([[100, 0], [0, 30], [0, 0]]), down).xyz_m
    np.testing.assert_allclose(found, [[100, 0, 0], [0, 30, 0], [0, 0, 0]], atol=1e-5)
    turned = levelled(flat([[40, 30]]), tilt(*UPSIDE_DOWN)).xyz_m
    np.testing.assert_allclose(turned, [[40, -30, 0]], atol=1e-5)


def test_a_cloud_without_points_stays_one() -> None:
    assert len(levelled(flat([[1, 1]]).select(np.array([False])), tilt(1, 1))) == 0
