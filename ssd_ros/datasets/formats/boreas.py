# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Boreas and Boreas-RT: Navtech CIR304-H and RAS6, radar/<us>.png, applanix/radar_poses.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.formats.boreas_lidar import BoreasLidar, FILES, open_lidar
from ssd_ros.datasets.formats.polar_sequence import PolarPngSequence
from ssd_ros.datasets.poses import empty_trajectory, read_boreas_poses
from ssd_ros.datasets.stamped_files import find_below, radar_paths
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory

RANGE_OFFSET_M = -0.31
EARLY_RANGE_RESOLUTION_M = 0.0596
LATE_RANGE_RESOLUTION_M = 0.04381
OPTIONS = ('range_resolution_m', 'lidar_source')
_NEW_FIRMWARE_NS = 1_632_182_400_000_000_000  # 2021-09-21


@dataclass(slots=True)
class BoreasSequence(PolarPngSequence):
    """One drive; either sensor may be missing."""

    own_lidar: BoreasLidar | None = None

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the LiDAR's scans: their middle, of an Aeva their begin; shape (K,)."""
        return np.empty(0, np.int64) if self.own_lidar is None else self.own_lidar.stamps_ns

    @property
    def lidar_poses(self) -> Trajectory:
        """Poses of a frame in the LiDAR's place that looks ahead."""
        return empty_trajectory() if self.own_lidar is None else self.own_lidar.poses

    def lidar(self, index: int) -> LidarPointCloud:
        """Read one scan of the LiDAR."""
        if self.own_lidar is None:
            raise IndexError(f'{self.name} has no LiDAR, so no scan {index}')
        return self.own_lidar.scan(index)


def open_boreas(
    root: Path, range_resolution_m: float | None = None, lidar_source: str | None = None
) -> BoreasSequence:
    """
    Open one drive; a scan's stamp is the middle of its sweep, and the poses are at these stamps.

    :param range_resolution_m: None = that of the firmware on the day of the drive
    :param lidar_source: lidar or aeva; None = the first that is there with its calibration
    :raise FileNotFoundError: there is no folder `radar`, and no LiDAR either
    :raise ValueError: the LiDAR that was named is not there or not calibrated
    """
    found = find_below(root, {'radar', 'radar_poses.csv', *FILES})
    own_lidar = open_lidar(root, found, lidar_source)
    stamps_ns, paths = np.empty(0, np.int64), list[Path]()
    if 'radar' in found or own_lidar is None:
        stamps_ns, paths = radar_paths(root, found, ['radar'])
    path = found.get('radar_poses.csv')
    poses = empty_trajectory() if path is None else read_boreas_poses(path)
    is_early = len(stamps_ns) > 0 and stamps_ns[0] < _NEW_FIRMWARE_NS
    usual_m = EARLY_RANGE_RESOLUTION_M if is_early else LATE_RANGE_RESOLUTION_M
    return BoreasSequence(
        root.name,
        paths,
        stamps_ns,
        poses,
        range_resolution_m or usual_m,
        RANGE_OFFSET_M,
        own_lidar=own_lidar,
    )
