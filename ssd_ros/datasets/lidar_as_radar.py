# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The nearest real stand-in for a 4D radar: an FMCW LiDAR, thinned to what a 4D radar sends.

Its points have Doppler and a view of 120 degrees, so that a vehicle with a spinning radar and such
a LiDAR (Boreas-RT) has queries and maps of one drive. What remains of a LiDAR: it looks from the
roof, over cars, its reflectance is no RCS (its ranks are laid over that of an ARS548, as of any
intensity of unknown unit) and rain hides from it what it does not hide from a radar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.sequence import DelegatingDrive, RadarSequence
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.columns import cloud_from_columns
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.records import check_limits, Limits

_LIMITS = {
    'half_fov_deg': Limits(1, 85),
    'half_elevation_deg': Limits(1, 89),
    'max_range_m': Limits(5, 300),
    'range_cell_m': Limits(0.05, 10),
    'azimuth_cell_deg': Limits(0.1, 60),
    'elevation_cell_deg': Limits(0.1, 90),
    'max_points': Limits(1, 100_000),
    'clearance_m': Limits(0, 5),
}
_NEAR_M = 15.0  # where the ground is looked for
_GROUND_SHARE = 0.05  # of the near points that lie lower


@dataclass(frozen=True, slots=True)
class Thinning:
    """What of a scan of a LiDAR is left; the defaults are those of an ARS548."""

    half_fov_deg: float = 60.0
    half_elevation_deg: float = 14.0
    max_range_m: float = 150.0
    range_cell_m: float = 0.3
    azimuth_cell_deg: float = 1.2
    elevation_cell_deg: float = 4.6
    max_points: int = 300  # the median of an ARS548 in a street
    clearance_m: float = 0.3  # above the ground, 0 = it stays; a radar sees little of it
    range_noise_m: float = 0.06
    azimuth_noise_deg: float = 0.35
    elevation_noise_deg: float = 0.8
    velocity_noise_mps: float = 0.055

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)


def thinned(
    cloud: LidarPointCloud, thinning: Thinning, rng: np.random.Generator
) -> RadarPointCloud:
    """
    Return what a 4D radar would send of the points of an FMCW LiDAR.

    The strongest point of each resolution cell stays; of more cells than the radar sends points,
    as many are drawn.

    :raise ValueError: the LiDAR has no Doppler
    """
    if cloud.radial_velocity_mps is None:
        raise ValueError('the LiDAR has no Doppler, so it cannot stand for a 4D radar')
    xyz_m = cloud.xyz_m.astype(np.float64)
    flat_m = np.hypot(xyz_m[:, 0], xyz_m[:, 1])
    sphere = np.stack(
        [
            np.hypot(flat_m, xyz_m[:, 2]),
            np.arctan2(xyz_m[:, 1], xyz_m[:, 0]),
            np.arctan2(xyz_m[:, 2], flat_m),
        ]
    )
    half = np.deg2rad([thinning.half_fov_deg, thinning.half_elevation_deg])
    seen = (sphere[0] < thinning.max_range_m) & (np.abs(sphere[1:]) <= half[:, None]).all(axis=0)
    near = xyz_m[seen & (sphere[0] < _NEAR_M), 2]
    if thinning.clearance_m > 0 and len(near):
        seen &= xyz_m[:, 2] > np.quantile(near, _GROUND_SHARE) + thinning.clearance_m
    index = _strongest_of_cells(sphere, cloud.intensity, np.flatnonzero(seen), thinning)
    if len(index) > thinning.max_points:
        index = np.sort(rng.choice(index, thinning.max_points, replace=False))
    return _measured(cloud, sphere[:, index], index, thinning, rng)


def _strongest_of_cells(
    sphere: NDArray[np.float64],
    intensity: NDArray[np.float32],
    index: NDArray[np.int64],
    thinning: Thinning,
) -> NDArray[np.int64]:
    """Return the numbers of the points that stay, one for each cell, in order."""
    sizes = [
        thinning.range_cell_m,
        np.deg2rad(thinning.azimuth_cell_deg),
        np.deg2rad(thinning.elevation_cell_deg),
    ]
    cells = np.floor(sphere[:, index] / np.array(sizes)[:, None]).astype(np.int64)
    strength = np.nan_to_num(intensity[index], nan=0.0)
    order = np.lexsort((-strength, *cells))
    _, first = np.unique(cells[:, order], axis=1, return_index=True)
    return np.sort(index[order[first]])


def _measured(
    cloud: LidarPointCloud,
    sphere: NDArray[np.float64],
    index: NDArray[np.int64],
    thinning: Thinning,
    rng: np.random.Generator,
) -> RadarPointCloud:
    """Return the points with the noise of a radar, their intensity as RCS by ranks."""
    noise = rng.standard_normal((4, len(index)))
    angles_rad = np.deg2rad([thinning.azimuth_noise_deg, thinning.elevation_noise_deg])
    range_m = sphere[0] + thinning.range_noise_m * noise[0]
    azimuth, elevation = sphere[1:] + angles_rad[:, None] * noise[1:3]
    velocity_mps = cloud.radial_velocity_mps
    assert velocity_mps is not None
    columns = {
        'range': range_m,
        'azimuth': azimuth,
        'elevation': elevation,
        'doppler': velocity_mps[index] + thinning.velocity_noise_mps * noise[3],
        'intensity': np.nan_to_num(cloud.intensity[index], nan=0.0),
    }
    config = DecoderConfig(angle_unit='rad', intensity_kind='raw')
    names = {role: role for role in columns}
    return cloud_from_columns((cloud.stamp_ns, cloud.frame_id), columns, names, config).cloud


class LidarAsRadar(DelegatingDrive):
    """
    A drive whose 4D radar is its FMCW LiDAR, thinned; satisfies RadarSequence.

    :param seed: of the draws, beside the stamp of each scan
    """

    def __init__(
        self, drive: RadarSequence, thinning: Thinning | None = None, seed: int = 0
    ) -> None:
        super().__init__(drive)
        self._thinning, self._seed = thinning or Thinning(), seed

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the LiDAR's scans."""
        return self.lidar_stamps_ns

    @property
    def cloud_poses(self) -> Trajectory:
        """Poses of the LiDAR."""
        return self.lidar_poses

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one scan of the LiDAR and thin it; the same points each time."""
        cloud = self.lidar(index)
        return thinned(cloud, self._thinning, np.random.default_rng([self._seed, cloud.stamp_ns]))
