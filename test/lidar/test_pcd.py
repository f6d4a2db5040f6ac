# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check PCD files of several writers, with their traps, and what is no such file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ssd_ros.lidar.pcd import read_pcd

POINTS = np.arange(8, dtype=np.float32).reshape(2, 4)


def header(
    fields: str, sizes: str, types: str, data: str, num: int = 2, count: str | None = None
) -> bytes:
    ones = ' '.join('1' * len(fields.split()))
    lines = [
        '# .PCD v0.7 - Point Cloud Data file format',
        'VERSION 0.7',
        f'FIELDS {fields}',
        f'SIZE {sizes}',
        f'TYPE {types}',
        f'COUNT {count or ones}',
        f'WIDTH {num}',
        'HEIGHT 1',
        'VIEWPOINT 0 0 0 1 0 0 0',
        f'POINTS {num}',
        f'DATA {data}',
    ]
    return '\n'.join([*lines, '']).encode()


def written(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b''.join(parts))
    return path


def compressed(data: bytes, size: int) -> bytes:
    """Return what follows the header: both sizes and the data."""
    return np.array([len(data), size], '<u4').tobytes() + data


FLOATS = 'x y z intensity', '4 4 4 4', 'F F F F'


def test_binary_and_text_say_the_same(tmp_path: Path) -> None:
    text = '\n'.join(' '.join(map(str, row)) for row in POINTS.tolist()).encode()
    paths = [
        written(tmp_path / 'binary.pcd', header(*FLOATS, 'binary'), POINTS.tobytes()),
        written(tmp_path / 'text.pcd', header(*FLOATS, 'ascii'), text),
    ]
    for path in paths:
        columns = read_pcd(path)
        assert list(columns) == ['x', 'y', 'z', 'intensity']
        np.testing.assert_array_equal(np.stack(list(columns.values()), axis=1), POINTS)


def test_types_counts_and_padding_are_kept(tmp_path: Path) -> None:
    dtype = np.dtype([('x', '<f8'), ('pad', 'V3'), ('ring', '<u2'), ('covariance', '<f4', (2,))])
    points = np.zeros(2, dtype)
    points['x'], points['ring'], points['covariance'] = [1.5, 2.5], [7, 65535], [[1, 2], [3, 4]]
    head = header('x _ ring covariance', '8 1 2 4', 'F U U F', 'binary', count='1 3 1 2')
    columns = read_pcd(written(tmp_path / 'a.pcd', head, points.tobytes()))
    assert columns['x'].tolist() == [1.5, 2.5]
    assert columns['ring'].tolist() == [7, 65535]
    assert columns['covariance'].tolist() == [[1, 2], [3, 4]]


def test_a_writer_that_packs_all_as_float32_is_known_by_the_size(tmp_path: Path) -> None:
    head = header('x y z flags', '4 4 4 1', 'F F F U', 'binary')
    columns = read_pcd(written(tmp_path / 'a.pcd', head, POINTS.tobytes()))
    assert columns['flags'].tolist() == [3, 7]
    honest = np.zeros(2, [('x', '<f4'), ('y', '<f4'), ('z', '<f4'), ('flags', 'u1')])
    honest['flags'] = [3, 7]
    columns = read_pcd(written(tmp_path / 'b.pcd', head, honest.tobytes()))
    assert columns['flags'].tolist() == [3, 7]


def test_compressed_data_are_columns_one_after_the_other(tmp_path: Path) -> None:
    dtype = np.dtype([('x', '<f4'), ('covariance', '<u2', (2,)), ('_', 'V1')])
    values = np.float32([1.5, -2]).tobytes() + np.uint16([1, 2, 3, 65535]).tobytes() + b'PP'
    assert len(values) == 2 * dtype.itemsize
    # Both runs are shorter than 32 bytes: literals, each after its length less one.
    data = bytes([7]) + values[:8] + bytes([9]) + values[8:]
    head = header('x covariance _', '4 2 1', 'F U U', 'binary_compressed', count='1 2 1')
    path = written(tmp_path / 'a.pcd', head, compressed(data, len(values)))
    columns = read_pcd(path)
    assert columns['x'].tolist() == [1.5, -2]
    assert columns['covariance'].tolist() == [[1, 2], [3, 65535]]


def test_what_is_compressed_refers_back(tmp_path: Path) -> None:
    """The bytes were made by liblzf 3.6 of the text beside them."""
    text = b'aaaaaaaaaabcbcbcbcbcbcabcabc' * 3
    data = bytes.fromhex(
        '016161c000016263e00101200c4002e00000e0011980182005e000004013c001200c2002'
    )
    head = header('x', '4', 'U', 'binary_compressed', num=21)
    column = read_pcd(written(tmp_path / 'a.pcd', head, compressed(data, 84)))['x']
    assert column.astype('<u4').tobytes() == text


def test_an_empty_cloud_has_empty_columns(tmp_path: Path) -> None:
    for kind in ('binary', 'ascii'):
        columns = read_pcd(written(tmp_path / 'a.pcd', header(*FLOATS, kind, num=0)))
        assert columns['x'].shape == (0,)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'no line DATA'),
        (b'\x89PNG\r\n\x1a\n' * 9, 'no line DATA'),
        (b'DATA binary\n', "lacks 'FIELDS'"),
        (header(*FLOATS, 'binary') + b'\0' * 31, '31 bytes of data, expected 32 for 2 points'),
        (header(*FLOATS, 'ascii') + b'1 2 3', '3 numbers, expected 2 points of 4'),
        (header(*FLOATS, 'ascii') + b'1 2 3 4 5 6 7 x', 'could not convert'),
        (header(*FLOATS, 'zip'), 'its data are zip, expected ascii, binary or binary_compressed'),
        (header(*FLOATS, 'binary_compressed') + b'1234', '4 bytes of data, expected their two'),
        (
            header(*FLOATS, 'binary_compressed') + compressed(b'', 33),
            '0 bytes that hold 33, expected at most 0 that hold 32 for 2 points',
        ),
        (header(*FLOATS, 'binary_compressed') + compressed(b'', 32), '0 compressed bytes are not'),
        (
            header(*FLOATS, 'binary_compressed') + compressed(bytes.fromhex('00412001'), 32),
            'refer to bytes before the first one',
        ),
        (
            header(*FLOATS, 'binary_compressed') + compressed(bytes.fromhex('0041'), 32),
            'damaged: expected 32 bytes',
        ),
        (header('x y', '4', 'F F', 'binary'), '2 fields have 1 sizes and 2 types'),
        (header('x', '3', 'F', 'binary'), 'a field is of type F3, expected one of'),
        (header(*FLOATS, 'binary', num=-1), 'POINTS is -1'),
        (header(*FLOATS, 'binary', num=10**15), r'expected 16000000000000000 for'),
        (header('x', '4', 'F', 'binary', count='-3'), 'a field has count -3'),
    ],
)
def test_what_is_no_point_cloud_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path / 'a.pcd', content)
    with pytest.raises(ValueError, match=f'{path} is not a PCD file.*{message}'):
        read_pcd(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / 'a.pcd'
    with path.open('wb') as file:
        file.truncate(1 << 40)
    with pytest.raises(ValueError, match='1099511627776 bytes, too many for a point cloud'):
        read_pcd(path)
