# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recall over what may explain it: rank, distance to the map, returns in the query."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.metrics import precision_recall, PrecisionRecall
from ssd_ros.evaluation.scores.results import Result

MAX_RANK = 25
_NUM_BINS = 6


class Bin(NamedTuple):
    """R@1 of the queries whose value lies in [low, high)."""

    low: float
    high: float
    num_queries: int
    recall: float


def recall_curve(results: Sequence[Result]) -> NDArray[np.float64]:
    """Return R@1 .. R@MAX_RANK over the answerable queries of all drives."""
    ranks = np.concatenate([result.records.ranks[result.records.answerable] for result in results])
    return np.array([((ranks >= 0) & (ranks < k)).mean() for k in range(1, MAX_RANK + 1)])


def precision_recall_curve(results: Sequence[Result]) -> PrecisionRecall:
    """Return the curve of a threshold on the first answers' distance, over all drives."""
    distances = np.concatenate([result.records.distances for result in results])
    correct = np.concatenate([result.records.hits() for result in results])
    num_answerable = sum(int(result.records.answerable.sum()) for result in results)
    return precision_recall(distances, correct, num_answerable)


def recall_by_distance(results: Sequence[Result], step_m: float = 0.5) -> list[Bin]:
    """Return R@1 in steps of the distance from the query to the nearest keyframe."""
    nearest_m, hits = _answerable(results, 'nearest_m')
    edges = np.arange(0, max(result.radius_m for result in results) + step_m, step_m)
    return _bins(nearest_m, hits, edges)


def recall_by_occupied_cells(results: Sequence[Result]) -> list[Bin]:
    """Return R@1 in groups of equally many queries by the returns in their image."""
    cells, hits = _answerable(results, 'occupied_cells')
    edges = np.unique(np.quantile(cells, np.linspace(0, 1, _NUM_BINS + 1)))
    edges[-1] += 1
    return _bins(cells, hits, edges)


def _answerable(
    results: Sequence[Result], name: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a field of all answerable queries, and whether they were answered right."""
    values, hits = [], []
    for result in results:
        records, field = result.records, getattr(result.records, name)
        if field is None:
            raise ValueError(f'{result.title}: {name} was not recorded')
        values.append(field[records.answerable].astype(np.float64))
        hits.append(records.hits()[records.answerable])
    return np.concatenate(values), np.concatenate(hits)


def _bins(
    values: NDArray[np.float64], hits: NDArray[np.bool_], edges: NDArray[np.floating]
) -> list[Bin]:
    bins = []
    for low, high in pairwise(edges.tolist()):
        inside = (values >= low) & (values < high)
        if inside.any():
            share = float(hits[inside].mean())
            bins.append(Bin(low, high, int(inside.sum()), share))
    return bins
