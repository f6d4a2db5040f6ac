# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what a candidate is refused for."""

from __future__ import annotations

from dataclasses import replace
import math

import pytest
from ssd_ros.recognition.decision import AcceptLimits, Evidence

LIMITS = AcceptLimits(
    max_distance=math.inf,
    max_ratio=math.inf,
    ambiguous_ratio=0.9,
    min_confidence=0.9,
    min_support=0.0,
    max_rival=0.8,
    max_ambiguity=0.4,
)
GOOD = Evidence(
    distance=0.4,
    ratio=0.5,
    confidence=0.95,
    support=0.8,
    rival=0.3,
    ambiguity=0.2,
    verified=True,
)


@pytest.mark.parametrize('confidence', [0.9, 0.999, 1.0])
@pytest.mark.parametrize(
    ('support', 'kind'), [(math.nan, 'accepted'), (0.0, 'rejected'), (1 / 16, 'accepted')]
)
def test_a_candidate_that_no_witness_supports_is_refused_whatever_its_confidence(
    support: float, kind: str, confidence: float
) -> None:
    decision = LIMITS.decide(replace(GOOD, support=support, confidence=confidence))
    assert decision.kind == kind
    if kind == 'rejected':
        assert decision.reason == 'support 0: none of the recent queries agrees'


def test_the_rule_of_witnesses_holds_in_maps_without_a_calibration() -> None:
    uncalibrated = replace(LIMITS, max_distance=1.0, max_ratio=0.9, min_confidence=None)
    unknown = replace(GOOD, confidence=math.nan, support=math.nan)
    assert uncalibrated.decide(unknown).accepted
    assert not uncalibrated.decide(replace(unknown, support=0.0)).accepted


@pytest.mark.parametrize(
    ('rival', 'kind'), [(math.nan, 'accepted'), (0.8, 'accepted'), (0.81, 'ambiguous')]
)
def test_a_candidate_whose_rival_fits_as_well_is_ambiguous(rival: float, kind: str) -> None:
    decision = LIMITS.decide(replace(GOOD, rival=rival))
    assert decision.kind == kind
    if kind == 'ambiguous':
        assert decision.reason == 'another place fits 0.81 times as well, more than 0.80'
    assert replace(LIMITS, max_rival=math.inf).decide(replace(GOOD, rival=rival)).accepted


@pytest.mark.parametrize(
    ('ambiguity', 'kind'), [(math.nan, 'accepted'), (0.4, 'accepted'), (7 / 16, 'ambiguous')]
)
def test_where_the_surroundings_repeat_themselves_all_is_ambiguous(
    ambiguity: float, kind: str
) -> None:
    # The way seems to tell the two places apart: the rival has no support.
    decision = LIMITS.decide(replace(GOOD, rival=0.0, support=1.0, ambiguity=ambiguity))
    assert decision.kind == kind
    if kind == 'ambiguous':
        assert decision.reason == '44% of the recent queries fit two places alike, more than 40%'
    free = replace(LIMITS, max_ambiguity=math.inf)
    assert free.decide(replace(GOOD, ambiguity=ambiguity)).accepted
