# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive without a spinning radar, whose clouds are files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import Origin
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan

Cloud = TypeVar('Cloud', RadarPointCloud, LidarPointCloud)


@dataclass(frozen=True, slots=True)
class CloudFiles(Generic[Cloud]):
    """
    The clouds of one sensor.

    :param stamps_ns: shape (N,) int64, ascending, one for each path
    :param read: makes a cloud of a file and its stamp
    """

    stamps_ns: NDArray[np.int64]
    paths: list[Path]
    read: Callable[[Path, int], Cloud]
    poses: Trajectory = field(default_factory=empty_trajectory)

    def cloud(self, index: int) -> Cloud:
        """Read one cloud."""
        return self.read(self.paths[index], int(self.stamps_ns[index]))


@dataclass(slots=True)
class CloudSequence:
    """
    Clouds of a 4D radar, of a LiDAR or of both; satisfies RadarSequence.

    :param radar: None = there is none, likewise `own_lidar`
    """

    name: str
    radar: CloudFiles[RadarPointCloud] | None = None
    own_lidar: CloudFiles[LidarPointCloud] | None = None
    origin: Origin = field(default_factory=Origin)

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the 4D radar scans, shape (N,)."""
        return np.empty(0, np.int64) if self.radar is None else self.radar.stamps_ns

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the LiDAR's scans, shape (K,)."""
        return np.empty(0, np.int64) if self.own_lidar is None else self.own_lidar.stamps_ns

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """None."""
        return np.empty(0, np.int64)

    @property
    def cloud_poses(self) -> Trajectory:
        """Poses of the 4D radar."""
        return empty_trajectory() if self.radar is None else self.radar.poses

    @property
    def lidar_poses(self) -> Trajectory:
        """Poses of the LiDAR."""
        return empty_trajectory() if self.own_lidar is None else self.own_lidar.poses

    @property
    def scan_poses(self) -> Trajectory:
        """None."""
        return empty_trajectory()

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one 4D radar scan."""
        if self.radar is None:
            raise IndexError(f'{self.name} has no 4D radar, so no cloud {index}')
        return self.radar.cloud(index)

    def lidar(self, index: int) -> LidarPointCloud:
        """Read one scan of the LiDAR."""
        if self.own_lidar is None:
            raise IndexError(f'{self.name} has no LiDAR, so no scan {index}')
        return self.own_lidar.cloud(index)

    def scan(self, index: int) -> SpinningRadarScan:
        """Refuse: there is no spinning radar."""
        raise IndexError(f'{self.name} has no spinning radar, so no scan {index}')
