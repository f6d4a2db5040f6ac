# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the two radars deliver: frozen records with units.

Axes are those of REP-103: x forward, y left, z up, in the frame of the sensor.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

RADARS = {'4d': '4D radar', 'spinning': 'spinning radar'}  # by what is called sensor


@dataclass(frozen=True, slots=True)
class RadarPointCloud:
    """
    One scan of a 4D automotive radar.

    :param stamp_ns: time of the scan, integer nanoseconds
    :param xyz_m: shape (N, 3) float32, sensor frame
    :param rcs_dbsm: shape (N,) float32, radar cross section
    :param radial_velocity_mps: shape (N,) float32, range rate, positive = receding
    :param frame_id: name of the sensor frame, empty if unknown
    """

    stamp_ns: int
    xyz_m: NDArray[np.float32]
    rcs_dbsm: NDArray[np.float32]
    radial_velocity_mps: NDArray[np.float32]
    frame_id: str = ''

    def __post_init__(self) -> None:
        num_points = len(self.xyz_m)
        if self.xyz_m.shape != (num_points, 3):
            raise ValueError(f'xyz_m has shape {self.xyz_m.shape}, expected (N, 3)')
        for name in ('rcs_dbsm', 'radial_velocity_mps'):
            shape = getattr(self, name).shape
            if shape != (num_points,):
                raise ValueError(f'{name} has shape {shape}, expected ({num_points},)')

    def __len__(self) -> int:
        return len(self.xyz_m)

    def select(self, keep: NDArray[np.bool_]) -> RadarPointCloud:
        """
        Return the cloud with only the chosen points.

        :param keep: shape (N,) bool
        """
        return RadarPointCloud(
            self.stamp_ns,
            self.xyz_m[keep],
            self.rcs_dbsm[keep],
            self.radial_velocity_mps[keep],
            self.frame_id,
        )


@dataclass(frozen=True, slots=True)
class SpinningRadarScan:
    """
    One turn of a spinning radar.

    :param stamp_ns: time of the scan, integer nanoseconds
    :param power: shape (num_bins, num_azimuths) uint8, half-dB steps; row 0 is the nearest range
    :param azimuths_rad: shape (num_azimuths,) float64 in [0, 2 pi), ascending; 0 = forward (+x),
        growing CLOCKWISE as the antenna turns (so REP-103 azimuth is the negative)
    :param range_resolution_m: depth of one bin
    :param range_offset_m: added to bin * range_resolution_m (Boreas: -0.31 m)
    :param frame_id: name of the sensor frame, empty if unknown
    """

    stamp_ns: int
    power: NDArray[np.uint8]
    azimuths_rad: NDArray[np.float64]
    range_resolution_m: float
    range_offset_m: float = 0.0
    frame_id: str = ''

    def __post_init__(self) -> None:
        if self.power.ndim != 2 or self.power.dtype != np.uint8 or self.power.size == 0:
            raise ValueError(
                f'power has shape {self.power.shape} and type {self.power.dtype}, '
                'expected (num_bins, num_azimuths) uint8'
            )
        if self.azimuths_rad.shape != (self.power.shape[1],):
            raise ValueError(
                f'azimuths_rad has shape {self.azimuths_rad.shape}, '
                f'expected ({self.power.shape[1]},)'
            )
        if (np.diff(self.azimuths_rad) <= 0).any():
            raise ValueError('azimuths_rad is not strictly ascending: sort the columns first')
        if not 0 <= self.azimuths_rad[0] <= self.azimuths_rad[-1] < 2 * math.pi:
            raise ValueError('azimuths_rad lies outside [0, 2 pi)')
        if not self.range_resolution_m > 0:
            raise ValueError(f'range_resolution_m is {self.range_resolution_m}, expected > 0')


Scan = RadarPointCloud | SpinningRadarScan


def uniform_azimuths_rad(num_azimuths: int) -> NDArray[np.float64]:
    """Return the clockwise azimuths of a scan whose column 0 looks forward, shape (num,)."""
    return np.arange(num_azimuths, dtype=np.float64) * (2 * math.pi / num_azimuths)
