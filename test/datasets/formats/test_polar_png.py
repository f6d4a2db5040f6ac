# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a folder of bare polar images is read, and told from those with metadata."""

from __future__ import annotations

import logging
from pathlib import Path
import re
import struct

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.cli.build_db.command import main as build_db
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.poses import write_hercules_poses
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.maps.place_database import PlaceDatabase
from support.posts import straight_drive, write_small_encoder

START_NS = 1_574_859_771_744_660_272
STEP_NS = 250_000_000
RESOLUTION_M = 0.1736
CONFIG = Rosbag2Config(range_resolution_m=RESOLUTION_M)


def image(number: int = 0) -> NDArray[np.uint8]:
    """Return 576 ranges x 400 azimuths."""
    return np.random.default_rng(number).integers(0, 160, (576, 400), dtype=np.uint8)


def written(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def radiate(root: Path, num: int = 4) -> Path:
    """Write a drive as RADIATE has it: numbered frames, their times in a file beside them."""
    for number in range(1, num + 1):
        written(root / f'Navtech_Polar/{number:06d}.png', image(number))
    stamps_ns = (START_NS + STEP_NS * np.arange(num)).tolist()
    lines = [
        f'Frame: {number:06d} Time: {stamp_ns // 10**9}.{stamp_ns % 10**9:09d}\n'
        for number, stamp_ns in enumerate(stamps_ns, start=1)
    ]
    (root / 'Navtech_Polar.txt').write_text(''.join(lines))
    return root


def oxford_rows(rows: NDArray[np.uint8], has_counts: bool = True) -> NDArray[np.uint8]:
    """Return 400 azimuths behind 11 bytes of metadata."""
    metadata = [
        struct.pack('<qHB', START_NS // 1000 + 625 * i, (7 + 14 * i) * has_counts, 255)
        for i in range(400)
    ]
    return np.hstack([np.frombuffer(b''.join(metadata), np.uint8).reshape(400, 11), rows])


def test_radiate_is_recognised_and_read_to_the_nanosecond(tmp_path: Path) -> None:
    sequence = open_sequence(radiate(tmp_path / 'fog_6_0'), config=CONFIG)
    assert isinstance(sequence, RadarSequence)
    assert (sequence.name, len(sequence.scan_poses)) == ('fog_6_0', 0)
    assert sequence.scan_stamps_ns.tolist() == (START_NS + STEP_NS * np.arange(4)).tolist()
    scan = sequence.scan(2)
    np.testing.assert_array_equal(scan.power, image(3))  # rows are ranges
    assert np.degrees(scan.azimuths_rad[100]) == pytest.approx(90)
    assert (scan.range_resolution_m, scan.range_offset_m) == (RESOLUTION_M, 0)
    assert scan.stamp_ns == START_NS + 2 * STEP_NS


@pytest.mark.parametrize('digits', [16, 19])
@pytest.mark.parametrize('is_transposed', [False, True])
def test_a_plain_folder_has_its_times_in_the_names(
    tmp_path: Path, digits: int, is_transposed: bool
) -> None:
    for number in range(2):
        name = str(START_NS + number * STEP_NS)[:digits]
        pixels = image(number).T if is_transposed else image(number)
        written(tmp_path / f'scans/{name}.png', pixels)
    sequence = open_sequence(tmp_path / 'scans', 'polar_png', CONFIG)
    first_ns = int(str(START_NS)[:digits].ljust(19, '0'))
    assert sequence.scan_stamps_ns.tolist() == [first_ns, first_ns + STEP_NS]
    np.testing.assert_array_equal(sequence.scan(1).power, image(1))


def test_without_a_range_resolution_it_is_refused_with_what_to_give(tmp_path: Path) -> None:
    path = radiate(tmp_path)
    with pytest.raises(ValueError, match=r'give --range-resolution METRES, .* \(RADIATE: 0.1736'):
        open_sequence(path)


def test_frames_without_a_time_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = radiate(tmp_path)
    file = path / 'Navtech_Polar.txt'
    first, second, third, fourth = file.read_text().splitlines()
    alike = fourth.split('Time')[0] + 'Time' + first.split('Time')[1]
    file.write_text('\n'.join([third, 'Frame: x Time: y', second, first, alike]))
    with caplog.at_level(logging.WARNING):
        sequence = open_sequence(path, config=CONFIG)
    assert [file.stem for file in sequence.scan_paths] == ['000004', '000002', '000003']  # type: ignore[attr-defined]
    assert 'no time of their own for 1 of 4 scans: they are left out' in caplog.text
    file.write_text('Frame: 9 Time: 1574859771.5\n')
    with pytest.raises(ValueError, match='has the time of none of the 4 scans in'):
        open_sequence(path, config=CONFIG)


def test_numbered_files_without_a_list_are_refused_with_both_ways_out(tmp_path: Path) -> None:
    path = radiate(tmp_path)
    (path / 'Navtech_Polar.txt').unlink()
    with pytest.raises(ValueError, match=r'expected 16 .* or 19 .*; or Navtech_Polar.txt beside'):
        open_sequence(path, config=CONFIG)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='has no PNG files'):
        open_sequence(tmp_path, 'polar_png', CONFIG)


def test_an_image_of_oxford_is_not_taken_for_a_plain_one(tmp_path: Path) -> None:
    pixels = oxford_rows(image().T)
    for name, turned in (('a', pixels), ('b', np.roll(pixels, 123, axis=0))):
        written(tmp_path / f'{name}/{START_NS}.png', turned)
        sequence = open_sequence(tmp_path / name, 'polar_png', CONFIG)
        with pytest.raises(ValueError, match='begins its rows with encoder counts, as Oxford'):
            sequence.scan(0)


@pytest.mark.parametrize('dataset', ['oxford', 'mulran', 'boreas'])
@pytest.mark.parametrize('near', ['echoes', 'one number'])
def test_a_plain_image_is_not_taken_for_one_of_oxford(
    tmp_path: Path, dataset: str, near: str
) -> None:
    folder = {'mulran': 'polar'}.get(dataset, 'radar')
    pixels = image().T.copy()
    if near == 'one number':
        pixels[:, :11] = 7
    written(tmp_path / folder / f'{START_NS}.png', pixels)
    sequence = open_sequence(tmp_path, dataset)
    with pytest.raises(ValueError, match=re.escape('--dataset polar_png')):
        sequence.scan(0)


@pytest.mark.parametrize('dataset', ['oxford', 'boreas'])
def test_ranges_as_rows_are_no_image_of_oxford_or_boreas(tmp_path: Path, dataset: str) -> None:
    written(tmp_path / f'radar/{START_NS}.png', image())
    message = '576 rows x 400 columns, expected 400 azimuths x (11 + ranges); is it plain (--datas'
    with pytest.raises(ValueError, match=re.escape(message)):
        open_sequence(tmp_path, dataset).scan(0)


def test_images_of_oxford_whose_encoder_was_not_recorded_are_read(tmp_path: Path) -> None:
    written(tmp_path / f'radar/{START_NS}.png', oxford_rows(image().T, has_counts=False))
    scan = open_sequence(tmp_path, 'oxford').scan(0)
    np.testing.assert_array_equal(scan.power, image())


def test_build_db_makes_a_map_of_such_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = straight_drive(num=6)
    for index, stamp_ns in enumerate(drive.scan_stamps_ns.tolist()):
        written(tmp_path / f'yard/{stamp_ns}.png', drive.scan(index).power.T)
    write_hercules_poses(tmp_path / 'poses.txt', drive.scan_poses)
    teacher = write_small_encoder(tmp_path / 'teacher.onnx', 'spinning')
    given = ['--input', tmp_path / 'yard', '--output', tmp_path / 'map', '--teacher', teacher]
    given += ['--dataset', 'polar_png', '--poses', tmp_path / 'poses.txt', '--device', 'cpu']
    words = [str(word) for word in given]
    assert build_db(words) == 1
    assert 'give --range-resolution METRES' in capsys.readouterr().err
    assert build_db([*words, '--range-resolution', '0.25']) == 0
    database = PlaceDatabase.load(tmp_path / 'map')
    assert (len(database), database.info.source) == (6, 'yard')
    np.testing.assert_allclose(database.keyframes.positions_m[:, 0], 10 * np.arange(6))
