# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a scan is seen from above as it lies before the vehicle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from ssd_ros.cli.common.scan_picture import birds_eye, write_first_scan
from ssd_ros.radar.types import SpinningRadarScan, uniform_azimuths_rad
from support.posts import straight_drive


@pytest.mark.parametrize(
    ('azimuth', 'pixel'),
    [(0, (0, 50)), (100, (50, 100)), (200, (100, 50)), (300, (50, 0)), (399, (0, 49))],
)
def test_forward_is_up_and_azimuth_runs_clockwise(azimuth: int, pixel: tuple[int, int]) -> None:
    """Bin 100 of 0.5 m lies 50 m off: at the edge of a picture of 50 m to each side."""
    power = np.zeros((200, 400), np.uint8)
    power[99:101, azimuth] = 200
    image = birds_eye(SpinningRadarScan(1, power, uniform_azimuths_rad(400), 0.5), 50.0, 101)
    assert image.max() == 200
    row, column = np.argwhere(image == 200).mean(axis=0)
    assert (row, column) == pytest.approx(pixel, abs=1)


def test_azimuths_and_ranges_of_the_scan_count() -> None:
    power = np.full((200, 200), 9, np.uint8)
    power[160:162, 25] = 200  # 80.5 m - 40.5 m off, at 45 degrees
    scan = SpinningRadarScan(1, power, uniform_azimuths_rad(200), 0.5, -40.5)
    image = birds_eye(scan, 40.0, 81)
    row, column = np.argwhere(image == 200).mean(axis=0)
    assert (row, column) == pytest.approx((40 - 40 / 2**0.5, 40 + 40 / 2**0.5), abs=1)
    # 200 bins end 59.5 m off; beyond there is nothing.
    assert birds_eye(scan, 80.0, 81)[40].tolist().count(0) == 2 * 11  # a pixel each 2 m


def test_the_first_scan_that_can_be_read_is_drawn(tmp_path: Path) -> None:
    drive = replace(straight_drive(num=4), unreadable={0, 1})
    assert write_first_scan(tmp_path / 'a.png', drive)
    assert write_first_scan(tmp_path / 'b.png', straight_drive(num=4))
    first, second = (cv2.imread(str(tmp_path / f'{name}.png')) for name in 'ab')
    assert first.shape == second.shape == (700, 700, 3)
    assert (first != second).any()
    assert not write_first_scan(tmp_path / 'c.png', replace(drive, unreadable={0, 1, 2, 3}))
    assert not (tmp_path / 'c.png').exists()
