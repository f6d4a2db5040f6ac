# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The file of a square: rings of descriptors, returns, and the tail that tells what they must be.

| part | of a keyframe |
| --- | --- |
| rings | num_views * descriptor_size numbers of half precision |
| returns | num_returns * 2 int16 |
| digests | SHA-256 of its ring and of its returns |
| lists, codes | of its rows, see ssd_ros.encoders.product_codes; absent where rows have none |

The description of the map has the SHA-256 of the tail, the tail those of the rest: each ring is
checked when it is read for the first time, and again once the file was changed. A file is named by
the SHA-256 of its tail and never written to again, so that states of a map stand side by side.

Files are read, not mapped into memory: a mapped file that another program cuts short ends the
process by SIGBUS, a read says so. What is read twice comes from the system's cache in either case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
import shutil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.product_codes import code_bytes
from ssd_ros.files import reserve
from ssd_ros.maps.cells.grid import file_name
from ssd_ros.maps.meta import MapError
from ssd_ros.reading import open_regular
from ssd_ros.targets import BY_NAME, file_written

_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Layout:
    """What a keyframe has in the file of its square."""

    num_views: int
    descriptor_size: int
    num_returns: int
    is_coded: bool

    @property
    def ring_bytes(self) -> int:
        """Size of its descriptors."""
        return self.num_views * self.descriptor_size * 2

    @property
    def returns_bytes(self) -> int:
        """Size of its returns."""
        return self.num_returns * 4

    @property
    def tail_bytes(self) -> int:
        """Size of its share of the tail."""
        row_bytes = 2 + code_bytes(self.descriptor_size) if self.is_coded else 0
        return 2 * _DIGEST + self.num_views * row_bytes


class Tail(NamedTuple):
    """
    What is known of the keyframes of a square without reading them.

    :param digests: shape (N, 2, 32) uint8, of rings and returns
    :param lists: shape (N * num_views,) uint16; empty where rows have no codes
    :param codes: shape (N * num_views, code_bytes) uint8; likewise
    """

    digests: NDArray[np.uint8]
    lists: NDArray[np.uint16]
    codes: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Return it as it stands at the end of a file."""
        lists = self.lists.astype('<u2')
        return self.digests.tobytes() + lists.tobytes() + self.codes.tobytes()


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
    lists: NDArray[np.uint16],
    codes: NDArray[np.uint8],
) -> bytes:
    """
    Write the file of a square, whole or not at all, and return the SHA-256 of its tail.

    :param folder: of the files of squares
    :param cell: column and row of the square
    :param lists: as in Tail; so are codes
    :raise OSError: there is no room for it, among others
    """
    parts = [
        np.ascontiguousarray(square.rings, '<f2'),
        np.ascontiguousarray(square.returns_cm, '<i2'),
    ]
    digests = [[hashlib.sha256(each.data).digest() for each in part] for part in parts]
    flat = b''.join(digest for pair in zip(*digests, strict=True) for digest in pair)
    shape = len(square.rings), 2, _DIGEST
    tail = Tail(np.frombuffer(flat, np.uint8).reshape(shape), lists, codes).to_bytes()
    sha256 = hashlib.sha256(tail).digest()
    with file_written(folder / file_name(cell, sha256), BY_NAME) as file:
        reserve(file, sum(part.nbytes for part in parts) + len(tail))
        for part in parts:
            file.write(part.data)
        file.write(tail)
    return sha256


class SquareFile:
    """The file of a square, opened anew each time that something of it is read."""

    def __init__(self, path: Path, num_keyframes: int, layout: Layout, sha256: bytes) -> None:
        """
        Note what it must be; nothing is read.

        :param sha256: of its tail
        """
        self.num_keyframes = num_keyframes
        self._path = path
        self._layout = layout
        self._sha256 = sha256
        self._returns_at = num_keyframes * layout.ring_bytes
        self._tail_at = self._returns_at + num_keyframes * layout.returns_bytes
        self._size = self._tail_at + num_keyframes * layout.tail_bytes
        self._state: tuple[int, ...] = ()  # of the file that was checked
        self._is_checked = np.zeros((num_keyframes, 2), bool)  # rings and returns

    def tail(self) -> Tail:
        """
        Read what is known of its keyframes.

        :raise MapError: the file is absent, truncated or damaged
        """
        num, layout = self.num_keyframes, self._layout
        with self._opened() as descriptor:
            content = self._read(descriptor, self._tail_at, num * layout.tail_bytes)
        if hashlib.sha256(content).digest() != self._sha256:
            raise self._damaged()
        digests_end = num * 2 * _DIGEST
        digests = np.frombuffer(content, np.uint8, digests_end).reshape(num, 2, _DIGEST)
        digests = digests.copy()  # or they would hold all of the tail
        num_rows = num * layout.num_views if layout.is_coded else 0
        lists = np.frombuffer(content, '<u2', num_rows, digests_end)
        codes = np.frombuffer(content, np.uint8, offset=digests_end + 2 * num_rows)
        return Tail(digests, lists, codes.reshape(num_rows, code_bytes(layout.descriptor_size)))

    def rings(self, places: NDArray[np.int64], tail: Tail) -> NDArray[np.float16]:
        """
        Read the descriptors of some keyframes, shape (K, num_views, D).

        :param places: within the file, ascending
        :raise MapError: the file is absent, truncated or damaged
        """
        layout = self._layout
        shape = len(places), layout.num_views, layout.descriptor_size
        return np.frombuffer(self._checked(places, tail, 0), '<f2').reshape(shape)

    def returns_cm(self, places: NDArray[np.int64], tail: Tail) -> NDArray[np.int16]:
        """Read the returns of some keyframes, shape (K, num_returns, 2); see `rings`."""
        content = self._checked(places, tail, 1)
        return np.frombuffer(content, '<i2').reshape(len(places), self._layout.num_returns, 2)

    def copy_to(self, folder: Path) -> bytes:
        """
        Have this file in a folder, too, and return the SHA-256 of its tail.

        :raise MapError: it is absent or truncated
        """
        if self._path.parent != folder:
            with (
                self._opened() as descriptor,
                open(descriptor, 'rb', closefd=False) as source,
                file_written(folder / self._path.name, BY_NAME) as file,
            ):
                shutil.copyfileobj(source, file)
        return self._sha256

    def _checked(self, places: NDArray[np.int64], tail: Tail, part: int) -> bytes:
        """Return the rings (0) or the returns (1) of keyframes, found to be as they were."""
        layout = self._layout
        size = (layout.ring_bytes, layout.returns_bytes)[part]
        first = (0, self._returns_at)[part]
        found = []
        with self._opened() as descriptor:
            for run in _runs(places):
                content = self._read(descriptor, first + int(run[0]) * size, len(run) * size)
                view = memoryview(content)
                for number, place in enumerate(run.tolist()):
                    if self._is_checked[place, part]:
                        continue
                    digest = hashlib.sha256(view[number * size : (number + 1) * size]).digest()
                    if digest != tail.digests[place, part].tobytes():
                        raise self._damaged()
                    self._is_checked[place, part] = True
                found.append(content)
        return found[0] if len(found) == 1 else b''.join(found)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Yield the file's descriptor."""
        try:
            file = open_regular(self._path)
        except (OSError, ValueError) as error:
            reason = getattr(error, 'strerror', None) or 'not a file'
            raise MapError(f'{self._path} cannot be read: {reason}') from error
        with file:
            status = os.fstat(file.fileno())
            if status.st_size != self._size:
                raise MapError(f'{self._path} has {status.st_size} bytes, expected {self._size}')
            state = status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
            if state != self._state:
                self._state = state
                self._is_checked[:] = False
            yield file.fileno()

    def _read(self, descriptor: int, offset: int, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = os.pread(descriptor, size, offset)  # at most 2 GB
            except OSError as error:
                raise MapError(f'{self._path} cannot be read: {error.strerror}') from error
            if not part:
                raise MapError(f'{self._path} became shorter while it was in use')
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b''.join(parts)

    def _damaged(self) -> MapError:
        return MapError(f'{self._path} is damaged or of another state of the map')


def _runs(places: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield numbers that follow each other, together."""
    yield from np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
