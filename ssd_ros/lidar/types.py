# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a LiDAR delivers: a frozen record with units, axes as those of the radars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_RANGE_M = 1000.0  # no LiDAR on a vehicle sees as far


@dataclass(frozen=True, slots=True)
class LidarPointCloud:
    """
    One scan of a LiDAR: x forward, y left, z up, in the frame of the sensor (REP-103).

    :param stamp_ns: time of the scan, integer nanoseconds
    :param xyz_m: shape (N, 3) float32
    :param intensity: shape (N,) float32, in the unit of the sensor; NaN where it reports none
    :param radial_velocity_mps: shape (N,) float32, range rate, positive = receding; None of a
        LiDAR without Doppler
    :param frame_id: name of the sensor frame, empty if unknown
    """

    stamp_ns: int
    xyz_m: NDArray[np.float32]
    intensity: NDArray[np.float32]
    radial_velocity_mps: NDArray[np.float32] | None = None
    frame_id: str = ''

    def __post_init__(self) -> None:
        num_points = len(self.xyz_m)
        if self.xyz_m.shape != (num_points, 3):
            raise ValueError(f'xyz_m has shape {self.xyz_m.shape}, expected (N, 3)')
        for name in ('intensity', 'radial_velocity_mps'):
            column = getattr(self, name)
            if column is not None and column.shape != (num_points,):
                raise ValueError(f'{name} has shape {column.shape}, expected ({num_points},)')

    def __len__(self) -> int:
        return len(self.xyz_m)

    def measured(self) -> LidarPointCloud:
        """Return the points that are measurements: not at 0, 0, 0, neither far away nor NaN."""
        # Not the square: that of a huge coordinate overflows.
        farthest_m = np.abs(self.xyz_m).max(axis=1, initial=0.0)
        keep = (farthest_m > 0) & (farthest_m < MAX_RANGE_M)
        if self.radial_velocity_mps is not None:
            keep &= np.isfinite(self.radial_velocity_mps)
        return self if keep.all() else self.select(keep)

    def select(self, keep: NDArray[np.bool_]) -> LidarPointCloud:
        """
        Return the cloud with only the chosen points.

        :param keep: shape (N,) bool
        """
        velocity_mps = self.radial_velocity_mps
        return LidarPointCloud(
            self.stamp_ns,
            self.xyz_m[keep],
            self.intensity[keep],
            None if velocity_mps is None else velocity_mps[keep],
            self.frame_id,
        )
