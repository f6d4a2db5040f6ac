# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One point of an Aeva Aeries II, an FMCW LiDAR, as the data sets pack it.

HeRCULES (and HeLiPR, in whose early files the last column is missing) has 29 bytes a point,
Boreas-RT 40; in both the velocity is that along the beam, and grows with the range.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.lidar.types import LidarPointCloud

# Metres, m/s, nanoseconds since the stamp of the scan; little-endian without padding.
HERCULES_DTYPE = np.dtype(
    [
        ('x', '<f4'),
        ('y', '<f4'),
        ('z', '<f4'),
        ('reflectivity', '<f4'),
        ('velocity', '<f4'),
        ('time_offset_ns', '<i4'),
        ('line_index', 'u1'),
        ('intensity', '<f4'),
    ]
)
# Of Boreas-RT; seconds since the stamp, which is that of the first point.
BOREAS_DTYPE = np.dtype(
    [
        ('x', '<f4'),
        ('y', '<f4'),
        ('z', '<f4'),
        ('velocity', '<f4'),
        ('intensity', '<f4'),
        ('signal_quality', '<f4'),
        ('reflectivity', '<f4'),
        ('time_offset_s', '<f4'),
        ('flags', '<u8'),
    ]
)


def aeva_records(cloud: LidarPointCloud, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """
    Return the cloud as points of an Aeva; what it does not know is 0.

    :param dtype: HERCULES_DTYPE or BOREAS_DTYPE
    :return: shape (N,)
    """
    records = np.zeros(len(cloud), dtype)
    records['x'], records['y'], records['z'] = cloud.xyz_m.T
    records['reflectivity'] = records['intensity'] = np.nan_to_num(cloud.intensity)
    if cloud.radial_velocity_mps is not None:
        records['velocity'] = cloud.radial_velocity_mps
    return records


def cloud_from_aeva_records(
    records: NDArray[np.void], stamp_ns: int, frame_id: str = 'aeva'
) -> LidarPointCloud:
    """
    Return the points as a cloud, without those that are nowhere or not finite.

    :param records: shape (N,), of one of the types above
    """
    xyz_m = np.stack([records['x'], records['y'], records['z']], axis=1)
    intensity, velocity_mps = records['intensity'].copy(), records['velocity'].copy()
    cloud = LidarPointCloud(stamp_ns, xyz_m, intensity, velocity_mps, frame_id)
    return cloud.measured()
