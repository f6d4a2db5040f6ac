# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a candidate is a loop closure, and why."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import NamedTuple


class Decision(NamedTuple):
    """
    What was decided about a candidate.

    :param kind: 'accepted', 'ambiguous' (another place fits as well) or 'rejected'
    :param reason: a sentence with the figures
    :param is_repeat: it would be accepted if it had not been, since the vehicle moved last
    """

    kind: str
    reason: str
    is_repeat: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the candidate is a loop closure."""
        return self.kind == 'accepted'


NO_CANDIDATE = Decision('rejected', 'the map gave no candidate')
OUTSIDE = 'nothing of the map is within {prior}, where the place was said to be'
UNLIKE_RADAR = (
    'this radar is unlike those the calibration knows: {difference}: nothing is accepted until '
    'trust was run with drives of yours'
)
WRONG_MAP_POSES = (
    'the poses of map {name} disagree with its returns by {misfit_m:.2f} m between neighbouring '
    'keyframes (median; at most {limit_m:.1f}): nothing is accepted in it; give it better poses '
    'with map repose'
)
SUBMAPS = Decision(
    'rejected',
    'the map is of submaps, in which whole turns are found: of single windows nothing is '
    'accepted; ask with aggregation.submap',
)
SUBMAP_QUERIES = (
    'asked by submaps, which no calibration knows: how likely an answer is right is not known, '
    'and nothing is accepted'
)
NO_SUBMAP = 'no submap yet: the vehicle has to drive {length_m:g} m first'
REPEATED = Decision('rejected', 'accepted before, and the vehicle has not moved since', True)


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What is known about a candidate.

    :param confidence: calibrated probability, NaN where the map has no calibration
    :param support: share of recent queries that agree, NaN without odometry
    :param rival: best overlap of another place as a share of the candidate's, NaN if not known
    :param ambiguity: share of recent queries that fitted two places alike, NaN without odometry
    :param verified: its returns were laid over those of the keyframe
    """

    distance: float
    ratio: float
    confidence: float
    support: float
    rival: float
    ambiguity: float
    verified: bool


@dataclass(frozen=True, slots=True)
class AcceptLimits:
    """
    What a candidate must reach.

    :param ambiguous_ratio: a candidate that fails with a ratio above it is ambiguous
    :param max_rival: one with a rival above it is ambiguous
    :param max_ambiguity: above it the surroundings repeat themselves: every one is ambiguous
    :param min_confidence: None where the map has no calibration; then nothing asks for a
        verification either
    """

    max_distance: float
    max_ratio: float
    ambiguous_ratio: float
    min_confidence: float | None
    min_support: float
    max_rival: float = math.inf
    max_ambiguity: float = math.inf

    def decide(self, evidence: Evidence) -> Decision:
        """Return what to do with a candidate; the first failure is the reason."""
        failure = self._failure(evidence)
        if not failure:
            return Decision('accepted', self._success(evidence))
        is_ambiguous = (
            evidence.ratio > self.ambiguous_ratio
            or evidence.rival > self.max_rival
            or evidence.ambiguity > self.max_ambiguity
        )
        return Decision('ambiguous' if is_ambiguous else 'rejected', failure)

    def _failure(self, evidence: Evidence) -> str:
        if evidence.distance > self.max_distance:
            return f'distance {evidence.distance:.3f} is above {self.max_distance:.3f}'
        if evidence.ratio > self.max_ratio:
            return f'ratio {evidence.ratio:.3f} is above {self.max_ratio:.3f}'
        if self.min_confidence is not None:
            if not evidence.verified:
                return 'not among the candidates that were verified'
            if not evidence.confidence >= self.min_confidence:
                return f'confidence {evidence.confidence:.3f} is below {self.min_confidence:.3f}'
        if evidence.support == 0:
            return 'support 0: none of the recent queries agrees'
        if evidence.rival > self.max_rival:
            return (
                f'another place fits {evidence.rival:.2f} times as well, '
                f'more than {self.max_rival:.2f}'
            )
        if evidence.ambiguity > self.max_ambiguity:
            return (
                f'{evidence.ambiguity:.0%} of the recent queries fit two places alike, '
                f'more than {self.max_ambiguity:.0%}'
            )
        # Negated: without odometry the support is NaN, which supports nothing.
        if self.min_support > 0 and not evidence.support >= self.min_support:
            return f'support {evidence.support:.2f} is below {self.min_support:.2f}'
        return ''

    def _success(self, evidence: Evidence) -> str:
        if self.min_confidence is not None:
            return f'confidence {evidence.confidence:.3f} is at least {self.min_confidence:.3f}'
        return (
            f'distance {evidence.distance:.3f} is at most {self.max_distance:.3f}, '
            f'ratio {evidence.ratio:.3f} at most {self.max_ratio:.3f}'
        )
