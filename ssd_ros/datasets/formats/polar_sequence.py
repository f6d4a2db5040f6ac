# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive with a spinning radar alone, stored as one polar PNG a turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import Origin
from ssd_ros.datasets.poses import empty_trajectory
from ssd_ros.datasets.sequence import WithoutLidar
from ssd_ros.datasets.spinning.polar_png import Layout, read_polar_scan
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan


@dataclass(slots=True)
class PolarPngSequence(WithoutLidar):
    """
    Scans of a folder of polar PNG with the poses of the radar.

    :param scan_stamps_ns: shape (M,) int64, ascending, one for each path
    :param range_offset_m: added to bin * range_resolution_m
    """

    name: str
    scan_paths: list[Path]
    scan_stamps_ns: NDArray[np.int64]
    scan_poses: Trajectory
    range_resolution_m: float
    range_offset_m: float = 0.0
    layout: Layout = Layout.OXFORD
    cloud_stamps_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    cloud_poses: Trajectory = field(default_factory=empty_trajectory)
    origin: Origin = field(default_factory=Origin)

    def cloud(self, index: int) -> RadarPointCloud:
        """Refuse: there is no 4D radar."""
        raise IndexError(f'{self.name} has no 4D radar, so no cloud {index}')

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one scan."""
        return read_polar_scan(
            self.scan_paths[index],
            int(self.scan_stamps_ns[index]),
            self.range_resolution_m,
            self.range_offset_m,
            self.layout,
        )
