# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""PCD files of the Point Cloud Library: named columns of numbers, text, binary or compressed."""

from __future__ import annotations

from collections.abc import Mapping
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.lidar.lzf import decompressed
from ssd_ros.reading import read_whole

MAX_BYTES = 1 << 30
_MAX_HEADER_BYTES = 1 << 16
_FORMATS = {
    kind + str(size): f'<{letter}{size}'
    for kind, letter, sizes in (
        ('F', 'f', (4, 8)),
        ('I', 'i', (1, 2, 4, 8)),
        ('U', 'u', (1, 2, 4, 8)),
    )
    for size in sizes
}

Columns = Mapping[str, NDArray[Any]]


def read_pcd(path: Path, max_bytes: int = MAX_BYTES) -> Columns:
    """
    Read the columns of a PCD file by name, each of shape (N,), or (N, count) if it says so.

    A writer that packs every value as float32 whatever the header says (SNAIL radar) is known by
    the size of the file.

    :raise ValueError: it is none, is cut off, damaged or too large
    """
    content = read_whole(path, max_bytes, 'a point cloud')
    try:
        header, body = _split(content)
        dtype = _dtype(header)
        num = int(header['POINTS'][0])
        if num < 0:
            raise ValueError(f'POINTS is {num}')
        kind = header['DATA'][0].lower()
        if kind == 'ascii':
            return _of_text(body, dtype, num)
        if kind == 'binary_compressed':
            return _of_compressed(body, dtype, num)
        if kind != 'binary':
            raise ValueError(f'its data are {kind}, expected ascii, binary or binary_compressed')
        return _columns(np.frombuffer(body, _fitting(dtype, num, len(body)), num))
    except (IndexError, KeyError) as error:
        raise ValueError(f'{path} is not a PCD file: its header lacks {error}') from error
    except ValueError as error:
        raise ValueError(f'{path} is not a PCD file that can be read: {error}') from error


def _split(content: bytes) -> tuple[dict[str, list[str]], memoryview]:
    """Return the words of the header's lines by their first one, and what follows."""
    header: dict[str, list[str]] = {}
    begin = 0
    while 'DATA' not in header:
        end = content.find(b'\n', begin, _MAX_HEADER_BYTES)
        if end < 0:
            raise ValueError('it has no line DATA')
        words = content[begin:end].decode('ascii', 'replace').split()
        if words and not words[0].startswith('#'):
            header[words[0].upper()] = words[1:]
        begin = end + 1
    return header, memoryview(content)[begin:]


def _dtype(header: dict[str, list[str]]) -> np.dtype[np.void]:
    names, sizes, types = header['FIELDS'], header['SIZE'], header['TYPE']
    counts = header.get('COUNT', ['1'] * len(names))
    if not len(names) == len(sizes) == len(types) == len(counts):
        raise ValueError(f'{len(names)} fields have {len(sizes)} sizes and {len(types)} types')
    kinds = [kind.upper() + size for kind, size in zip(types, sizes, strict=True)]
    if unknown := [kind for kind in kinds if kind not in _FORMATS]:
        raise ValueError(f'a field is of type {unknown[0]}, expected one of {list(_FORMATS)}')
    if wrong := [count for count in counts if int(count) < 1]:
        raise ValueError(f'a field has count {wrong[0]}')
    # Padding is named _, several times.
    unique = [
        f'{name}{number}' if name in names[:number] else name for number, name in enumerate(names)
    ]
    return np.dtype(
        [
            (name, _FORMATS[kind], (int(count),)) if int(count) != 1 else (name, _FORMATS[kind])
            for name, kind, count in zip(unique, kinds, counts, strict=True)
        ]
    )


def _fitting(dtype: np.dtype[np.void], num: int, num_bytes: int) -> np.dtype[np.void]:
    """Return the type whose points fill the file."""
    packed = np.dtype([(name, '<f4', dtype[name].shape) for name in dtype.names or ()])
    if num * dtype.itemsize != num_bytes and num * packed.itemsize == num_bytes:
        return packed
    if num * dtype.itemsize > num_bytes:
        raise ValueError(
            f'it has {num_bytes} bytes of data, expected {num * dtype.itemsize} for {num} points'
        )
    return dtype


def _of_text(body: memoryview, dtype: np.dtype[np.void], num: int) -> Columns:
    values = np.array(bytes(body).split(), np.float64)
    widths = [math.prod(dtype[name].shape) for name in dtype.names or ()]
    if len(values) != num * sum(widths):
        raise ValueError(f'it has {len(values)} numbers, expected {num} points of {sum(widths)}')
    table = values.reshape(num, sum(widths))
    columns, first = {}, 0
    for name, width in zip(dtype.names or (), widths, strict=True):
        part = table[:, first : first + width]
        columns[name] = part.reshape(num, *dtype[name].shape)
        first += width
    return columns


def _of_compressed(body: memoryview, dtype: np.dtype[np.void], num: int) -> Columns:
    """Return columns that stand one after the other in the compressed data."""
    if len(body) < 8:
        raise ValueError(f'it has {len(body)} bytes of data, expected their two sizes first')
    compressed, size = np.frombuffer(body, '<u4', 2).tolist()
    if size != num * dtype.itemsize or compressed > len(body) - 8:
        raise ValueError(
            f'its data are {compressed} bytes that hold {size}, expected at most {len(body) - 8} '
            f'that hold {num * dtype.itemsize} for {num} points'
        )
    values, first = decompressed(body[8 : 8 + compressed], size), 0
    columns = {}
    for name in dtype.names or ():
        column = dtype[name]
        columns[name] = np.frombuffer(values, column.base, num * math.prod(column.shape), first)
        columns[name] = columns[name].reshape(num, *column.shape)
        first += num * column.itemsize
    return columns


def _columns(points: NDArray[np.void]) -> Columns:
    return {name: points[name] for name in points.dtype.names or ()}
