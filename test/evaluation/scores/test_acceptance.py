# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the calibration of acceptance on answers made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.evaluation.scores.acceptance import calibrate_acceptance


def test_calibration_takes_the_widest_limits_that_keep_the_precision() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    ratios = np.array([0.5, 0.6, 0.9, 0.6, 0.7])
    correct = np.array([True, True, False, True, True])
    limits = calibrate_acceptance(distances, ratios, correct, num_answerable=5, min_precision=1.0)
    assert (limits.max_distance, limits.max_ratio) == (0.5, 0.7)
    assert (limits.precision, limits.recall) == (1.0, 4 / 5)
    loose = calibrate_acceptance(distances, ratios, correct, num_answerable=5, min_precision=0.8)
    assert (loose.max_ratio, loose.precision) == (0.7, 1.0)


def test_calibration_limits_the_distance_where_the_ratio_cannot_tell() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.4])
    correct = np.array([True, True, False, True])
    limits = calibrate_acceptance(distances, np.full(4, 0.5), correct, 4, min_precision=0.99)
    assert (limits.max_distance, limits.precision, limits.recall) == (0.2, 1.0, 0.5)


def test_equal_distances_are_accepted_or_refused_together() -> None:
    distances = np.array([0.1, 0.2, 0.2])
    correct = np.array([True, True, False])
    limits = calibrate_acceptance(distances, np.full(3, 0.5), correct, 3, min_precision=0.9)
    assert limits.max_distance == 0.1


def test_calibrated_limits_give_what_they_promise_on_random_answers() -> None:
    generator = np.random.default_rng(0)
    correct = generator.random(3000) < 0.7
    distances = np.where(correct, 0.5, 0.8) + generator.normal(0, 0.15, 3000)
    ratios = np.where(correct, 0.7, 0.9) + generator.normal(0, 0.1, 3000)
    limits = calibrate_acceptance(distances, ratios, correct, 3000)
    accepted = (distances <= limits.max_distance) & (ratios <= limits.max_ratio)
    assert correct[accepted].mean() == pytest.approx(limits.precision)
    assert limits.precision >= 0.99
    assert (accepted & correct).sum() / 3000 == pytest.approx(limits.recall)
    assert limits.recall > 0.3


def test_out_of_reach_the_most_precise_limits_are_taken() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.4])
    correct = np.array([False, True, True, False])
    limits = calibrate_acceptance(distances, np.full(4, 0.5), correct, 4, min_precision=0.9)
    assert (limits.max_distance, limits.precision) == (0.3, 2 / 3)


def test_without_rivals_the_ratio_decides_nothing() -> None:
    correct = np.array([True, False])
    limits = calibrate_acceptance(np.array([0.1, 0.5]), np.zeros(2), correct, 2)
    assert (limits.max_distance, limits.max_ratio) == (0.1, 1.0)


def test_hopeless_answers_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match='none of 2 first answers is right'):
        calibrate_acceptance(np.array([0.1, 0.2]), np.ones(2), np.zeros(2, bool), 2)
