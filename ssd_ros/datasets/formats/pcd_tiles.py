# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A map of points as one PCD file or tiles of it (Autoware), and the way that a vehicle takes in it.

What stands within reach of a pose is taken for a scan of a LiDAR there. Only where points are
counts; tiles may be in UTM if their numbers have 8 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import Origin
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.lidar.pcd import read_pcd
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from transforms3d.quaternions import quat2mat

OPTIONS = ()
SUFFIX = '.pcd'
AUTOWARE_FILE = 'pointcloud_map_metadata.yaml'
REACH_M = 160.0  # a little more than a radar sees
MAX_POINTS = 100_000_000  # after thinning: 1.2 GB
_VOXEL_M = 0.2
_BLOCK_M = 80.0


class _Points(NamedTuple):
    """
    Points of all tiles, those of a block together.

    :param zero_m: shape (3,) float64, of the map, from where they count
    :param xyz_m: shape (N, 3) float32
    :param blocks: where those of each block stand, by its numbers in x and y
    """

    zero_m: NDArray[np.float64]
    xyz_m: NDArray[np.float32]
    blocks: dict[tuple[int, int], slice]


@dataclass
class PcdTiles:
    """
    A map of points; satisfies RadarSequence. Without a way it has no scan.

    :param lidar_poses: of the vehicle in it
    """

    name: str
    paths: list[Path]
    lidar_poses: Trajectory = field(default_factory=empty_trajectory)
    origin: Origin = field(default_factory=Origin)

    def along(self, poses: Trajectory) -> PcdTiles:
        """Return the map as it is seen on a way through it."""
        return PcdTiles(self.name, self.paths, poses, self.origin)

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """None."""
        return np.empty(0, np.int64)

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """None."""
        return np.empty(0, np.int64)

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the poses."""
        return self.lidar_poses.stamps_ns

    @property
    def cloud_poses(self) -> Trajectory:
        """None."""
        return empty_trajectory()

    @property
    def scan_poses(self) -> Trajectory:
        """None."""
        return empty_trajectory()

    def cloud(self, index: int) -> RadarPointCloud:
        """Refuse: there is no 4D radar."""
        raise IndexError(f'{self.name} has no 4D radar, so no cloud {index}')

    def scan(self, index: int) -> SpinningRadarScan:
        """Refuse: there is no spinning radar."""
        raise IndexError(f'{self.name} has no spinning radar, so no scan {index}')

    def lidar(self, index: int) -> LidarPointCloud:
        """
        Return the points within reach of a pose.

        :raise ValueError: none is: the poses are of another frame than the tiles
        """
        zero_m, xyz_m, blocks = self._points
        poses = self.lidar_poses
        here_m = poses.positions_m[index] - zero_m
        low, high = (np.floor((here_m[:2] + side * REACH_M) / _BLOCK_M) for side in (-1, 1))
        around = [
            xyz_m[blocks[column, row]]
            for column in range(int(low[0]), int(high[0]) + 1)
            for row in range(int(low[1]), int(high[1]) + 1)
            if (column, row) in blocks
        ]
        points_m = np.concatenate([np.zeros((0, 3), np.float32), *around])
        points_m = points_m - here_m.astype(np.float32)
        points_m = points_m[np.hypot(points_m[:, 0], points_m[:, 1]) < REACH_M]
        if not len(points_m):
            raise ValueError(
                f'no point of the map lies within {REACH_M:g} m of '
                f'{np.round(poses.positions_m[index], 1).tolist()}: are the poses in its frame?'
            )
        turn = quat2mat(np.roll(poses.quaternions_xyzw[index], 1)).astype(np.float32)
        unknown = np.full(len(points_m), np.nan, np.float32)
        return LidarPointCloud(int(poses.stamps_ns[index]), points_m @ turn, unknown)

    @cached_property
    def _points(self) -> _Points:
        """Read all tiles, thinned."""
        zero_m: NDArray[np.float64] | None = None
        tiles, num = [], 0
        for path in self.paths:
            columns = read_pcd(path)
            if missing := [axis for axis in ('x', 'y', 'z') if axis not in columns]:
                raise ValueError(f'{path} has no field {missing[0]}, but {list(columns)}')
            xyz_m = np.stack([columns[axis].ravel() for axis in ('x', 'y', 'z')], axis=1)
            xyz_m = xyz_m[np.isfinite(xyz_m).all(axis=1)].astype(np.float64)
            if not len(xyz_m):
                continue
            if zero_m is None:
                zero_m = np.floor(xyz_m[0] / _BLOCK_M) * _BLOCK_M
            tiles.append(_thinned((xyz_m - zero_m).astype(np.float32)))
            num += len(tiles[-1])
            if num > MAX_POINTS:
                raise ValueError(
                    f'{self.name} has more points than the {MAX_POINTS} that are supported, '
                    f'thinned to {_VOXEL_M:g} m: make maps of parts of it'
                )
        if zero_m is None:
            raise ValueError(f'{self.name} has no points')
        xyz_m = np.concatenate(tiles)
        numbers, place = np.unique(
            np.floor(xyz_m[:, :2] / _BLOCK_M).astype(np.int64), axis=0, return_inverse=True
        )
        place = place.reshape(-1)
        ends = np.cumsum(np.bincount(place, minlength=len(numbers))).tolist()
        blocks = {
            (column, row): slice(first, end)
            for (column, row), first, end in zip(numbers.tolist(), [0, *ends], ends, strict=False)
        }
        return _Points(zero_m, xyz_m[np.argsort(place, kind='stable')], blocks)


def _thinned(xyz_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return one point of each voxel."""
    voxels = np.floor(xyz_m / _VOXEL_M).astype(np.int64)
    voxels -= voxels.min(axis=0)
    sizes = voxels.max(axis=0) + 1
    if (sizes > 1 << 21).any():
        raise ValueError('the points of a tile lie farther apart than 400 km')
    _, first = np.unique(
        (voxels[:, 0] * sizes[1] + voxels[:, 1]) * sizes[2] + voxels[:, 2], return_index=True
    )
    return xyz_m[np.sort(first)]


def open_pcd_tiles(path: Path) -> PcdTiles:
    """
    Find the files of a map.

    :param path: a PCD file, or a folder of them
    :raise FileNotFoundError: there is none
    """
    paths = [path] if path.is_file() else sorted(path.rglob(f'*{SUFFIX}'))
    if not paths:
        raise FileNotFoundError(f'{path} has no {SUFFIX} files')
    return PcdTiles(path.stem if path.is_file() else path.resolve().name, paths)
