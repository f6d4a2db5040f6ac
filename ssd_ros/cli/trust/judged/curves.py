# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of how far a confidence can be trusted: by radar and by world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
import numpy as np
from ssd_ros.cli.common.report_page import empty_figure
from ssd_ros.cli.trust.judged.acceptance import Answered, by_shift, curve_of
from ssd_ros.cli.trust.judged.tables import Judged, reliability_of
from ssd_ros.confidence.model import Reliability
from ssd_ros.evaluation.scores.selective import RiskCoverage

_MAX_POINTS = 100  # of a curve in the report's figures
_SIZE = (8.5, 5.5)


def curves_of(judged: Sequence[Judged]) -> dict[str, object]:
    """Return the curves and diagrams as plain values, by map and radar or world."""
    return {
        'risk_coverage': {
            f'{sensor} / {shift}': _curve_values(curve_of(group.inside))
            for (shift, sensor), group in by_shift(judged).items()
        },
        'reliability': {
            f'{sensor} / {world}': _reliability_values(found)
            for sensor in _sensors(judged)
            for world, found in _reliability_by_world(judged, sensor).items()
        },
    }


def figures_of_curves(judged: Sequence[Judged]) -> dict[str, Figure | None]:
    """Return the same as pictures, by their captions."""
    figures: dict[str, Figure | None] = {}
    for sensor in _sensors(judged):
        groups = {shift: group for (shift, of), group in by_shift(judged).items() if of == sensor}
        figures[f'Risk and coverage: map of {sensor}'] = _risk_figure(groups)
        figures[f'Reliability by world: map of {sensor}'] = _reliability_figure(
            _reliability_by_world(judged, sensor)
        )
    return figures


def _sensors(judged: Sequence[Judged]) -> list[str]:
    return list(dict.fromkeys(sensor for _, sensor in by_shift(judged)))


def _risk_figure(groups: Mapping[str, Answered]) -> Figure:
    figure, axes = empty_figure('share of the queries answered', 'wrong among them', _SIZE)
    pooled = curve_of([item for group in groups.values() for item in group.inside])
    for shift, group in groups.items():
        curve = curve_of(group.inside)
        axes.plot(curve.coverage, curve.risk, lw=1, label=f'{shift} ({curve.area:.3f})')
    axes.plot(pooled.coverage, pooled.risk, 'k', lw=2, label=f'all ({pooled.area:.3f})')
    axes.set(xlim=(0, 1), ylim=(0, None), title='in parentheses: the mean risk')
    axes.legend(fontsize=6, ncols=2, loc='center left', bbox_to_anchor=(1, 0.5))
    return figure


def _reliability_figure(found: Mapping[str, Reliability]) -> Figure:
    figure, axes = empty_figure('confidence', 'share right', _SIZE)
    axes.plot([0, 1], [0, 1], '--', color='gray', lw=1)
    for world, each in found.items():
        # Bins of a few answers say nothing.
        shown = each.counts >= 5
        axes.plot(
            each.mean_confidence[shown],
            each.share_right[shown],
            'o-',
            ms=3,
            lw=1,
            label=f'{world} ({each.calibration_error:.3f})',
        )
    axes.set(title='in parentheses: expected calibration error; bins of 5 answers or more')
    axes.legend(fontsize=6, loc='center left', bbox_to_anchor=(1, 0.5))
    return figure


def _reliability_by_world(judged: Sequence[Judged], sensor: str) -> dict[str, Reliability]:
    worlds: dict[str, list[Judged]] = {}
    for (_, of), group in by_shift(judged).items():
        for item in group.inside if of == sensor else []:
            worlds.setdefault(item.answers.world, []).append(item)
    return {world: reliability_of(items) for world, items in sorted(worlds.items())}


def _curve_values(curve: RiskCoverage) -> dict[str, list[float]]:
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
