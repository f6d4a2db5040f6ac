# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the chain from radar scan to network input."""

import numpy as np
import pytest
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, scan_panorama
from ssd_ros.radar.ego_velocity import Motion
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad

CONFIG = PreprocessingConfig()
FRAME_NS = 50_000_000


def cloud_at(range_m: float, frame: int) -> RadarPointCloud:
    """One return straight ahead; too few for an ego-velocity, so it is kept."""
    zero = np.zeros(1, np.float32)
    return RadarPointCloud(frame * FRAME_NS, np.float32([[range_m, 0, 0]]), zero, zero)


def rows_of(preprocessor: CloudPreprocessor, range_m: float, frame: int) -> list[int]:
    bev = preprocessor.process(cloud_at(range_m, frame)).bev
    return [int(row) for row in np.flatnonzero(bev[:, 95]) if bev[row, 95]][1::3]


def test_the_image_shows_the_last_five_scans() -> None:
    preprocessor = CloudPreprocessor(CONFIG)
    shown = [rows_of(preprocessor, 10.0 * (frame + 1), frame) for frame in range(6)]
    # 10 m = row 25, 20 m = 51, 30 m = 76, 40 m = 102, 50 m = 128, 60 m = 153
    assert shown[0] == [25]
    assert shown[4] == [25, 51, 76, 102, 128]
    assert shown[5] == [51, 76, 102, 128, 153]


def test_a_stamp_that_goes_back_starts_a_new_window() -> None:
    preprocessor = CloudPreprocessor(CONFIG)
    preprocessor.process(cloud_at(10, 100))
    assert rows_of(preprocessor, 50, 3) == [128]


def test_scans_older_than_a_second_leave_the_window() -> None:
    preprocessor = CloudPreprocessor(CONFIG)
    preprocessor.process(cloud_at(10, 0))
    assert rows_of(preprocessor, 50, 20) == [25, 128]
    assert rows_of(preprocessor, 60, 21) == [128, 153]


def test_clearing_forgets_the_window() -> None:
    preprocessor = CloudPreprocessor(CONFIG)
    preprocessor.process(cloud_at(10, 0))
    preprocessor.clear()
    assert rows_of(preprocessor, 50, 1) == [128]


def test_the_caller_may_change_the_image_without_harm() -> None:
    preprocessor = CloudPreprocessor(CONFIG)
    preprocessor.process(cloud_at(10, 0)).bev[:] = 255
    assert rows_of(preprocessor, 50, 1) == [25, 128]


def test_an_empty_cloud_keeps_the_window_and_counts_its_points() -> None:
    preprocessor = CloudPreprocessor(CONFIG)
    preprocessor.process(cloud_at(10, 0))
    empty = np.empty(0, np.float32)
    image = preprocessor.process(
        RadarPointCloud(FRAME_NS, np.empty((0, 3), np.float32), empty, empty)
    )
    assert image.num_points == 1
    assert image.bev.any()
    assert image.ego_velocity.motion is Motion.UNKNOWN


def test_the_panorama_of_a_scan_has_three_times_the_columns() -> None:
    power = np.full((856, 400), 100, np.uint8)
    scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 856)
    assert scan_panorama(scan, CONFIG).shape == (384, 576)


def test_a_window_of_no_scans_is_refused() -> None:
    with pytest.raises(ValueError, match='num_scans is 0'):
        PreprocessingConfig(num_scans=0)
