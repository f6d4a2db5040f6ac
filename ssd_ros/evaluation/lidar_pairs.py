# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scan of the LiDAR beside each scan of the 4D radar, in the frame of the radar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.motion.trajectory import Trajectory
from transforms3d.quaternions import quat2mat

MAX_GAP_NS = 50_000_000  # reconstructed: farther apart they show different moments


class LidarPair(NamedTuple):
    """
    Two scans of one moment.

    :param radar_lidar: shape (4, 4), pose of the LiDAR in the frame of the 4D radar
    """

    cloud: int
    lidar: int
    radar_lidar: NDArray[np.float64]


def lidar_pairs(
    sequence: RadarSequence, clouds: NDArray[np.int64], cloud_poses: Trajectory
) -> list[LidarPair]:
    """
    Return the scan of the LiDAR nearest in time for those 4D scans that have one.

    Where both stood when they measured is known from their poses: how they are mounted, and the
    way between the two moments.

    :param clouds: numbers of 4D scans
    :param cloud_poses: theirs
    """
    posed, lidar_poses = sequence.lidar_poses.at(sequence.lidar_stamps_ns)
    if len(posed) == 0:
        return []
    nearest, is_near = lidar_poses.nearest(cloud_poses.stamps_ns, MAX_GAP_NS)
    return [
        LidarPair(
            int(clouds[row]),
            int(posed[partner]),
            _between(cloud_poses, row, lidar_poses, partner),
        )
        for row, partner in enumerate(nearest.tolist())
        if is_near[row]
    ]


def lidar_points(sequence: RadarSequence, pair: LidarPair) -> NDArray[np.float32]:
    """Return the points of a pair's LiDAR in the frame of the 4D radar, shape (N, 3)."""
    xyz_m = sequence.lidar(pair.lidar).xyz_m
    turn, shift_m = pair.radar_lidar[:3, :3], pair.radar_lidar[:3, 3]
    return (xyz_m @ turn.T.astype(np.float32)) + shift_m.astype(np.float32)


def _between(
    radars: Trajectory, radar: int, lidars: Trajectory, lidar: int
) -> NDArray[np.float64]:
    """Return the pose of a LiDAR in the frame of a radar, shape (4, 4)."""
    map_radar, map_lidar = np.eye(4), np.eye(4)
    for pose, poses, row in ((map_radar, radars, radar), (map_lidar, lidars, lidar)):
        pose[:3, :3] = quat2mat(np.roll(poses.quaternions_xyzw[row], 1))
        pose[:3, 3] = poses.positions_m[row]
    return np.linalg.inv(map_radar) @ map_lidar
