# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that images of 4D radar and LiDAR show one place from one spot, and what a cache holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.bev.density_image import DensityConfig
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig
from ssd_ros.evaluation.bev_cache import cache_drive, load_drive, Spacing
from ssd_ros.evaluation.lidar_pairs import lidar_pairs, lidar_points
from support.drives.tiny import PolesDrive, STEP_NS

DENSITY = DensityConfig(num_cells=100)
OPTIONS = PreprocessingConfig(density=DENSITY, num_scans=1)


def test_a_pair_says_where_the_lidar_is_mounted() -> None:
    drive = PolesDrive(0, 1)
    pairs = lidar_pairs(drive, np.array([2, 5]), drive.cloud_poses.select(np.array([2, 5])))
    assert [(pair.cloud, pair.lidar) for pair in pairs] == [(2, 2), (5, 5)]
    expected = [[0, -1, 0, -1], [1, 0, 0, 0.5], [0, 0, 1, 1.4], [0, 0, 0, 1]]
    np.testing.assert_allclose(pairs[1].radar_lidar, expected, atol=1e-12)


def test_the_way_between_the_two_moments_counts() -> None:
    class Late(PolesDrive):
        @property
        def lidar_poses(self):  # type: ignore[no-untyped-def]
            poses = super().lidar_poses
            return replace(poses, positions_m=poses.positions_m + np.array([0.5, 0, 0]))

    drive = Late(0, 1)
    pair = lidar_pairs(drive, np.array([3]), drive.cloud_poses.select(np.array([3])))[0]
    np.testing.assert_allclose(pair.radar_lidar[:3, 3], [-0.5, 0.5, 1.4], atol=1e-12)


def test_points_of_the_lidar_come_to_lie_on_those_of_the_radar() -> None:
    drive = PolesDrive(0, 1, seen_share=1.0)
    pair = lidar_pairs(drive, np.array([4]), drive.cloud_poses.select(np.array([4])))[0]
    lidar_m = lidar_points(drive, pair)
    cloud_m = drive.cloud(4).xyz_m
    lidar_m = lidar_m[(lidar_m[:, 0] > 0) & (lidar_m[:, 2] < 1.0)]
    np.testing.assert_allclose(lidar_m, cloud_m, atol=1e-4)


def test_scans_too_far_apart_in_time_are_no_pair() -> None:
    drive = PolesDrive(0, 1)
    poses = drive.cloud_poses
    late = replace(poses, stamps_ns=poses.stamps_ns + 2 * STEP_NS // 3)
    assert lidar_pairs(drive, np.arange(10), late)[-1].cloud == 8
    assert lidar_pairs(PolesDrive(0, 1, has_lidar=False), np.arange(10), poses) == []


def test_a_cache_holds_images_of_both_sensors_side_by_side(tmp_path: Path) -> None:
    drive = PolesDrive(0, 1)
    cache_drive(drive, tmp_path / 'drive', OPTIONS, Spacing(16.0, 16.0))
    cached = load_drive(tmp_path / 'drive', OPTIONS)
    assert cached.student_bevs.shape == cached.panoramas.shape == (5, 100, 100)
    np.testing.assert_array_equal(cached.student_stamps_ns, cached.panorama_stamps_ns)
    np.testing.assert_array_equal(cached.student_poses, cached.panorama_poses)
    np.testing.assert_array_equal(cached.panorama_poses[:, 0], [0, 16, 32, 48, 64])
    expected = CloudPreprocessor(OPTIONS).process(drive.cloud(4)).bev
    np.testing.assert_array_equal(cached.student_bevs[2], expected)
    for cloud, lidar in zip(cached.student_bevs[:], cached.panoramas[:], strict=True):
        assert np.count_nonzero(cloud) > 20
        assert (lidar[cloud > 0] > 0).mean() > 0.95  # but for points on the edge of a cell
        assert np.count_nonzero(lidar) > 1.5 * np.count_nonzero(cloud)


@pytest.mark.parametrize(
    ('drive', 'spacing'),
    [
        (PolesDrive(0, 1, has_lidar=False), Spacing(8.0, 8.0)),
        (PolesDrive(0, 1), Spacing(8.0, None)),
    ],
)
def test_without_lidar_there_are_images_of_radar_alone(
    tmp_path: Path, drive: PolesDrive, spacing: Spacing
) -> None:
    cache_drive(drive, tmp_path / 'drive', OPTIONS, spacing)
    cached = load_drive(tmp_path / 'drive', OPTIONS)
    assert (len(cached.student_bevs), len(cached.panoramas)) == (10, 0)
    assert cached.panoramas.shape == (0, 100, 100)


def test_images_of_other_options_are_refused(tmp_path: Path) -> None:
    cache_drive(PolesDrive(0, 1), tmp_path / 'drive', OPTIONS, Spacing(8.0, 8.0))
    other = replace(OPTIONS, density=replace(DENSITY, density='image_max'))
    with pytest.raises(ValueError, match='was cached with another preprocessing'):
        load_drive(tmp_path / 'drive', other)
