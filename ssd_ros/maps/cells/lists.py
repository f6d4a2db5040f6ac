# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The codes of all squares as they are searched: list by list, in one file beside the squares.

They are in the files of the squares, too, from which this one is made. A list is read and checked
when it is first looked into, right into where it is searched: nothing is sorted, nothing is held
twice. The first search has the others read in the background; of a map searched with priors
alone none is read.

| part | of a list |
| --- | --- |
| rows | slot times views, uint32 |
| codes | blocks as FAISS reads them, see CodedRows |
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
import hashlib
from itertools import accumulate
import os
from pathlib import Path
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.product_codes import Codebook, CodedRows
from ssd_ros.files import reserve
from ssd_ros.maps.meta import MapError
from ssd_ros.reading import Descriptor, open_regular
from ssd_ros.targets import BY_NAME, file_written

LIST = np.dtype([('num', '<u4'), ('sha256', 'u1', (32,))])
_ROW = np.dtype('<u4')


@dataclass(frozen=True, slots=True)
class StoredLists:
    """
    The file of the lists.

    :param table: shape (L,) of LIST
    """

    path: Path
    table: NDArray[Any]

    def open(self, codebook: Codebook, num_rows: int, num_threads: int = 1) -> ReadLists:
        """
        Return the lists, of which none is read yet.

        :param num_rows: of the map: those of lists are below
        :param num_threads: of FAISS while it searches
        :raise MapError: they are absent or truncated
        """
        return ReadLists(self, CodedRows(codebook, num_threads), num_rows)


class ReadLists:
    """Lists in memory, once the first was looked into; searched by one thread at a time."""

    def __init__(self, stored: StoredLists, coded: CodedRows, num_rows: int) -> None:
        """See StoredLists.open."""
        self._stored, self._coded, self._num_rows = stored, coded, num_rows
        nums = stored.table['num'].tolist()
        sizes = [num * _ROW.itemsize + coded.block_bytes(num) for num in nums]
        *self._starts, expected = accumulate(sizes, initial=0)
        self._are_read = stored.table['num'] == 0
        self._reading = threading.Lock()
        self._others: threading.Thread | None = None
        try:
            with open_regular(stored.path) as file:
                size = os.fstat(file.fileno()).st_size
                if size != expected or sum(nums) > num_rows:
                    raise ValueError(f'{size} bytes, expected {expected} of {num_rows} rows')
                self._file = Descriptor(file)
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def nearest(
        self, query: NDArray[np.float32], num: int, num_lists: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """
        Return the rows that seem nearest, see CodedRows.

        :raise MapError: a list is damaged
        """
        if not self._are_read.all():
            lists = self._coded.lists_about(query, num_lists)
            for number in lists[~self._are_read[lists]].tolist():
                self._read(number)
            self._read_others()
        return self._coded.nearest(query, num, num_lists)

    def _read_others(self) -> None:
        """Read what no query has looked into yet, in a thread that holds up no end."""
        if self._others is None:
            self._others = threading.Thread(target=self._read_all, name='map-lists', daemon=True)
            self._others.start()

    def _read_all(self) -> None:
        with suppress(MapError):  # which the query that looks into it gets, too
            for number in range(len(self._are_read)):
                self._read(number)

    def _read(self, number: int) -> None:
        with self._reading:
            if not self._are_read[number]:
                self._read_now(number)

    def _read_now(self, number: int) -> None:
        entry = self._stored.table[number]
        stored = np.empty(int(entry['num']), _ROW)
        rows, codes = self._coded.make_room(number, len(stored))
        parts = [stored.view(np.uint8).data, codes.data]
        try:
            os.preadv(self._file.number, parts, self._starts[number])
        except OSError as error:
            raise self._unreadable(error) from error
        digest = hashlib.sha256(parts[0])
        digest.update(parts[1])
        if digest.digest() != entry['sha256'].tobytes() or stored.max() >= self._num_rows:
            raise self._unreadable(ValueError(f'list {number} is damaged'))
        rows[:] = stored
        self._are_read[number] = True

    def _unreadable(self, error: Exception) -> MapError:
        return MapError(f'{self._stored.path} cannot be read: {error}')


def write_lists(directory: Path, coded: CodedRows) -> StoredLists:
    """
    Write the file of the lists, whole or not at all.

    :param directory: of the map
    :raise OSError: there is no room for it, among others
    """
    table = np.zeros(coded.num_lists, LIST)
    whole, size = hashlib.sha256(), 0
    for number in range(coded.num_lists):
        content = _content(coded, number)
        sha256 = hashlib.sha256(content).digest()
        table[number] = coded.list_size(number), np.frombuffer(sha256, np.uint8)
        whole.update(content)
        size += len(content)
    path = directory / f'rows.{whole.hexdigest()[:16]}.codes'
    with file_written(path, BY_NAME) as file:
        reserve(file, size)
        for number in range(coded.num_lists):
            file.write(_content(coded, number))
    return StoredLists(path, table)


def _content(coded: CodedRows, number: int) -> bytes:
    rows, codes = coded.list_of(number)
    return rows.astype(_ROW).tobytes() + codes.tobytes()
