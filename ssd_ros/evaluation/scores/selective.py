# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well a confidence tells right answers from wrong ones, whatever the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """
    The curve of a threshold on the confidence.

    :param coverage: shape (T,), ascending, share of the queries that are answered
    :param risk: shape (T,), share of wrong ones among those answers
    :param area: mean risk over all coverages: 0 is best
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    area: float


def risk_coverage(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> RiskCoverage:
    """
    Answer the most confident first, those of equal confidence together.

    :param confidence: shape (N,)
    :param correct: shape (N,)
    """
    if not len(confidence):
        raise ValueError('no answer to judge')
    order = np.argsort(-confidence, kind='stable')
    descending = confidence[order]
    answered = np.flatnonzero(np.append(descending[1:] < descending[:-1], True)) + 1
    num_wrong = np.cumsum(~correct[order])[answered - 1]
    coverage, risk = answered / len(order), num_wrong / answered
    area = float((risk * np.diff(coverage, prepend=0.0)).sum())
    return RiskCoverage(coverage, risk, area)


def auroc(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """
    Return how often a right answer is more confident than a wrong one; ties count half.

    :param confidence: shape (N,)
    :param correct: shape (N,)
    :return: NaN if all are right or all wrong
    """
    num_right = int(np.count_nonzero(correct))
    num_wrong = len(correct) - num_right
    if not (num_right and num_wrong):
        return float('nan')
    _, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = float(ranks[correct].sum()) - num_right * (num_right + 1) / 2
    return above / (num_right * num_wrong)
