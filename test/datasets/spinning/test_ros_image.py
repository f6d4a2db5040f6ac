# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the images and other messages that spinning radar players and drivers send."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.spinning.preset import PRESETS, SpinningPreset
from ssd_ros.datasets.spinning.scan import scan_from_image
from ssd_ros.radar.types import SpinningRadarScan

POWER = np.random.default_rng(0).integers(0, 256, (500, 400), dtype=np.uint8)


def image(pixels: NDArray[np.uint8], **changes: Any) -> Any:
    height, width = pixels.shape
    attributes: dict[str, Any] = {
        'height': height,
        'width': width,
        'step': width,
        'encoding': 'mono8',
    }
    attributes |= {'is_bigendian': 0, 'data': pixels.tobytes()}
    return SimpleNamespace(**{**attributes, **changes})


@pytest.mark.parametrize(
    'message',
    [
        image(POWER),
        image(POWER, encoding='8UC1'),
        image(np.ascontiguousarray(POWER.T)),  # rows are azimuths
        image(POWER, step=420, data=np.pad(POWER, ((0, 0), (0, 20))).tobytes()),
        # A player's fault: three equal channels under the name of one.
        image(POWER, step=1200, data=POWER.repeat(3).tobytes()),
        image(POWER, data=POWER.tobytes() + b'more'),
        image(POWER, encoding='16UC1', step=800, data=POWER.astype('<u2').tobytes()),
        image(
            POWER, encoding='mono16', step=800, is_bigendian=1, data=POWER.astype('>u2').tobytes()
        ),
    ],
)
def test_every_known_form_is_the_same_scan(message: Any) -> None:
    scan = scan_from_image(message, 7, SpinningPreset())
    np.testing.assert_array_equal(scan.power, POWER)
    assert scan.stamp_ns == 7
    assert scan.range_resolution_m == 150 / 500
    assert np.degrees(scan.azimuths_rad[100]) == pytest.approx(90)


def test_the_range_resolution_can_be_given() -> None:
    assert (
        scan_from_image(
            image(POWER), 7, SpinningPreset(range_resolution_m=0.0596)
        ).range_resolution_m
        == 0.0596
    )


@pytest.mark.parametrize(
    ('changes', 'text'),
    [
        ({'encoding': 'rgb8'}, "encoding 'rgb8', expected one of"),
        ({'encoding': '16UC1'}, 'expected 500 rows of at least 800 bytes'),
        ({'width': 399}, '500 rows x 399 columns, expected 400 azimuths'),
        ({'height': 400}, '400 rows x 400 columns'),
        ({'height': 0}, '0 rows x 400 columns'),
        ({'step': 399}, 'has 200000 bytes and step 399'),
        ({'data': b'12'}, 'has 2 bytes and step 400, expected 500 rows of at least 400 bytes'),
        ({'height': 2**32 - 1}, 'has 200000 bytes'),
    ],
)
def test_another_image_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        scan_from_image(image(POWER, **changes), 7, SpinningPreset())


def column_of_peak(scan: SpinningRadarScan) -> tuple[float, int]:
    """Return azimuth in degrees and bin of the strongest echo."""
    row, column = np.unravel_index(np.argmax(scan.power), scan.power.shape)
    return float(np.degrees(scan.azimuths_rad[column])), int(row)


def echo(num_azimuths: int, azimuth: int, num_bins: int, at_bin: int) -> NDArray[np.uint8]:
    """Return rows of azimuth, dark but for one echo."""
    rows = np.zeros((num_azimuths, num_bins), np.uint8)
    rows[azimuth, at_bin] = 200
    return rows


def test_another_radar_may_have_other_than_400_azimuths() -> None:
    # Row 50 of 200, a quarter turn.
    preset = SpinningPreset(rows_are='azimuth')
    scan = scan_from_image(image(echo(200, 50, 300, 7)), 1, preset)
    degrees, at_bin = column_of_peak(scan)
    assert (pytest.approx(90), 7) == (degrees, at_bin)
    assert scan.power.shape == (300, 200)


def test_more_than_255_in_16_bits_is_clipped() -> None:
    wide = np.zeros((500, 400), '<u2')
    wide[7, 3] = 3000
    scan = scan_from_image(
        image(POWER, encoding='16UC1', step=800, data=wide.tobytes()), 1, SpinningPreset()
    )
    assert (scan.power[7, 3], scan.power.sum()) == (255, 255)


def test_the_metadata_of_utias_tell_the_azimuth_and_are_cut_off() -> None:
    rows = echo(400, 3, 500, 7)
    counts = (np.arange(400) * 14 + 2800) % 5600  # begins backwards
    metadata = np.zeros((400, 11), np.uint8)
    metadata[:, 8:10] = counts.astype('<u2')[:, None].view(np.uint8)
    metadata[:, 10] = 255
    scan = scan_from_image(image(np.hstack([metadata, rows])), 1, PRESETS['utias'])
    degrees, at_bin = column_of_peak(scan)
    assert degrees == pytest.approx(180 + 3 * 0.9)
    assert (at_bin, scan.power.shape, scan.range_resolution_m) == (7, (500, 400), 0.0596)


def test_metadata_without_an_image_are_refused() -> None:
    with pytest.raises(ValueError, match='9 bytes an azimuth, expected more than 11'):
        scan_from_image(image(np.zeros((400, 9), np.uint8)), 1, PRESETS['utias'])


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'rows_are': 'columns'}, "unknown rows_are 'columns'; choose from"),
        ({'num_metadata_bytes': 12}, 'num_metadata_bytes is 12, expected 0 or 11'),
        ({'encoder_size': 0}, 'encoder_size is 0'),
        ({'range_resolution_m': -1.0}, 'range_resolution_m is -1.0, expected > 0'),
        ({'message_type': 'x'}, "unknown message_type 'x'"),
    ],
)
def test_an_impossible_preset_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SpinningPreset(**options)
