# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Logistic regression in which no input may count the wrong way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
import math

import numpy as np
from numpy.typing import NDArray

_RIDGE = 1e-2  # on weights of inputs of unit deviation: so little that it only breaks ties


def signed_logistic_regression(
    inputs: NDArray[np.float64],
    signs: Sequence[int],
    is_true: NDArray[np.bool_],
    counts: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """
    Return the most likely weights of the given signs (or 0), and the bias.

    The likelihood is concave: at its constrained maximum some weights are 0 and the others are
    free, so it is the best of the free maxima over subsets whose signs are right.

    :param inputs: shape (N, M)
    :param signs: shape (M,), 1 or -1
    :param is_true: shape (N,), there must be true and false ones
    :param counts: shape (N,), how often each counts
    """
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.array(signs) / np.where(deviation > 0, deviation, 1)
    scaled = np.column_stack([(inputs - mean) * scale, np.ones(len(inputs))])
    best, best_loss = np.zeros(len(signs) + 1), math.inf
    for kept in _subsets(len(signs)):
        fitted, loss = _logistic_regression(scaled[:, kept], is_true, counts)
        if loss < best_loss and (fitted[:-1] >= 0).all():
            best, best_loss = np.zeros(len(signs) + 1), loss
            best[kept] = fitted
    weights = best[:-1] * scale
    return weights, float(best[-1] - weights @ mean)


def _subsets(num: int) -> Iterator[list[int]]:
    """Yield all choices of inputs, each with the column of the bias."""
    for size in range(num + 1):
        for chosen in combinations(range(num), size):
            yield [*chosen, num]


def _logistic_regression(
    inputs: NDArray[np.float64], is_true: NDArray[np.bool_], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return the weights by Newton's method, and their loss; the last one is not shrunk."""
    ridge = np.full(inputs.shape[1], _RIDGE)
    ridge[-1] = 0

    def loss_of(weights: NDArray[np.float64]) -> float:
        log_odds = inputs @ weights
        misfit = np.logaddexp(0, log_odds) - is_true * log_odds
        return float(counts @ misfit + ridge @ weights**2 / 2)

    weights: NDArray[np.float64] = np.zeros(inputs.shape[1])
    loss = loss_of(weights)
    for _ in range(100):
        p = (1 + np.tanh(inputs @ weights / 2)) / 2
        gradient = inputs.T @ (counts * (p - is_true)) + ridge * weights
        curvature = inputs.T @ ((counts * p * (1 - p))[:, None] * inputs) + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        while (new_loss := loss_of(weights - step)) > loss and np.abs(step).max() > 1e-9:
            step /= 2
        weights, loss = weights - step, new_loss
        if np.abs(step).max() <= 1e-9:
            break
    return weights, loss
