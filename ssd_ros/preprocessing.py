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
from ssd_ros.ego_velocity import EgoVelocity, EgoVelocityConfig, estimate_ego_velocity
from ssd_ros.polar_bev import (
    CloudBevConfig,
    panorama_from_scan,
    polar_bev_from_points,
    PolarGrid,
    ScanBevConfig,
)
from ssd_ros.radar import RadarPointCloud, SpinningRadarScan


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
        if self.num_scans < 1:
            raise ValueError(f'num_scans is {self.num_scans}, expected at least 1')


@dataclass(frozen=True, slots=True)
class CloudImage:
    """
    The network's view of the last 4D radar scans.

    :param bev: shape (num_ranges, num_azimuths) uint8
    :param ego_velocity: of the newest scan
    :param num_points: static returns in the window that the image shows
    """

    bev: NDArray[np.uint8]
    ego_velocity: EgoVelocity
    num_points: int


class CloudPreprocessor:
    """Turn a stream of 4D radar scans into polar BEV images."""

    def __init__(self, config: PreprocessingConfig) -> None:
        self._config = config
        self._window: deque[tuple[int, NDArray[np.uint8], int]] = deque(maxlen=config.num_scans)

    def clear(self) -> None:
        """Forget the scans so far."""
        self._window.clear()

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
        if window and cloud.stamp_ns < window[-1][0]:
            window.clear()
        while window and cloud.stamp_ns - window[0][0] > config.max_window_s * 1e9:
            window.popleft()
        window.append((cloud.stamp_ns, bev, int(motion.usable.sum())))
        image = window[0][1].copy()
        for _, older, _ in list(window)[1:]:
            np.maximum(image, older, out=image)
        return CloudImage(image, motion, sum(num for _, _, num in window))


def scan_panorama(scan: SpinningRadarScan, config: PreprocessingConfig) -> NDArray[np.uint8]:
    """Return the 360 degree polar BEV, shape (num_ranges, panorama_azimuths)."""
    return panorama_from_scan(scan, config.grid, config.scan)
