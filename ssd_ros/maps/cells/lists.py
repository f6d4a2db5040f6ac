# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The codes of all squares as they are searched: list by list, in one file beside the squares.

They are in the files of the squares, too, from which this one is made. It is read right into where
it is searched: nothing is sorted, and nothing held twice, when a map is opened.

| part | of a list |
| --- | --- |
| rows | slot times views, uint32 |
| codes | blocks as FAISS reads them, see CodedRows |
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.product_codes import Codebook, CodedRows
from ssd_ros.files import reserve
from ssd_ros.maps.meta import MapError
from ssd_ros.reading import open_regular
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

    def read(self, codebook: Codebook, num_rows: int, num_threads: int = 1) -> CodedRows:
        """
        Read all lists.

        :param num_rows: of the map: those of lists are below
        :param num_threads: of FAISS while it searches
        :raise MapError: they are absent, truncated or damaged
        """
        coded = CodedRows(codebook, num_threads)
        nums = self.table['num'].tolist()
        expected = sum(num * _ROW.itemsize + coded.block_bytes(num) for num in nums)
        try:
            with open_regular(self.path) as file:
                size = os.fstat(file.fileno()).st_size
                if size != expected or sum(nums) > num_rows:
                    raise ValueError(f'{size} bytes, expected {expected} of {num_rows} rows')
                for number, num in enumerate(nums):
                    if num:
                        self._read_list(file, coded, number, num_rows)
        except (OSError, ValueError) as error:
            raise MapError(f'{self.path} cannot be read: {error}') from error
        return coded

    def _read_list(self, file: BinaryIO, coded: CodedRows, number: int, num_rows: int) -> None:
        entry = self.table[number]
        stored = np.empty(int(entry['num']), _ROW)
        rows, codes = coded.make_room(number, len(stored))
        digest = hashlib.sha256()
        for part in (stored, codes):
            file.readinto(part.data)  # type: ignore[attr-defined]
            digest.update(part.data)
        if digest.digest() != entry['sha256'].tobytes() or stored.max() >= num_rows:
            raise ValueError(f'list {number} is damaged')
        rows[:] = stored


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
