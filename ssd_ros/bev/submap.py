# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Local maps of the 4D radar: static returns gathered along the way, as a turn of a spinning radar.

A scan shows 120 degrees; what lay behind was ahead before, and what lies ahead will be beside. The
place in the middle of a way is thus seen all around, also as one sees it who comes the other way.
All constants are reconstructed: chosen on a simulated validation world driven both ways.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import polar_bev_from_points
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.way_window import WayWindow
from ssd_ros.motion.scan_motion import ScanMotion
from ssd_ros.radar.ego_velocity import EgoVelocity
from ssd_ros.radar.types import RadarPointCloud

_STEP_M = 0.5  # from scan to scan
_STRONGEST = 1 / 3  # of the returns; the others depend more on where they are seen from
_CELL_M, _MIN_SEEN = 0.5, 3  # returns in a cell, fewer are chance


def outstanding(returns: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return what looks alike from both ways: the strong returns that were seen repeatedly.

    :param returns: shape (P, 4): x, y, z in metres, and RCS in dBsm
    :return: some of them
    """
    if len(returns) == 0:
        return returns
    strong = returns[returns[:, 3] >= np.quantile(returns[:, 3], 1 - _STRONGEST)]
    column, row = np.floor(strong[:, :2] * (1 / _CELL_M)).astype(np.int64).T
    _, cell, count = np.unique(column * 65536 + row, return_inverse=True, return_counts=True)
    return strong[count[cell] >= _MIN_SEEN]


def panorama_of_returns(
    returns: NDArray[np.float32], config: PreprocessingConfig, reach_m: float
) -> NDArray[np.uint8]:
    """
    Return the 360 degree polar BEV of returns of the 4D radar.

    :param returns: shape (P, 4): x, y, z in metres, and RCS in dBsm
    :param reach_m: farther ones are left out: ahead they reach farther than behind
    :return: shape (num_ranges, panorama_azimuths); the left edge of column 0 is forward
    """
    grid = config.grid
    around = replace(grid, num_azimuths=grid.panorama_azimuths, fov_deg=360.0)
    near = returns[np.hypot(returns[:, 0], returns[:, 1]) <= reach_m]
    # Returns of many scans need not be spread to meet.
    cloud = replace(config.cloud, splat_radius=0)
    image = polar_bev_from_points(near[:, :3], near[:, 3], around, cloud)
    # Its columns begin behind, those of a panorama ahead.
    return np.roll(image, -(grid.panorama_azimuths // 2), axis=1)


class SubmapStream:
    """
    Submaps of a drive, one after the other.

    A submap is known once the vehicle has left its middle by half its length.
    """

    def __init__(self, length_m: float, spacing_m: float) -> None:
        """
        Start without a scan.

        :param length_m: of the way that a submap shows, half of it before its middle
        :param spacing_m: between the middles of two submaps
        """
        self._half_m, self._spacing_m = length_m / 2, spacing_m
        self._window = WayWindow(length_m, _STEP_M)
        self._scan_motion = ScanMotion()
        self._last_m = -np.inf  # way until the middle of the last submap

    def add(
        self,
        cloud: RadarPointCloud,
        ego_velocity: EgoVelocity,
        planar: NDArray[np.float64] | None,
        segment: int,
        tag: Any,
    ) -> tuple[Any, NDArray[np.float32]] | None:
        """
        Add a scan; return the tag of the scan in the middle of a new submap, and its returns.

        :param planar: shape (3,): x, y, yaw of the radar in the odometry frame; None = by Doppler
        :param segment: of the odometry, see ssd_ros.motion.pose_chain
        :param tag: what the caller knows the scan by; one of None is not the middle of a submap
        :return: None where no submap is due; returns of shape (P, 4), in the frame of that scan
        """
        motion = self._scan_motion.add(cloud.stamp_ns, ego_velocity.known_mps, planar, segment)
        if motion is None:
            self._last_m = -np.inf
        static = cloud.select(ego_velocity.usable)
        returns = np.column_stack([static.xyz_m, static.rcs_dbsm])
        self._window.add(returns, motion, tag)
        middle = self._window.back(self._half_m)
        if middle is None or middle.tag is None:
            return None
        if middle.way_m < self._last_m + self._spacing_m:
            return None
        self._last_m = middle.way_m
        return middle.tag, self._window.seen_from(middle)
