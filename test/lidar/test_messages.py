# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the decoding of clouds against the layouts that LiDAR drivers send."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.lidar.messages import decode_lidar_cloud2
from ssd_ros.radar.fields import PointCloudError
from support.drivers.messages import Layout, message

VELODYNE: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('intensity', 16, 'f4'),
    ('ring', 20, 'u2'),
]
HESAI: Layout = [  # four bytes of padding after z
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('intensity', 16, 'f4'),
    ('timestamp', 24, 'f8'),
    ('ring', 32, 'u2'),
]
AEVA: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('intensity', 12, 'f4'),
    ('reflectivity', 16, 'f4'),
    ('velocity', 20, 'f4'),
    ('time_offset_ns', 24, 'i4'),
    ('line_index', 28, 'u1'),
]
OUSTER: Layout = [
    ('x', 0, 'f4'),
    ('y', 4, 'f4'),
    ('z', 8, 'f4'),
    ('reflectivity', 16, 'u2'),
]
BARE: Layout = [('X', 0, 'f8'), ('Y', 8, 'f8'), ('Z', 16, 'f8')]
XYZ = {'x': [3.0, 0.0, np.nan], 'y': [4.0, 0.0, 1.0], 'z': [0.5, 0.0, 1.0]}


@pytest.mark.parametrize(
    ('layout', 'step', 'intensity', 'velocity'),
    [
        (VELODYNE, 22, 'intensity', None),
        (HESAI, 48, 'intensity', None),
        (AEVA, 29, 'intensity', 'velocity'),
        (OUSTER, 18, 'reflectivity', None),
    ],
)
@pytest.mark.parametrize('order', ['<', '>'])
def test_the_clouds_of_drivers_are_read(
    layout: Layout, step: int, intensity: str, velocity: str | None, order: str
) -> None:
    columns = XYZ | {intensity: [17, 0, 0]}
    if velocity:
        columns[velocity] = [-2.5, 0, 0]
    cloud = decode_lidar_cloud2(message(layout, step, columns, order))
    # Where nothing came back drivers send zeros or NaN.
    assert cloud.xyz_m.tolist() == [[3, 4, 0.5]]
    assert cloud.intensity.tolist() == [17]
    assert (cloud.stamp_ns, cloud.frame_id) == (12_000_000_034, 'radar')
    if velocity:
        assert cloud.radial_velocity_mps is not None
        assert cloud.radial_velocity_mps.tolist() == [-2.5]
    else:
        assert cloud.radial_velocity_mps is None


def test_a_cloud_of_coordinates_alone_has_no_intensity() -> None:
    cloud = decode_lidar_cloud2(message(BARE, 24, {'X': [3.0], 'Y': [4.0], 'Z': [1e300]}))
    assert len(cloud) == 0
    cloud = decode_lidar_cloud2(message(BARE, 24, {'X': [3.0], 'Y': [4.0], 'Z': [1.0]}))
    assert cloud.xyz_m.tolist() == [[3, 4, 1]]
    assert np.isnan(cloud.intensity).tolist() == [True]


def test_an_empty_cloud_is_empty() -> None:
    assert len(decode_lidar_cloud2(message(VELODYNE, 22, {'x': []}))) == 0


def test_a_cloud_without_coordinates_or_bytes_is_refused() -> None:
    with pytest.raises(PointCloudError, match=r"has no field \['z'\]; it has \['x', 'y'\]"):
        decode_lidar_cloud2(message(VELODYNE[:2], 8, {'x': [1.0], 'y': [1.0]}))
    short = message(VELODYNE, 22, XYZ)
    short.data = short.data[:-1]
    with pytest.raises(PointCloudError, match='has 65 bytes, expected 66'):
        decode_lidar_cloud2(short)
