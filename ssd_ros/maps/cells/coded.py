# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Search of a whole city by codes in memory; what they find is read and compared exactly."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
import logging
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import view_yaws_rad
from ssd_ros.encoders.product_codes import code_bytes, Codebook, CodedRows
from ssd_ros.maps.cells.lists import ReadLists, StoredLists
from ssd_ros.maps.cells.store import CellStore, SearchPlan
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_index import best_views, nearest_turns, nobody

_log = logging.getLogger(__name__)


class CodedIndex:
    """All squares that can be read."""

    error = math.inf  # of codes: all rows that they find are compared exactly

    def __init__(
        self,
        store: CellStore,
        codebook: Codebook,
        lists: StoredLists,
        plan: SearchPlan,
        num_threads: int = 1,
    ) -> None:
        """
        Open the codes of the rows.

        :param lists: where they stand ready; as soon as one cannot be read, all are made of the
            squares
        :param num_threads: of FAISS while it searches
        :raise MapError: no square can be read, either
        """
        layout = store.layout
        self.plan = plan
        self.view_yaws_rad = view_yaws_rad(layout.num_views)
        self.descriptor_size = layout.descriptor_size
        self.bytes_per_row = code_bytes(layout.descriptor_size) + np.dtype(np.int64).itemsize
        self._store = store
        self._num_views = layout.num_views
        self._made_anew = partial(_made_of_squares, store, codebook, num_threads)
        self._coded: ReadLists | CodedRows
        try:
            self._coded = lists.open(codebook, len(self), num_threads)
        except MapError as error:
            self._coded = self._made_anew(error)

    def __len__(self) -> int:
        return self._store.num_keyframes * self._num_views

    def descriptors(self) -> NDArray[np.float32]:
        """
        Read all descriptors, shape (N, D).

        :raise MapError: some cannot be read
        """
        rings = self.rings(np.arange(self._store.num_keyframes))
        if self._store.problems:
            raise MapError('; '.join(self._store.problem_texts()))
        return rings.reshape(-1, self.descriptor_size)

    def search(self, descriptor: NDArray[np.float32], num_rows: int) -> Neighbours:
        """
        Return the keyframes among the nearest rows, each with its best view.

        As many rows are looked at as the plan says. The horizon is what the codes tell of the
        last of them, which is less than it is.
        """
        query = np.asarray(descriptor, np.float32)
        rows, products = self.nearest(query, self.plan.num_refined, len(self))
        if len(rows) == 0:
            return nobody()
        found = _readable(best_views(self, query, rows, products))
        horizon = math.sqrt(max(2 - 2 * float(products.min()), 0))
        return replace(found, horizon=min(found.horizon, horizon))

    def search_turn(self, ring: NDArray[np.float32], num_keyframes: int) -> Neighbours:
        """Return the keyframes nearest to a whole turn, of those that its views find."""
        searched = np.arange(self._store.num_keyframes)
        return _readable(nearest_turns(self, ring, num_keyframes, searched))

    def nearest(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return rows that seem nearest in ascending order, see RowSource."""
        try:
            rows, squares = self._coded.nearest(query, num, self.plan.num_probed)
        except MapError as error:
            self._coded = self._made_anew(error)
            rows, squares = self._coded.nearest(query, num, self.plan.num_probed)
        slots, views = np.divmod(rows, self._num_views)
        rows = self._store.numbers[slots] * self._num_views + views
        order = np.argsort(rows)
        return rows[order], (1 - squares / np.float32(2))[order]

    def products(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the products of some rows with a query, NaN where they cannot be read."""
        numbers, views = np.divmod(rows, self._num_views)
        found = self._store.rows(self._store.slots[numbers] * self._num_views + views)
        return np.asarray(found @ query)

    def rings(self, keyframes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return all views of some keyframes, shape (K, num_views, D), NaN if unreadable."""
        slots = self._store.slots[keyframes]
        order = np.argsort(slots)
        rings = np.empty((len(slots), self._num_views, self.descriptor_size), np.float32)
        rings[order] = self._store.rings(slots[order])
        return rings


def _made_of_squares(
    store: CellStore, codebook: Codebook, num_threads: int, why: MapError
) -> CodedRows:
    _log.warning('%s: made anew of the squares; copy the whole map again', why)
    return CodedRows.of_rows(codebook, *store.codes(), num_threads)


def _readable(found: Neighbours) -> Neighbours:
    """Return what was found without keyframes that could not be read, which stand last."""
    num = int(np.count_nonzero(~np.isnan(found.distances)))
    if num == len(found):
        return found
    if num == 0:
        return nobody()
    return Neighbours(
        found.keyframes[:num],
        found.yaws_rad[:num],
        found.distances[:num],
        float(found.distances[num - 1]),
    )
