# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A keyframe of a LiDAR map beside one of a spinning radar, from the scan to views and returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ssd_ros.bev.lidar_map import panorama_of_lidar, standing_points, STEP_M, WAY_AROUND_M
from ssd_ros.bev.preprocessing import scan_panorama
from ssd_ros.cli.bench.inputs import spinning_scan
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.maps.builder import encode_views
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.verification import strongest_returns

NUM_POINTS = 28_000  # of 32 rings in a simulated town


def keyframes(teacher: PlaceEncoder) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what makes a keyframe of a LiDAR, its scan in hand, and one of a spinning radar."""
    preprocessing, num_views = teacher.contract.preprocessing, teacher.contract.num_views
    grid, num_scans = preprocessing.grid, round(WAY_AROUND_M / STEP_M) + 1
    positions_m = np.zeros((num_scans, 3))
    positions_m[:, 0] = STEP_M * np.arange(num_scans)
    yaws = quaternion_from_yaw(np.zeros(num_scans))
    poses = Trajectory(np.arange(num_scans), positions_m, yaws)
    cloud, turn = _lidar_scan(), spinning_scan()
    before = [standing_points(cloud, poses, row, preprocessing) for row in range(num_scans - 1)]

    def of_lidar() -> None:
        scans = [*before, standing_points(cloud, poses, num_scans - 1, preprocessing)]
        image, sharp = panorama_of_lidar(scans, positions_m[num_scans // 2], 0.0, preprocessing)
        encode_views(image, teacher, num_views)
        strongest_returns(sharp, grid)

    def of_radar() -> None:
        panorama = scan_panorama(turn, preprocessing)
        encode_views(panorama, teacher, num_views)
        strongest_returns(panorama, grid)

    return of_lidar, of_radar


def _lidar_scan() -> LidarPointCloud:
    """Return a scan of a LiDAR 1.9 m above a plain, with walls some way off in each direction."""
    rng = np.random.default_rng(0)
    azimuth = np.repeat(np.linspace(-np.pi, np.pi, NUM_POINTS // 32, endpoint=False), 32)
    slope = np.tile(np.tan(np.radians(np.linspace(-16, 15, 32))), NUM_POINTS // 32)
    wall_m = np.repeat(rng.uniform(8, 60, NUM_POINTS // 32), 32)
    range_m = np.where(slope < 0, np.minimum(wall_m, 1.9 / np.maximum(-slope, 1e-3)), wall_m)
    xyz_m = np.stack([np.cos(azimuth), np.sin(azimuth), slope], axis=1) * range_m[:, None]
    unknown = np.full(len(xyz_m), np.nan, np.float32)
    return LidarPointCloud(0, xyz_m.astype(np.float32), unknown)
