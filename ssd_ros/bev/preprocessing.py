# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From what the radars send to what the networks see: the chain that every caller shares.

4D radar: ego-velocity, removal of movers, polar BEV, maximum over the last scans.
Spinning radar: 360 degree polar BEV and its views.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import (
    CloudBevConfig,
    panorama_from_scan,
    polar_bev_from_points,
    PolarGrid,
    ScanBevConfig,
)
from ssd_ros.radar.ego_velocity import (
    EgoVelocity,
    EgoVelocityConfig,
    estimate_ego_velocity,
    Motion,
)
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.records import check_limits, Limits

_LIMITS = {'num_scans': Limits(1, 1000), 'max_window_s': Limits(0, 3600)}
_EGO_VELOCITY_LIMITS = {
    'max_range_m': Limits(0, 1e5),
    'min_rcs_dbsm': Limits(-1e3, 1e3),
    'min_z_m': Limits(-1e5, 1e5),
    'max_azimuth_deg': Limits(0, 180),
    'max_elevation_deg': Limits(0, 90),
    'standstill_quantile': Limits(0, 1),
    'standstill_mps': Limits(0, 1e3),
    'num_draws': Limits(1, 10_000),
    'max_condition': Limits(1, 1e15),
    'inlier_mps': Limits(0, 1e3),
    'max_sigma_mps': Limits(0, 1e3),
    'seed': Limits(0, 1 << 62),
}


@dataclass(frozen=True, slots=True)
class PreprocessingConfig:
    """Everything between a radar and a network; part of every model's contract."""

    grid: PolarGrid = field(default_factory=PolarGrid)
    cloud: CloudBevConfig = field(default_factory=CloudBevConfig)
    scan: ScanBevConfig = field(default_factory=ScanBevConfig)
    ego_velocity: EgoVelocityConfig = field(default_factory=EgoVelocityConfig)
    num_scans: int = 5  # 4D scans in one image, not motion compensated
    max_window_s: float = 1.0  # reconstructed: older scans leave the window

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        check_limits(self.ego_velocity, _EGO_VELOCITY_LIMITS)


@dataclass(frozen=True, slots=True)
class CloudImage:
    """
    The network's view of the last 4D radar scans.

    :param bev: shape (num_ranges, num_azimuths) uint8
    :param ego_velocity: of the newest scan
    :param points_m: shape (P, 2) float32, static returns of the window in the frame of the newest
        scan, x forward, y left; older ones moved by the ego-velocity
    """

    bev: NDArray[np.uint8]
    ego_velocity: EgoVelocity
    points_m: NDArray[np.float32]

    @property
    def num_points(self) -> int:
        """Static returns in the window that the image shows."""
        return len(self.points_m)


@dataclass(slots=True)
class _WindowScan:
    """One scan of the window, its points in the frame of the newest one."""

    stamp_ns: int
    bev: NDArray[np.uint8]
    points_m: NDArray[np.float32]


class CloudPreprocessor:
    """Turn a stream of 4D radar scans into polar BEV images."""

    def __init__(self, config: PreprocessingConfig) -> None:
        self._config = config
        self._window: deque[_WindowScan] = deque(maxlen=config.num_scans)
        self._velocity_mps: NDArray[np.floating] = np.zeros(2)

    def clear(self) -> None:
        """Forget the scans so far."""
        self._window.clear()
        self._velocity_mps = np.zeros(2)

    def process(self, cloud: RadarPointCloud) -> CloudImage:
        """
        Add one scan and return the maximum over the window.

        A stamp earlier than the last one (a bag that loops) starts a new window.
        """
        config = self._config
        motion = estimate_ego_velocity(
            cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, config.ego_velocity
        )
        bev = polar_bev_from_points(
            cloud.xyz_m[motion.usable], cloud.rcs_dbsm[motion.usable], config.grid, config.cloud
        )
        window = self._window
        if window and cloud.stamp_ns < window[-1].stamp_ns:
            self.clear()
        while window and cloud.stamp_ns - window[0].stamp_ns > config.max_window_s * 1e9:
            window.popleft()
        if motion.motion is not Motion.UNKNOWN:
            self._velocity_mps = motion.velocity_mps[:2]
        if window:
            self._move_window(cloud.stamp_ns - window[-1].stamp_ns)
        window.append(_WindowScan(cloud.stamp_ns, bev, cloud.xyz_m[motion.usable, :2]))
        image = window[0].bev.copy()
        for older in list(window)[1:]:
            np.maximum(image, older.bev, out=image)
        return CloudImage(image, motion, np.concatenate([scan.points_m for scan in window]))

    def _move_window(self, elapsed_ns: int) -> None:
        """Bring the points to where the radar is now; its turning is not known."""
        shift_m = (self._velocity_mps * (elapsed_ns / 1e9)).astype(np.float32)
        for scan in self._window:
            scan.points_m = scan.points_m - shift_m


def scan_panorama(scan: SpinningRadarScan, config: PreprocessingConfig) -> NDArray[np.uint8]:
    """Return the 360 degree polar BEV, shape (num_ranges, panorama_azimuths)."""
    return panorama_from_scan(scan, config.grid, config.scan)
