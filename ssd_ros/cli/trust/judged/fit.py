# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From answers whose truth is known to a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.confidence.features import FEATURES, Features
from ssd_ros.confidence.fit import FirstAnswers, fit_confidence, fit_weights, Refused
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.confidence.radar_profile import is_misaligned
from ssd_ros.recognition.answer import DEFAULT_CONFIG
from ssd_ros.recognition.findings import nearest_of_best

# Reconstructed: a pose farther off than this would bend a pose graph.
TOLERANCE_M = 2.0
YAW_TOLERANCE_RAD = math.radians(5)
_NUM_ROUNDS = 5
_NUM_PARTS = 5  # of a lone drive, each judged by what the others teach


def is_right(answers: PairAnswers) -> NDArray[np.bool_]:
    """Return which candidates give the pose within the tolerance, shape (Q, K)."""
    return (answers.error_m <= TOLERANCE_M) & (answers.yaw_error_rad <= YAW_TOLERANCE_RAD)


def without(answers: PairAnswers, feature: str) -> PairAnswers:
    """Return answers in which a feature of the confidence, one of FEATURES, tells nothing."""
    values = getattr(answers, feature)
    same: NDArray[np.float64] | float = {'support': math.nan, 'rival': 0.0}.get(feature, 1.0)
    if feature == 'distance':  # counts as a share of the map's novelty distance
        same = np.where(answers.novelty_distance > 0, answers.novelty_distance, 1.0)[:, None]
    changed: dict[str, Any] = {feature: np.where(np.isnan(values), math.nan, same)}
    return replace(answers, **changed)


def fit_models(
    answers: Sequence[PairAnswers],
    data: str,
    min_precision: float,
    max_stranger_rate: float,
    queries: str = '4d',
) -> dict[str, ConfidenceModel]:
    """
    Return a calibration for maps of each sensor.

    A drive in its own map is left out: nothing has changed there, which flatters.

    :param data: what the answers are, in words
    :param queries: of which radar they are answers to
    """
    other = [pair for pair in answers if not pair.is_same_session]
    models = {}
    for sensor in sorted({pair.sensor for pair in other}):
        of_sensor = [pair for pair in other if pair.sensor == sensor]
        model = fit(of_sensor, data, min_precision, max_stranger_rate)
        models[sensor] = replace(model, queries=queries, maps=sensor)
    return models


def fit(
    answers: Sequence[PairAnswers], data: str, min_precision: float, max_stranger_rate: float
) -> ConfidenceModel:
    """
    Fit the confidence of the best candidate of each query.

    Which candidate is best depends on the confidence: fitted again until that no longer changes.

    :param answers: of other sessions in a map of one sensor, and of strangers
    :param data: what they are, in words
    """
    usual = _usual_novelty_distance(answers)
    known = TOLERANCE_M, usual, data, min_precision, max_stranger_rate
    refused = Refused(DEFAULT_CONFIG.accept_max_rival, DEFAULT_CONFIG.accept_max_ambiguity)
    chosen = [np.nanargmin(_or_one(pair.distance), axis=1) for pair in answers]
    for _ in range(_NUM_ROUNDS):
        firsts = _first_answers(answers, chosen, usual)
        model = fit_weights(firsts, *known, refused)
        before, chosen = chosen, [first_of(pair, model) for pair in answers]
        if all(np.array_equal(a, b) for a, b in zip(before, chosen, strict=True)):
            break
    return fit_confidence(firsts, *known, refused)


def _or_one(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values with a number where a query has no candidate at all."""
    return np.where(np.isnan(values).all(axis=1, keepdims=True), 1.0, values)


def _usual_novelty_distance(answers: Sequence[PairAnswers]) -> float:
    """Return that of the maps that know theirs; where none does, distances stay what they are."""
    known = [distance for pair in answers if (distance := pair.novelty_distance.max(initial=0))]
    return float(np.median(known)) if known else 1.0


def _features_of(answers: PairAnswers, usual_novelty: float) -> Features:
    """Return the features of the candidates, each of shape (Q, K)."""
    novelty = np.where(answers.novelty_distance > 0, answers.novelty_distance, usual_novelty)
    values = {name: getattr(answers, name) for name in FEATURES}
    return Features(**values | {'distance': answers.distance / novelty[:, None]})


def confidence_of(answers: PairAnswers, model: ConfidenceModel) -> NDArray[np.float64]:
    """Return the confidence in each candidate, shape (Q, K)."""
    return model.confidence(_features_of(answers, model.novelty_distance))


def first_of(answers: PairAnswers, model: ConfidenceModel) -> NDArray[np.int64]:
    """Return which candidate of each query the recogniser ranks first, shape (Q,)."""
    confidence = _or_one(confidence_of(answers, model))
    positions_m = np.stack([answers.x_m, answers.y_m], axis=2)
    return np.array(
        [
            nearest_of_best(confidence[row], positions_m[row], offsets_m, model.threshold)
            for row, offsets_m in enumerate(answers.offset_m)
        ]
    )


def _groups_of(answers: Sequence[PairAnswers]) -> list[NDArray[np.int64]]:
    """Return the number of the drive of each query, of a lone drive that of a part of it."""
    drives = sorted({pair.query_drive for pair in answers if not pair.is_stranger})
    if len(drives) == 1:
        return [np.arange(len(pair)) * _NUM_PARTS // max(len(pair), 1) for pair in answers]
    drives += sorted({pair.query_drive for pair in answers} - set(drives))
    return [np.full(len(pair), drives.index(pair.query_drive)) for pair in answers]


def _first_answers(
    answers: Sequence[PairAnswers], chosen: Sequence[NDArray[np.int64]], usual_novelty: float
) -> FirstAnswers:
    """Return the chosen candidate of each query of all drives."""
    parts = []
    for pair, picks, group in zip(answers, chosen, _groups_of(answers), strict=True):
        rows = np.arange(len(pair))
        # Of a radar that points elsewhere than stated all poses are wrong, also the first ones.
        is_refused = is_misaligned(pair.profile).any() | pair.has_wrong_poses
        has_answer = np.isfinite(pair.overlap[rows, picks]) & ~is_refused
        rows, picks = rows[has_answer], picks[has_answer]
        parts.append(
            FirstAnswers(
                _features_of(pair, usual_novelty).select((rows, picks)),
                is_right(pair)[rows, picks],
                np.full(len(rows), pair.is_stranger),
                group[rows],
                pair.ambiguity[rows, picks],
            )
        )
    return FirstAnswers.joined(parts)
