# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How likely a candidate is right, and from which confidence on it is accepted.

A logistic regression of the features, fitted on answers known to be right or wrong, and one
without the last for candidates whose support is not known. None of them can count the wrong way
round: nearer, more distinctive, better verified and better supported never means less confident.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.features import feature_matrix, FEATURES, Features, SIGNS
from ssd_ros.confidence.logistic_regression import probability
from ssd_ros.confidence.radar_envelope import RadarEnvelope
from ssd_ros.radar.types import RADARS
from ssd_ros.records import check_limits, Limits, shortened

_MAX_WEIGHT = 1e9
_JUDGEMENT_LIMITS = {
    **dict.fromkeys(('num_queries', 'num_strangers', 'num_accepted'), Limits(0, 1 << 40)),
    **dict.fromkeys(('precision', 'recall', 'stranger_rate', 'calibration_error'), Limits(0, 1)),
}
_MODEL_LIMITS = {
    'threshold': Limits(0, 1, is_above=True),
    'tolerance_m': Limits(0, 1000, is_above=True),
    'novelty_distance': Limits(0, 4, is_above=True),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    What a threshold lets through.

    :param num_queries: inside the map
    :param num_strangers: queries outside the map
    :param num_accepted: of the queries inside the map
    :param precision: share of right answers among those; 0 if there are none
    :param recall: right accepted answers as a share of the queries inside the map
    :param stranger_rate: accepted share of the queries outside the map
    :param calibration_error: expected, over the queries inside the map
    """

    num_queries: int
    num_strangers: int
    num_accepted: int
    precision: float
    recall: float
    stranger_rate: float
    calibration_error: float

    def __post_init__(self) -> None:
        check_limits(self, _JUDGEMENT_LIMITS)


@dataclass(frozen=True, slots=True)
class LogOdds:
    """
    Log-odds of being right: linear in the transformed features.

    :param weights: of the columns of feature_matrix(), of all or all but the support
    """

    weights: tuple[float, ...]
    bias: float

    def __post_init__(self) -> None:
        if not len(FEATURES) - 1 <= len(self.weights) <= len(FEATURES):
            raise ValueError(f'{len(self.weights)} weights, expected those of {FEATURES}')
        if not all(abs(number) <= _MAX_WEIGHT for number in (*self.weights, self.bias)):
            raise ValueError(
                f'weights {self.weights} and bias {self.bias}, expected finite numbers of at most '
                f'{_MAX_WEIGHT:g}'
            )
        if any(weight * sign < 0 for weight, sign in zip(self.weights, SIGNS, strict=False)):
            raise ValueError(f'weights {self.weights} of {FEATURES}, expected signs {SIGNS}')

    def of(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of rows of feature_matrix()."""
        num = len(self.weights)
        return np.asarray(features[..., :num] @ np.array(self.weights) + self.bias)


@dataclass(frozen=True, slots=True)
class ConfidenceModel:
    """
    How to tell the confidence, and what it was fitted on.

    :param supported: for candidates whose support is known
    :param unsupported: for the others: without odometry, and at the beginning of a drive
    :param threshold: from which confidence on an answer is accepted
    :param tolerance_m: within which an answer was called right
    :param novelty_distance: of the maps that it was fitted on, for one that does not know its own
    :param data: what it was fitted on, in words
    :param fitted: on these data themselves
    :param held_out: each drive judged by a model fitted on the others; None if the data do not
        allow it
    :param held_out_unsupported: the same as if no support were known
    :param radars: of the drives that it was fitted on; None = not known, of an earlier fit
    :param features: in the order of the weights
    :param queries: of which radar they were, '4d' or 'spinning'
    :param maps: of which sensor they were; '' = of a radar, of an earlier fit that does not say
    """

    supported: LogOdds
    unsupported: LogOdds
    threshold: float
    tolerance_m: float
    novelty_distance: float
    data: str
    fitted: Judgement
    held_out: Judgement | None = None
    held_out_unsupported: Judgement | None = None
    radars: RadarEnvelope | None = None
    features: tuple[str, ...] = FEATURES
    queries: str = '4d'
    maps: str = ''

    def __post_init__(self) -> None:
        check_limits(self, _MODEL_LIMITS)
        if self.features != FEATURES:
            raise ValueError(f'features are {shortened(self.features)}, expected {FEATURES}')
        if self.queries not in RADARS:
            raise ValueError(
                f'queries are of {shortened(self.queries)}; choose from {", ".join(RADARS)}'
            )
        nums = len(self.supported.weights), len(self.unsupported.weights)
        if nums != (len(FEATURES), len(FEATURES) - 1):
            raise ValueError(
                f'{nums[0]} weights with support and {nums[1]} without, '
                f'expected {len(FEATURES)} and {len(FEATURES) - 1}'
            )

    def is_for(self, sensor: str) -> bool:
        """Return whether it was fitted on maps of a sensor."""
        return self.maps == sensor or (not self.maps and sensor in RADARS)

    def relative_distance(self, distance: float, novelty_distance: float) -> float:
        """
        Return a distance between descriptors as Features has it.

        :param novelty_distance: of the map, 0 = not known
        """
        return distance / (novelty_distance or self.novelty_distance)

    def confidence(self, features: Features) -> NDArray[np.float64]:
        """
        Return the probability that candidates are right, of the shape of the features.

        A support of NaN is not known; any other unknown makes the answer NaN.
        """
        return confidence_of(feature_matrix(features), self.supported, self.unsupported)


@dataclass(frozen=True, slots=True)
class Reliability:
    """
    The reliability diagram: what is said against what holds.

    :param mean_confidence: shape (B,), in bins of equal width from 0 to 1; NaN in empty ones
    :param share_right: shape (B,); NaN in empty ones
    :param counts: shape (B,)
    :param calibration_error: expected: mean difference of the two, weighted by the counts
    """

    mean_confidence: NDArray[np.float64]
    share_right: NDArray[np.float64]
    counts: NDArray[np.int64]
    calibration_error: float


def reliability(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], num_bins: int = 10
) -> Reliability:
    """Compare confidences with how many of the answers are right, shapes (N,)."""
    if not len(confidence):
        raise ValueError('no answer to judge')
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError('confidences lie outside 0 .. 1')
    bins = np.minimum((np.asarray(confidence) * num_bins).astype(np.int64), num_bins - 1)
    counts = np.bincount(bins, minlength=num_bins)
    said = np.bincount(bins, confidence, num_bins)
    holds = np.bincount(bins, correct, num_bins)
    num = np.where(counts > 0, counts, np.nan)
    error = float(np.abs(said - holds).sum() / len(confidence))
    return Reliability(said / num, holds / num, counts, error)


def brier_score(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> float:
    """Return the mean squared difference of confidence and truth: 0 is best, 0.25 ignorance."""
    return float(np.mean(np.square(confidence - correct.astype(np.float64))))


def confidence_of(
    features: NDArray[np.float64], supported: LogOdds, unsupported: LogOdds
) -> NDArray[np.float64]:
    """Return the probability that candidates are right, from rows of feature_matrix()."""
    is_known = ~np.isnan(features[..., -1])
    return probability(np.where(is_known, supported.of(features), unsupported.of(features)))
