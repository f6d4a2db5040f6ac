# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which answers to accept: thresholds on distance and ratio, from validation queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NUM_LEVELS = 60


@dataclass(frozen=True, slots=True)
class Acceptance:
    """
    Thresholds and what they did on the queries that chose them.

    :param precision: share of the accepted answers that were right
    :param share: of the right answers that were accepted
    """

    max_distance: float
    max_ratio: float
    precision: float
    share: float


def calibrate(
    distances: NDArray[np.floating],
    ratios: NDArray[np.floating],
    correct: NDArray[np.bool_],
    min_precision: float,
) -> Acceptance:
    """
    Return the thresholds that accept most right answers at the precision asked for.

    Where no pair of thresholds reaches it, the most precise pair.

    :param distances: shape (Q,), of the first answers
    :param ratios: shape (Q,), to the best rival elsewhere
    :param correct: shape (Q,); queries from outside the map count as wrong
    """
    if not correct.any():
        raise ValueError(f'none of {len(correct)} answers is right: nothing to calibrate on')
    levels = np.linspace(0, 1, _NUM_LEVELS)
    max_ratios = np.unique(np.quantile(ratios[correct], levels))
    # Without a rival in the map the ratio is 0 and says nothing.
    max_ratios = max_ratios[max_ratios > 0] if max_ratios[-1] > 0 else np.ones(1)
    best = (False, 0.0, 0.0)
    result = None
    for max_distance in np.quantile(distances[correct], levels):
        for max_ratio in max_ratios:
            accepted = (distances <= max_distance) & (ratios <= max_ratio)
            num_right = int((accepted & correct).sum())
            if num_right == 0:
                continue
            precision = num_right / int(accepted.sum())
            share = num_right / int(correct.sum())
            is_enough = precision >= min_precision
            rank = (is_enough, share if is_enough else precision, precision)
            if rank > best:
                best = rank
                result = Acceptance(float(max_distance), float(max_ratio), precision, share)
    assert result is not None  # the outermost thresholds accept every right answer
    return result
