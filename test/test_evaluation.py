# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check scores, truth and calibration on drives of a few poses."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from helpers import PostDrive, straight_drive
import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.evaluation import (
    Answers,
    calibrate_acceptance,
    ground_truth,
    one_percent,
    score,
    select_queries,
)
from ssd_ros.trajectory import quaternion_from_yaw, Trajectory


def line(*x_m: float, yaw_deg: float = 0.0) -> Trajectory:
    num = len(x_m)
    positions_m = np.stack([np.array(x_m, np.float64), np.zeros(num), np.zeros(num)], axis=1)
    yaws = np.full(num, math.radians(yaw_deg))
    return Trajectory(np.arange(num), positions_m, quaternion_from_yaw(yaws))


# Keyframes every 10 m from 0 to 90; the last query is nowhere near one.
KEYFRAMES = line(*range(0, 100, 10))
QUERIES = line(1, 11, 19, 34, 500, yaw_deg=30)
TRUTH = ground_truth(QUERIES, KEYFRAMES, radius_m=5.0)


def answers(accepted: NDArray[np.bool_] | None = None) -> Answers:
    keyframes = np.array(
        [[0, 1, 2, 3, 4], [1, 2, 3, 4, 5], [5, 2, 1, 0, 3], [9, 8, 7, 6, 5], [5, 6, 7, 8, 9]]
    )
    yaws_rad = np.radians([30, 40, 0, 0, 0])
    return Answers(keyframes, np.array([0.1, 0.2, 0.3, 0.4, 0.5]), yaws_rad, accepted=accepted)


def test_positives_are_the_keyframes_within_the_radius() -> None:
    assert [match.tolist() for match in TRUTH.positives] == [[0], [1], [2], [3], []]
    wide = ground_truth(QUERIES, KEYFRAMES, radius_m=10.0)
    assert wide.positives[1].tolist() == [1, 2]


def test_height_does_not_count() -> None:
    above = Trajectory(
        KEYFRAMES.stamps_ns,
        KEYFRAMES.positions_m + np.array([0, 0, 50]),
        KEYFRAMES.quaternions_xyzw,
    )
    assert len(ground_truth(QUERIES, above, radius_m=5.0).positives[0]) == 1


def test_a_score_counts_what_a_reader_counts() -> None:
    result = score(answers(), TRUTH)
    assert (result.num_keyframes, result.num_queries, result.num_left_out) == (10, 4, 1)
    assert result.recall_at_1 == 2 / 4
    assert result.recall_at_5 == 3 / 4
    assert result.recall_at_1_percent == 2 / 4
    assert result.chance == pytest.approx(1 / 10)
    assert result.median_yaw_error_deg == pytest.approx(5)  # of 0 and 10 degrees
    assert result.accepted_precision is None
    low, high = result.recall_at_1_interval
    assert low <= 0.5 <= high


def test_accepting_an_unanswerable_query_costs_precision_only() -> None:
    result = score(answers(np.array([True, False, True, False, True])), TRUTH)
    assert result.accepted_precision == pytest.approx(1 / 3)
    assert result.accepted_recall == pytest.approx(1 / 4)
    nothing = score(answers(np.zeros(5, bool)), TRUTH)
    assert nothing.accepted_precision is None
    assert nothing.accepted_recall == 0


@pytest.mark.parametrize(('num', 'k'), [(1, 1), (149, 1), (151, 2), (1000, 10)])
def test_one_percent_of_a_map_is_at_least_one_keyframe(num: int, k: int) -> None:
    assert one_percent(num) == k


def test_queries_stand_the_spacing_apart() -> None:
    indices, poses = select_queries(straight_drive(num=10, step_m=1.0), spacing_m=3.0)
    assert indices.tolist() == [0, 3, 6, 9]
    assert poses.positions_m[:, 0].tolist() == [0, 3, 6, 9]


def test_a_drive_without_poses_has_no_queries() -> None:
    @dataclass
    class Unposed(PostDrive):
        @property
        def cloud_poses(self) -> Trajectory:
            return super().cloud_poses.select(np.empty(0, np.int64))

    drive = straight_drive(num=2)
    with pytest.raises(ValueError, match='none of 2 4D radar scans has a pose'):
        select_queries(Unposed(drive.posts, drive.xy_yaw), 0.5)


def test_a_radius_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match='radius_m is 0'):
        ground_truth(QUERIES, KEYFRAMES, 0)


def test_calibration_takes_the_widest_limits_that_keep_the_precision() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    ratios = np.array([0.5, 0.6, 0.9, 0.6, 0.7])
    correct = np.array([True, True, False, True, True])
    limits = calibrate_acceptance(distances, ratios, correct, num_answerable=5, min_precision=1.0)
    assert (limits.max_distance, limits.max_ratio) == (0.5, 0.7)
    assert (limits.precision, limits.recall) == (1.0, 4 / 5)
    loose = calibrate_acceptance(distances, ratios, correct, num_answerable=5, min_precision=0.8)
    assert (loose.max_ratio, loose.precision) == (0.7, 1.0)


def test_calibration_limits_the_distance_where_the_ratio_cannot_tell() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.4])
    correct = np.array([True, True, False, True])
    limits = calibrate_acceptance(distances, np.full(4, 0.5), correct, 4, min_precision=0.99)
    assert (limits.max_distance, limits.precision, limits.recall) == (0.2, 1.0, 0.5)


def test_equal_distances_are_accepted_or_refused_together() -> None:
    distances = np.array([0.1, 0.2, 0.2])
    correct = np.array([True, True, False])
    limits = calibrate_acceptance(distances, np.full(3, 0.5), correct, 3, min_precision=0.9)
    assert limits.max_distance == 0.1


def test_calibrated_limits_give_what_they_promise_on_random_answers() -> None:
    generator = np.random.default_rng(0)
    correct = generator.random(3000) < 0.7
    distances = np.where(correct, 0.5, 0.8) + generator.normal(0, 0.15, 3000)
    ratios = np.where(correct, 0.7, 0.9) + generator.normal(0, 0.1, 3000)
    limits = calibrate_acceptance(distances, ratios, correct, 3000)
    accepted = (distances <= limits.max_distance) & (ratios <= limits.max_ratio)
    assert correct[accepted].mean() == pytest.approx(limits.precision)
    assert limits.precision >= 0.99
    assert (accepted & correct).sum() / 3000 == pytest.approx(limits.recall)
    assert limits.recall > 0.3


def test_out_of_reach_the_most_precise_limits_are_taken() -> None:
    distances = np.array([0.1, 0.2, 0.3, 0.4])
    correct = np.array([False, True, True, False])
    limits = calibrate_acceptance(distances, np.full(4, 0.5), correct, 4, min_precision=0.9)
    assert (limits.max_distance, limits.precision) == (0.3, 2 / 3)


def test_without_rivals_the_ratio_decides_nothing() -> None:
    correct = np.array([True, False])
    limits = calibrate_acceptance(np.array([0.1, 0.5]), np.zeros(2), correct, 2)
    assert (limits.max_distance, limits.max_ratio) == (0.1, 1.0)


def test_hopeless_answers_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match='none of 2 first answers is right'):
        calibrate_acceptance(np.array([0.1, 0.2]), np.ones(2), np.zeros(2, bool), 2)


def test_the_interval_widens_with_queries_that_stand_close() -> None:
    # 200 queries 0.5 m apart, right in stretches of 40 m: few independent trials.
    queries = line(*(np.arange(200) * 0.5))
    right = (np.arange(200) // 80) % 2 == 0
    keyframes = np.where(right, np.rint(np.arange(200) * 0.05), 9).astype(np.int64)[:, None]
    truth = ground_truth(queries, KEYFRAMES, radius_m=5.1)
    close = score(Answers(keyframes, np.zeros(200), np.zeros(200)), truth)
    spread = replace(truth, queries=line(*(np.arange(200) * 50.0)))
    apart = score(Answers(keyframes, np.zeros(200), np.zeros(200)), spread)
    assert np.diff(close.recall_at_1_interval) > 2 * np.diff(apart.recall_at_1_interval)
