# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is accepted by kind of radar and map, how sure that is, and how well confidence tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.judged.tables import Judged, pooled_figures, text_of
from ssd_ros.evaluation.metrics import least_share, most_share
from ssd_ros.evaluation.scores.selective import auroc, risk_coverage, RiskCoverage
from ssd_ros.reports.document import Table

UNSHIFTED = 'not shifted'
_HEADS = ['radar or map', 'map', 'queries', 'accepted', 'precision', 'at least', 'recall',
          'strangers', 'accepted', 'at most', 'ECE', 'AUROC']  # fmt: skip


class Answered(NamedTuple):
    """
    What one kind of radar found in maps of one sensor.

    :param inside: in maps of its own place, made in other sessions
    :param strangers: in maps of other places
    """

    inside: list[Judged]
    strangers: list[Judged]


def by_shift(judged: Sequence[Judged]) -> dict[tuple[str, str], Answered]:
    """Return the drives by shift and sensor of the map, in their order; spinning maps first."""
    groups: dict[tuple[str, str], Answered] = {}
    for item in sorted(judged, key=lambda item: item.answers.sensor == '4d'):
        if not item.answers.is_same_session:
            key = item.answers.shift or UNSHIFTED, item.answers.sensor
            group = groups.setdefault(key, Answered([], []))
            (group.strangers if item.answers.is_stranger else group.inside).append(item)
    return {key: group for key, group in groups.items() if group.inside}


def acceptance_of(group: Answered) -> dict[str, float | int]:
    """
    Return the figures of one group; those that do not exist are NaN.

    Bounds are one-sided and hold with 95 % certainty, see least_share. `auroc` is of right
    answers against wrong ones, those to strangers included; `risk_coverage_area` inside the map.
    """
    inside = pooled_figures(group.inside)
    num_accepted = int(inside['num_accepted'])
    num_right = sum(int((item.accepted & item.right).sum()) for item in group.inside)
    num_strangers = sum(len(item.answers) for item in group.strangers)
    num_passed = sum(int(item.accepted.sum()) for item in group.strangers)
    confidence, right = _pooled([*group.inside, *group.strangers])
    return {
        **inside,
        'precision_bound': least_share(num_right, num_accepted),
        'num_strangers': num_strangers,
        'num_strangers_accepted': num_passed,
        'stranger_rate': num_passed / num_strangers if num_strangers else float('nan'),
        'stranger_bound': most_share(num_passed, num_strangers),
        'auroc': auroc(confidence, right),
        'risk_coverage_area': curve_of(group.inside).area,
    }


def curve_of(judged: Sequence[Judged]) -> RiskCoverage:
    """Return the risk of answering more and more queries."""
    return risk_coverage(*_pooled(judged))


def acceptance_table(judged: Sequence[Judged]) -> Table | None:
    """Return the figures of all groups; None if no drive was asked in its place."""
    rows = [_row(*key, acceptance_of(group)) for key, group in by_shift(judged).items()]
    return Table(_HEADS, rows, 2) if rows else None


def _row(shift: str, sensor: str, figures: Mapping[str, float | int]) -> list[str]:
    return [
        shift,
        sensor,
        f'{figures["num_queries"]}',
        f'{figures["num_accepted"]}',
        text_of(figures['accepted_precision']),
        text_of(figures['precision_bound']),
        text_of(figures['accepted_recall']),
        f'{figures["num_strangers"]}',
        f'{figures["num_strangers_accepted"]}',
        f'{figures["stranger_bound"]:.2%}',
        text_of(figures['calibration_error']),
        text_of(figures['auroc']),
    ]


def _pooled(judged: Sequence[Judged]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return confidences and which answers are right, shapes (N,)."""
    return (
        np.concatenate([item.confidence for item in judged]),
        np.concatenate([item.right for item in judged]),
    )
