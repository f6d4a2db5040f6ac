# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A map of squares as the recogniser searches it, and how a map of either form is opened."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.cells.coded import CodedIndex
from ssd_ros.maps.cells.files import CellMap, read_cells
from ssd_ros.maps.cells.reach import TouchedCells
from ssd_ros.maps.meta import CELLS_VERSION, MapError, read_meta, revision_of
from ssd_ros.maps.neighbours import PlaceIndex, Prior
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.target import BOTH


class CellDatabase(PlaceDatabase):
    """
    Places of a city: with a prior, squares in reach are searched exactly, else all by codes.

    Squares that cannot be read are left out and named in `problems`. Descriptors were rounded to
    half precision when they were written.
    """

    def __init__(self, cells: CellMap, num_threads: int = 1) -> None:
        """
        Open the codes.

        :param num_threads: of FAISS while it searches; more than one wait busily for work
        """
        self.sessions = cells.sessions
        self.session_of = cells.session_of
        self.plan = cells.plan
        self.store = store = cells.store
        self._touched = TouchedCells(store, num_threads)
        index: PlaceIndex
        if cells.plan is not None and cells.lists is not None and store.codebook is not None:
            index = CodedIndex(store, store.codebook, cells.lists, cells.plan, num_threads)
        else:
            index = self._touched.index(list(range(len(store.files))))
        self._take(cells.info, store.keyframes, cells.confidence, index)

    @property
    def returns_cm(self) -> NDArray[np.int16]:
        """The returns of all keyframes, shape (N, M, 2), read."""
        return np.stack([self._returns_of(number) for number in range(len(self))])

    def views_ahead(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the first view of some keyframes, shape (K, D), NaN where it cannot be read."""
        order = np.argsort(self.store.slots[numbers])
        views = np.empty((len(numbers), self.descriptor_size), np.float32)
        views[order] = self.store.rings(self.store.slots[numbers][order])[:, 0]
        return views

    def _returns_of(self, number: int) -> NDArray[np.int16]:
        return self.store.returns_cm(int(self.store.slots[number]))

    @property
    def num_cells(self) -> int:
        """Number of squares."""
        return len(self.store.files)

    @property
    def problems(self) -> list[str]:
        """What of the map cannot be read."""
        return self.store.problem_texts()

    def within(self, prior: Prior) -> PlaceDatabase:
        """
        Return what is to be searched where the place is known roughly: the squares in reach.

        :return: with the keyframes of the whole map and their numbers; a prior outside of the
            map reaches none and finds nothing
        """
        same = copy(self)
        same._index = self._touched.index(self.store.reached(prior))
        return same


def open_map(path: Path | str, num_threads: int = 1) -> PlaceDatabase:
    """
    Open a map of either form; its `revision` changes with anything in the files.

    :param num_threads: of FAISS while it searches
    :raise MapError: the map is absent, truncated, foreign or damaged, and why
    :raise OSError: a file of it cannot be opened
    """
    path = Path(path)
    meta = read_meta(path, BOTH)
    if meta['format_version'] != CELLS_VERSION:
        database = PlaceDatabase.load(path, num_threads)
    else:
        database = CellDatabase(read_cells(path), num_threads)
        if len(database.store.problems) == database.num_cells:
            raise MapError(f'{path}: no square can be read: {"; ".join(database.problems)}')
    database.revision = revision_of(meta)
    return database
