# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check truth, records and scores on drives of a few poses."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.evaluation.queries.answers import Answers, ground_truth, GroundTruth, select_queries
from ssd_ros.evaluation.queries.records import query_records, QueryRecords
from ssd_ros.evaluation.scores.summary import one_percent, Score, score
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from support.posts import PostDrive, straight_drive


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


def judged(given: Answers, truth: GroundTruth = TRUTH) -> Score:
    return score(query_records(given, truth), len(truth.keyframes), truth.radius_m)


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
    result = judged(answers())
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
    result = judged(answers(np.array([True, False, True, False, True])))
    assert result.accepted_precision == pytest.approx(1 / 3)
    assert result.accepted_recall == pytest.approx(1 / 4)
    nothing = judged(answers(np.zeros(5, bool)))
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


def test_the_interval_widens_with_queries_that_stand_close() -> None:
    # 200 queries 0.5 m apart, right in stretches of 40 m: few independent trials.
    queries = line(*(np.arange(200) * 0.5))
    right = (np.arange(200) // 80) % 2 == 0
    keyframes = np.where(right, np.minimum(np.rint(np.arange(200) * 0.05), 9), 9).astype(np.int64)[
        :, None
    ]
    truth = ground_truth(queries, KEYFRAMES, radius_m=5.1)
    close = judged(Answers(keyframes, np.zeros(200), np.zeros(200)), truth)
    spread = replace(truth, queries=line(*(np.arange(200) * 50.0)))
    apart = judged(Answers(keyframes, np.zeros(200), np.zeros(200)), spread)
    assert np.diff(close.recall_at_1_interval) > 2 * np.diff(apart.recall_at_1_interval)


def test_a_record_says_where_the_first_right_answer_stands() -> None:
    records = query_records(answers(), TRUTH)
    assert records.ranks.tolist() == [0, 0, 1, -1, -1]
    assert records.num_positives.tolist() == [1, 1, 1, 1, 0]
    assert records.nearest_m.tolist() == [1, 1, 1, 4, 410]
    assert records.answer_positions_m[2].tolist() == [50, 0]
    assert records.hits(2).tolist() == [True, True, True, False, False]


def test_records_survive_plain_lists() -> None:
    given = replace(answers(), ratios=np.array([0.5, 0.6, 0.7, np.nan, 1.0]))
    records = query_records(given, TRUTH, np.arange(5))
    again = QueryRecords.from_lists(json.loads(json.dumps(records.to_lists(), allow_nan=False)))
    for field in fields(records):
        first, second = getattr(records, field.name), getattr(again, field.name)
        if first is None:
            assert second is None
        else:
            np.testing.assert_allclose(second, first, atol=5e-4)
            assert second.dtype == first.dtype
    assert again.ratios is not None
    assert np.isnan(again.ratios).tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    ('name', 'values', 'message'),
    [
        ('ranks', ['first'] * 5, 'ranks is not a list of int64'),
        ('ranks', [0], r'ranks has shape \(1,\), expected \(5,\)'),
        ('positions_m', [1.0] * 5, r'positions_m has shape \(5,\), expected \(5, 2\)'),
        ('colour', [0] * 5, "unknown field 'colour'"),
    ],
)
def test_lists_of_something_else_are_refused(name: str, values: list[Any], message: str) -> None:
    lists = query_records(answers(), TRUTH).to_lists()
    with pytest.raises(ValueError, match=message):
        QueryRecords.from_lists({**lists, name: values})
    del lists['distances']
    with pytest.raises(ValueError, match="queries lack 'distances'"):
        QueryRecords.from_lists(lists)


def test_queries_that_are_nowhere_near_the_map_have_no_score() -> None:
    truth = ground_truth(line(500, 600), KEYFRAMES, radius_m=5.0)
    with pytest.raises(ValueError, match='none of 2 queries lies within 5 m of the map'):
        judged(Answers(np.zeros((2, 1), np.int64), np.zeros(2), np.zeros(2)), truth)


def test_a_missing_answer_is_no_hit() -> None:
    given = Answers(np.full((5, 1), -1), np.zeros(5), np.zeros(5))
    assert not query_records(given, TRUTH).hits().any()
    with pytest.raises(ValueError, match='5 answers for 4 queries'):
        query_records(given, replace(TRUTH, positives=TRUTH.positives[:4]))
