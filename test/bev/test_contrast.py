# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images normalised by content: the same at any gain, the same share of returns from any radar."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.contrast import pixels_about_median, standing_out
from ssd_ros.bev.polar_bev import (
    CloudBevConfig,
    panorama_from_scan,
    polar_bev_from_points,
    PolarGrid,
    ScanBevConfig,
)
from ssd_ros.bev.preprocessing import CloudPreprocessor, PreprocessingConfig
from ssd_ros.datasets.spinning.polar_png import read_polar_scan
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad
from ssd_ros.simulator.config import Conditions, PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.sensors import SpinningRadarConfig
from ssd_ros.simulator.visits.session import Session

GRID = PolarGrid()
CLOUD = CloudBevConfig(normalisation='content')
SCAN = ScanBevConfig(normalisation='content')
REAL_RAS6 = Path(__file__).parents[1] / 'data/boreas_rt/1733239501984460.png'
OXFORD, MULRAN, HERCULES = ((0.0432, 3768), (0.0595, 3360), (150 / 3424, 3424))


def share(image: NDArray[np.uint8]) -> float:
    return float((image > 0).mean())


def dim_scan() -> SpinningRadarScan:
    """Powers of 60 ... 159, so that 20 dB less or more saturate nothing."""
    power = np.random.default_rng(3).integers(60, 160, (856, 400)).astype(np.uint8)
    return SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 856)


@cache
def world() -> World:
    return World(UNIT_SEED, PRESETS['unit'].world)


def simulated(resolution_m: float, num_bins: int, gain_db: float = 0.0) -> SpinningRadarScan:
    """One turn of a radar with these bins, its receiver and its echoes amplified alike."""
    radar = SpinningRadarConfig(
        num_bins=num_bins // 4, upsampling=4, max_range_m=resolution_m * num_bins
    )
    radar = replace(
        radar,
        brightness_px=radar.brightness_px + 2 * gain_db,
        noise_counts=radar.noise_counts * 10 ** (gain_db / 10),
    )
    return SimulatedSequence(Session(world(), 0, Conditions(spinning=radar))).scan(5)


@pytest.mark.parametrize('gain_db', [-20, -0.5, 20])
def test_a_gain_changes_no_pixel_of_a_scan_that_it_does_not_saturate(gain_db: float) -> None:
    scan = dim_scan()
    other = replace(scan, power=(scan.power.astype(int) + 2 * gain_db).astype(np.uint8))
    image = panorama_from_scan(scan, GRID, SCAN)
    changed = panorama_from_scan(other, GRID, SCAN)
    np.testing.assert_array_equal(changed > 0, image > 0)
    np.testing.assert_allclose(changed.astype(int), image, atol=1)  # where it was rounded up
    assert share(image) == pytest.approx(0.13, abs=1e-5)
    assert np.median(image[image > 0]) == 128


def test_all_sensors_leave_the_same_share_of_pixels() -> None:
    real = read_polar_scan(REAL_RAS6, 0, 0.04381, -0.31)
    assert share(panorama_from_scan(real, GRID, ScanBevConfig(threshold=98))) > 0.7
    scans = {
        'RAS6': real,
        'Oxford': simulated(*OXFORD),
        'MulRan': simulated(*MULRAN),
        'HeRCULES': simulated(*HERCULES),
        '20 dB more': simulated(*HERCULES, gain_db=20),
        '20 dB less': simulated(*HERCULES, gain_db=-20),  # most lies below the first step
    }
    shares = {name: share(panorama_from_scan(scan, GRID, SCAN)) for name, scan in scans.items()}
    assert max(shares.values()) < 0.1301
    assert min(shares.values()) > 0.065, shares
    assert min(shares, key=lambda name: shares[name]) == '20 dB less'


def test_the_images_of_a_simulated_radar_20_db_brighter_agree() -> None:
    plain, bright = (
        panorama_from_scan(simulated(*HERCULES, gain_db=gain_db), GRID, SCAN) > 0
        for gain_db in (0, 20)
    )
    assert (plain & bright).sum() / (plain | bright).sum() > 0.7


def test_a_scan_in_which_nothing_stands_out_has_no_returns() -> None:
    for value in (0, 60, 255):
        power = np.full((856, 400), value, np.uint8)
        scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 856)
        assert not panorama_from_scan(scan, GRID, SCAN).any()


def test_rows_beyond_a_scan_are_no_returns_and_no_floor() -> None:
    generator = np.random.default_rng(4)
    power = generator.integers(60, 160, (400, 400)).astype(np.uint8)  # 100 m: 256 rows
    scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 0.25)
    image = panorama_from_scan(scan, GRID, SCAN)
    assert not image[256:].any()
    assert share(image[:256]) == pytest.approx(0.13, abs=1e-5)
    assert share(image[226:256]) < 1.5 * share(image[100:130])


def plain_loop_standing_out(
    power: NDArray[np.float32], window_rows: int, kept: float
) -> NDArray[np.bool_]:
    """Do it word for word, a cell at a time."""
    excess = np.empty(power.shape)
    for row in range(power.shape[0]):
        for column in range(power.shape[1]):
            around = power[max(row - window_rows, 0) : row + window_rows + 1, column]
            excess[row, column] = power[row, column] - math.fsum(around) / len(around)
    limit = np.sort(excess.reshape(-1))[::-1][int(kept * power.size)]
    return np.asarray(excess > limit)


def test_what_stands_out_equals_the_plain_loop() -> None:
    power = np.random.default_rng(5).normal(90, 12, (60, 20)).astype(np.float32)
    found = standing_out(power, 8, 0.1)
    assert found.sum() == 120
    np.testing.assert_array_equal(found, plain_loop_standing_out(power, 8, 0.1))


def test_a_raised_azimuth_does_not_hide_the_others() -> None:
    power = np.random.default_rng(6).normal(20, 3, (200, 50)).astype(np.float32)
    power[:, 7] += 60  # behind what stands before the antenna
    power[100, :] += 40  # a wall
    found = standing_out(power, 64, 0.02)
    assert found[100].all()
    assert found[:, 7].sum() < 10


def cloud_of(rcs_dbsm: NDArray[np.float32], stamp_ns: int = 0) -> RadarPointCloud:
    num_points = len(rcs_dbsm)
    xyz = np.random.default_rng(7).uniform([5, -40, 0], [140, 40, 3], (num_points, 3))
    still = np.zeros(num_points, np.float32)
    return RadarPointCloud(stamp_ns, xyz.astype(np.float32), rcs_dbsm, still)


def image_of(*clouds: RadarPointCloud) -> NDArray[np.uint8]:
    preprocessor = CloudPreprocessor(PreprocessingConfig(cloud=CLOUD, scan=SCAN))
    return [preprocessor.process(cloud).bev for cloud in clouds][-1]


@pytest.mark.parametrize('offset_db', [-20, 7, 20])
def test_an_offset_of_the_rcs_changes_no_pixel(offset_db: int) -> None:
    rcs = np.random.default_rng(8).integers(-20, 25, 300).astype(np.float32)
    image = image_of(cloud_of(rcs))
    np.testing.assert_array_equal(image_of(cloud_of(rcs + offset_db)), image)
    assert 38 <= image[image > 0].min() < image.max() <= 218


def test_an_rcs_that_is_the_same_everywhere_shows_where_the_returns_are() -> None:
    images = [image_of(cloud_of(np.full(300, rcs, np.float32))) for rcs in (-45, 0, 60)]
    assert set(np.unique(images[0])) == {0, 128}
    np.testing.assert_array_equal(images[0], images[1])
    np.testing.assert_array_equal(images[0], images[2])


def test_the_scans_of_a_window_share_one_median() -> None:
    weak, strong = np.full(200, -10, np.float32), np.full(100, 10, np.float32)
    image = image_of(cloud_of(weak), cloud_of(strong, 50_000_000))
    # More are weak than strong, so that the median is theirs, and 20 dB above it are 40 pixels.
    assert set(np.unique(image)) == {0, 128, 168}


def test_an_empty_cloud_gives_an_empty_image() -> None:
    empty = np.empty(0, np.float32)
    image = polar_bev_from_points(np.empty((0, 3), np.float32), empty, GRID, CLOUD)
    assert image.shape == (384, 192)
    assert not image.any()
    assert pixels_about_median(empty).shape == (0,)


def test_one_radar_by_content_and_the_other_not_is_refused() -> None:
    with pytest.raises(ValueError, match='normalisation is content in cloud and fixed in scan'):
        PreprocessingConfig(cloud=CLOUD)


@pytest.mark.parametrize('config', [CloudBevConfig, ScanBevConfig])
def test_an_unknown_normalisation_is_refused_by_name(
    config: type[CloudBevConfig | ScanBevConfig],
) -> None:
    with pytest.raises(ValueError, match="normalisation is 'rank'; choose from fixed, content"):
        config(normalisation='rank')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'kept_share': 0.0}, r'kept_share is 0.0, expected above 0, at most 1'),
        ({'kept_share': 1.5}, 'kept_share is 1.5'),
        ({'floor_window_m': -1.0}, 'floor_window_m is -1.0, expected above 0'),
    ],
)
def test_impossible_shares_and_windows_are_refused(
    options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ScanBevConfig(**options)  # type: ignore[arg-type]
