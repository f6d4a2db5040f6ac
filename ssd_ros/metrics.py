# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Retrieval metrics, in NumPy only: the same code judges a checkpoint and an ONNX file.

A query with no positive in the database cannot be answered and does not count; every result
says how many queries were left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Recall:
    """
    Share of the answerable queries that were answered right.

    :param value: in [0, 1]
    :param num_queries: answerable queries, the denominator
    :param num_left_out: queries without a positive in the database
    """

    value: float
    num_queries: int
    num_left_out: int


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """
    The curve of a threshold on the distance of the first answer.

    :param thresholds: shape (T,), ascending; an answer counts if its distance is at most this
    :param precision: shape (T,), right answers among those given
    :param recall: shape (T,), right answers among all answerable queries
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


def is_answerable(positives: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Return which queries have a positive in the database, shape (Q,)."""
    return np.array([len(matches) > 0 for matches in positives], dtype=bool)


def hits_at_k(
    neighbours: NDArray[np.int64], positives: Sequence[NDArray[np.int64]], k: int
) -> NDArray[np.bool_]:
    """
    Return which queries have a positive among their first k neighbours, shape (Q,).

    :param neighbours: shape (Q, >= k): database indices, nearest first; -1 where there is none
    :param positives: for each query, the database indices of the same place
    """
    if len(neighbours) != len(positives):
        raise ValueError(f'{len(neighbours)} answers for {len(positives)} queries')
    if not 1 <= k <= neighbours.shape[1]:
        raise ValueError(f'k is {k}, expected 1 .. {neighbours.shape[1]} neighbours')
    pairs = zip(neighbours[:, :k], positives, strict=True)
    return np.array([np.isin(first, matches).any() for first, matches in pairs], dtype=bool)


def recall_at_k(
    neighbours: NDArray[np.int64], positives: Sequence[NDArray[np.int64]], k: int
) -> Recall:
    """
    Return the share of answerable queries with a positive among their first k neighbours.

    :param neighbours: shape (Q, >= k): database indices, nearest first
    :param positives: for each query, the database indices of the same place
    """
    answerable = _require_answerable(positives)
    hits = hits_at_k(neighbours, positives, k)[answerable]
    return Recall(float(hits.mean()), len(hits), int((~answerable).sum()))


def chance_recall(positives: Sequence[NDArray[np.int64]], num_entries: int) -> float:
    """Return R@1 of a database that answers with a random one of its entries."""
    answerable = _require_answerable(positives)
    num_positives = np.array([len(np.unique(matches)) for matches in positives])
    return float(num_positives[answerable].mean() / num_entries)


def precision_recall(
    distances: NDArray[np.floating], correct: NDArray[np.bool_], num_answerable: int
) -> PrecisionRecall:
    """
    Sweep a threshold over the distances of the first answers.

    :param distances: shape (Q,), of every query, answerable or not: an unanswerable query that
        is answered costs precision
    :param correct: shape (Q,), whether that answer is a positive
    """
    if num_answerable < 1:
        raise ValueError('no query has a positive in the database')
    order = np.argsort(distances, kind='stable')
    thresholds, last_of_each = np.unique(distances[order][::-1], return_index=True)
    num_answers = len(distances) - last_of_each
    num_right = np.cumsum(correct[order])[num_answers - 1]
    return PrecisionRecall(
        thresholds.astype(np.float64), num_right / num_answers, num_right / num_answerable
    )


def bootstrap_interval(
    hits: NDArray[np.bool_],
    block_length: int = 1,
    confidence: float = 0.95,
    num_draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """
    Return the percentile interval of the mean of hits under resampling.

    :param hits: shape (Q,), in order of the drive
    :param block_length: consecutive queries drawn together (around the end of the array):
        neighbouring queries see the same place, so drawing them singly would claim too much
    """
    num_queries = len(hits)
    if num_queries == 0:
        raise ValueError('no query to resample')
    block_length = min(block_length, num_queries)
    num_blocks = -(-num_queries // block_length)
    following = np.concatenate([[0], np.cumsum(np.concatenate([hits, hits[:block_length]]))])
    hits_from = following[block_length:][:num_queries] - following[:num_queries]
    starts = np.random.default_rng(seed).integers(num_queries, size=(num_draws, num_blocks))
    means = hits_from[starts].sum(axis=1) / (num_blocks * block_length)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _require_answerable(positives: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    answerable = is_answerable(positives)
    if not answerable.any():
        raise ValueError('no query has a positive in the database')
    return answerable
