# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the records of the two radars."""

import math

import numpy as np
import pytest
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad


def test_selecting_points_keeps_their_attributes_together() -> None:
    xyz = np.arange(9, dtype=np.float32).reshape(3, 3)
    cloud = RadarPointCloud(5, xyz, np.float32([1, 2, 3]), np.float32([4, 5, 6]), 'radar')
    chosen = cloud.select(np.array([True, False, True]))
    assert len(chosen) == 2
    np.testing.assert_array_equal(chosen.xyz_m, xyz[[0, 2]])
    np.testing.assert_array_equal(chosen.rcs_dbsm, [1, 3])
    np.testing.assert_array_equal(chosen.radial_velocity_mps, [4, 6])
    assert (chosen.stamp_ns, chosen.frame_id) == (5, 'radar')


def test_columns_of_unequal_length_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r'rcs_dbsm has shape \(2,\), expected \(3,\)'):
        RadarPointCloud(0, np.zeros((3, 3), np.float32), np.zeros(2), np.zeros(3))


def test_uniform_azimuths_of_400_columns_are_0_9_degrees_apart() -> None:
    azimuths = uniform_azimuths_rad(400)
    assert azimuths[0] == 0
    np.testing.assert_allclose(np.degrees(np.diff(azimuths)), 0.9)


@pytest.mark.parametrize(
    ('power', 'azimuths', 'resolution', 'message'),
    [
        (np.zeros((5, 4), np.float32), [0, 1, 2, 3], 0.1, 'type float32'),
        (np.zeros((0, 4), np.uint8), [0, 1, 2, 3], 0.1, r'shape \(0, 4\)'),
        (np.zeros((5, 4), np.uint8), [0, 1, 2], 0.1, r'expected \(4,\)'),
        (np.zeros((5, 4), np.uint8), [0, 2, 1, 3], 0.1, 'sort the columns'),
        (np.zeros((5, 4), np.uint8), [0, 1, 2, 2 * math.pi], 0.1, 'outside'),
        (np.zeros((5, 4), np.uint8), [0, 1, 2, 3], 0.0, 'expected > 0'),
    ],
)
def test_a_malformed_scan_is_refused(
    power: np.ndarray, azimuths: list[float], resolution: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SpinningRadarScan(0, power, np.array(azimuths, dtype=float), resolution)
