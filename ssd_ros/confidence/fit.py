# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Fit the confidence of candidates, and choose the threshold that accepts them.

Queries outside the map (strangers) count little in the fit, so that probabilities hold inside
it, and fully in the choice of the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.features import feature_matrix, FEATURES, Features, SIGNS
from ssd_ros.confidence.logistic_regression import probability, signed_logistic_regression
from ssd_ros.confidence.model import (
    confidence_of,
    ConfidenceModel,
    Judgement,
    LogOdds,
    reliability,
)
from ssd_ros.confidence.threshold import lowest_threshold, num_needed

_STRANGER_SHARE = 0.1  # reconstructed: of a vehicle's queries, outside its map
_MIN_STRANGERS = 20


@dataclass(frozen=True, slots=True)
class FirstAnswers:
    """
    The first answers to queries of known place, all arrays of shape (N,).

    :param features: of the candidate
    :param correct: whether the answer is right
    :param is_stranger: whether the query lies outside the map; none of these is right
    :param group: number of the drive
    :param ambiguity: share of recent queries that fitted two places alike, NaN where not known
    """

    features: Features
    correct: NDArray[np.bool_]
    is_stranger: NDArray[np.bool_]
    group: NDArray[np.integer]
    ambiguity: NDArray[np.float64]

    def __post_init__(self) -> None:
        others = {name: getattr(self, name) for name in ('is_stranger', 'group', 'ambiguity')}
        for name, values in (self.features._asdict() | others).items():
            if np.shape(values) != np.shape(self.correct):
                raise ValueError(
                    f'{name} has shape {np.shape(values)}, '
                    f'expected {np.shape(self.correct)} as correct has'
                )
        for name, values in self.features._asdict().items():
            can_be_nan = name in ('rival', 'support')
            if not (np.isfinite(values) | (np.isnan(values) & can_be_nan)).all():
                raise ValueError(f'{name} holds NaN or infinity, expected finite numbers')
        if (self.correct & self.is_stranger).any():
            raise ValueError('answers to queries outside the map are marked correct')

    @classmethod
    def joined(cls, parts: Sequence[FirstAnswers]) -> FirstAnswers:
        """Return the answers of several parts together."""
        columns = zip(*(part.features for part in parts), strict=True)
        return cls(
            Features(*(np.concatenate(column) for column in columns)),
            np.concatenate([part.correct for part in parts]),
            np.concatenate([part.is_stranger for part in parts]),
            np.concatenate([part.group for part in parts]),
            np.concatenate([part.ambiguity for part in parts]),
        )

    def without_support(self) -> FirstAnswers:
        """Return the answers as if no support were known; what repeats itself stays told."""
        unknown = np.full(len(self.correct), np.nan)
        return replace(self, features=self.features._replace(support=unknown))

    def select(self, chosen: NDArray[np.bool_]) -> FirstAnswers:
        """Return the chosen answers."""
        features = self.features.select(chosen)
        correct, is_stranger = self.correct[chosen], self.is_stranger[chosen]
        group, ambiguity = self.group[chosen], self.ambiguity[chosen]
        return FirstAnswers(features, correct, is_stranger, group, ambiguity)


class Refused(NamedTuple):
    """What is not accepted however sure it is: an answer without support, and above a limit."""

    rival: float = math.inf
    ambiguity: float = math.inf

    def holds(self, answers: FirstAnswers) -> NDArray[np.bool_]:
        """Return which answers it is true of."""
        features = answers.features
        has_rival = np.asarray(features.rival) > self.rival
        return (features.support == 0) | has_rival | (answers.ambiguity > self.ambiguity)


NONE_REFUSED = Refused()


def fit_confidence(
    answers: FirstAnswers,
    tolerance_m: float,
    novelty_distance: float,
    data: str,
    min_precision: float = 0.99,
    max_stranger_rate: float = 0.001,
    refused: Refused = NONE_REFUSED,
) -> ConfidenceModel:
    """
    Fit the confidence, choose the lowest threshold that keeps both limits, and judge both.

    Of queries as independent and alike as these, with 95 % certainty: the precision inside the map
    is at least min_precision (Wilson's bound), and at most max_stranger_rate of the strangers are
    accepted, if the log-odds of the best of them fall off exponentially or faster.

    :param tolerance_m: within which an answer was called right
    :param novelty_distance: of the maps of these answers
    :param data: what the answers are, in words
    :param refused: what is not accepted however sure it is
    :raise ValueError: there are too few answers of a kind, or no threshold keeps the limits
    """
    model = fit_weights(
        answers, tolerance_m, novelty_distance, data, min_precision, max_stranger_rate, refused
    )
    limits = _Limits(min_precision, max_stranger_rate, refused)
    return replace(
        model,
        held_out=_held_out(answers, limits),
        held_out_unsupported=_held_out(answers.without_support(), limits),
    )


def fit_weights(
    answers: FirstAnswers,
    tolerance_m: float,
    novelty_distance: float,
    data: str,
    min_precision: float,
    max_stranger_rate: float,
    refused: Refused,
) -> ConfidenceModel:
    """Fit as `fit_confidence`, but judge no drive by what the others teach."""
    if problem := _shortage(answers):
        raise ValueError(f'confidence cannot be fitted: {problem}')
    limits = _Limits(min_precision, max_stranger_rate, refused)
    if not all(0 < limit < 1 for limit in limits[:2]):
        raise ValueError(f'min_precision and max_stranger_rate are {limits[:2]}, expected 0 .. 1')
    model = _fit(answers, limits)
    if math.isinf(model.threshold):
        raise ValueError(
            f'no threshold gives a precision of {min_precision} at a stranger rate of '
            f'{max_stranger_rate}: {num_needed(min_precision)} or more answers must lie above '
            'it, and hardly a wrong one; give more drives, or other limits'
        )
    confidence = model.confidence(answers)
    return ConfidenceModel(
        supported=model.supported,
        unsupported=model.unsupported,
        threshold=model.threshold,
        tolerance_m=tolerance_m,
        novelty_distance=novelty_distance,
        data=data,
        fitted=judgement(answers, confidence, model.accepts(answers, limits)),
    )


def judgement(
    answers: FirstAnswers, confidence: NDArray[np.float64], accepted: NDArray[np.bool_]
) -> Judgement:
    """Return how right the accepted answers are; there must be some inside the map."""
    inside, correct = ~answers.is_stranger, answers.correct
    num_inside, num_accepted = int(inside.sum()), int((accepted & inside).sum())
    num_strangers = len(inside) - num_inside
    num_right = int((accepted & correct).sum())
    return Judgement(
        num_queries=num_inside,
        num_strangers=num_strangers,
        num_accepted=num_accepted,
        precision=num_right / max(num_accepted, 1),
        recall=num_right / num_inside,
        stranger_rate=int((accepted & ~inside).sum()) / max(num_strangers, 1),
        calibration_error=reliability(confidence[inside], correct[inside]).calibration_error,
    )


class _Limits(NamedTuple):
    min_precision: float
    max_stranger_rate: float
    refused: Refused


class _Fit(NamedTuple):
    """
    What answers teach.

    :param threshold: that keeps the limits whether supports are known or not; infinite if none
    """

    supported: LogOdds
    unsupported: LogOdds
    threshold: float

    def confidence(self, answers: FirstAnswers) -> NDArray[np.float64]:
        return confidence_of(feature_matrix(answers.features), self.supported, self.unsupported)

    def accepts(self, answers: FirstAnswers, limits: _Limits) -> NDArray[np.bool_]:
        is_sure = self.confidence(answers) >= self.threshold
        return is_sure & ~limits.refused.holds(answers)


def _fit(answers: FirstAnswers, limits: _Limits) -> _Fit:
    """Fit all answers as if no support were known, and those where it is."""
    unsupported = _most_likely(answers, FEATURES[:-1])
    threshold = _threshold(answers, unsupported, limits)
    known = answers.select(np.isfinite(np.asarray(answers.features.support)))
    if _shortage(known):
        return _Fit(LogOdds((*unsupported.weights, 0.0), unsupported.bias), unsupported, threshold)
    supported = _most_likely(known, FEATURES)
    return _Fit(supported, unsupported, max(threshold, _threshold(known, supported, limits)))


def _threshold(answers: FirstAnswers, model: LogOdds, limits: _Limits) -> float:
    """Return the confidence that keeps the limits, of answers that may be accepted at all."""
    log_odds, outside = model.of(feature_matrix(answers.features)), answers.is_stranger
    allowed, max_rate = ~limits.refused.holds(answers), limits.max_stranger_rate
    if (allowed & outside).sum() < _MIN_STRANGERS:
        allowed = allowed | outside
    max_rate *= outside.sum() / (allowed & outside).sum()
    inside = allowed & ~outside
    least = lowest_threshold(
        log_odds[inside],
        answers.correct[inside],
        log_odds[allowed & outside],
        limits.min_precision,
        max_rate,
    )
    return math.inf if least is None else float(probability(np.array(least)))


def _held_out(answers: FirstAnswers, limits: _Limits) -> Judgement | None:
    """Judge each drive by what the others teach; None if one of them holds all of a kind."""
    confidence = np.zeros(len(answers.correct))
    accepted = np.zeros(len(confidence), bool)
    for group in np.unique(answers.group):
        held = answers.group == group
        others = answers.select(~held)
        if _shortage(others):
            return None
        model = _fit(others, limits)
        confidence[held] = model.confidence(answers.select(held))
        accepted[held] = model.accepts(answers.select(held), limits)
    return judgement(answers, confidence, accepted)


def _shortage(answers: FirstAnswers) -> str:
    """Return what kind of answer there is too little of, empty if nothing lacks."""
    num_right, num_strangers = int(answers.correct.sum()), int(answers.is_stranger.sum())
    if not num_right:
        num_wrong = len(answers.correct) - num_strangers
        return f'0 right and {num_wrong} wrong answers inside the map, expected right ones, too'
    if num_strangers < _MIN_STRANGERS:
        return (
            f'{num_strangers} queries outside the map, expected at least {_MIN_STRANGERS}: '
            'search for drives of another place as well'
        )
    return ''


def _most_likely(answers: FirstAnswers, names: Sequence[str]) -> LogOdds:
    """Return the most likely log-odds from the first features."""
    num_strangers = int(answers.is_stranger.sum())
    in_each = (len(answers.correct) - num_strangers) / num_strangers
    stranger_weight = in_each * _STRANGER_SHARE / (1 - _STRANGER_SHARE)
    weights, bias = signed_logistic_regression(
        feature_matrix(answers.features)[:, : len(names)],
        SIGNS[: len(names)],
        answers.correct,
        np.where(answers.is_stranger, stranger_weight, 1.0),
    )
    return LogOdds(tuple(weights.tolist()), bias)
