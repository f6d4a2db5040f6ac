# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Density images of 4D radar and LiDAR, and the removal of points that stand alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.density_image import (
    cells_of,
    density_image_of_cloud,
    density_image_of_lidar,
    DensityConfig,
    in_region,
    voxel_counts,
)
from ssd_ros.bev.outliers import has_neighbours
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig
from ssd_ros.radar.types import RadarPointCloud

CONFIG = DensityConfig()


def points(*rows: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 3)


def pole(x_m: float, y_m: float, num: int) -> NDArray[np.float32]:
    """So many points above each other, 0.4 m apart, each in a voxel of its own."""
    return points(*((x_m, y_m, 0.2 + 0.4 * level) for level in range(num)))


def test_row_199_is_at_the_vehicle_and_column_0_far_left() -> None:
    xy_m = np.array([[0.2, -39.9], [79.9, 39.9], [0, 40], [80, -40], [40.2, 0.2]])
    expected = [[199, 199], [0, 0], [199, 0], [0, 199], [99, 99]]
    assert cells_of(xy_m, CONFIG).tolist() == expected


def test_what_lies_outside_or_is_not_finite_is_left_out() -> None:
    inside = in_region(
        points(
            *[(10, 0, 0), (-0.1, 0, 0), (80.1, 0, 0), (10, 40.1, 0), (10, -40.1, 0)],
            *[(np.nan, 0, 0), (10, np.nan, 0), (10, 0, np.inf), (80, 40, -3)],
        ),
        CONFIG,
    )
    assert inside.tolist() == [True, *7 * [False], True]


def test_a_cell_counts_the_voxels_above_it_that_hold_a_point() -> None:
    twice = points((10.1, 0.1, 0.1), (10.3, 0.3, 0.3))
    counts = voxel_counts(np.concatenate([twice, pole(10.2, 0.2, 4), pole(20.2, 0.2, 2)]), CONFIG)
    assert counts[174, 99] == 4
    assert counts[149, 99] == 2
    assert counts.sum() == 6


def test_a_return_at_an_absurd_height_does_no_harm() -> None:
    counts = voxel_counts(points((10, 0, 3e38), (10, 0, -3e38), (10, 0, 1)), CONFIG)
    assert counts.sum() == 3


def test_capped_says_the_same_of_a_cell_whatever_the_others_hold() -> None:
    image = density_image_of_cloud(np.concatenate([pole(10.2, 0, 2), pole(20.2, 0, 5)]), CONFIG)
    assert sorted(image[image > 0].tolist()) == [170, 255]  # 2 of 3, 3 of 3
    image = density_image_of_lidar(np.concatenate([pole(10.2, 0, 2), pole(20.2, 0, 20)]), CONFIG)
    assert sorted(image[image > 0].tolist()) == [51, 255]  # 2 of 10, 10 of 10


def test_image_max_is_relative_to_the_fullest_cell() -> None:
    config = replace(CONFIG, density='image_max')
    image = density_image_of_cloud(np.concatenate([pole(10.2, 0, 2), pole(20.2, 0, 5)]), config)
    assert sorted(image[image > 0].tolist()) == [102, 255]  # 2 of 5
    image = density_image_of_cloud(np.concatenate([pole(10.2, 0, 2), pole(20.2, 0, 20)]), config)
    assert sorted(image[image > 0].tolist()) == [51, 255]  # 2 of 10


def test_quantile_is_relative_to_that_quantile_of_the_cells_with_points() -> None:
    config = replace(CONFIG, density='quantile', quantile=0.5)
    poles = [pole(10.2, 0, 2), pole(20.2, 0, 4), pole(30.2, 0, 16)]
    image = density_image_of_lidar(np.concatenate(poles), config)
    assert sorted(image[image > 0].tolist()) == [128, 255, 255]  # 2, 4 and 16 of 4


@pytest.mark.parametrize('density', ['capped', 'image_max', 'quantile'])
def test_nothing_gives_an_empty_image(density: str) -> None:
    config = replace(CONFIG, density=density)
    for image in (
        density_image_of_cloud(points(), config),
        density_image_of_lidar(points(), config),
    ):
        assert image.shape == (200, 200)
        assert image.dtype == np.uint8
        assert not image.any()


def test_points_that_stand_alone_are_removed_of_radar_only() -> None:
    lone, pair = points((30, 5, 1)), points((10, 0, 1), (10, 0, 1.4))
    cloud = np.concatenate([lone, pair])
    assert np.count_nonzero(density_image_of_cloud(cloud, CONFIG)) == 1
    assert np.count_nonzero(density_image_of_lidar(cloud, CONFIG)) == 2
    keeps_all = replace(CONFIG, outlier_neighbours=0)
    assert np.count_nonzero(density_image_of_cloud(cloud, keeps_all)) == 2


def test_neighbours_are_others_within_the_radius_in_three_dimensions() -> None:
    cloud = points((0, 0, 0), (0.5, 0, 0), (0, 0, 0.75), (9, 9, 9), (9, 9, 9))
    assert has_neighbours(cloud, 0.5, 1).tolist() == [True, True, False, True, True]
    assert has_neighbours(cloud, 0.75, 2).tolist() == [True, False, False, False, False]
    assert has_neighbours(cloud, 0.5, 5).tolist() == 5 * [False]
    assert has_neighbours(points(), 0.5, 1).shape == (0,)


def test_neighbours_as_a_plain_loop_finds_them() -> None:
    cloud = np.random.default_rng(0).uniform(0, 4, (200, 3)).astype(np.float32)
    exact = cloud.astype(np.float64)
    others = [(np.linalg.norm(exact - one, axis=1) <= 0.5).sum() - 1 for one in exact]
    expected = (np.array(others) >= 2).tolist()
    assert has_neighbours(cloud, 0.5, 2).tolist() == expected
    assert 20 < sum(expected) < 180


def test_the_ground_can_be_left_out_of_lidar() -> None:
    cloud = points((10, 0, -1.6), (20, 0, 0.5))
    config = replace(CONFIG, lidar_min_z_m=-1.4)
    assert np.count_nonzero(density_image_of_lidar(cloud, config)) == 1


def test_a_model_of_density_images_gets_them_of_the_window() -> None:
    config = PreprocessingConfig(density=DensityConfig(num_cells=100), num_scans=2)
    assert config.image_shape == (100, 100)
    preprocessor = CloudPreprocessor(config)
    for stamp_ns, x_m in enumerate((10.2, 20.2, 30.2)):
        zero = np.zeros(3, np.float32)
        cloud = RadarPointCloud(stamp_ns, pole(x_m, 0.2, 3), zero, zero)
        bev = preprocessor.process(cloud).bev
    # 0.8 m a cell; three points 0.4 m apart stand in two voxels.
    assert {tuple(place): int(bev[tuple(place)]) for place in np.argwhere(bev).tolist()} == {
        (74, 49): 170,
        (62, 49): 170,
    }


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ({'density': 'log'}, "density is 'log'; choose from capped, image_max, quantile"),
        ({'side_m': 0.0}, 'side_m is 0.0, expected above 0'),
        ({'num_cells': 4}, 'num_cells is 4, expected 16 .. 2048'),
        ({'quantile': 1.5}, 'quantile is 1.5'),
        ({'outlier_neighbours': -1}, 'outlier_neighbours is -1'),
    ],
)
def test_impossible_options_are_named(option: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DensityConfig(**option)  # type: ignore[arg-type]
