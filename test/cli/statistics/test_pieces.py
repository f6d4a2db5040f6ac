# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is measured of sectors: what a gain changes, and what the depth of bins does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.cli.statistics.pieces import IMAGE, LEVEL, Piece, pieces_of_cloud, pieces_of_scan
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad


def noisy_scan() -> SpinningRadarScan:
    """Powers of 60 ... 159, so that 20 pixels more saturate nothing."""
    power = np.random.default_rng(1).integers(60, 160, (500, 400)).astype(np.uint8)
    return SpinningRadarScan(0, power, uniform_azimuths_rad(400), 0.3)


def cloud_ahead(num: int) -> RadarPointCloud:
    """Return detections at 10 m, one a degree from -60 on, of a radar that drives at 5 m/s."""
    azimuth = np.radians(np.arange(num) - 59.5)
    xyz_m = 10 * np.column_stack([np.cos(azimuth), np.sin(azimuth), np.zeros(num)])
    rcs_dbsm = np.arange(num, dtype=np.float32) % 20
    velocity_mps = -5 * np.cos(azimuth)
    return RadarPointCloud(0, xyz_m.astype(np.float32), rcs_dbsm, velocity_mps.astype(np.float32))


def assert_only_levels_moved(before: list[Piece], after: list[Piece], by: float) -> None:
    assert [piece.sector for piece in before] == [piece.sector for piece in after]
    for one, other in zip(before, after, strict=True):
        for name, value in one.values.items():
            expected = value + by if name.startswith(LEVEL) else value
            rounding = 1.0 if name.startswith(IMAGE) else 1e-3  # its pixels are whole numbers
            assert other.values[name] == pytest.approx(expected, abs=rounding, nan_ok=True), name


def test_a_gain_moves_the_levels_of_a_turn_and_nothing_else() -> None:
    scan = noisy_scan()
    brighter = replace(scan, power=scan.power + np.uint8(20))
    before = pieces_of_scan(scan)
    assert [piece.sector for piece in before] == list(range(20))
    assert before[0].values['level: median at 20-60 m'] == pytest.approx(109.5, abs=3)
    assert_only_levels_moved(before, pieces_of_scan(brighter), 20)


def test_a_gain_moves_the_levels_of_a_cloud_and_nothing_else() -> None:
    cloud = cloud_ahead(120)
    stronger = replace(cloud, rcs_dbsm=cloud.rcs_dbsm + np.float32(7))
    assert_only_levels_moved(pieces_of_cloud(cloud), pieces_of_cloud(stronger), 7)


def test_bins_of_half_the_depth_measure_the_same() -> None:
    scan = noisy_scan()
    finer = replace(scan, power=np.repeat(scan.power, 2, axis=0), range_resolution_m=0.15)
    for one, other in zip(pieces_of_scan(scan), pieces_of_scan(finer), strict=True):
        for name, value in one.values.items():
            # The lags are the nearest whole bins: 0.6 and 0.45 m for half a metre.
            if 'correlation over 0.5 m' not in name:
                assert other.values[name] == pytest.approx(value, abs=1.5), name


def test_one_bright_arc_is_the_return_of_its_sector_alone() -> None:
    power = np.full((500, 400), 40, np.uint8)
    power[100:110, 45:55] = 140  # at 30 to 33 m, within sector 2: azimuths 40 ... 59
    scan = SpinningRadarScan(0, power, uniform_azimuths_rad(400), 0.3)
    pieces = pieces_of_scan(scan)
    brightest = [piece.values['level: brightest pixel'] for piece in pieces]
    assert brightest == [40, 40, 140, *[40] * 17]
    shares = [piece.values['image: share of returns at 20-60 m'] for piece in pieces]
    assert np.argmax(shares) == 2
    assert np.isnan(pieces[0].values['shape: correlation over 1 m'])  # nothing varies


def test_detections_are_measured_by_sector() -> None:
    pieces = pieces_of_cloud(cloud_ahead(64))  # 20, 20, 20 and 4, which are too few
    assert [piece.sector for piece in pieces] == [0, 1, 2]
    values = pieces[0].values
    assert values['shape: detections'] == 20
    assert values['shape: median range [m]'] == pytest.approx(10)
    assert values['shape: to the nearest other [m]'] == pytest.approx(20 * np.sin(np.pi / 360))
    assert values['shape: share that stands still'] == 1
    assert values['shape: spread of Doppler of these [m/s]'] == pytest.approx(0, abs=1e-3)


def test_an_empty_cloud_has_no_pieces() -> None:
    empty = RadarPointCloud(0, *(np.empty(shape, np.float32) for shape in ((0, 3), 0, 0)))
    assert pieces_of_cloud(empty) == []
