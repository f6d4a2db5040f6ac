# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that an image that was read as what it is not is told from a scan."""

from __future__ import annotations

import math
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.spinning.plausibility import plausible, require_ordered
from ssd_ros.datasets.spinning.polar_png import read_plain_scan, read_polar_scan
from ssd_ros.radar.types import SpinningRadarScan, uniform_azimuths_rad
from support.spinning_messages import b_scan, bag_of, image

RNG = np.random.default_rng(0)
NOISE = RNG.integers(20, 120, (3360, 400), dtype=np.uint8)  # bins x azimuths, 200 m


def scan_of(power: NDArray[np.uint8], resolution_m: float = 0.0595) -> SpinningRadarScan:
    return SpinningRadarScan(1, power, uniform_azimuths_rad(power.shape[1]), resolution_m)


@pytest.mark.parametrize(
    ('power', 'resolution_m', 'message'),
    [
        (NOISE.T[:, :2527].T[:400].repeat(7, 1)[:, :2527], 0.06, '2527 azimuths x 400 bins looks'),
        (NOISE[:400].repeat(2, 1)[:, :576], 0.175, '576 azimuths x 400 bins looks transposed'),
        (NOISE[:, :60], 0.06, '60 azimuths x 3360 bins, expected about 400 azimuths'),
        (NOISE[:600].repeat(9, 1), 0.06, '3600 azimuths x 600 bins, expected about 400'),
        (np.zeros((3360, 400), np.uint8), 0.06, 'is blank: all pixels are 0'),
        (np.full((3360, 400), 255, np.uint8), 0.06, 'is blank: all pixels are 255'),
        (np.where(NOISE > 90, 255, NOISE), 0.06, 'is saturated: 29% of its pixels are 255'),
        (NOISE, 0.0006, 'of 0.0006 m reaches 2.0 m, expected 5 to 1000 m'),
        (NOISE, 5.95, 'of 5.95 m reaches 19992.0 m'),
    ],
)
def test_what_is_no_scan_is_told_with_what_was_seen(
    power: NDArray[np.uint8], resolution_m: float, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        plausible(scan_of(power.astype(np.uint8), resolution_m))


@pytest.mark.parametrize(
    ('num_bins', 'num_azimuths', 'resolution_m'),
    [
        (3768, 400, 0.0432),  # Oxford
        (6848, 400, 0.0438),  # Boreas-RT
        (3424, 400, 150 / 3424),  # HeRCULES
        (576, 400, 0.175),  # RADIATE
        (3360, 396, 0.0595),  # with azimuths lost
    ],
)
def test_real_layouts_pass(num_bins: int, num_azimuths: int, resolution_m: float) -> None:
    power = RNG.integers(20, 120, (num_bins, num_azimuths), dtype=np.uint8)
    scan = scan_of(power, resolution_m)
    assert plausible(scan) is scan


def test_a_part_of_a_turn_is_no_scan() -> None:
    azimuths_rad = uniform_azimuths_rad(400) * 0.75
    with pytest.raises(ValueError, match=r'lacks 91 degrees of the turn: are messages lost'):
        plausible(SpinningRadarScan(1, NOISE, azimuths_rad, 0.0595))


def test_counts_without_order_are_no_encoders() -> None:
    in_order = (np.arange(400) * 14 + 3000) % 5600
    require_ordered(in_order, 5600)
    require_ordered(in_order[::-1], 5600)
    swapped = in_order.copy()
    swapped[[50, 51, 90, 91]] = swapped[[51, 50, 91, 90]]
    require_ordered(swapped, 5600)
    with pytest.raises(ValueError, match=r'encoder counts that rise in \d+% .* one direction'):
        require_ordered(RNG.integers(0, 5600, 400), 5600)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.mark.parametrize('power', [np.zeros_like(NOISE), np.where(NOISE > 60, 255, NOISE)])
def test_every_reader_asks(tmp_path: Path, power: Any) -> None:
    """The same image as a PNG of both layouts and as messages of two types."""
    power = power.astype(np.uint8)
    message = 'is blank|is saturated'
    path = write_png(tmp_path / 'plain.png', power)
    for read in (read_plain_scan, read_polar_scan):
        with pytest.raises(ValueError, match=f'plain.png: scan of 400 .* ({message})'):
            read(path, 1, 150.0 if read is read_plain_scan else 0.0595)
    oxford = np.hstack([np.zeros((400, 11), np.uint8), power.T])
    with pytest.raises(ValueError, match=f'oxford.png: .* ({message})'):
        read_polar_scan(write_png(tmp_path / 'oxford.png', oxford), 1, 0.0432)
    counts = (np.arange(400) * 14).astype(np.uint16)
    for name, sent in (('image', image(power)), ('b_scan', b_scan(power.T.copy(), counts))):
        sequence = Rosbag2Sequence(bag_of(tmp_path / name, '/polar', [sent]))
        with pytest.raises(ValueError, match=message):
            sequence.scan(0)


@pytest.mark.parametrize(
    ('preset', 'message'),
    [
        ('navtech_image', '3360 azimuths x 400 bins looks transposed'),
        ('utias', '3360 azimuths x 389 bins, expected about 400 azimuths'),
    ],
)
def test_a_wrong_preset_is_told(tmp_path: Path, preset: str, message: str) -> None:
    """MulRan's messages, whose rows are ranges, read as if they were azimuths."""
    path = bag_of(tmp_path / 'bag', '/polar', [image(np.where(NOISE < 60, 0, NOISE))])
    sequence = Rosbag2Sequence(path, Rosbag2Config(spinning_preset=preset))
    with pytest.raises(ValueError, match=f'{message}|encoder count'):
        sequence.scan(0)


def test_pixels_are_not_taken_for_encoder_counts(tmp_path: Path) -> None:
    """An image without metadata, read by the preset whose azimuths begin with some."""
    dark = np.minimum(NOISE, 21).T.copy()  # as a count: below 5600
    path = bag_of(tmp_path / 'bag', '/polar', [image(dark)])
    sequence = Rosbag2Sequence(path, Rosbag2Config(spinning_preset='utias'))
    with pytest.raises(ValueError, match=r'one direction: is the layout another .*preset'):
        sequence.scan(0)


def test_all_angles_are_finite() -> None:
    assert math.isfinite(float(plausible(scan_of(NOISE)).azimuths_rad.max()))
