# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From which distance on an answer can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Acceptance:
    """
    Limits below which a first answer is accepted, and what they gave on the calibration set.

    :param precision: of the accepted answers
    :param recall: right accepted answers among answerable queries
    """

    max_distance: float
    max_ratio: float
    precision: float
    recall: float


def calibrate_acceptance(
    distances: NDArray[np.floating],
    ratios: NDArray[np.floating],
    correct: NDArray[np.bool_],
    num_answerable: int,
    min_precision: float = 0.99,
) -> Acceptance:
    """
    Return the limits that accept most right first answers at the wanted precision.

    Where no limits reach it, the most precise ones.

    :param distances: shape (Q,), of the first answers to all queries, answerable or not
    :param ratios: shape (Q,), of these
    :param correct: shape (Q,), whether they are right
    :raise ValueError: no answer is right
    """
    if not correct.any():
        raise ValueError(f'none of {len(correct)} first answers is right: nothing to calibrate on')
    by_distance = np.argsort(distances, kind='stable')
    best: tuple[tuple[bool, float, float], Acceptance] | None = None
    for max_ratio in np.unique(ratios[correct]):
        kept = by_distance[ratios[by_distance] <= max_ratio]
        num_right = np.cumsum(correct[kept])
        precision = num_right / np.arange(1, len(kept) + 1)
        # Equal distances are accepted together, so only the last of them is a limit.
        is_limit = np.append(np.diff(distances[kept]) > 0, True) & (num_right > 0)
        is_enough = is_limit & (precision >= min_precision)
        wanted, value = (is_enough, num_right) if is_enough.any() else (is_limit, precision)
        limit = int(np.where(wanted, value, -1).argmax())
        rank = (bool(is_enough.any()), float(value[limit]), float(precision[limit]))
        if best is None or rank > best[0]:
            recall = float(num_right[limit] / num_answerable)
            max_distance = float(distances[kept[limit]])
            # A ratio of 0 says that no answer had a rival: then the ratio decides nothing.
            best = rank, Acceptance(max_distance, float(max_ratio) or 1.0, rank[2], recall)
    assert best is not None  # the widest ratio keeps a right answer
    return best[1]
