# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check TransLoc4D's benchmark: rows, clouds of both kinds, and that no pickle is ever opened."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import RadarSequence

STAMPS = ('1680000000.500000', '1680000000.250000', '1680000000.750000')
CLOUD = np.array([[30, 5, 0.5, -4.5, 12], [8, -2, 0, -5, 7]], np.float64)


def npy(array: NDArray[np.generic], allow_pickle: bool = False) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def half(root: Path, suffix: str = '.npy', stamps: tuple[str, ...] = STAMPS) -> Path:
    """Write val/query: rows out of order, on a way to the north."""
    folder = root / 'ntu-rsvi/val/query'
    (folder / 'pointclouds').mkdir(parents=True)
    rows = [f'{stamp},{10 * float(stamp[-8:])},400.25,x' for stamp in stamps]
    (folder / 'gps.csv').write_text('\n'.join(['timestamp,northing,easting,more', *rows, '']))
    content = npy(CLOUD) if suffix == '.npy' else CLOUD[:, :3].tobytes()
    for stamp in stamps:
        (folder / f'pointclouds/{stamp}{suffix}').write_bytes(content)
    return folder


def test_a_half_with_velocities_is_a_drive_of_a_radar(tmp_path: Path) -> None:
    sequence = open_sequence(half(tmp_path))
    assert isinstance(sequence, RadarSequence)
    assert sequence.name == 'ntu-rsvi/val/query'
    first_ns = 1_680_000_000_250_000_000
    assert sequence.cloud_stamps_ns.tolist() == [first_ns + k * 250_000_000 for k in range(3)]
    poses = sequence.cloud_poses
    np.testing.assert_allclose(poses.positions_m[:, :2], [[400.25, n] for n in (2.5, 5, 7.5)])
    np.testing.assert_allclose(np.degrees(poses.yaws_rad), 90)  # the course
    cloud = sequence.cloud(2)
    assert cloud.xyz_m.tolist() == [[30, 5, 0.5], [8, -2, 0]]
    assert cloud.radial_velocity_mps.tolist() == [-4.5, -5]
    assert cloud.rcs_dbsm.tolist() == [12, 7]
    with pytest.raises(IndexError, match='has no spinning radar'):
        sequence.scan(0)


def test_a_half_of_coordinates_alone_is_a_drive_of_a_lidar(tmp_path: Path) -> None:
    sequence = open_sequence(half(tmp_path, '.bin'), 'transloc4d')
    assert len(sequence.cloud_stamps_ns) == 0
    scan = sequence.lidar(0)
    assert scan.xyz_m.tolist() == [[30, 5, 0.5], [8, -2, 0]]
    assert np.isnan(scan.intensity).all()
    assert len(sequence.lidar_poses) == 3


@pytest.mark.parametrize('stamp', ['1680000000250000', '1680000000250000000', '1680000000250'])
def test_times_are_told_by_their_digits(tmp_path: Path, stamp: str) -> None:
    sequence = open_sequence(half(tmp_path, stamps=(stamp,)))
    assert sequence.cloud_stamps_ns.tolist() == [1_680_000_000_250_000_000]


def test_names_may_lack_the_zeros_of_the_table(tmp_path: Path) -> None:
    folder = half(tmp_path)
    file = folder / f'pointclouds/{STAMPS[0]}.npy'
    file.rename(file.with_name('1680000000.5.npy'))
    assert len(open_sequence(folder).cloud(1)) == 2


def test_a_subset_of_two_halves_must_be_told_apart(tmp_path: Path) -> None:
    query = half(tmp_path)
    half(tmp_path / 'more').rename(query.parent / 'database')
    with pytest.raises(ValueError, match='holds more than one sequence'):
        open_sequence(query.parent)


def test_pickles_beside_the_clouds_are_left_alone_and_objects_refused(tmp_path: Path) -> None:
    folder = half(tmp_path)
    (folder / 'ntu-rsvi_val_evaluation_query_25.pickle').write_bytes(
        b'cos\nsystem\n(S"false"\ntR.'
    )
    sequence = open_sequence(folder)
    objects = npy(np.array([{'a': 1}], object), allow_pickle=True)
    (folder / f'pointclouds/{STAMPS[1]}.npy').write_bytes(objects)
    with pytest.raises(ValueError, match='is not a cloud: not an array: it holds Python objects'):
        sequence.cloud(0)


@pytest.mark.parametrize(
    ('array', 'message'),
    [
        (CLOUD[:, :3], r'holds \(2, 3\) of float64, expected N x 5'),
        (CLOUD.astype(np.int64), 'of int64, expected N x 5'),
        (CLOUD / 100, 'reaches 0.30 m: its cloud is normalised, so of no scale'),
    ],
)
def test_a_cloud_of_another_layout_is_refused(
    tmp_path: Path, array: NDArray[np.generic], message: str
) -> None:
    folder = half(tmp_path)
    (folder / f'pointclouds/{STAMPS[1]}.npy').write_bytes(npy(array))
    with pytest.raises(ValueError, match=message):
        open_sequence(folder).cloud(0)


def test_a_file_of_doubles_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    folder = half(tmp_path, '.bin')
    (folder / f'pointclouds/{STAMPS[1]}.bin').write_bytes(b'\0' * 47)
    with pytest.raises(ValueError, match='47 bytes, expected 24 for each point'):
        open_sequence(folder).lidar(0)


@pytest.mark.parametrize(
    ('table', 'message'),
    [
        ('time,x,y\n1,2,3\n', r"has no column \['timestamp', 'northing', 'easting'\]"),
        ('timestamp,northing,easting\n7,1,2\n', 'has 1 rows without a cloud, the first 7'),
        ('timestamp,northing,easting\n1680000000.500000,1\n', 'has a broken row'),
        ('timestamp,northing,easting\n1680000000.500000,nan,1\n', 'position that is not finite'),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, table: str, message: str) -> None:
    folder = half(tmp_path)
    (folder / 'gps.csv').write_text(table)
    with pytest.raises(ValueError, match=message):
        open_sequence(folder)


def test_a_time_of_no_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the time '12345678' is none since 1970"):
        open_sequence(half(tmp_path, stamps=('12345678',)))


def test_a_folder_without_clouds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r'has no gps.csv and no pointclouds: give one half'
    ):
        open_sequence(tmp_path, 'transloc4d')
