# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check both layouts of polar PNG, on made scans and on a real one."""

from __future__ import annotations

from pathlib import Path
import struct

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.spinning.polar_png import read_plain_scan, read_polar_scan, write_plain_scan

REAL_SCAN = Path(__file__).parents[2] / 'data/boreas_rt/1733239501984460.png'
STAMP_NS = 1_700_000_000_000_000_000


def oxford_rows(num_bins: int = 500, first_count: int = 7) -> NDArray[np.uint8]:
    """Return 400 rows of 11 + num_bins bytes; row i holds the value i // 2 at every range."""
    rows = np.zeros((400, 11 + num_bins), np.uint8)
    for i in range(400):
        metadata = struct.pack('<qHB', STAMP_NS // 1000 + i * 625, first_count + 14 * i, 255)
        rows[i, :11] = np.frombuffer(metadata, np.uint8)
        rows[i, 11:] = i // 2
    return rows


def written(path: Path, image: NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def test_oxford_rows_become_columns_at_the_angles_of_the_encoder(tmp_path: Path) -> None:
    rows = oxford_rows()
    rows[100, 11 + 30] = 255
    scan = read_polar_scan(written(tmp_path / 'a.png', rows), STAMP_NS, 0.05, -0.31)
    assert scan.power.shape == (500, 400)
    assert scan.power[30, 100] == 255
    assert scan.azimuths_rad[0] == pytest.approx(7 / 5600 * 2 * np.pi)
    assert np.degrees(scan.azimuths_rad[100]) == pytest.approx(90.45)
    assert (scan.range_resolution_m, scan.range_offset_m, scan.stamp_ns) == (0.05, -0.31, STAMP_NS)


def test_a_sweep_that_starts_anywhere_is_sorted_by_angle(tmp_path: Path) -> None:
    rows = oxford_rows()
    turned = read_polar_scan(
        written(tmp_path / 'a.png', np.roll(rows, 123, axis=0)), STAMP_NS, 0.05
    )
    straight = read_polar_scan(written(tmp_path / 'b.png', rows), STAMP_NS, 0.05)
    np.testing.assert_array_equal(turned.power, straight.power)
    np.testing.assert_array_equal(turned.azimuths_rad, straight.azimuths_rad)


def test_encoders_that_are_all_zero_mean_even_steps(tmp_path: Path) -> None:
    rows = oxford_rows()
    rows[:, :11] = 0
    scan = read_polar_scan(written(tmp_path / 'a.png', rows), STAMP_NS, 0.05)
    np.testing.assert_allclose(np.degrees(scan.azimuths_rad), 0.9 * np.arange(400), atol=1e-9)
    assert scan.power[0, 399] == 199


def test_two_rows_at_one_angle_count_once(tmp_path: Path) -> None:
    rows = oxford_rows()
    rows[200] = rows[199]
    scan = read_polar_scan(written(tmp_path / 'a.png', rows), STAMP_NS, 0.05)
    assert scan.power.shape == (500, 399)


@pytest.mark.parametrize('flag', [0, 1, 255])
def test_the_tenth_byte_leaves_no_row_out(tmp_path: Path, flag: int) -> None:
    rows = oxford_rows()
    rows[::2, 10] = flag
    assert read_polar_scan(written(tmp_path / 'a.png', rows), 0, 0.05).power.shape == (500, 400)


def test_an_encoder_beyond_a_turn_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / 'a.png', oxford_rows(first_count=100))
    with pytest.raises(ValueError, match='encoder count 5686, expected below 5600'):
        read_polar_scan(path, STAMP_NS, 0.05)


def test_the_plain_layout_is_told_by_its_shape(tmp_path: Path) -> None:
    power = np.random.default_rng(0).integers(0, 256, (500, 400), dtype=np.uint8)
    write_plain_scan(tmp_path / 'a.png', power)
    scan = read_polar_scan(tmp_path / 'a.png', STAMP_NS, 0.05)
    np.testing.assert_array_equal(scan.power, power)
    assert np.degrees(scan.azimuths_rad[100]) == pytest.approx(90)


def test_a_real_scan_reads_as_400_angles_and_6848_ranges() -> None:
    scan = read_polar_scan(REAL_SCAN, STAMP_NS, 0.04381, -0.31)
    assert scan.power.shape == (6848, 400)
    counts = scan.azimuths_rad / (2 * np.pi) * 5600
    np.testing.assert_allclose(counts, 7 + 14 * np.arange(400))
    # Metadata left in would show as a column that counts up; echoes fade with range.
    near, far = scan.power[50:1000].mean(), scan.power[5000:].mean()
    assert near > far > 0


@pytest.mark.parametrize('shape', [(400, 400), (399, 511), (500, 399), (1, 1)])
def test_an_image_without_400_azimuths_is_refused(tmp_path: Path, shape: tuple[int, int]) -> None:
    path = written(tmp_path / 'a.png', np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match=f'{shape[0]} rows x {shape[1]} columns, expected 400 az'):
        read_polar_scan(path, STAMP_NS, 0.05)


def test_an_image_in_colour_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / 'a.png', np.zeros((500, 400, 3), np.uint8))
    with pytest.raises(ValueError, match=r'8 bits and colour type 2, expected 8 bits and 0'):
        read_plain_scan(path, STAMP_NS, 150.0)


def test_an_image_of_16_bits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.png'
    assert cv2.imwrite(str(path), np.zeros((500, 400), np.uint16))
    with pytest.raises(ValueError, match=r'16 bits and colour type 0'):
        read_plain_scan(path, STAMP_NS, 150.0)


def test_a_file_that_is_no_png_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'GIF89a' + b'\0' * 60)
    with pytest.raises(ValueError, match="is not a PNG: it begins with b'GIF89a"):
        read_polar_scan(tmp_path / 'a.png', STAMP_NS, 0.05)


@pytest.mark.parametrize('end', [0, 10, -20])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, end: int) -> None:
    path = written(tmp_path / 'a.png', oxford_rows())
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(ValueError, match=r'expected a PNG|is cut off'):
        read_polar_scan(path, STAMP_NS, 0.05)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / 'a.png', oxford_rows())
    data = bytearray(path.read_bytes())
    data[40:60] = b'\xaa' * 20
    path.write_bytes(data)
    with pytest.raises(ValueError, match='is damaged'):
        read_polar_scan(path, STAMP_NS, 0.05)


def test_a_header_that_claims_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = written(tmp_path / 'a.png', oxford_rows())
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack('>II', 400, 2_000_000_000)
    path.write_bytes(data)
    with pytest.raises(ValueError, match='2000000000 rows x 400 columns, expected at most 20000'):
        read_polar_scan(path, STAMP_NS, 0.05)


@pytest.mark.parametrize('shape', [(400, 400), (500, 399)])
def test_a_scan_of_another_shape_is_not_written(tmp_path: Path, shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f'{shape[0]} rows x {shape[1]} columns, expected ranges'):
        write_plain_scan(tmp_path / 'a.png', np.zeros(shape, np.uint8))
