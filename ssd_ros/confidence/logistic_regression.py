# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Logistic regression, and one in which no input may count the wrong way round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FLAT = 1e-9  # slope of the likelihood, for each that counts, at which a weight stays 0
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
    free. Which, is found as by Lawson and Hanson, Solving least squares problems (1974), 23.3.

    :param inputs: shape (N, M)
    :param signs: shape (M,), 1 or -1
    :param is_true: shape (N,), there must be true and false ones
    :param counts: shape (N,), how often each counts
    """
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.array(signs) / np.where(deviation > 0, deviation, 1)
    scaled = np.column_stack([(inputs - mean) * scale, np.ones(len(inputs))])
    found = np.zeros(len(signs) + 1)
    is_free = np.arange(len(found)) == len(signs)  # the bias
    for _ in range(4 * len(found)):  # each is freed once or twice
        found = _nearest_feasible(scaled, is_true, counts, found, is_free)
        slope = scaled.T @ (counts * (probability(scaled @ found) - is_true))
        slope[is_free] = 0
        if slope.min() > -_FLAT * counts.sum():
            break
        is_free[slope.argmin()] = True
    weights = found[:-1] * scale
    return weights, float(found[-1] - weights @ mean)


def probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of log-odds."""
    # Half the hyperbolic tangent of half the log-odds overflows nowhere.
    return np.asarray((1 + np.tanh(log_odds / 2)) / 2)


def _nearest_feasible(
    scaled: NDArray[np.float64],
    is_true: NDArray[np.bool_],
    counts: NDArray[np.float64],
    found: NDArray[np.float64],
    is_free: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the maximum over free weights, of which those that would be negative become 0."""
    while True:
        best = np.zeros(len(found))
        best[is_free] = logistic_regression(scaled[:, is_free], is_true, counts, _RIDGE)
        is_negative = best < 0
        is_negative[-1] = False
        if not is_negative.any():
            return best
        # As far on the way there as all stay positive; on it the likelihood only grows.
        shares = found[is_negative] / (found[is_negative] - best[is_negative])
        found = found + shares.min() * (best - found)
        is_free[np.flatnonzero(is_negative)[shares.argmin()]] = False
        found[~is_free] = 0


def logistic_regression(
    inputs: NDArray[np.float64],
    is_true: NDArray[np.bool_],
    counts: NDArray[np.float64],
    shrink: float,
) -> NDArray[np.float64]:
    """
    Return the most likely weights, by Newton's method; the last one is not shrunk.

    :param inputs: shape (N, M); the last one is the bias: ones
    :param counts: shape (N,), how often each counts
    :param shrink: of each weight's square, half is taken off the log-likelihood as often
    """
    ridge = np.full(inputs.shape[1], shrink)
    ridge[-1] = 0

    def loss_of(weights: NDArray[np.float64]) -> float:
        log_odds = inputs @ weights
        misfit = np.logaddexp(0, log_odds) - is_true * log_odds
        return float(counts @ misfit + ridge @ weights**2 / 2)

    weights: NDArray[np.float64] = np.zeros(inputs.shape[1])
    loss = loss_of(weights)
    for _ in range(100):
        p = probability(inputs @ weights)
        gradient = inputs.T @ (counts * (p - is_true)) + ridge * weights
        curvature = inputs.T @ ((counts * p * (1 - p))[:, None] * inputs) + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        while (new_loss := loss_of(weights - step)) > loss and np.abs(step).max() > 1e-9:
            step /= 2
        weights, loss = weights - step, new_loss
        if np.abs(step).max() <= 1e-9:
            break
    return weights
