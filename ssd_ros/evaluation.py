# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How well a method recognises places, and from which distance on its answers can be trusted.

Strict protocol: a keyframe counts once, with its best view; an answer is right if the keyframe
lies within a radius (in xy) of the query; queries with no keyframe within it do not count for
recall, but an accepted answer to one costs precision.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.metrics import (
    bootstrap_interval,
    chance_recall,
    hits_at_k,
    is_answerable,
    recall_at_k,
)
from ssd_ros.sequence import RadarSequence
from ssd_ros.trajectory import thin_by_distance, Trajectory, wrap_angle

# Consecutive queries resampled together: they see the same place.
BOOTSTRAP_BLOCK_M = 40.0


@dataclass(frozen=True, slots=True)
class Answers:
    """
    What a method answered to Q queries.

    :param keyframes: shape (Q, K) int64, nearest first, -1 where there are fewer
    :param distances: shape (Q,), of the first
    :param relative_yaws_rad: shape (Q,), heading of the query in the frame of the first
    :param ratios: shape (Q,), of the first; None if the method has none
    :param accepted: shape (Q,) bool, of the first; None if the method does not decide
    """

    keyframes: NDArray[np.int64]
    distances: NDArray[np.float64]
    relative_yaws_rad: NDArray[np.float64]
    ratios: NDArray[np.float64] | None = None
    accepted: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """
    Which keyframes show the place of each query.

    :param positives: for each query, the keyframes within the radius
    """

    queries: Trajectory
    keyframes: Trajectory
    radius_m: float
    positives: list[NDArray[np.int64]]


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


@dataclass(frozen=True, slots=True)
class Acceptance:
    """
    Limits below which a first answer is accepted, and what they gave on the calibration set.

    :param precision: of the accepted answers
    :param recall: right accepted answers among answerable queries
    """

    max_distance: float
    max_ratio: float
    precision: float
    recall: float


def select_queries(
    sequence: RadarSequence, spacing_m: float
) -> tuple[NDArray[np.int64], Trajectory]:
    """
    Return 4D radar scans at least spacing_m apart, and their poses.

    :raise ValueError: no 4D radar scan has a pose
    """
    posed, poses = sequence.cloud_poses.at(sequence.cloud_stamps_ns)
    if len(posed) == 0:
        raise ValueError(
            f'{sequence.name}: none of {len(sequence.cloud_stamps_ns)} 4D radar scans has a pose '
            f'near in time (there are {len(sequence.cloud_poses)} poses)'
        )
    chosen = thin_by_distance(poses.positions_m, spacing_m)
    return posed[chosen], poses.select(chosen)


def ground_truth(queries: Trajectory, keyframes: Trajectory, radius_m: float) -> GroundTruth:
    """Return which keyframes lie within the radius of each query, in xy."""
    if not radius_m > 0:
        raise ValueError(f'radius_m is {radius_m}, expected more than 0')
    places = keyframes.positions_m[:, :2]
    positives = [
        np.flatnonzero(np.hypot(*(places - position).T) <= radius_m)
        for position in queries.positions_m[:, :2]
    ]
    return GroundTruth(queries, keyframes, radius_m, positives)


def one_percent(num_keyframes: int) -> int:
    """Return how many first answers R@1% looks at."""
    return max(1, round(num_keyframes / 100))


def score(answers: Answers, truth: GroundTruth) -> Score:
    """
    Compare answers with the truth.

    :param answers: of at least 5 keyframes each, and at least one_percent of the map
    """
    positives, num_keyframes = truth.positives, len(truth.keyframes)
    first = recall_at_k(answers.keyframes, positives, 1)
    correct = hits_at_k(answers.keyframes, positives, 1)
    answerable = is_answerable(positives)
    accepted = answers.accepted
    num_accepted = 0 if accepted is None else int(accepted.sum())
    num_right = 0 if accepted is None else int((accepted & correct).sum())
    five = min(5, answers.keyframes.shape[1])
    percent = one_percent(num_keyframes)
    return Score(
        num_keyframes=num_keyframes,
        num_queries=first.num_queries,
        num_left_out=first.num_left_out,
        radius_m=truth.radius_m,
        recall_at_1=first.value,
        recall_at_1_interval=bootstrap_interval(correct[answerable], _block_length(truth)),
        recall_at_5=recall_at_k(answers.keyframes, positives, five).value,
        recall_at_1_percent=recall_at_k(answers.keyframes, positives, percent).value,
        chance=chance_recall(positives, num_keyframes),
        accepted_precision=num_right / num_accepted if num_accepted else None,
        accepted_recall=None if accepted is None else num_right / first.num_queries,
        median_yaw_error_deg=_median_yaw_error_deg(answers, truth, correct),
    )


def calibrate_acceptance(
    distances: NDArray[np.floating],
    ratios: NDArray[np.floating],
    correct: NDArray[np.bool_],
    num_answerable: int,
    min_precision: float = 0.99,
) -> Acceptance:
    """
    Return the limits that accept most right first answers at the wanted precision.

    Where no limits reach it, the most precise ones.

    :param distances: shape (Q,), of the first answers to all queries, answerable or not
    :param ratios: shape (Q,), of these
    :param correct: shape (Q,), whether they are right
    :raise ValueError: no answer is right
    """
    if not correct.any():
        raise ValueError(f'none of {len(correct)} first answers is right: nothing to calibrate on')
    by_distance = np.argsort(distances, kind='stable')
    best: tuple[tuple[bool, float, float], Acceptance] | None = None
    for max_ratio in np.unique(ratios[correct]):
        kept = by_distance[ratios[by_distance] <= max_ratio]
        num_right = np.cumsum(correct[kept])
        precision = num_right / np.arange(1, len(kept) + 1)
        # Equal distances are accepted together, so only the last of them is a limit.
        is_limit = np.append(np.diff(distances[kept]) > 0, True) & (num_right > 0)
        is_enough = is_limit & (precision >= min_precision)
        wanted, value = (is_enough, num_right) if is_enough.any() else (is_limit, precision)
        limit = int(np.where(wanted, value, -1).argmax())
        rank = (bool(is_enough.any()), float(value[limit]), float(precision[limit]))
        if best is None or rank > best[0]:
            recall = float(num_right[limit] / num_answerable)
            max_distance = float(distances[kept[limit]])
            # A ratio of 0 says that no answer had a rival: then the ratio decides nothing.
            best = rank, Acceptance(max_distance, float(max_ratio) or 1.0, rank[2], recall)
    assert best is not None  # the widest ratio keeps a right answer
    return best[1]


def _block_length(truth: GroundTruth) -> int:
    """Return how many queries make one stretch of the drive."""
    steps_m = np.hypot(*np.diff(truth.queries.positions_m[:, :2], axis=0).T)
    typical_m = float(np.median(steps_m)) if len(steps_m) else 0.0
    return max(1, round(BOOTSTRAP_BLOCK_M / max(typical_m, 0.1)))


def _median_yaw_error_deg(
    answers: Answers, truth: GroundTruth, correct: NDArray[np.bool_]
) -> float | None:
    if not correct.any():
        return None
    first = answers.keyframes[correct, 0]
    true_yaws = truth.queries.yaws_rad[correct] - truth.keyframes.yaws_rad[first]
    errors = np.abs(wrap_angle(true_yaws - answers.relative_yaws_rad[correct]))
    return math.degrees(float(np.median(errors)))
