# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Local maps of the 4D radar: static returns gathered along the way, as a turn of a spinning radar.

A scan shows 120 degrees; what lay behind was ahead before, and what lies ahead will be beside. The
place in the middle of a way is thus seen all around, also as one sees it who comes the other way.
All constants are reconstructed: chosen on a simulated validation world driven both ways.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import CloudBevConfig, polar_bev_from_points, PolarGrid
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.way_window import seen_from, WayWindow, WindowScan
from ssd_ros.motion.scan_motion import ScanMotion
from ssd_ros.radar.ego_velocity import EgoVelocity
from ssd_ros.radar.types import RadarPointCloud

# To the left of the own one. Who comes the other way sees a place from the lane beside.
LANES_M = (0.0, 3.5, -3.5)
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
    returns: NDArray[np.float32], grid: PolarGrid, cloud: CloudBevConfig, reach_m: float
) -> NDArray[np.uint8]:
    """
    Return the 360 degree polar BEV of returns of the 4D radar, or of what stands for them.

    :param returns: shape (P, 4): x, y, z in metres, and RCS in dBsm
    :param reach_m: farther ones are left out: ahead they reach farther than behind
    :return: shape (num_ranges, panorama_azimuths); the left edge of column 0 is forward
    """
    around = replace(grid, num_azimuths=grid.panorama_azimuths, fov_deg=360.0)
    near = returns[np.hypot(returns[:, 0], returns[:, 1]) <= reach_m]
    image = polar_bev_from_points(near[:, :3], near[:, 3], around, cloud)
    # Its columns begin behind, those of a panorama ahead.
    return np.roll(image, -(grid.panorama_azimuths // 2), axis=1)


def submap_panorama(
    returns: NDArray[np.float32], config: PreprocessingConfig, reach_m: float
) -> NDArray[np.uint8]:
    """Return the panorama of a submap, whose returns of many scans need not be spread to meet."""
    cloud = replace(config.cloud, splat_radius=0)
    return panorama_of_returns(returns, config.grid, cloud, reach_m)


class LocalMap(NamedTuple):
    """
    What was seen on the way to a place and on from it, put together only when it is asked for.

    :param middle: the scan at the place, with the tag that the caller knows it by
    :param scans: of the way, the oldest first
    """

    middle: WindowScan
    scans: tuple[WindowScan, ...]

    @property
    def before_m(self) -> float:
        """Length of the way before the middle."""
        return self.middle.way_m - self.scans[0].way_m

    def returns(self) -> NDArray[np.float32]:
        """Return all returns in the frame of the scan in the middle, shape (P, 4)."""
        return seen_from(self.middle, self.scans)


class SubmapWindow:
    """
    The local map of the place half its length back, scan by scan.

    A place is known once the vehicle has left it by half the length.
    """

    def __init__(self, length_m: float) -> None:
        """
        Start without a scan.

        :param length_m: of the way that a submap shows, half of it before its middle
        """
        self._half_m = length_m / 2
        self._window = WayWindow(length_m, _STEP_M)
        self._scan_motion = ScanMotion()

    def clear(self) -> None:
        """Forget the scans so far."""
        self._window.clear()
        self._scan_motion.clear()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """Take over how the radar is mounted, see ScanMotion."""
        self._scan_motion.mount(base_radar)

    @property
    def is_new(self) -> bool:
        """Whether the way begins here: at the first scan, or where the motion was not known."""
        return self._window.way_m == 0

    def add(
        self,
        cloud: RadarPointCloud,
        ego_velocity: EgoVelocity,
        planar: NDArray[np.float64] | None,
        segment: int,
        tag: Any,
    ) -> LocalMap | None:
        """
        Add a scan and return the local map of the place half a submap back.

        :param planar: shape (3,): x, y, yaw of the radar in the odometry frame; None = by Doppler
        :param segment: of the odometry, see ssd_ros.motion.pose_chain
        :param tag: what the caller knows the scan by
        :return: None until the vehicle has come so far
        """
        motion = self._scan_motion.add(cloud.stamp_ns, ego_velocity.known_mps, planar, segment)
        static = cloud.select(ego_velocity.usable)
        self._window.add(np.column_stack([static.xyz_m, static.rcs_dbsm]), motion, tag)
        middle = self._window.back(self._half_m)
        return None if middle is None else LocalMap(middle, self._window.scans)


class SubmapStream:
    """Submaps of a drive, one after the other."""

    def __init__(self, length_m: float, spacing_m: float) -> None:
        """
        Start without a scan.

        :param length_m: as for SubmapWindow
        :param spacing_m: between the middles of two submaps, at least that of their scans
        """
        self._spacing_m = max(spacing_m, _STEP_M)
        self._window = SubmapWindow(length_m)
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

        :param planar: as for SubmapWindow; so is the segment
        :param tag: one of None is not the middle of a submap
        :return: None where no submap is due; returns of shape (P, 4), in the frame of that scan
        """
        submap = self._window.add(cloud, ego_velocity, planar, segment, tag)
        if self._window.is_new:
            self._last_m = -np.inf
        if submap is None or submap.middle.tag is None:
            return None
        if submap.middle.way_m < self._last_m + self._spacing_m:
            return None
        self._last_m = submap.middle.way_m
        return submap.middle.tag, submap.returns()


@dataclass(frozen=True)  # with slots nothing could be computed once
class SubmapImage:
    """
    A local map as it is asked with, in place of the image of a window of scans.

    :param reach_m: returns farther from its middle are left out
    :param ego_velocity: of the newest scan
    :param to_left_m: of the middle, from where it is looked at
    """

    submap: LocalMap
    config: PreprocessingConfig
    reach_m: float
    ego_velocity: EgoVelocity
    to_left_m: float = 0.0

    @cached_property
    def bev(self) -> NDArray[np.uint8]:
        """What outstands all around the middle, shape (num_ranges, panorama_azimuths)."""
        return submap_panorama(self.outstanding, self.config, self.reach_m)

    @property
    def points_m(self) -> NDArray[np.float32]:
        """Where that is, shape (P, 2), in the frame of the middle: x forward, y left."""
        near = np.hypot(*self.outstanding[:, :2].T) <= self.reach_m
        return self.outstanding[near, :2]

    @cached_property
    def outstanding(self) -> NDArray[np.float32]:
        """Its returns that look alike from both ways, shape (P, 4)."""
        return outstanding(self.submap.returns()) - np.array([0, self.to_left_m, 0, 0], np.float32)

    @property
    def num_points(self) -> int:
        """Static returns of all its scans."""
        return sum(len(scan.returns) for scan in self.submap.scans)
