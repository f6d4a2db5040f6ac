# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of right and wrong answers: curves, intervals, tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

MIN_BLOCKS = 10  # of a drive, however short


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
    return crossed_bootstrap_interval([hits[None]], [block_length], confidence, num_draws, seed)


def crossed_bootstrap_interval(
    values: Sequence[NDArray[np.bool_] | NDArray[np.float64]],
    block_lengths: Sequence[int],
    confidence: float = 0.95,
    num_draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """
    Return the percentile interval of the mean over drives of the mean over seeds and queries.

    Seeds and blocks of queries are drawn independently, a block for all seeds alike, since all
    answered the same queries. Few seeds still understate their own spread: with 3 of them by a
    fifth. Of a drive too short for MIN_BLOCKS blocks, shorter blocks are drawn: one block as long
    as the drive would give an interval of no width.

    :param values: of each drive, shape (S, Q): S seeds, queries in order of the drive
    :param block_lengths: of each drive, consecutive queries drawn together (around the end)
    """
    generator = np.random.default_rng(seed)
    means = [
        _resampled_means(np.asarray(of_drive, np.float64), length, num_draws, generator)
        for of_drive, length in zip(values, block_lengths, strict=True)
    ]
    if not means:
        raise ValueError('no query to resample')
    by_seed = np.mean(means, axis=0)
    num_seeds = len(by_seed)
    chosen = generator.integers(num_seeds, size=(num_seeds, num_draws))
    drawn = np.take_along_axis(by_seed, chosen, axis=0).mean(axis=0)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _resampled_means(
    values: NDArray[np.float64], block_length: int, num_draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return the mean of each seed's values over drawn blocks, shape (S, num_draws)."""
    num_queries = values.shape[1]
    if num_queries == 0:
        raise ValueError('no query to resample')
    block_length = max(1, min(block_length, num_queries // MIN_BLOCKS))
    num_blocks = -(-num_queries // block_length)
    around = np.concatenate([values, values[:, :block_length]], axis=1)
    following = np.concatenate([np.zeros((len(values), 1)), np.cumsum(around, axis=1)], axis=1)
    of_block = following[:, block_length:][:, :num_queries] - following[:, :num_queries]
    starts = generator.integers(num_queries, size=(num_draws, num_blocks))
    return np.asarray(of_block[:, starts].sum(axis=2) / (num_blocks * block_length))


def mcnemar_p_value(wins: int, losses: int) -> float:
    """
    Return how likely so uneven a split is if each difference could go either way.

    McNemar's exact test, two-sided: binomial with one half.

    :param wins: queries that only the first method answers right
    :param losses: queries that only the second method answers right
    """
    num = wins + losses
    tail = sum(math.comb(num, count) for count in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**num)


def least_share(num: int, of: int, certainty: float = 0.95) -> float:
    """
    Return the share that the true one exceeds: Clopper and Pearson's lower bound, one-sided.

    :param num: hits among independent trials
    :param of: number of trials; without any the bound is 0
    """
    return 1 - most_share(of - num, of, certainty)


def most_share(num: int, of: int, certainty: float = 0.95) -> float:
    """
    Return the share that the true one keeps below: Clopper and Pearson's upper bound, one-sided.

    It is the share with which so few hits or fewer are as rare as the certainty leaves room for.

    :param num: hits among independent trials
    :param of: number of trials; without any the bound is 1
    """
    if not (0 <= num <= of and 0 < certainty < 1):
        raise ValueError(f'{num} of {of} at a certainty of {certainty}: there is no such share')
    if num == of:
        return 1.0
    hits = np.arange(num + 1)
    steps = np.log(np.arange(of, of - num, -1) / np.arange(1, num + 1))
    log_ways = np.concatenate([[0.0], np.cumsum(steps)])
    low, high = num / of, 1.0
    for _ in range(60):
        share = (low + high) / 2
        with np.errstate(divide='ignore'):
            log_odds = log_ways + hits * np.log(share) + (of - hits) * np.log1p(-share)
        is_rare = np.exp(log_odds).sum() < 1 - certainty
        low, high = (low, share) if is_rare else (share, high)
    return high
