# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the polar BEV against cells worked out by hand and against plain loops."""

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.polar_bev import (
    CloudBevConfig,
    panorama_from_scan,
    polar_bev_from_points,
    PolarGrid,
    ScanBevConfig,
    view_yaws_rad,
    views_of_panorama,
)
from ssd_ros.radar.types import SpinningRadarScan, uniform_azimuths_rad

GRID = PolarGrid()
CLOUD = CloudBevConfig()
SCAN = ScanBevConfig()


def bev_of(x: float, y: float, rcs_dbsm: float = 0.0) -> NDArray[np.uint8]:
    return polar_bev_from_points(np.float32([[x, y, 0]]), np.float32([rcs_dbsm]), GRID, CLOUD)


def random_points(num_points: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    generator = np.random.default_rng(0)
    xyz = generator.uniform([-20, -160, -2], [160, 160, 4], (num_points, 3)).astype(np.float32)
    return xyz, generator.integers(-40, 60, num_points).astype(np.float32)


def random_scan(num_bins: int, resolution_m: float, offset_m: float = 0.0) -> SpinningRadarScan:
    power = np.random.default_rng(1).integers(0, 256, (num_bins, 400)).astype(np.uint8)
    return SpinningRadarScan(0, power, uniform_azimuths_rad(400), resolution_m, offset_m)


def plain_loop_bev(xyz: NDArray[np.float32], rcs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Do the specification word for word, one point and one cell at a time."""
    image = np.zeros((384, 192), np.uint8)
    for (x, y, _), rcs_dbsm in zip(xyz.astype(float), rcs, strict=True):
        range_m, azimuth_deg = math.hypot(x, y), math.degrees(math.atan2(y, x))
        if abs(azimuth_deg) > 60 or range_m > 150:
            continue
        row = min(math.floor(range_m / 150 * 384), 383)
        column = min(max(192 - 1 - math.floor((azimuth_deg + 60) / 120 * 192), 0), 191)
        value = int(min(max(2 * (75 + rcs_dbsm), 0), 255))
        for near_row in range(max(row - 1, 0), min(row + 2, 384)):
            for near_column in range(max(column - 1, 0), min(column + 2, 192)):
                image[near_row, near_column] = max(image[near_row, near_column], value)
    image[image <= 123] = 0
    return image


def plain_loop_panorama(scan: SpinningRadarScan) -> NDArray[np.uint8]:
    """Average by area, interpolate azimuths, undo the range, cut: one cell at a time."""
    image = np.zeros((384, 576), np.uint8)
    num_bins, num_scan_azimuths = scan.power.shape
    totals = np.vstack([np.zeros(num_scan_azimuths, int), np.cumsum(scan.power, axis=0)])

    def integral(edge_m: float, column: int) -> float:
        edge = min(max((edge_m - scan.range_offset_m) / scan.range_resolution_m, 0.0), num_bins)
        whole = min(int(edge), num_bins - 1)
        return float(totals[whole, column] + (edge - whole) * scan.power[whole, column])

    step_m = 150 / 384
    rows = np.zeros((384, num_scan_azimuths), np.float32)
    for row in range(384):
        for column in range(num_scan_azimuths):
            inside = integral((row + 1) * step_m, column) - integral(row * step_m, column)
            rows[row, column] = inside / (step_m / scan.range_resolution_m)
    for column in range(576):
        wanted = (column + 0.5) * (2 * math.pi / 576)
        left = max(i for i, azimuth in enumerate(scan.azimuths_rad) if azimuth < wanted)
        right = (left + 1) % num_scan_azimuths
        gap = (scan.azimuths_rad[right] - scan.azimuths_rad[left]) % (2 * math.pi)
        weight = np.float32((wanted - scan.azimuths_rad[left]) / gap)
        for row in range(384):
            power = rows[row, left] * (np.float32(1) - weight) + rows[row, right] * weight
            power += np.float32(40 * math.log10(max(np.linspace(0, 150, 384)[row], 1.0)))
            if power > 123:
                image[row, column] = min(round(float(power + np.float32(2.1025))), 255)
    return image


def test_a_return_at_50_m_ahead_lands_around_row_128_column_95() -> None:
    image = bev_of(50, 0)
    rows, columns = np.nonzero(image)
    assert set(rows) == {127, 128, 129}
    assert set(columns) == {94, 95, 96}
    assert set(image[rows, columns]) == {150}


def test_a_return_on_the_left_lands_left() -> None:
    assert np.nonzero(bev_of(50, 20))[1].max() < 96


@pytest.mark.parametrize(('rcs_dbsm', 'value'), [(-14, 0), (-13, 124), (90, 255)])
def test_the_threshold_drops_122_and_keeps_124(rcs_dbsm: float, value: int) -> None:
    assert bev_of(50, 0, rcs_dbsm).max() == value


@pytest.mark.parametrize(('x', 'y'), [(150.5, 0.0), (10.0, 17.5), (-20.0, 0.0)])
def test_a_return_outside_the_view_is_dropped(x: float, y: float) -> None:
    assert not bev_of(x, y).any()


def test_the_strongest_return_of_a_cell_wins() -> None:
    xyz = np.float32([[50, 0, 0], [50, 0, 1]])
    for rcs in ([0, 10], [10, 0]):
        assert polar_bev_from_points(xyz, np.float32(rcs), GRID, CLOUD)[128, 95] == 170


def test_an_empty_cloud_gives_an_empty_image() -> None:
    image = polar_bev_from_points(np.empty((0, 3), np.float32), np.empty(0), GRID, CLOUD)
    assert image.shape == (384, 192)
    assert not image.any()


def test_the_image_of_a_cloud_equals_the_plain_loop_bit_for_bit() -> None:
    xyz, rcs = random_points(3000)
    np.testing.assert_array_equal(
        polar_bev_from_points(xyz, rcs, GRID, CLOUD), plain_loop_bev(xyz, rcs)
    )


@pytest.mark.parametrize(
    ('num_bins', 'resolution_m', 'offset_m'),
    [
        (856, 150 / 856, 0.0),  # the simulator's fast profile
        (1000, 0.25, -0.31),  # 250 m: cropped; the range offset of Boreas
        (100, 1.0, 0.0),  # 100 m: padded, bins wider than rows
    ],
)
def test_the_image_of_a_scan_equals_the_plain_loop_bit_for_bit(
    num_bins: int, resolution_m: float, offset_m: float
) -> None:
    scan = random_scan(num_bins, resolution_m, offset_m)
    np.testing.assert_array_equal(panorama_from_scan(scan, GRID, SCAN), plain_loop_panorama(scan))


def test_a_scan_of_constant_power_shows_the_range_term_alone() -> None:
    power = np.full((3424, 400), 60, np.uint8)
    scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 3424)
    image = panorama_from_scan(scan, GRID, SCAN)
    # Row 383 is 150 m in the specification: 60 + 40 log10(150) + 2.1 = 149.1
    assert set(image[383]) == {149}
    # Up to 123 - 60 = 63 = 40 log10(37.6 m), row 96, everything falls under the threshold.
    assert not image[:96].any()
    assert image[97].all()


def test_a_target_at_90_degrees_clockwise_appears_in_column_144() -> None:
    power = np.zeros((3424, 400), np.uint8)
    power[1000:1100, 100] = 200
    scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 3424)
    columns = np.nonzero(panorama_from_scan(scan, GRID, SCAN))[1]
    assert set(columns) <= {142, 143, 144, 145}
    assert np.nonzero(views_of_panorama(panorama_from_scan(scan, GRID, SCAN), GRID, 36)[9])[
        1
    ].mean() == pytest.approx(95.5, abs=1)


def test_each_view_is_its_predecessor_moved_by_16_columns() -> None:
    panorama = panorama_from_scan(random_scan(856, 150 / 856), GRID, SCAN)
    views = views_of_panorama(panorama, GRID, 36)
    assert views.shape == (36, 384, 192)
    np.testing.assert_array_equal(views[1][:, :-16], views[0][:, 16:])
    np.testing.assert_array_equal(views[0][:, 96:], panorama[:, :96])
    np.testing.assert_array_equal(views[0][:, :96], panorama[:, -96:])


def test_turning_the_scan_permutes_the_views() -> None:
    panorama = panorama_from_scan(random_scan(856, 150 / 856), GRID, SCAN)
    views = views_of_panorama(panorama, GRID, 36)
    turned = views_of_panorama(np.roll(panorama, -16 * 5, axis=1), GRID, 36)
    np.testing.assert_array_equal(turned, np.roll(views, -5, axis=0))


def test_view_9_of_36_looks_right() -> None:
    yaws_deg = np.degrees(view_yaws_rad(36))
    assert yaws_deg[0] == 0
    assert yaws_deg[9] == pytest.approx(-90)
    assert yaws_deg[18] == pytest.approx(180)
    assert yaws_deg[27] == pytest.approx(90)


def test_views_that_do_not_divide_the_circle_are_refused() -> None:
    with pytest.raises(ValueError, match='7 views do not divide the 576'):
        views_of_panorama(np.zeros((384, 576), np.uint8), GRID, 7)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'num_ranges': 0}, 'is empty'),
        ({'max_range_m': -1.0}, 'max_range_m is -1.0, expected above 0'),
        ({'fov_deg': 100.0}, 'does not divide 360'),
    ],
)
def test_an_impossible_grid_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PolarGrid(**options)  # type: ignore[arg-type]
