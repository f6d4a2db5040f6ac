# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many lists to look into and rows to compare, so that codes find what exact search finds."""

from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.product_codes import CodedRows
from ssd_ros.maps.cells.store import CellStore, SearchPlan

PLACE_M = 5.0  # a keyframe no farther from that of exact search shows the same place
_FORGONE = 0.01  # of the places that exact search finds, for a quicker plan than the best
_NUM_QUERIES = 200
_DISTANCE = 0.8  # of the queries to the rows they are made of, where the novelty is not known
_OF_NOVELTY = 0.75  # likewise, of the novelty distance: so far are answers in the middle
_PROBED = (8, 16, 32, 64, 128, 256)
_REFINED = (50, 100, 200)  # more take too long from a cold disk
_ROWS_A_READ = 2000  # rows of lists that are looked through while one is read and compared


def tuned(store: CellStore, coded: CodedRows, novelty_distance: float = 0.0) -> SearchPlan:
    """
    Return the quickest of the plans that find nearly as much as the best one.

    Queries are rows of the map, taken as far from themselves as queries are, by the novelty
    distance of the map, in directions in which its rows differ.

    :param coded: the rows of the store, by slot times views
    """
    queries = sample_queries(store, _NUM_QUERIES, novelty_distance * _OF_NOVELTY or _DISTANCE)
    expected = exact_slots(store, queries)
    probed = sorted({min(num, coded.num_lists) for num in _PROBED})
    slots = np.array([_found(store, coded, query, probed) for query in queries])
    plans = []
    for row, num_probed in enumerate(probed):
        for column, num_refined in enumerate(_REFINED):
            kept = float(are_one_place(store, slots[:, row, column], expected).mean())
            cost = num_probed * len(coded) / coded.num_lists + _ROWS_A_READ * num_refined
            plans.append((cost, SearchPlan(num_probed, num_refined, kept, len(coded))))
    enough = max(plan.kept for _, plan in plans) - _FORGONE
    good = [found for found in plans if found[1].kept >= enough]
    return min(good, key=lambda found: found[0])[1]


def sample_queries(store: CellStore, num: int, distance: float) -> NDArray[np.float32]:
    """
    Return rows of a map, changed as its rows differ; the same for the same map, shape (Q, D).

    :param num: at most
    :param distance: of each to the row that it is made of, between unit vectors
    """
    generator = np.random.default_rng(0)
    slots = np.unique(np.linspace(0, store.num_keyframes - 1, num).astype(np.int64))
    rings = store.rings(slots)
    views = generator.integers(0, rings.shape[1], len(slots))
    rows = rings[np.arange(len(slots)), views]
    pairs = generator.integers(0, len(slots), (2, len(slots)))
    noise = rings[pairs[0], views] - rings[pairs[1], views]
    noise += np.float32(1e-3) * generator.standard_normal(rows.shape, np.float32)  # never none
    noise -= np.einsum('ij,ij->i', noise, rows)[:, None] * rows
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    cosine = 1 - distance**2 / 2
    queries = cosine * rows + math.sqrt(1 - cosine**2) * noise
    return np.asarray(queries, np.float32)


def exact_slots(store: CellStore, queries: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the slot of the keyframe nearest to each query, found by comparing all rows."""
    best = np.full(len(queries), -np.inf, np.float32)
    slots = np.zeros(len(queries), np.int64)
    for number, start in enumerate(store.starts[:-1].tolist()):
        rings = store.rings_of_cell(number)
        if rings is None:
            continue
        products = (rings.reshape(-1, queries.shape[1]) @ queries.T).reshape(
            len(rings), -1, len(queries)
        )
        nearest = products.max(axis=1)
        place, found = nearest.argmax(axis=0), nearest.max(axis=0)
        slots = np.where(found > best, start + place, slots)
        best = np.maximum(found, best)
    return slots


def are_one_place(
    store: CellStore, slots: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which keyframes lie within PLACE_M of others."""
    positions_m = store.records['position_m'][:, :2]
    return np.asarray(np.hypot(*(positions_m[slots] - positions_m[others]).T) <= PLACE_M)


def _found(
    store: CellStore, coded: CodedRows, query: NDArray[np.float32], probed: Sequence[int]
) -> NDArray[np.int64]:
    """Return the slot that a query finds, by lists probed and rows refined."""
    rows = [coded.nearest(query, _REFINED[-1], num)[0] for num in probed]
    read, of = np.unique(np.concatenate(rows), return_inverse=True)
    exact = (store.rows(read) @ query)[of]
    slots = np.zeros((len(probed), len(_REFINED)), np.int64)
    ends = np.cumsum([len(each) for each in rows])
    for line, each, products in zip(slots, rows, np.split(exact, ends[:-1]), strict=True):
        for column, num_refined in enumerate(_REFINED if len(each) else ()):
            line[column] = each[np.argmax(products[:num_refined])] // store.layout.num_views
    return slots
