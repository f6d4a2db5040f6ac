# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The file of a square: what its keyframes have, part by part, and what these must be.

| part | of a keyframe |
| --- | --- |
| rings | num_views * descriptor_size numbers of half precision |
| returns | num_returns * 2 int16 |
| codes | of its rows, absent where they have none: lists, uint16, then codes (product_codes) |
| digests | SHA-256 of each of these |

The description of the map has the SHA-256 of the digests: what a keyframe has is checked when it
is read for the first time, and again once the file was changed. A file is named by the SHA-256 of
its digests and never written to again, so that states of a map stand side by side.

Files are read, not mapped into memory: a mapped file that another program cuts short ends the
process by SIGBUS, a read says so. What is read twice comes from the system's cache in either case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
from itertools import accumulate
import os
from pathlib import Path
import shutil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.product_codes import code_bytes
from ssd_ros.files import reserve
from ssd_ros.maps.cells.grid import file_name
from ssd_ros.maps.meta import MapError
from ssd_ros.reading import Descriptor, open_regular
from ssd_ros.targets import BY_NAME, file_written

_DIGEST = hashlib.sha256().digest_size
_RINGS, _RETURNS, _CODES = range(3)  # parts


@dataclass(frozen=True, slots=True)
class Layout:
    """What a keyframe has in the file of its square."""

    num_views: int
    descriptor_size: int
    num_returns: int
    is_coded: bool

    @property
    def part_bytes(self) -> tuple[int, ...]:
        """Sizes of its descriptors, its returns and, where rows have them, its codes."""
        parts = self.num_views * self.descriptor_size * 2, self.num_returns * 4
        return (*parts, self.num_views * self.row_bytes) if self.is_coded else parts

    @property
    def row_bytes(self) -> int:
        """Size of the list and the code of a row."""
        return 2 + code_bytes(self.descriptor_size)

    @property
    def digests_bytes(self) -> int:
        """Size of its digests, which stand at the end of the file."""
        return len(self.part_bytes) * _DIGEST

    @property
    def keyframe_bytes(self) -> int:
        """Size of all that it has."""
        return sum(self.part_bytes) + self.digests_bytes


class Square(NamedTuple):
    """
    The keyframes of a square.

    :param rings: shape (N, num_views, D) float16
    :param returns_cm: shape (N, M, 2) int16
    """

    rings: NDArray[np.float16]
    returns_cm: NDArray[np.int16]


def write_square(
    folder: Path,
    cell: Sequence[int],
    square: Square,
    coded: tuple[NDArray[np.uint16], NDArray[np.uint8]] | None,
) -> bytes:
    """
    Write the file of a square, whole or not at all, and return the SHA-256 of its digests.

    :param folder: of the files of squares
    :param cell: column and row of the square
    :param coded: list and code of each row, as Codebook.encode returns them
    :raise OSError: there is no room for it, among others
    """
    parts: list[NDArray[Any]] = [
        np.ascontiguousarray(square.rings, '<f2'),
        np.ascontiguousarray(square.returns_cm, '<i2'),
    ]
    if coded is not None:
        num = len(square.rings)
        lists, codes = coded
        of_keyframe = lists.astype('<u2').view(np.uint8).reshape(num, -1), codes.reshape(num, -1)
        parts.append(np.concatenate(of_keyframe, axis=1))
    digests = b''.join(
        hashlib.sha256(each.data).digest()
        for of_keyframe in zip(*parts, strict=True)
        for each in of_keyframe
    )
    sha256 = hashlib.sha256(digests).digest()
    with file_written(folder / file_name(cell, sha256), BY_NAME) as file:
        reserve(file, sum(part.nbytes for part in parts) + len(digests))
        for part in parts:
            file.write(part.data)
        file.write(digests)
    return sha256


class SquareFile:
    """The file of a square. It stays open once something of it was read, until `close`."""

    def __init__(self, path: Path, num_keyframes: int, layout: Layout, sha256: bytes) -> None:
        """
        Note what it must be; nothing is read.

        :param sha256: of its digests
        """
        self.num_keyframes = num_keyframes
        self._path = path
        self._layout = layout
        self._sha256 = sha256
        self._sizes = layout.part_bytes
        self._starts = [0, *accumulate(num_keyframes * size for size in self._sizes)]
        self._size = num_keyframes * layout.keyframe_bytes
        self._file: Descriptor | None = None
        self._state: tuple[int, ...] = ()  # of the file that was checked
        self._is_checked = [bytearray(num_keyframes) for _ in self._sizes]

    def close(self) -> None:
        """Have it opened anew when something of it is read again."""
        self._file = None

    def digests(self) -> NDArray[np.uint8]:
        """
        Read what its keyframes must be, shape (N, parts, 32).

        :raise MapError: the file is absent, truncated or damaged
        """
        num = self.num_keyframes
        content = self._read(self._opened(), self._starts[-1], num * self._layout.digests_bytes)
        self.close()
        if hashlib.sha256(content).digest() != self._sha256:
            raise self._damaged()
        return np.frombuffer(content, np.uint8).reshape(num, -1, _DIGEST)

    def rings(self, places: NDArray[np.int64], digests: NDArray[np.uint8]) -> NDArray[np.float16]:
        """
        Read the descriptors of some keyframes, shape (K, num_views, D).

        :param places: within the file, ascending
        :raise MapError: the file is absent, truncated or damaged
        """
        layout = self._layout
        shape = len(places), layout.num_views, layout.descriptor_size
        return np.frombuffer(self._checked(places, digests, _RINGS), '<f2').reshape(shape)

    def returns_cm(
        self, places: NDArray[np.int64], digests: NDArray[np.uint8]
    ) -> NDArray[np.int16]:
        """Read the returns of some keyframes, shape (K, num_returns, 2); see `rings`."""
        content = self._checked(places, digests, _RETURNS)
        return np.frombuffer(content, '<i2').reshape(len(places), self._layout.num_returns, 2)

    def codes(
        self, places: NDArray[np.int64], digests: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Read lists, shape (K * num_views,), and codes of rows of some keyframes; see `rings`."""
        num_views = self._layout.num_views
        content = np.frombuffer(self._checked(places, digests, _CODES), np.uint8)
        lists, codes = np.split(content.reshape(len(places), -1), [2 * num_views], axis=1)
        return lists.copy().view('<u2').ravel(), codes.reshape(len(places) * num_views, -1)

    def ask(self, places: Sequence[int]) -> None:
        """
        Have the system read the descriptors of some keyframes meanwhile, unless it has them.

        :raise MapError: the file is absent or truncated
        """
        file, size = self._opened().number, self._sizes[_RINGS]
        for place in dict.fromkeys(places):
            os.posix_fadvise(file, place * size, size, os.POSIX_FADV_WILLNEED)

    def rows(
        self, places: Sequence[int], views: Sequence[int], digests: NDArray[np.uint8]
    ) -> list[bytes]:
        """
        Read some rows, for which it was asked before.

        :param places: of their keyframes
        :param views: as many
        :return: each row as it is stored
        :raise MapError: the file is absent, truncated or damaged
        """
        size, row_bytes = self._sizes[_RINGS], 2 * self._layout.descriptor_size
        file, is_checked = self._file or self._opened(), self._is_checked[_RINGS]
        found = []
        for place, view in zip(places, views, strict=True):
            if is_checked[place]:
                found.append(self._read(file, place * size + view * row_bytes, row_bytes))
            else:
                ring = self._read(file, place * size, size)
                self._check(_RINGS, place, ring, digests)
                found.append(ring[view * row_bytes : (view + 1) * row_bytes])
        return found

    def copy_to(self, folder: Path) -> bytes:
        """
        Have this file in a folder, too, and return the SHA-256 of its digests.

        :raise MapError: it is absent or truncated
        """
        if self._path.parent != folder:
            opened = self._opened()
            self.close()
            with (
                open(opened.number, 'rb', closefd=False) as source,
                file_written(folder / self._path.name, BY_NAME) as file,
            ):
                source.seek(0)
                shutil.copyfileobj(source, file)
        return self._sha256

    def _checked(self, places: NDArray[np.int64], digests: NDArray[np.uint8], part: int) -> bytes:
        """Return a part of keyframes, found to be as they were."""
        size, start = self._sizes[part], self._starts[part]
        found, file = [], self._opened()
        for run in _runs(places):
            content = self._read(file, start + int(run[0]) * size, len(run) * size)
            view = memoryview(content)
            for number, place in enumerate(run.tolist()):
                if not self._is_checked[part][place]:
                    of_keyframe = view[number * size : (number + 1) * size]
                    self._check(part, place, of_keyframe, digests)
            found.append(content)
        return found[0] if len(found) == 1 else b''.join(found)

    def _check(
        self, part: int, place: int, content: bytes | memoryview, digests: NDArray[np.uint8]
    ) -> None:
        if hashlib.sha256(content).digest() != digests[place, part].tobytes():
            raise self._damaged()
        self._is_checked[part][place] = 1

    def _opened(self) -> Descriptor:
        """Return the file, which is as it was or to be checked anew."""
        try:
            if (opened := self._file) is None:
                with open_regular(self._path) as file:
                    opened = Descriptor(file)
        except (OSError, ValueError) as error:
            reason = getattr(error, 'strerror', None) or 'not a file'
            raise MapError(f'{self._path} cannot be read: {reason}') from error
        status = os.fstat(opened.number)
        if status.st_size != self._size:
            self.close()
            raise MapError(f'{self._path} has {status.st_size} bytes, expected {self._size}')
        state = status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
        if state != self._state:
            self._state = state
            self._is_checked = [bytearray(self.num_keyframes) for _ in self._sizes]
        self._file = opened
        return opened

    def _read(self, file: Descriptor, offset: int, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            try:
                part = os.pread(file.number, size, offset)  # at most 2 GB
            except OSError as error:
                raise MapError(f'{self._path} cannot be read: {error.strerror}') from error
            if not part:
                raise MapError(f'{self._path} became shorter while it was in use')
            if len(part) == size:
                return b''.join([*parts, part]) if parts else part
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b''

    def _damaged(self) -> MapError:
        return MapError(f'{self._path} is damaged or of another state of the map')


def _runs(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield numbers that follow each other, together."""
    yield from np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
