# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check how well a confidence tells right from wrong, on answers that can be counted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.evaluation.scores.selective import auroc, risk_coverage


def test_risk_grows_as_less_sure_answers_are_given() -> None:
    confidence = np.array([0.2, 0.9, 0.8, 0.4])
    curve = risk_coverage(confidence, np.array([False, True, True, False]))
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk.tolist() == [0, 0, pytest.approx(1 / 3), 0.5]
    assert curve.area == pytest.approx((1 / 3 + 1 / 2) / 4)


def test_answers_of_one_confidence_are_given_together() -> None:
    confidence = np.array([0.5, 0.9, 0.5, 0.5])
    curve = risk_coverage(confidence, np.array([True, True, False, True]))
    assert curve.coverage.tolist() == [0.25, 1.0]
    assert curve.risk.tolist() == [0, 0.25]
    with pytest.raises(ValueError, match='no answer'):
        risk_coverage(np.zeros(0), np.zeros(0, bool))


def test_auroc_counts_pairs() -> None:
    confidence = np.array([0.9, 0.4, 0.4, 0.1])
    # Of four pairs of right and wrong three are in order, and one is a tie.
    assert auroc(confidence, np.array([True, True, False, False])) == pytest.approx(3.5 / 4)
    assert auroc(-confidence, np.array([True, True, False, False])) == pytest.approx(0.5 / 4)
    assert math.isnan(auroc(confidence, np.ones(4, bool)))


def test_a_confidence_that_means_nothing_is_right_half_of_the_time() -> None:
    rng = np.random.default_rng(0)
    correct = rng.random(4000) < 0.7
    assert auroc(rng.random(4000), correct) == pytest.approx(0.5, abs=0.03)
