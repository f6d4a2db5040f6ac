# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the bytes of an Aeva's points in both data sets."""

import struct

import numpy as np
import pytest
from ssd_ros.lidar.aeva import (
    aeva_records,
    BOREAS_DTYPE,
    cloud_from_aeva_records,
    HERCULES_DTYPE,
)
from ssd_ros.lidar.types import LidarPointCloud

CLOUD = LidarPointCloud(
    7,
    np.float32([[3, 4, 0.5], [10.5, -5, 1]]),
    np.float32([12, 60]),
    np.float32([-2.5, 1.5]),
    'aeva',
)


@pytest.mark.parametrize('dtype', [HERCULES_DTYPE, BOREAS_DTYPE])
def test_a_cloud_survives_its_records(dtype: np.dtype[np.void]) -> None:
    cloud = cloud_from_aeva_records(aeva_records(CLOUD, dtype), 7)
    np.testing.assert_array_equal(cloud.xyz_m, CLOUD.xyz_m)
    np.testing.assert_array_equal(cloud.intensity, CLOUD.intensity)
    np.testing.assert_array_equal(cloud.radial_velocity_mps, CLOUD.radial_velocity_mps)


def test_the_bytes_are_those_of_the_data_sets() -> None:
    hercules = struct.pack('<fffffiBf', 3, 4, 0.5, 0.7, -2.5, 1234, 9, 12)
    boreas = struct.pack('<ffffffffQ', 3, 4, 0.5, -2.5, 12, 1, 0.7, 0.05, 1 << 40)
    assert (len(hercules), len(boreas)) == (29, 40)
    for content, dtype in ((hercules, HERCULES_DTYPE), (boreas, BOREAS_DTYPE)):
        cloud = cloud_from_aeva_records(np.frombuffer(content, dtype), 7)
        assert cloud.xyz_m.tolist() == [[3, 4, 0.5]]
        assert (cloud.intensity[0], cloud.radial_velocity_mps[0]) == (12, -2.5)


def test_points_that_are_nowhere_or_absurd_are_left_out() -> None:
    records = np.zeros(5, HERCULES_DTYPE)
    records['x'] = [0, np.nan, 1e30, 5, 6]
    records['velocity'] = [0, 0, 0, np.inf, 1]
    cloud = cloud_from_aeva_records(records, 7)
    assert cloud.xyz_m[:, 0].tolist() == [6]
    assert len(cloud_from_aeva_records(records[:0], 7)) == 0


def test_what_the_cloud_does_not_know_is_zero() -> None:
    records = aeva_records(
        LidarPointCloud(7, CLOUD.xyz_m, np.float32([np.nan, 1])), HERCULES_DTYPE
    )
    assert records['velocity'].tolist() == [0, 0]
    assert records['intensity'].tolist() == [0, 1]
