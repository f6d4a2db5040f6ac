# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the 29-byte record of an ARS548 detection."""

import struct

import numpy as np
from ssd_ros.radar.ars548 import ARS548_DTYPE, ars548_records, cloud_from_ars548_records
from ssd_ros.radar.types import RadarPointCloud


def cloud_of(*xyz_m: tuple[float, float, float], rcs_dbsm: float = 0.0) -> RadarPointCloud:
    num = len(xyz_m)
    rcs = np.full(num, rcs_dbsm, np.float32)
    velocity = np.full(num, -2.5, np.float32)
    return RadarPointCloud(7, np.array(xyz_m, np.float32).reshape(-1, 3), rcs, velocity)


def test_a_record_is_29_bytes_without_padding() -> None:
    assert ARS548_DTYPE.itemsize == 29
    expected = struct.pack('<fffffbff', 3.0, 4.0, 0.0, -2.5, 5.0, -7, np.arctan2(4, 3), 0.0)
    assert ars548_records(cloud_of((3, 4, 0), rcs_dbsm=-7)).tobytes() == expected


def test_rcs_is_rounded_and_clipped_to_a_signed_byte() -> None:
    for rcs_dbsm, expected in [(-20.4, -20), (126.6, 127), (900.0, 127), (-900.0, -128)]:
        assert ars548_records(cloud_of((1, 0, 0), rcs_dbsm=rcs_dbsm))['RCS'][0] == expected


def test_records_and_cloud_are_the_same_thing() -> None:
    cloud = cloud_of((3, 4, 12), (-1, 2, 2), rcs_dbsm=-7)
    records = ars548_records(cloud)
    np.testing.assert_array_equal(records['r'], [13, 3])
    again = cloud_from_ars548_records(records, 7)
    np.testing.assert_array_equal(again.xyz_m, cloud.xyz_m)
    np.testing.assert_array_equal(again.rcs_dbsm, [-7, -7])
    np.testing.assert_array_equal(again.radial_velocity_mps, [-2.5, -2.5])


def test_records_that_are_not_finite_are_left_out() -> None:
    records = ars548_records(cloud_of((1, 0, 0), (2, 0, 0), (3, 0, 0)))
    records['x'][0], records['v'][1] = np.nan, np.inf
    assert cloud_from_ars548_records(records, 7).xyz_m[:, 0].tolist() == [3]
