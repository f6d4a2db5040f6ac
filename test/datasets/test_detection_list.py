# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the reader of a 4D scan as a table on a real list of an ARS548."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.detection_list import read_detections

REAL = Path(__file__).parents[1] / 'data/ars548/detections.csv'
HEAD = 'range_m,azimuth_rad,elevation_rad,range_rate_mps,rcs_dbsm,more\n'


def test_a_real_list_is_read_whole() -> None:
    cloud = read_detections(REAL)
    assert len(cloud) == 308
    assert np.linalg.norm(cloud.xyz_m[0]) == pytest.approx(3.37381)
    assert (cloud.rcs_dbsm.min(), cloud.rcs_dbsm.max()) == (-20, 34)


def test_a_detection_to_the_left_and_above_has_positive_y_and_z(tmp_path: Path) -> None:
    file = tmp_path / 'one.csv'
    file.write_text(HEAD + '10,0.5235988,0.5235988,-2,3,x\n')
    cloud = read_detections(file)
    np.testing.assert_allclose(cloud.xyz_m, [[7.5, 7.5 / 3**0.5, 5]], rtol=1e-6)
    assert (cloud.radial_velocity_mps[0], cloud.rcs_dbsm[0]) == (-2, 3)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('range_m,azimuth_rad\n1,2\n', 'has no column elevation_rad, expected range_m, '),
        ('', 'has no column range_m'),
        (HEAD, 'has 0 lines, expected some, of finite numbers'),
        (HEAD + '1,2,3,4,nan,\n', 'has 1 lines, expected some, of finite numbers'),
        (HEAD + '1,2,3,4,5,\n1,2,3,far,5,\n', "line 3: could not convert string to float: 'far'"),
        (HEAD + '1,2,3\n', 'line 2: '),
    ],
)
def test_what_is_no_such_table_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / 'list.csv'
    file.write_text(text)
    with pytest.raises(ValueError, match=expected):
        read_detections(file)
