# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers for a table: recall with its interval, precision of what was accepted, yaw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.metrics import bootstrap_interval
from ssd_ros.evaluation.queries.records import QueryRecords

# Consecutive queries resampled together: they see the same place.
BOOTSTRAP_BLOCK_M = 40.0


@dataclass(frozen=True, slots=True)
class Score:
    """
    A method's result on the queries of one drive; shares in [0, 1].

    :param num_left_out: queries without a keyframe within the radius
    :param recall_at_1_interval: 95 % bootstrap interval over stretches of the drive
    :param chance: R@1 of random answers
    :param accepted_precision: None if nothing was accepted or the method does not decide
    :param accepted_recall: right accepted answers among answerable queries
    :param median_yaw_error_deg: where the first answer is right
    """

    num_keyframes: int
    num_queries: int
    num_left_out: int
    radius_m: float
    recall_at_1: float
    recall_at_1_interval: tuple[float, float]
    recall_at_5: float
    recall_at_1_percent: float
    chance: float
    accepted_precision: float | None
    accepted_recall: float | None
    median_yaw_error_deg: float | None


def one_percent(num_keyframes: int) -> int:
    """Return how many first answers R@1% looks at."""
    return max(1, round(num_keyframes / 100))


def score(records: QueryRecords, num_keyframes: int, radius_m: float) -> Score:
    """
    Count what was answered right.

    :param records: of answers that name at least 5 keyframes, and one_percent of the map
    :raise ValueError: no query has a keyframe within the radius
    """
    answerable = records.answerable
    num_queries = int(answerable.sum())
    if num_queries == 0:
        raise ValueError(
            f'none of {len(records)} queries lies within {radius_m:g} m of the map: '
            'are both drives in one map frame?'
        )
    hits = records.hits()
    accepted = records.accepted
    num_accepted = 0 if accepted is None else int(accepted.sum())
    num_right = 0 if accepted is None else int((accepted & hits).sum())
    return Score(
        num_keyframes=num_keyframes,
        num_queries=num_queries,
        num_left_out=len(records) - num_queries,
        radius_m=radius_m,
        recall_at_1=_share(hits, answerable),
        recall_at_1_interval=bootstrap_interval(hits[answerable], block_length(records)),
        recall_at_5=_share(records.hits(5), answerable),
        recall_at_1_percent=_share(records.hits(one_percent(num_keyframes)), answerable),
        chance=float(records.num_positives[answerable].mean() / num_keyframes),
        accepted_precision=num_right / num_accepted if num_accepted else None,
        accepted_recall=None if accepted is None else num_right / num_queries,
        median_yaw_error_deg=_median_yaw_error_deg(records),
    )


def recall_at_1(records: QueryRecords) -> float:
    """Return the share of answerable queries whose first answer is right."""
    return _share(records.hits(), records.answerable)


def block_length(records: QueryRecords) -> int:
    """Return how many queries make one stretch of the drive."""
    steps_m = np.hypot(*np.diff(records.positions_m, axis=0).T)
    typical_m = float(np.median(steps_m)) if len(steps_m) else 0.0
    return max(1, round(BOOTSTRAP_BLOCK_M / max(typical_m, 0.1)))


def _share(hits: NDArray[np.bool_], answerable: NDArray[np.bool_]) -> float:
    return float(hits[answerable].mean())


def _median_yaw_error_deg(records: QueryRecords) -> float | None:
    errors = records.yaw_errors_deg[records.hits()]
    known = errors[np.isfinite(errors)]
    return float(np.median(known)) if len(known) else None
