# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Geometric verification: does the query's cloud fit a keyframe, and at which relative pose."""

from ssd_ros.verification.chosen_search import use_compiled, why_numpy
from ssd_ros.verification.returns import (
    NO_RETURN,
    NUM_RETURNS,
    returns_beside,
    returns_of_points,
    strongest_returns,
    turn_motions,
    used_returns,
)
from ssd_ros.verification.verifier import Verification, VerificationConfig, Verifier

__all__ = [
    'NO_RETURN',
    'NUM_RETURNS',
    'Verification',
    'VerificationConfig',
    'Verifier',
    'returns_beside',
    'returns_of_points',
    'strongest_returns',
    'turn_motions',
    'use_compiled',
    'used_returns',
    'why_numpy',
]
