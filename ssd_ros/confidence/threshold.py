# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From which score on answers are accepted, so that limits hold beyond the answers at hand.

All bounds are one-sided, hold with 95 % certainty, and take answers as independent; neighbouring
queries are not, so a drive counts for less than its number of queries.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_Z = 1.645  # quantile of the normal distribution for the certainty
_TAIL_SHARE = 0.05  # of the strangers' scores, which is extrapolated
_MIN_TAIL = 10


def lowest_threshold(
    scores: NDArray[np.float64],
    correct: NDArray[np.bool_],
    stranger_scores: NDArray[np.float64],
    min_precision: float,
    max_stranger_rate: float,
) -> float | None:
    """
    Return the score that accepts most right answers within the limits, None if none does.

    :param scores: shape (N,), log-odds of answers to queries inside the map
    :param correct: shape (N,)
    :param stranger_scores: shape (S,), of answers to queries outside the map
    :param min_precision: of accepted answers inside the map
    :param max_stranger_rate: accepted share of the queries outside
    """
    order = np.argsort(-scores, kind='stable')
    descending = scores[order]
    num_right = np.cumsum(correct[order], dtype=np.int64)
    precision = surely_at_least(num_right, np.arange(1, len(order) + 1))
    # Equal scores are accepted together, so only the last of them is a limit.
    is_limit = np.append(descending[1:] < descending[:-1], True)
    is_limit &= descending >= stranger_limit(stranger_scores, max_stranger_rate)
    allowed = np.flatnonzero(is_limit & (precision >= min_precision))
    if not len(allowed):
        return None
    return float(descending[allowed[num_right[allowed].argmax()]])


def stranger_limit(scores: NDArray[np.float64], max_rate: float) -> float:
    """
    Return the score that no more than max_rate of all strangers reach.

    So few may be less than one of those at hand. Hence the scores of the best are extrapolated:
    their excess over a level is taken to fall off exponentially; normal scores fall faster.

    :param scores: shape (S,)
    """
    num = len(scores)
    if num <= _MIN_TAIL:
        raise ValueError(f'{num} queries outside the map, expected more than {_MIN_TAIL}')
    descending = -np.sort(-scores)
    observed = float(np.nextafter(descending[int(max_rate * num)], math.inf))
    num_tail = max(_MIN_TAIL, int(_TAIL_SHARE * num))
    if max_rate * num >= num_tail:
        return observed
    level = descending[num_tail]
    # 2 n over the 5 % quantile of chi-square with 2 n degrees, by Wilson and Hilferty.
    margin = (1 - 1 / (9 * num_tail) - _Z / (3 * math.sqrt(num_tail))) ** -3
    scale = (descending[:num_tail] - level).mean() * margin
    return max(float(level + scale * math.log(num_tail / num / max_rate)), observed)


def surely_at_least(num_right: NDArray[np.int64], num: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share that the true one exceeds: Wilson's lower bound."""
    share = num_right / num
    spread = _Z * np.sqrt(share * (1 - share) / num + _Z**2 / (4 * num**2))
    return np.asarray((share + _Z**2 / (2 * num) - spread) / (1 + _Z**2 / num))


def num_needed(min_precision: float) -> int:
    """Return how many answers, all right, are sure to be that precise."""
    return math.ceil(_Z**2 * min_precision / (1 - min_precision))
