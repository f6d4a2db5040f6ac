# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What verification, ranking and calibration are worth, drive by drive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.trust.asked.answers import PairAnswers
from ssd_ros.cli.trust.judged.fit import confidence_of, first_of, is_right
from ssd_ros.cli.trust.judged.repeats import repeats_of
from ssd_ros.confidence.model import ConfidenceModel, Reliability, reliability
from ssd_ros.confidence.radar_profile import NAMES, STATISTICS
from ssd_ros.recognition.answer import DEFAULT_CONFIG
from ssd_ros.recognition.candidate_judge import limits_of
from ssd_ros.recognition.decision import Evidence
from ssd_ros.reports.document import Table

RADIUS_M = 5.0  # of the papers: a keyframe that near is right
_KINDS = SAME_SESSION, OTHER_SESSION, OTHER_WORLD = (
    'single session',
    'other session',
    'other world',
)


@dataclass(frozen=True, slots=True)
class Judged:
    """
    Answers and what a calibration makes of them.

    :param first: shape (Q,), the candidate that ranks first
    :param confidence: shape (Q,), in it
    :param accepted: shape (Q,)
    :param right: shape (Q,), whether its pose is right
    """

    answers: PairAnswers
    first: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accepted: NDArray[np.bool_]
    right: NDArray[np.bool_]

    @property
    def kind(self) -> str:
        """How the drive relates to the map."""
        if self.answers.is_stranger:
            return OTHER_WORLD
        return SAME_SESSION if self.answers.is_same_session else OTHER_SESSION

    @property
    def answerable(self) -> NDArray[np.bool_]:
        """Which queries have a keyframe near enough, shape (Q,)."""
        return self.answers.nearest_m <= RADIUS_M

    def of_first(self, name: str) -> NDArray[np.float64]:
        """Return a figure of the candidates that rank first, shape (Q,)."""
        values: NDArray[np.float64] = getattr(self.answers, name)
        return values[np.arange(len(values)), self.first]


def judge(answers: PairAnswers, model: ConfidenceModel) -> Judged:
    """Rank and decide as the recogniser does with this calibration."""
    first, rows = first_of(answers, model), np.arange(len(answers))
    confidence = confidence_of(answers, model)
    accepted = _accepted(answers, model, confidence)
    refused = answers.low_points | answers.has_wrong_poses
    if model.radars is not None:
        refused = refused | model.radars.is_unlike(answers.profile)
    accepted &= ~refused[:, None]
    told = accepted & ~repeats_of(answers, accepted)
    return Judged(
        answers,
        first,
        np.nan_to_num(confidence[rows, first], nan=0.0),
        told[rows, first],
        is_right(answers)[rows, first],
    )


def _accepted(
    answers: PairAnswers, model: ConfidenceModel, confidence: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which candidates keep the limits of the recogniser, shape (Q, K)."""
    limits = limits_of(model, DEFAULT_CONFIG)
    evidence = zip(
        answers.distance.flat,
        answers.ratio.flat,
        confidence.flat,
        answers.support.flat,
        answers.rival.flat,
        answers.ambiguity.flat,
        np.isfinite(answers.overlap).flat,
        strict=True,
    )
    decided = [limits.decide(Evidence(*known)).accepted for known in evidence]
    return np.array(decided, bool).reshape(confidence.shape)


def figures_of(judged: Judged) -> dict[str, float | int | str]:
    """Return the figures of one drive in one map; those that do not exist are NaN."""
    answers, can = judged.answers, judged.answerable
    keyframe_m = judged.of_first('keyframe_m')
    right_keyframe, right = keyframe_m <= RADIUS_M, judged.right
    near = can & right_keyframe
    accepted = judged.accepted
    return {
        'queries': answers.query_drive,
        'map': answers.map_drive,
        'sensor': answers.sensor,
        'shift': answers.shift,
        'kind': judged.kind,
        'num_queries': len(answers),
        'num_answerable': int(can.sum()),
        'recall_by_distance': _share(_nearest_is_right(answers)[can]),
        'recall_by_confidence': _share(right_keyframe[can]),
        'right_poses': _share(right[can]),
        'position_error_m': _median(judged.of_first('error_m')[near]),
        'yaw_error_deg': _median(np.degrees(judged.of_first('yaw_error_rad')[near])),
        'num_accepted': int(accepted.sum()),
        'accepted_rate': _share(accepted),
        'accepted_precision': _share(right[accepted]),
        'accepted_keyframe_precision': _share(right_keyframe[accepted]),
        'accepted_recall': _share((accepted & right)[can]),
        'verify_ms': _median(answers.verify_ms / answers.overlap.shape[1]),
    }


def _nearest_is_right(answers: PairAnswers) -> NDArray[np.bool_]:
    """Return which queries the nearest descriptor answers right, shape (Q,)."""
    distance = np.nan_to_num(answers.distance, nan=np.inf)
    nearest = distance.argmin(axis=1)
    return np.asarray(answers.keyframe_m[np.arange(len(answers)), nearest] <= RADIUS_M)


def reliability_of(judged: Sequence[Judged]) -> Reliability:
    """Compare confidence and truth over the queries of other sessions."""
    return reliability(
        np.concatenate([item.confidence for item in judged]),
        np.concatenate([item.right for item in judged]),
    )


def pooled_figures(judged: Sequence[Judged]) -> dict[str, float | int]:
    """Return the figures of all drives of one kind and sensor together."""
    accepted = np.concatenate([item.accepted for item in judged])
    right = np.concatenate([item.right for item in judged])
    can = np.concatenate([item.answerable for item in judged])
    near = can & (np.concatenate([item.of_first('keyframe_m') for item in judged]) <= RADIUS_M)
    error_m = np.concatenate([item.of_first('error_m') for item in judged])
    yaw_error_rad = np.concatenate([item.of_first('yaw_error_rad') for item in judged])
    return {
        'num_queries': len(accepted),
        'num_accepted': int(accepted.sum()),
        'accepted_rate': _share(accepted),
        'accepted_precision': _share(right[accepted]),
        'accepted_recall': _share((accepted & right)[can]),
        'position_error_m': _median(error_m[near]),
        'yaw_error_deg': _median(np.degrees(yaw_error_rad[near])),
        'calibration_error': reliability_of(judged).calibration_error,
    }


def grouped(judged: Sequence[Judged]) -> Mapping[tuple[str, str], list[Judged]]:
    """Return the drives by sensor of the map and kind, in a fixed order."""
    groups: dict[tuple[str, str], list[Judged]] = {}
    for sensor in ('spinning', '4d', 'lidar'):
        for kind in _KINDS:
            of_group = [
                item for item in judged if (item.answers.sensor, item.kind) == (sensor, kind)
            ]
            if of_group:
                groups[sensor, kind] = of_group
    return groups


def summary(judged: Sequence[Judged]) -> Table | None:
    """Return a table of the drives, without those of the benchmark of shift."""
    groups = grouped([item for item in judged if not item.answers.shift])
    if not groups:
        return None
    rows = []
    for (sensor, kind), items in groups.items():
        if kind != OTHER_WORLD:
            rows += [_row(figures_of(item)) for item in items]
        pooled = pooled_figures(items)
        rows.append(
            [
                sensor,
                f'{kind}, all',
                f'{pooled["num_queries"]}',
                *[''] * 3,
                text_of(pooled['position_error_m'], 2),
                text_of(pooled['yaw_error_deg'], 2),
                f'{pooled["num_accepted"]} ({pooled["accepted_rate"]:.2%})',
                text_of(pooled['accepted_precision']),
                text_of(pooled['accepted_recall']),
            ]
        )
    heads = ['map', 'drive', 'queries', 'R@1 by distance', 'R@1 re-ranked', 'right pose',
             'error m', 'deg', 'accepted', 'precision', 'recall']  # fmt: skip
    return Table(heads, rows, 2)


def mountings(judged: Sequence[Judged]) -> list[str]:
    """Return in sentences which drives had a radar that points elsewhere than it is mounted."""
    off_deg = {}
    for item in judged:
        known = item.answers.profile[:, NAMES.index('yaw_deg')]
        known = known[np.isfinite(known)]
        name = ', '.join(filter(None, [item.answers.query_drive, item.answers.shift]))
        off_deg[name] = float(known[-1]) if len(known) else math.nan
    wrong = {name: off for name, off in off_deg.items() if off > STATISTICS['yaw_deg'].margin}
    num_unknown = sum(map(math.isnan, off_deg.values()))
    lines = [
        f'The 4D radar of {name} points at least {off:.1f} degrees elsewhere than its mounting '
        'says: `doctor` tells what to correct'
        for name, off in wrong.items()
    ]
    num_right = len(off_deg) - len(wrong) - num_unknown
    lines.append(
        f'Mountings of 4D radars: {num_right} right, {len(wrong)} wrong, {num_unknown} not known'
    )
    return lines


def _row(figures: Mapping[str, float | int | str]) -> list[str]:
    return [
        f'{figures["sensor"]} {figures["map"]}',
        f'{figures["queries"]}',
        f'{figures["num_queries"]}',
        text_of(figures['recall_by_distance']),
        text_of(figures['recall_by_confidence']),
        text_of(figures['right_poses']),
        text_of(figures['position_error_m'], 2),
        text_of(figures['yaw_error_deg'], 2),
        f'{figures["num_accepted"]}',
        text_of(figures['accepted_precision']),
        text_of(figures['accepted_recall']),
    ]


def text_of(value: float | int | str, digits: int = 3) -> str:
    """Return a figure, nothing if it does not exist."""
    return '' if isinstance(value, str) or np.isnan(value) else f'{value:.{digits}f}'


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float('nan')


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float('nan')
