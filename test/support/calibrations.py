# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations that were invented, not fitted."""

from ssd_ros.confidence.features import FEATURES
from ssd_ros.confidence.model import ConfidenceModel, Judgement, LogOdds


def invented_calibration(threshold: float, bias: float, **weights: float) -> ConfidenceModel:
    """Return a calibration by the weights of some features, the same with and without support."""
    of_all = tuple(weights.get(name, 0.0) for name in FEATURES)
    return ConfidenceModel(
        supported=LogOdds(of_all, bias),
        unsupported=LogOdds(of_all[:-1], bias),
        threshold=threshold,
        tolerance_m=2.0,
        novelty_distance=0.85,
        data='invented',
        fitted=Judgement(1, 0, 0, 0.0, 0.0, 0.0, 0.0),
    )


EASY = invented_calibration(0.5, 4.0)  # all that was verified is accepted
