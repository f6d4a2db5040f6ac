# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the HeRCULES format: what is written, what is read, and what is refused."""

from __future__ import annotations

from dataclasses import replace
import logging
from pathlib import Path
import struct

import cv2
import numpy as np
import pytest
from ssd_ros.datasets.formats.hercules import HerculesSequence, write_hercules
from ssd_ros.datasets.sequence import RadarSequence
from support.drives.in_memory import (
    assert_same_data,
    assert_same_poses,
    drive,
    START_NS,
    with_lidar,
)

FIRST_RECORD = struct.pack('<fffffbff', 3.0, 4.0, 0.0, -2.5, 5.0, -7, 0.5, 0.0)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return write_hercules(tmp_path, 'Library', '01', drive())


def test_what_is_written_is_read_back_whole(written: Path) -> None:
    sequence: RadarSequence = HerculesSequence(written)
    expected = drive()
    assert sequence.name == 'Library/01'
    assert isinstance(sequence, RadarSequence)
    assert_same_data(sequence, expected)
    assert_same_poses(sequence.cloud_poses, expected.cloud_poses)
    assert_same_poses(sequence.scan_poses, expected.scan_poses)
    assert sequence.cloud(0).frame_id == 'continental'


def test_the_files_are_those_of_the_data_set(written: Path) -> None:
    first = START_NS
    assert (written / f'Radar/Continental/{first}.bin').read_bytes()[:21] == FIRST_RECORD[:21]
    image = cv2.imread(str(written / f'Radar/Navtech/{first + 3}.png'), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image.shape == (856, 400)
    words = (written / 'PR_GT/Continental_gt.txt').read_text().split()
    assert words[0] == str(first)
    assert len(words) == 2 * 8
    assert (written / 'sensor_data/datastamp.csv').read_text().split() == [
        f'{first},continental',
        f'{first + 3},navtech',
        f'{first + 7},navtech',
        f'{first + 50_000_001},continental',
        f'{first + 250_000_000},navtech',
    ]
    stamps = (written / 'sensor_data/continental_stamp.csv').read_text()
    assert stamps == f'{first}\n{first + 50_000_001}\n'


def test_progress_counts_every_file(tmp_path: Path) -> None:
    counts: list[int] = []
    write_hercules(tmp_path, 'Library', '01', drive(), counts.append)
    assert counts == [1, 2, 3, 4, 5]


def test_an_interrupted_writer_leaves_what_was_there(written: Path) -> None:
    def interrupt(num_done: int) -> None:
        if num_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_hercules(written.parents[1], 'Library', '01', drive(), interrupt)
    assert len(HerculesSequence(written).scan_stamps_ns) == 3
    assert [path.name for path in written.parent.iterdir()] == ['01']


def test_a_target_on_the_left_is_in_column_300(written: Path) -> None:
    # Clockwise from forward: 90 degrees to the left is 270, at 0.9 degrees a column.
    scan = HerculesSequence(written).scan(0)
    assert np.degrees(scan.azimuths_rad[300]) == pytest.approx(270)


def test_native_scans_have_bins_of_44_mm(tmp_path: Path) -> None:
    native = replace(drive(), num_bins=3424, range_resolution_m=150 / 3424)
    sequence = HerculesSequence(write_hercules(tmp_path, 'Library', '02', native))
    assert sequence.scan(0).range_resolution_m == pytest.approx(0.0438, abs=1e-4)


def test_the_authors_own_bytes_are_understood(tmp_path: Path) -> None:
    path = tmp_path / 'Sports_Complex_01_Day/RADAR/continental/1700000000123456789.bin'
    path.parent.mkdir(parents=True)
    path.write_bytes(FIRST_RECORD)
    sequence = HerculesSequence(tmp_path / 'Sports_Complex_01_Day')
    cloud = sequence.cloud(0)
    assert sequence.name == 'Sports_Complex_01_Day'
    assert cloud.xyz_m.tolist() == [[3, 4, 0]]
    assert (cloud.rcs_dbsm[0], cloud.radial_velocity_mps[0]) == (-7, -2.5)


def test_a_trailing_partial_record_is_dropped_with_a_warning(
    written: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (written / f'Radar/Continental/{START_NS}.bin').open('ab') as file:
        file.write(b'\xff' * 11)
    assert len(HerculesSequence(written).cloud(0)) == 2
    assert '11 bytes after the last whole record' in caplog.text


def test_an_empty_file_is_an_empty_cloud(written: Path) -> None:
    (written / f'Radar/Continental/{START_NS}.bin').write_bytes(b'')
    assert len(HerculesSequence(written).cloud(0)) == 0


def test_broken_lines_of_the_ground_truth_are_skipped_and_counted(
    written: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written / 'PR_GT/Continental_gt.txt'
    broken = ['1700000001000000000 1 2', 'x 1 2 3 0 0 0 1', '1700000002000000000 1 2 nan 0 0 0 1']
    path.write_text(path.read_text() + '\n'.join([*broken, '1700000003000000000 1 2 3 0 0 0 0']))
    assert len(HerculesSequence(written).cloud_poses) == 2
    messages = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert messages == [
        f'{path}: left out 4 of 6 poses: 2 broken lines, 1 not finite, 1 null (quaternion 0), '
        'from 1700000002.000 to 1700000003.000 s'
    ]


def test_a_ground_truth_without_any_pose_is_refused(written: Path) -> None:
    (written / 'PR_GT/Navtech_gt.txt').write_text('a b c\n')
    with pytest.raises(ValueError, match=r'Navtech_gt.txt holds no pose: expected .*stamp_ns x y'):
        HerculesSequence(written)


@pytest.mark.parametrize(
    ('missing', 'counts'),
    [
        ('PR_GT/Continental_gt.txt', (2, 3, 0, 3)),
        ('PR_GT/Navtech_gt.txt', (2, 3, 2, 0)),
        ('Radar/Navtech', (2, 0, 2, 3)),
        ('Radar', (0, 0, 2, 3)),
        ('Radar/Continental', (0, 3, 2, 3)),
    ],
)
def test_any_one_part_may_be_missing(
    tmp_path: Path, missing: str, counts: tuple[int, int, int, int]
) -> None:
    written = write_hercules(tmp_path / 'all', 'Library', '01', with_lidar())
    (written / missing).rename(tmp_path / 'away')
    sequence = HerculesSequence(written)
    assert counts == (
        len(sequence.cloud_stamps_ns),
        len(sequence.scan_stamps_ns),
        len(sequence.cloud_poses),
        len(sequence.scan_poses),
    )


def test_a_directory_without_radar_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'photos').mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"neither Radar/Continental .* LiDAR/Aeva; it holds \['photos'\]"
    ):
        HerculesSequence(tmp_path)


def test_a_directory_with_two_sequences_is_refused(written: Path) -> None:
    write_hercules(written.parents[1], 'Library', '02', drive())
    with pytest.raises(ValueError, match=r'holds more than one sequence .*/01/.*/02/'):
        HerculesSequence(written.parents[1])


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='nowhere is not a directory'):
        HerculesSequence(tmp_path / 'nowhere')


def test_a_file_not_named_by_its_time_is_refused(written: Path) -> None:
    (written / 'Radar/Continental/frame_1.bin').write_bytes(FIRST_RECORD)
    with pytest.raises(ValueError, match=r'frame_1.bin is not named by its time.*<digits>.bin'):
        HerculesSequence(written)


def test_a_file_too_large_for_a_scan_is_refused_unread(written: Path) -> None:
    with (written / f'Radar/Continental/{START_NS}.bin').open('wb') as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match='has 1099511627776 bytes, expected one scan'):
        HerculesSequence(written).cloud(0)


def test_a_scan_lying_on_its_side_is_refused(written: Path) -> None:
    path = written / f'Radar/Navtech/{START_NS + 3}.png'
    cv2.imwrite(str(path), np.zeros((400, 3435), np.uint8))
    with pytest.raises(ValueError, match='400 rows x 3435 columns, expected ranges x 400'):
        HerculesSequence(written).scan(0)


@pytest.mark.parametrize(
    ('changes', 'text'),
    [
        ({'range_resolution_m': 0.0596}, 'scan reaches 51.02 m, expected 150.0 m'),
        ({'num_bins': 400, 'range_resolution_m': 0.375}, '400 rows x 400 columns'),
    ],
)
def test_a_scan_that_the_format_cannot_hold_is_refused(
    tmp_path: Path, changes: dict[str, float], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        write_hercules(tmp_path, 'Library', '01', replace(drive(), **changes))  # type: ignore[arg-type]
    assert list((tmp_path / 'Library').iterdir()) == []


def test_a_lidar_is_written_and_read_back_whole(tmp_path: Path) -> None:
    expected, counts = with_lidar(), []
    written = write_hercules(tmp_path, 'Library', '01', expected, counts.append)
    assert counts == [1, 2, 3, 4, 5, 6, 7]
    sequence: RadarSequence = HerculesSequence(written)
    assert_same_data(sequence, expected)
    assert_same_poses(sequence.lidar_poses, expected.lidar_poses)
    np.testing.assert_array_equal(sequence.lidar_stamps_ns, expected.lidar_stamps_ns)
    scan, original = sequence.lidar(1), expected.lidar(1)
    np.testing.assert_array_equal(scan.xyz_m, original.xyz_m)
    np.testing.assert_array_equal(scan.intensity, original.intensity)
    np.testing.assert_array_equal(scan.radial_velocity_mps, original.radial_velocity_mps)
    assert (scan.stamp_ns, scan.frame_id) == (START_NS + 100_000_005, 'aeva')
    first = (written / f'LiDAR/Aeva/{START_NS + 5}.bin').read_bytes()
    assert first[:29] == struct.pack('<fffffiBf', 3, 4, 0, 1, -2.5, 0, 0, 1)
    assert f'{START_NS + 5},aeva\n' in (written / 'sensor_data/datastamp.csv').read_text()
    # A drive of ours is replaced, LiDAR and all.
    write_hercules(tmp_path, 'Library', '01', drive())
    assert not (written / 'LiDAR').exists()


def test_points_cut_off_are_dropped_and_files_too_large_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_hercules(tmp_path, 'Library', '01', with_lidar()) / 'LiDAR/Aeva'
    with (path / f'{START_NS + 5}.bin').open('ab') as file:
        file.write(b'\xff' * 11)
    sequence = HerculesSequence(path.parents[1])
    assert len(sequence.lidar(0)) == 3
    assert '11 bytes after the last whole record' in caplog.text
    with (path / f'{START_NS + 5}.bin').open('wb') as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match='has 1099511627776 bytes, expected one scan'):
        sequence.lidar(0)


def test_a_drive_without_lidar_has_none(written: Path) -> None:
    sequence = HerculesSequence(written)
    assert len(sequence.lidar_stamps_ns) == len(sequence.lidar_poses) == 0
    assert not (written / 'LiDAR').exists()
