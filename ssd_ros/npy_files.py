# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Arrays in .npy files, without mapping them into memory.

A mapped file that another program cuts short, or that outgrows its disk, ends the process by
SIGBUS. What is read and written here raises instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
import math
import os
from pathlib import Path
from types import EllipsisType
from typing import Any, BinaryIO, NamedTuple, TypeAlias
from zipfile import BadZipFile, ZipFile
import zlib

import numpy as np
from numpy.typing import DTypeLike, NDArray
from ssd_ros.files import reserve
from ssd_ros.reading import open_regular

MAX_ARCHIVE_BYTES = 1 << 33

_Index: TypeAlias = 'int | np.integer[Any] | slice | EllipsisType | list[int] | NDArray[Any]'


class _Header(NamedTuple):
    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype[Any]
    offset: int  # of the first number in the file

    @property
    def num_bytes(self) -> int:
        """Size of the whole file."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def array_of(content: bytes) -> NDArray[Any]:
    """
    Return the array that the bytes of a .npy file hold, read-only and without a copy.

    :raise ValueError: they hold none, or Python objects, or more or fewer bytes than they say
    """
    header = _read_header(BytesIO(content), len(content))
    numbers = np.frombuffer(content, header.dtype, offset=header.offset)
    return numbers.reshape(header.shape, order='F' if header.is_fortran else 'C')


def read_archive(path: Path, max_bytes: int, what: str) -> dict[str, NDArray[Any]]:
    """
    Read all arrays of a .npz file by name, read-only.

    :param max_bytes: of all of them
    :param what: the file should be, for messages
    :raise ValueError: it is none, or damaged, or its arrays are larger
    :raise OSError: it cannot be read
    """
    try:
        with open_regular(path) as file, ZipFile(file) as archive:
            num_bytes = sum(member.file_size for member in archive.infolist())
            if num_bytes > max_bytes:
                raise ValueError(f'{num_bytes} bytes, at most {max_bytes} are supported')
            return {
                name.removesuffix('.npy'): array_of(archive.read(name))
                for name in archive.namelist()
            }
    except (BadZipFile, EOFError, RuntimeError, ValueError, zlib.error) as error:
        raise ValueError(f'{path} is not {what}: {error}') from error


def content_of(array: NDArray[Any]) -> bytes:
    """Return the bytes of a .npy file that holds an array."""
    return _header_of(array.shape, array.dtype) + bytes(_bytes_of(array))


def write_array(path: Path, array: NDArray[Any]) -> None:
    """
    Write a .npy file.

    :raise OSError: there is no room for it, among others
    """
    with _written(path, array.shape, array.dtype) as file:
        file.write(_bytes_of(array))


def write_rows(
    path: Path,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    rows: Iterable[NDArray[Any]],
    num_expected: int | None = None,
) -> None:
    """
    Write a .npy file row by row; room is reserved before the first is asked for.

    :param shape: (N, ...), N = the most rows that there can be
    :param rows: as many arrays as the file then has
    :param num_expected: rows to reserve room for; None = N
    :raise ValueError: a row is of another shape or type, or there are more
    :raise OSError: there is no room for it, among others
    """
    count, dtype = 0, np.dtype(dtype)
    num_reserved = shape[0] if num_expected is None else num_expected
    with _written(path, (num_reserved, *shape[1:]), dtype) as file:
        for count, row in enumerate(rows, start=1):
            if row.shape != shape[1:] or row.dtype != dtype or count > shape[0]:
                raise ValueError(
                    f'row {count - 1} has shape {row.shape} of {row.dtype}, expected {shape[0]} '
                    f'rows of {shape[1:]} of {dtype}'
                )
            file.write(_bytes_of(row))
        if count != num_reserved:
            file.truncate()
            file.seek(0)
            file.write(_header_of((count, *shape[1:]), dtype))


class StoredRows:
    """
    A .npy file whose rows are read when they are asked for, each time from the file.

    The file must stay as it was when this was made.
    """

    def __init__(self, path: Path) -> None:
        """
        Read the header.

        :raise ValueError: the file holds no array in C order, or more or fewer bytes than it says
        :raise OSError: it cannot be read
        """
        self._path = path
        with open_regular(path) as file:
            self._state = _state_of(file)
            header = _read_header(file, os.fstat(file.fileno()).st_size)
        if header.is_fortran or not header.shape:
            raise ValueError(f'shape {header.shape}, expected rows in C order')
        self.shape, self.dtype, self._offset = header.shape, header.dtype, header.offset
        self._row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, index: _Index) -> NDArray[Any]:
        """
        Read one row by its number, or several by what would choose them of an array.

        :raise ValueError: the file is no longer the one that it was
        :raise OSError: it cannot be read
        """
        chosen = np.asarray(np.arange(len(self))[index])
        rows = np.empty((chosen.size, *self.shape[1:]), self.dtype)
        with open_regular(self._path) as file:
            for place, number in enumerate(chosen.ravel().tolist()):
                file.seek(self._offset + number * self._row_bytes)
                content = file.read(self._row_bytes)
                if len(content) != self._row_bytes or _state_of(file) != self._state:
                    raise ValueError(f'{self._path} was changed while it was in use')
                rows[place] = np.frombuffer(content, self.dtype).reshape(self.shape[1:])
        return rows.reshape(*chosen.shape, *self.shape[1:])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Read all rows."""
        return self[...].astype(dtype or self.dtype, copy=False)


@contextmanager
def _written(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[BinaryIO]:
    """Yield a file that has its header and room for the numbers."""
    header = _header_of(shape, dtype)
    with path.open('wb') as file:
        reserve(file, len(header) + math.prod(shape) * dtype.itemsize)
        file.write(header)
        yield file


def _header_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """Return the beginning of a file; NumPy makes it of one length for any number of rows."""
    text = BytesIO()
    description = {
        'descr': np.lib.format.dtype_to_descr(dtype),
        'fortran_order': False,
        'shape': shape,
    }
    np.lib.format.write_array_header_1_0(text, description)
    return text.getvalue()


def _read_header(file: BinaryIO, num_bytes: int) -> _Header:
    """
    Read the header of a file of so many bytes.

    :raise ValueError: it is none, or the file has another size than it says
    """
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
    except Exception as error:  # what NumPy raises for a damaged header shares no narrower class
        raise ValueError(f'not an array: {error}') from error
    header = _Header(shape, is_fortran, dtype, file.tell())
    if dtype.hasobject:
        raise ValueError('not an array: it holds Python objects')
    if dtype.itemsize == 0 or min(shape, default=0) < 0 or header.num_bytes != num_bytes:
        raise ValueError(
            f'not an array: it says {shape} of {dtype}, the file has {num_bytes} bytes'
        )
    return header


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _state_of(file: BinaryIO) -> tuple[int, ...]:
    """Return what changes when a file is replaced or written to."""
    state = os.fstat(file.fileno())
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
