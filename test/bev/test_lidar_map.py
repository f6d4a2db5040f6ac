# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check local maps of a LiDAR: where a post lands, how bright it is, and what is left out."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.lidar_map import LidarScan, panorama_of_lidar, standing_points
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

# Rows of 10 m, columns of 30 degrees: every cell can be found by eye.
COARSE = PreprocessingConfig(grid=PolarGrid(num_ranges=10, num_azimuths=4, max_range_m=100.0))
FINE = PreprocessingConfig(grid=PolarGrid(num_ranges=384, num_azimuths=192))
ORIGIN = np.array([1000.0, 2000.0, 50.0])
STEPS = np.arange(-30, 30, 1.0)
GROUND = np.stack([*map(np.ravel, np.meshgrid(STEPS, STEPS)), np.full(3600, -1.9)], axis=1)


def cloud_of(*parts: NDArray[np.float64], mover_mps: float | None = None) -> LidarPointCloud:
    """Return points; with a Doppler of a vehicle that stands, but for those of the last part."""
    xyz_m = np.concatenate(parts).astype(np.float32)
    velocity_mps = None
    if mover_mps is not None:
        velocity_mps = np.zeros(len(xyz_m), np.float32)
        velocity_mps[len(xyz_m) - len(parts[-1]) :] = mover_mps
    return LidarPointCloud(0, xyz_m, np.full(len(xyz_m), np.nan, np.float32), velocity_mps)


def poses(*x_yaw: tuple[float, float]) -> Trajectory:
    x, yaw = np.array(x_yaw).T
    positions_m = ORIGIN + np.column_stack([x, 0 * x, 0 * x])
    return Trajectory(np.arange(len(x)), positions_m, quaternion_from_yaw(yaw))


def post(x: float, y: float, top_m: float) -> NDArray[np.float64]:
    """Return points every 0.1 m from the ground, 1.9 m below the LiDAR."""
    z = np.arange(-1.9, -1.9 + top_m, 0.1)
    return np.column_stack([np.full(len(z), x), np.full(len(z), y), z])


@pytest.mark.parametrize(
    ('x', 'y', 'cell'),
    [
        (25.0, -1.0, (2, 0)),  # a little to the right of ahead
        (25.0, 1.0, (2, 11)),
        (1.0, 25.0, (2, 9)),  # left
        (-15.0, 1.0, (1, 6)),  # behind, a little to the left
    ],
)
@pytest.mark.parametrize('yaw_rad', [0.0, 0.7])
def test_a_post_lands_where_a_turn_of_a_spinning_radar_has_it(
    x: float, y: float, cell: tuple[int, int], yaw_rad: float
) -> None:
    cos, sin = math.cos(yaw_rad), math.sin(yaw_rad)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    seen = cloud_of(GROUND @ turn, post(x, y, 2.0) @ turn)
    scan = standing_points(seen, poses((0.0, yaw_rad)), 0, COARSE)
    image, sharp = panorama_of_lidar([scan], ORIGIN, 0.0, COARSE)
    assert image.shape == (10, 12)
    assert image[cell] == 128
    # Its neighbours are as bright, for a radar spreads a return.
    assert np.count_nonzero(image) > 9
    assert np.count_nonzero(sharp) == 1
    assert sharp[cell] == 128


def test_the_place_may_be_another_than_that_of_the_scans() -> None:
    seen = [
        standing_points(cloud_of(GROUND, post(22.0 - x, 1.0, 2.0)), poses((x, 0.0)), 0, COARSE)
        for x in (0.0, 4.0)
    ]
    turned = panorama_of_lidar(seen, ORIGIN + np.array([2.0, 0, 0]), math.pi / 2, COARSE).image
    # 20 m to the right of who looks along y, a little ahead.
    assert turned[2, 2] == 128
    assert not turned[:, 5:].any()


def test_what_is_higher_is_brighter() -> None:
    seen = cloud_of(GROUND, post(20, 5, 0.8), post(20, -5, 4.0), post(-20, 5, 0.8))
    scan = standing_points(seen, poses((0.0, 0.0)), 0, FINE)
    image = panorama_of_lidar([scan], ORIGIN, 0.0, FINE).image
    # Above 0.3 m the low ones have 2 voxels of 0.4 m, the high one 10: 7 dB, two pixels each.
    assert sorted(set(image[image > 0].tolist())) == [128, 128 + 14]


def test_low_kerbs_and_what_is_above_all_vehicles_are_left_out() -> None:
    bridge = np.column_stack([np.full(40, 15.0), np.linspace(-2, 2, 40), np.full(40, 5.5)])
    seen = cloud_of(GROUND, post(10, 5, 0.25), bridge)
    assert len(standing_points(seen, poses((0.0, 0.0)), 0, FINE).points_m) == 0


def test_a_voxel_has_one_point() -> None:
    many = np.tile(post(10, 5, 2.3), (50, 1))
    points_m = standing_points(cloud_of(GROUND, many), poses((0.0, 0.0)), 0, FINE).points_m
    assert len(points_m) == 6
    assert points_m[:, 2].min() > 0.3


def test_what_only_one_of_several_scans_sees_has_moved() -> None:
    at = poses((0.0, 0.0), (2.0, 0.0), (4.0, 0.0))
    seen = []
    for row, x in enumerate((0.0, 2.0, 4.0)):
        truck = post(12.0, 3.0, 2.0)  # as fast as the LiDAR
        seen.append(standing_points(cloud_of(GROUND, post(25 - x, -4, 2.0), truck), at, row, FINE))
    image = panorama_of_lidar(seen, ORIGIN, 0.0, FINE).image
    rows, columns = np.nonzero(image)
    assert rows.min() > 60  # 24 m
    assert columns.max() < 30
    assert len(panorama_of_lidar(seen[:1], ORIGIN, 0.0, FINE).image.nonzero()[0]) > len(rows)


def test_a_lidar_with_doppler_knows_movers_at_once() -> None:
    posts = [post(x, y, 2.0) for x in (10, 20, 30) for y in (-9, -4, 4, 9)]
    mover = post(15, 1, 2.0)
    seen = cloud_of(GROUND, *posts, mover, mover_mps=5.0)
    still = standing_points(seen, poses((0.0, 0.0)), 0, FINE).points_m
    assert len(still) == len(posts) * 5
    assert not ((np.abs(still[:, 0] - 15) < 1) & (np.abs(still[:, 1] - 1) < 1)).any()
    blind = replace(seen, radial_velocity_mps=None)
    assert len(standing_points(blind, poses((0.0, 0.0)), 0, FINE).points_m) == len(still) + 5


def test_nothing_gives_an_empty_image() -> None:
    nothing = LidarScan(ORIGIN, np.zeros((0, 3), np.float32))
    assert not panorama_of_lidar([nothing], ORIGIN, 0.0, FINE).image.any()
