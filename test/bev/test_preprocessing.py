# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the chain from radar scan to network input."""

from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig, scan_panorama
from ssd_ros.motion.odometry import compose, motion_between
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


def moving_cloud(frame: int, speed_mps: float = 10.0) -> RadarPointCloud:
    """40 posts, seen from a radar that drives ahead and has come frame times half a metre."""
    posts_m = np.random.default_rng(1).uniform((40, -30, -1), (90, 30, 1), (40, 3))
    xyz_m = posts_m - [0.05 * speed_mps * frame, 0, 0]
    towards_mps = speed_mps * xyz_m[:, 0] / np.linalg.norm(xyz_m, axis=1)
    arrays = (xyz_m, np.full(40, 10.0), -towards_mps)
    return RadarPointCloud(frame * FRAME_NS, *(array.astype(np.float32) for array in arrays))


def test_a_window_of_way_shows_each_post_where_it_is_now() -> None:
    config = replace(CONFIG, window_m=10.0)
    preprocessor = CloudPreprocessor(config)
    images = [preprocessor.process(moving_cloud(frame)) for frame in range(31)]
    assert images[-1].num_points == 21 * 40
    alone = CloudPreprocessor(config).process(moving_cloud(30))
    assert images[-1].bev.shape == (384, 192)
    # Doppler is off by less than a cell of 0.39 m after 10 m, and every return is spread by one.
    shown, expected = np.count_nonzero(images[-1].bev), np.count_nonzero(alone.bev)
    assert expected <= shown <= 1.5 * expected
    assert not (alone.bev[images[-1].bev == 0]).any()
    scans = CloudPreprocessor(CONFIG)
    smeared = [scans.process(moving_cloud(frame)) for frame in range(31)][-1]
    assert np.count_nonzero(smeared.bev) > 2 * expected


@pytest.mark.parametrize('has_odometry', [True, False])
def test_a_window_of_way_follows_a_turn(has_odometry: bool) -> None:
    """A car that turns left at 0.4 rad/s about a point 10 m to the left of its rear axle."""
    posts_m = np.random.default_rng(2).uniform((30, -10, -1), (60, 30, 1), (40, 3))
    preprocessor = CloudPreprocessor(replace(CONFIG, window_m=10.0))
    preprocessor.mount(np.array([3.5, 0.0, 0.0]))
    for frame in range(21):
        turned = 0.02 * frame
        pose = compose(np.array([0.0, 10.0, turned]), np.array([3.5, -10.0, 0.0]))
        xy_m = np.stack([*motion_between(pose, posts_m * [1, 1, 0]).T[:2], posts_m[:, 2]], axis=1)
        directions = xy_m / np.linalg.norm(xy_m, axis=1)[:, None]
        doppler_mps = -directions @ [4.0, 0.4 * 3.5, 0.0]
        arrays = (xy_m, np.full(40, 10.0), doppler_mps)
        cloud = RadarPointCloud(frame * FRAME_NS, *(one.astype(np.float32) for one in arrays))
        image = preprocessor.process(cloud, pose if has_odometry else None)
    oldest_m, newest_m = image.points_m[:40], image.points_m[-40:]
    assert image.num_points >= 8 * 40
    np.testing.assert_allclose(oldest_m, newest_m, atol=0.05)


def test_clearing_and_time_that_goes_back_begin_a_window_of_way_anew() -> None:
    preprocessor = CloudPreprocessor(replace(CONFIG, window_m=10.0))
    for frame in (5, 6, 2):
        image = preprocessor.process(moving_cloud(frame))
    assert image.num_points == 40
    preprocessor.clear()
    assert preprocessor.process(moving_cloud(3)).num_points == 40


@pytest.mark.parametrize(('window_m', 'first'), [(0.0, 6), (20.0, 0)])
def test_the_first_scan_that_may_show(window_m: float, first: int) -> None:
    assert replace(CONFIG, window_m=window_m).first_scan(10) == first


@pytest.mark.parametrize('window_m', [-1.0, 201.0, float('nan')])
def test_a_window_of_absurd_way_is_refused(window_m: float) -> None:
    with pytest.raises(ValueError, match='window_m is '):
        PreprocessingConfig(window_m=window_m)


def test_the_panorama_of_a_scan_has_three_times_the_columns() -> None:
    power = np.full((856, 400), 100, np.uint8)
    scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 856)
    assert scan_panorama(scan, CONFIG).shape == (384, 576)


def test_a_window_of_no_scans_is_refused() -> None:
    with pytest.raises(ValueError, match='num_scans is 0'):
        PreprocessingConfig(num_scans=0)
