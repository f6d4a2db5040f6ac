# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Local maps of a LiDAR: what stands on the ground along the way, as a turn of a spinning radar.

A radar sees what stands up, whatever it reflects of light: a cell is as bright as what is above it
is high. All constants are reconstructed: chosen on simulated validation worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.contrast import CONTENT
from ssd_ros.bev.ground import heights_above_ground
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.submap import panorama_of_returns
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity
from transforms3d.quaternions import quat2mat

STEP_M = 2.0  # from scan to scan
# Of way in a local map, half of it before its middle. What a LiDAR that looks ahead does not see
# there was ahead before, or will be beside.
WAY_AROUND_M, WAY_AHEAD_M = 20.0, 150.0
_NUM_SECTORS, _SECTORS_AROUND = 36, 30  # who sees so many of them sees all around
_LOW_M, _HIGH_M = 0.3, 6.0  # above the ground, between which a radar sees
_VOXEL_M = 0.4
_MIN_SEEN = 2  # scans that see a column, of several; a mover is not where it was
_SPLAT = 2  # cells around each column that are as bright: a radar sees it as wide
_LEVELS = 16  # of voxels above each other
_MAX_REACH_M = 300.0
_MAX_SCANS = 255


class LidarScan(NamedTuple):
    """
    What of a scan is kept.

    :param position_m: shape (3,), of the LiDAR in the map
    :param points_m: shape (P, 3) float32, from there, in the axes of the map; z above the ground
    :param is_around: the LiDAR sees all around
    """

    position_m: NDArray[np.float64]
    points_m: NDArray[np.float32]
    is_around: bool = True

    @property
    def way_m(self) -> float:
        """How much of the way shows what lies around."""
        return WAY_AROUND_M if self.is_around else WAY_AHEAD_M


def standing_points(
    cloud: LidarPointCloud, poses: Trajectory, row: int, config: PreprocessingConfig
) -> LidarScan:
    """
    Return what of a scan stands still and on the ground, one point a voxel.

    :param poses: of the LiDAR in the map
    :param row: that of the scan
    """
    near = np.hypot(cloud.xyz_m[:, 0], cloud.xyz_m[:, 1]) <= _reach_m(config)
    turn = quat2mat(np.roll(poses.quaternions_xyzw[row], 1)).astype(np.float32)
    level_m = cloud.xyz_m[near] @ turn.T
    height_m = heights_above_ground(level_m)
    kept = np.flatnonzero((height_m > _LOW_M) & (height_m < _HIGH_M))
    level_m[:, 2] = height_m
    kept = kept[_first_of_voxels(level_m[kept])]
    if cloud.radial_velocity_mps is not None:
        near[near] = np.isin(np.arange(len(level_m)), kept)
        kept = kept[_stands_still(cloud.select(near), config.ego_velocity)]
    return LidarScan(poses.positions_m[row], level_m[kept], _is_around(cloud.xyz_m))


class LidarPanorama(NamedTuple):
    """
    The 360 degree polar BEV of a place, twice, of shape (num_ranges, panorama_azimuths).

    :param image: every return spread over the cells around it, as wide as radar sees it
    :param sharp: every return in its cell
    """

    image: NDArray[np.uint8]
    sharp: NDArray[np.uint8]


def panorama_of_lidar(
    scans: Sequence[LidarScan],
    position_m: NDArray[np.float64],
    yaw_rad: float,
    config: PreprocessingConfig,
) -> LidarPanorama:
    """
    Return what several scans show around a place.

    :param position_m: of the place in the map, shape (3,)
    :param yaw_rad: of the panorama's forward there
    """
    reach_m = _reach_m(config)
    returns = _columns_around(scans, position_m, yaw_rad, reach_m)
    grid, cloud = config.grid, replace(config.cloud, normalisation=CONTENT)
    image, sharp = (
        panorama_of_returns(returns, grid, replace(cloud, splat_radius=radius), reach_m)
        for radius in (_SPLAT, 0)
    )
    return LidarPanorama(image, sharp)


def _columns_around(
    scans: Sequence[LidarScan], position_m: NDArray[np.float64], yaw_rad: float, reach_m: float
) -> NDArray[np.float32]:
    """Return the columns seen repeatedly, shape (P, 4): x, y, 0 and their height in decibels."""
    half = int(np.ceil(reach_m / _VOXEL_M))
    num = 2 * half  # columns along a side
    has_point = np.zeros((num * num, _LEVELS), bool)
    num_seen = np.zeros(num * num, np.uint8)
    for scan in scans[:_MAX_SCANS]:
        shift_m = (scan.position_m - position_m)[:2].astype(np.float32)
        cells = np.floor((scan.points_m[:, :2] + shift_m) / _VOXEL_M).astype(np.int64) + half
        inside = ((cells >= 0) & (cells < num)).all(axis=1)
        column = cells[inside, 0] * num + cells[inside, 1]
        level = (scan.points_m[inside, 2] / _VOXEL_M).astype(np.int64)
        has_point[column, np.minimum(level, _LEVELS - 1)] = True
        is_seen = np.zeros(num * num, bool)
        is_seen[column] = True
        num_seen += is_seen
    kept = np.flatnonzero(num_seen >= max(min(_MIN_SEEN, len(scans)), 1))
    centre_m = (np.stack(np.divmod(kept, num), axis=1) - half + 0.5) * _VOXEL_M
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    x, y = (centre_m @ np.array([[cos, -sin], [sin, cos]])).T
    level_db = 10 * np.log10(np.count_nonzero(has_point[kept], axis=1))
    return np.column_stack([x, y, np.zeros(len(x)), level_db]).astype(np.float32)


def _reach_m(config: PreprocessingConfig) -> float:
    return min(config.grid.max_range_m, _MAX_REACH_M)


def _is_around(xyz_m: NDArray[np.float32]) -> bool:
    share = np.arctan2(xyz_m[:, 1], xyz_m[:, 0]) / (2 * np.pi) + 0.5
    sectors = np.unique((share * _NUM_SECTORS).astype(np.int64))
    return len(sectors) >= _SECTORS_AROUND


def _first_of_voxels(xyz_m: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return which points are the first of their voxel."""
    x, y, z = np.floor(xyz_m / _VOXEL_M).astype(np.int64).T
    key = ((x + 32768) * 65536 + y + 32768) * _LEVELS + np.clip(z, 0, _LEVELS - 1)
    return np.sort(np.unique(key, return_index=True)[1])


def _stands_still(cloud: LidarPointCloud, config: EgoVelocityConfig) -> NDArray[np.bool_]:
    """Return which points of a LiDAR with Doppler do not move."""
    assert cloud.radial_velocity_mps is not None
    strength = np.zeros(len(cloud), np.float32)
    return estimate_ego_velocity(cloud.xyz_m, strength, cloud.radial_velocity_mps, config).usable
