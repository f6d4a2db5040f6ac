# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One detection of the Continental ARS548 as 29 packed bytes.

The sensor's ROS driver publishes it, HeRCULES stores it, and so do we.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.types import RadarPointCloud

# Metres, m/s (positive = receding), signed dBsm, radians; little-endian without padding.
ARS548_DTYPE = np.dtype(
    [
        ('x', '<f4'),
        ('y', '<f4'),
        ('z', '<f4'),
        ('v', '<f4'),
        ('r', '<f4'),
        ('RCS', 'i1'),
        ('azimuth', '<f4'),
        ('elevation', '<f4'),
    ]
)


def ars548_records(cloud: RadarPointCloud) -> NDArray[np.void]:
    """
    Return the cloud as detections of an ARS548.

    RCS is rounded to whole dBsm and clipped to -128 .. 127, as the sensor does.

    :return: shape (N,), type ARS548_DTYPE
    """
    x, y, z = cloud.xyz_m.T
    flat_m = np.hypot(x, y)
    records = np.empty(len(cloud), ARS548_DTYPE)
    records['x'], records['y'], records['z'] = x, y, z
    records['v'] = cloud.radial_velocity_mps
    records['r'] = np.hypot(flat_m, z)
    records['RCS'] = np.clip(np.rint(cloud.rcs_dbsm), -128, 127)
    records['azimuth'] = np.arctan2(y, x)
    records['elevation'] = np.arctan2(z, flat_m)
    return records


def cloud_from_ars548_records(
    records: NDArray[np.void], stamp_ns: int, frame_id: str = ''
) -> RadarPointCloud:
    """
    Return the detections as a cloud, without those that hold a NaN or an infinity.

    :param records: shape (N,), type ARS548_DTYPE
    """
    xyz_m = np.stack([records['x'], records['y'], records['z']], axis=1)
    rcs_dbsm, velocity_mps = records['RCS'].astype(np.float32), records['v'].copy()
    cloud = RadarPointCloud(stamp_ns, xyz_m, rcs_dbsm, velocity_mps, frame_id)
    finite = np.isfinite(xyz_m).all(axis=1) & np.isfinite(velocity_mps)
    return cloud if finite.all() else cloud.select(finite)
