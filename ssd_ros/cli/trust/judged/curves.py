# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a confidence can be trusted, by radar and by world: curves as plain values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ssd_ros.cli.trust.judged.acceptance import by_shift, curve_of
from ssd_ros.cli.trust.judged.tables import Judged, reliability_of
from ssd_ros.confidence.model import Reliability
from ssd_ros.evaluation.scores.selective import RiskCoverage

_MAX_POINTS = 100  # of a curve in the report's figures


def curves_of(judged: Sequence[Judged]) -> dict[str, object]:
    """Return the curves and diagrams as plain values, by map and radar or world."""
    return {
        'risk_coverage': {
            f'{sensor} / {shift}': curve_values(curve_of(group.inside))
            for (shift, sensor), group in by_shift(judged).items()
        },
        'reliability': {
            f'{sensor} / {world}': _reliability_values(found)
            for sensor in sensors_of(judged)
            for world, found in reliability_by_world(judged, sensor).items()
        },
    }


def sensors_of(judged: Sequence[Judged]) -> list[str]:
    """Return the sensors of the maps that drives were asked of."""
    return list(dict.fromkeys(sensor for _, sensor in by_shift(judged)))


def reliability_by_world(judged: Sequence[Judged], sensor: str) -> dict[str, Reliability]:
    """Compare confidence and truth in the maps of a sensor, world by world."""
    worlds: dict[str, list[Judged]] = {}
    for (_, of), group in by_shift(judged).items():
        for item in group.inside if of == sensor else []:
            worlds.setdefault(item.answers.world, []).append(item)
    return {world: reliability_of(items) for world, items in sorted(worlds.items())}


def curve_values(curve: RiskCoverage) -> dict[str, list[float]]:
    """Return a curve as plain values, thinned where it has many."""
    num = len(curve.coverage)
    shown = np.unique(np.linspace(0, num - 1, min(num, _MAX_POINTS)).astype(np.int64))
    return {'coverage': curve.coverage[shown].tolist(), 'risk': curve.risk[shown].tolist()}


def _reliability_values(found: Reliability) -> dict[str, object]:
    return {
        'mean_confidence': found.mean_confidence.tolist(),
        'share_right': found.share_right.tolist(),
        'counts': found.counts.tolist(),
        'calibration_error': found.calibration_error,
    }
