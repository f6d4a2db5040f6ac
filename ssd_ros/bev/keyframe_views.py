# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keyframes of a drive as panoramas: turns of a spinning radar, or local maps of a LiDAR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.lidar_map import (
    LidarScan,
    panorama_of_lidar,
    standing_points,
    STEP_M,
    WAY_AROUND_M,
)
from ssd_ros.bev.preprocessing import PreprocessingConfig, scan_panorama
from ssd_ros.datasets.left_out import LeftOut
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.motion.trajectory import thin_by_distance, Trajectory


class PosedScans(NamedTuple):
    """
    The scans of a sensor that have a pose.

    :param numbers: of the scans in the drive, shape (N,)
    :param poses: one for each
    """

    sequence: RadarSequence
    numbers: NDArray[np.int64]
    poses: Trajectory


class PlaceView(NamedTuple):
    """
    A place of a drive, seen all around.

    :param row: of its pose
    :param panorama: shape (num_ranges, panorama_azimuths), that is encoded
    :param sharp: the same, for its returns
    """

    row: int
    panorama: NDArray[np.uint8]
    sharp: NDArray[np.uint8]


def turns(
    posed: PosedScans, config: PreprocessingConfig, distance_m: float, left_out: LeftOut
) -> Iterator[PlaceView]:
    """
    Yield turns of a spinning radar so far apart.

    The next scan takes the place of one that cannot be read: a damaged file leaves no gap in the
    map.
    """
    last = np.full(2, np.inf)
    for row, position in enumerate(posed.poses.positions_m[:, :2]):
        if row and np.hypot(*(position - last)) < distance_m:
            continue
        scan = left_out.read(posed.sequence.scan, int(posed.numbers[row]))
        if scan is not None:
            last = position
            panorama = scan_panorama(scan, config)
            yield PlaceView(row, panorama, panorama)


def local_maps(
    posed: PosedScans, config: PreprocessingConfig, distance_m: float, left_out: LeftOut
) -> Iterator[PlaceView]:
    """
    Yield what a LiDAR shows around places so far apart.

    Every scan is read once; one that cannot be read is missing in the maps around it.
    """
    poses = posed.poses
    steps_m = np.linalg.norm(np.diff(poses.positions_m, axis=0), axis=1)
    way_m = np.concatenate([[0.0], np.cumsum(steps_m)])
    chosen = thin_by_distance(poses.positions_m, STEP_M)
    kept: dict[int, LidarScan | None] = {}
    length_m = WAY_AROUND_M

    def read(one: int) -> LidarScan | None:
        cloud = left_out.read(posed.sequence.lidar, int(posed.numbers[one]))
        return None if cloud is None else standing_points(cloud, poses, one, config)

    for row in thin_by_distance(poses.positions_m, distance_m).tolist():
        apart_m = np.abs(way_m[chosen] - way_m[row])
        nearest = int(chosen[apart_m.argmin()])
        kept[nearest] = here = kept[nearest] if nearest in kept else read(nearest)
        length_m = length_m if here is None else here.way_m
        near = chosen[apart_m <= length_m / 2].tolist()
        kept = {one: kept[one] if one in kept else read(one) for one in near}
        if scans := [scan for scan in kept.values() if scan is not None]:
            yaw_rad = float(poses.yaws_rad[row])
            view = panorama_of_lidar(scans, poses.positions_m[row], yaw_rad, config)
            yield PlaceView(row, *view)


VIEWS = {'spinning': turns, 'lidar': local_maps}
