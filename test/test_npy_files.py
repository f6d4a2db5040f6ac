# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that arrays on disk are what NumPy would read, or are refused, and never end a process."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
import pickle

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.npy_files import array_of, read_archive, StoredRows, write_array, write_rows

PAIRS = np.dtype([('stamp_ns', '<i8'), ('position_m', '<f8', (3,))])
IMAGES = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)


def saved(array: NDArray[np.generic], **options: bool) -> bytes:
    file = BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    'array',
    [
        IMAGES,
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.zeros(3, PAIRS),
        np.zeros((0, 7), np.float32),
        np.float64(3.5) * np.ones(()),
    ],
    ids=lambda array: f'{array.dtype.name}{array.shape}',
)
def test_arrays_are_read_and_written_as_numpy_does(
    tmp_path: Path, array: NDArray[np.generic]
) -> None:
    np.testing.assert_array_equal(array_of(saved(array)), array)
    write_array(tmp_path / 'a.npy', array)
    found = np.load(tmp_path / 'a.npy')
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


def claiming(text: str) -> bytes:
    return b'\x93NUMPY\x01\x00' + len(text).to_bytes(2, 'little') + text.encode()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'not an array: '),
        (b'\x93NUMPY', 'not an array: '),
        (b'\x93NUMPY\x09\x00' + bytes(100), 'not an array: '),
        (saved(IMAGES)[:-1], r'it says \(5, 3, 4\) of uint8, the file has 187 bytes'),
        (saved(IMAGES) + b'0', r'it says \(5, 3, 4\) of uint8, the file has 189 bytes'),
        (saved(np.array([{}]), allow_pickle=True), 'Python objects'),
        (claiming("{'descr': '|u1', 'fortran_order': False, 'shape': (1 << 40,)}"), 'not an'),
        (claiming("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,)}"), 'says'),
        (claiming("{'descr': '|u1', 'fortran_order': False, 'shape': (-8, -9)}"), 'says'),
        (claiming("{'descr': '|V0', 'fortran_order': False, 'shape': (9,)}"), 'says'),
        (claiming("{'descr': 'O', 'fortran_order': False, 'shape': (0,)}"), 'Python objects'),
        (claiming('{[]: 1}'), 'not an array: '),
        (claiming('[' * 9000), 'not an array: '),
    ],
)
def test_bytes_that_are_no_array_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        array_of(content)


@pytest.mark.parametrize('index', [0, -1, np.int64(3), slice(1, 4), [4, 0], ..., slice(0, 0)])
def test_rows_are_chosen_as_those_of_an_array(tmp_path: Path, index: int) -> None:
    write_array(tmp_path / 'a.npy', IMAGES)
    rows = StoredRows(tmp_path / 'a.npy')
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (5, (5, 3, 4), 3, np.uint8)
    np.testing.assert_array_equal(rows[index], IMAGES[index])
    np.testing.assert_array_equal(np.asarray(rows), IMAGES)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rows))[index], IMAGES[index])
    with pytest.raises(IndexError):
        rows[5]


def test_rows_of_a_file_that_was_cut_short_raise_where_a_mapped_file_ends_the_process(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'a.npy'
    write_array(path, np.zeros((100, 4096), np.uint8))
    rows = StoredRows(path)
    with path.open('r+b') as file:
        file.truncate(5000)
    with pytest.raises(ValueError, match=r'a\.npy was changed while it was in use'):
        rows[99]
    write_array(path, np.zeros((100, 4096), np.uint8))  # a copy over it that is complete again
    with pytest.raises(ValueError, match=r'a\.npy was changed while it was in use'):
        rows[0]


def test_the_room_is_taken_before_the_first_row_is_made(tmp_path: Path) -> None:
    path = tmp_path / 'a.npy'
    reserved: list[int] = []

    def rows() -> Iterator[NDArray[np.uint8]]:
        for _ in range(4):
            reserved.append(path.stat().st_size)
            yield np.zeros(1 << 20, np.uint8)

    write_rows(path, (4, 1 << 20), np.uint8, rows())
    assert reserved[0] == path.stat().st_size > 4 << 20


@pytest.mark.parametrize('count', [0, 1, 9, 999])
def test_fewer_rows_than_there_was_room_for_make_a_shorter_file(
    tmp_path: Path, count: int
) -> None:
    path, row = tmp_path / 'a.npy', np.arange(3, dtype=np.uint8)
    write_rows(path, (1000, 3), np.uint8, [row] * count)
    np.testing.assert_array_equal(np.load(path), np.tile(row, (count, 1)))
    assert StoredRows(path).shape == (count, 3)


@pytest.mark.parametrize('num_expected', [0, 3, 5])
def test_more_or_fewer_rows_than_expected_are_all_there(tmp_path: Path, num_expected: int) -> None:
    path, rows = tmp_path / 'a.npy', [np.full(3, value, np.uint8) for value in range(4)]
    write_rows(path, (1000, 3), np.uint8, rows, num_expected)
    np.testing.assert_array_equal(np.load(path), rows)
    assert path.stat().st_size == 128 + 12


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        ([np.zeros(3, np.uint8)] * 3, r'row 2 has shape .* expected 2 rows of \(3,\)'),
        (
            [np.zeros(4, np.uint8)] * 2,
            r'row 0 has shape \(4,\) of uint8, expected 2 rows of \(3,\)',
        ),
        ([np.zeros(3, np.int8)] * 2, 'row 0 has shape .* of int8, expected .* of uint8'),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    tmp_path: Path, rows: list[NDArray[np.uint8]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_rows(tmp_path / 'a.npy', (2, 3), np.uint8, rows)


def test_an_archive_is_read_as_numpy_does_or_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / 'arrays.npz'
    np.savez_compressed(path, images=IMAGES, name=np.array('Town/01'))
    found = read_archive(path, 1000, 'queries')
    np.testing.assert_array_equal(found['images'], IMAGES)
    assert (sorted(found), str(found['name'])) == (['images', 'name'], 'Town/01')
    whole = path.read_bytes()
    for spoilt in (b'', b'no archive', whole[:-30], whole[:200] + b'\xff' * 50 + whole[250:]):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match=r'arrays\.npz is not queries'):
            read_archive(path, 1000, 'queries')
    np.savez_compressed(path, bomb=np.zeros(1 << 27, np.uint8))
    assert path.stat().st_size < 1 << 18
    with pytest.raises(ValueError, match=r'134217856 bytes, at most 1000 are supported'):
        read_archive(path, 1000, 'queries')
    np.savez_compressed(path, objects=np.array([{}], object))
    with pytest.raises(ValueError, match='it holds Python objects'):
        read_archive(path, 1000, 'queries')
