# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the record of a LiDAR's scan."""

import numpy as np
import pytest
from ssd_ros.lidar.types import LidarPointCloud

XYZ_M = np.arange(9, dtype=np.float32).reshape(3, 3)


def test_selecting_points_keeps_their_attributes_together() -> None:
    cloud = LidarPointCloud(5, XYZ_M, np.float32([1, 2, 3]), np.float32([4, 5, 6]), 'aeva')
    chosen = cloud.select(np.array([True, False, True]))
    assert len(chosen) == 2
    np.testing.assert_array_equal(chosen.xyz_m, XYZ_M[[0, 2]])
    np.testing.assert_array_equal(chosen.intensity, [1, 3])
    np.testing.assert_array_equal(chosen.radial_velocity_mps, [4, 6])
    assert (chosen.stamp_ns, chosen.frame_id) == (5, 'aeva')


def test_a_lidar_without_doppler_has_none_after_selecting_either() -> None:
    cloud = LidarPointCloud(5, XYZ_M, np.float32([1, 2, 3]))
    assert cloud.select(np.array([True, False, False])).radial_velocity_mps is None


@pytest.mark.parametrize(
    ('xyz_m', 'intensity', 'velocity_mps', 'message'),
    [
        (XYZ_M[:, :2], np.zeros(3), None, r'xyz_m has shape \(3, 2\)'),
        (XYZ_M, np.zeros(2), None, r'intensity has shape \(2,\), expected \(3,\)'),
        (XYZ_M, np.zeros(3), np.zeros((3, 1)), r'radial_velocity_mps has shape \(3, 1\)'),
    ],
)
def test_columns_of_unequal_length_are_refused_by_name(
    xyz_m: np.ndarray, intensity: np.ndarray, velocity_mps: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LidarPointCloud(0, xyz_m, intensity, velocity_mps)
