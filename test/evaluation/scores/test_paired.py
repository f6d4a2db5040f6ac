# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check comparisons of methods on queries whose outcome is given."""

from __future__ import annotations

from dataclasses import asdict, replace
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.evaluation.queries.protocol import Protocol
from ssd_ros.evaluation.queries.records import QueryRecords
from ssd_ros.evaluation.scores.breakdown import (
    precision_recall_curve,
    recall_by_distance,
    recall_by_occupied_cells,
    recall_curve,
)
from ssd_ros.evaluation.scores.paired import compare_pairs, compare_seeds, seed_mean
from ssd_ros.evaluation.scores.results import Evaluation, read_evaluation, Result, write_evaluation


def result(ranks: NDArray[np.int64], query_drive: str = 'w/02') -> Result:
    """Return answers to queries 4 m apart, of which the last is not answerable."""
    num = len(ranks)
    places = np.column_stack([np.arange(num) * 4.0, np.zeros(num)])
    records = QueryRecords(
        stamps_ns=np.arange(num),
        positions_m=places,
        nearest_m=np.arange(num) * (4.9 / (num - 1)),
        num_positives=np.append(np.ones(num - 1, np.int64), 0),
        ranks=np.where(np.arange(num) == num - 1, -1, ranks),
        keyframes=np.arange(num),
        answer_positions_m=places,
        distances=0.1 + np.arange(num) * 0.01,
        yaw_errors_deg=np.zeros(num),
        occupied_cells=np.arange(num) * 10,
    )
    return Result('multi', 'ssd', 'w', 'w/01', query_drive, 100, 36, 5.0, records)


def ranks_of(*hits: int) -> NDArray[np.int64]:
    """Return rank 0 for each 1, rank 3 for each 0; a last query is added."""
    return np.array([0 if hit else 3 for hit in (*hits, 0)])


def test_wins_and_losses_are_counted_query_by_query() -> None:
    ours, theirs = ranks_of(1, 1, 1, 1, 0, 0), ranks_of(1, 0, 0, 0, 1, 0)
    comparison = compare_pairs([result(ours)], [result(theirs)], 'multi')
    assert (comparison.wins, comparison.losses, comparison.num_queries) == (3, 1, 6)
    assert comparison.difference == pytest.approx(4 / 6 - 2 / 6)
    assert comparison.p_value == pytest.approx(2 * (1 + 4) / 16)
    assert comparison.low <= comparison.difference <= comparison.high


def test_seeds_are_averaged_and_widen_the_interval() -> None:
    generator = np.random.default_rng(0)

    def run(share: float) -> list[Result]:
        return [result(ranks_of(*(generator.random(200) < share)), name) for name in ('a', 'b')]

    alike = seed_mean([run(0.5) for _ in range(5)], 'multi')
    apart = seed_mean([run(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)], 'multi')
    assert alike.mean == pytest.approx(0.5, abs=0.05)
    assert apart.mean == pytest.approx(0.5, abs=0.05)
    # Standard error of five shares 0.1 .. 0.9: 0.28 / sqrt 5 = 0.126, times 2 * 1.96.
    assert apart.high - apart.low == pytest.approx(0.5, abs=0.1)
    assert alike.high - alike.low < 0.15


def test_a_difference_that_all_seeds_and_queries_share_is_certain() -> None:
    theirs = [[result(ranks_of(*[0, 1] * 30))] for _ in range(3)]
    ours = [[result(ranks_of(*[1, 1] * 30))] for _ in range(3)]
    comparison = compare_seeds(ours, theirs, 'multi')
    assert comparison.difference == pytest.approx(0.5)
    assert comparison.low > 0.4
    assert (comparison.wins, comparison.losses) == (90, 0)
    assert comparison.p_value < 1e-20


def test_only_like_can_be_compared() -> None:
    one = [result(ranks_of(1, 0))]
    with pytest.raises(ValueError, match="no result of task '4d'"):
        compare_pairs(one, one, '4d')
    with pytest.raises(ValueError, match='run on other drives'):
        compare_pairs(one, [result(ranks_of(1, 0), 'w/03')], 'multi')
    with pytest.raises(ValueError, match='w/01 -> w/02 was asked other queries'):
        compare_pairs(one, [result(ranks_of(1, 0, 1))], 'multi')
    with pytest.raises(ValueError, match='1 runs of ours but 2 of theirs'):
        compare_seeds([one], [one, one], 'multi')


def test_an_evaluation_survives_its_file(tmp_path: Path) -> None:
    given = Evaluation(
        Protocol(database='A'), 'mixed', [result(ranks_of(1, 0, 1))], {'student': 'student.onnx'}
    )
    write_evaluation(tmp_path / 'a/evaluation.json', given)
    read = read_evaluation(tmp_path / 'a/evaluation.json')
    assert (read.protocol, read.origin) == (given.protocol, 'mixed')
    assert read.settings == given.settings
    assert asdict(read.results[0].score()) == asdict(given.results[0].score())
    comparison = compare_pairs(read.results, given.results, 'multi')
    assert (comparison.wins, comparison.losses) == (0, 0)
    text = json.loads((tmp_path / 'a/evaluation.json').read_text())
    assert text['results'][0]['score']['recall_at_1'] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'format_version': 0}, 'format_version is 0, this code reads 1'),
        ({'protocol': {'colour': 1}}, 'unknown option colour'),
        ({'results': [{'task': 'lidar'}]}, 'is not an evaluation'),
        ({'results': 3}, 'is not an evaluation'),
    ],
)
def test_another_file_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / 'evaluation.json'
    write_evaluation(path, Evaluation(Protocol(), 'unknown', [result(ranks_of(1, 0))]))
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=message):
        read_evaluation(path)


def test_recall_by_distance_returns_and_rank() -> None:
    # Ten answerable queries, right in the first half of the drive, else at rank 3.
    one = [result(ranks_of(*[1] * 5, *[0] * 5))]
    curve = recall_curve(one)
    assert curve[[0, 2, 3]].tolist() == [0.5, 0.5, 1.0]
    by_distance = recall_by_distance(one, step_m=1.0)
    assert [part.num_queries for part in by_distance] == [3, 2, 2, 2, 1]
    assert [part.recall for part in by_distance] == [1, 1, 0, 0, 0]
    by_cells = recall_by_occupied_cells(one)
    assert sum(part.num_queries for part in by_cells) == 10
    assert (by_cells[0].recall, by_cells[-1].recall) == (1, 0)
    assert precision_recall_curve(one).recall[-1] == 0.5


def test_returns_that_were_not_counted_are_missed() -> None:
    one = result(ranks_of(1, 0))
    bare = replace(one, records=replace(one.records, occupied_cells=None))
    with pytest.raises(ValueError, match='occupied_cells was not recorded'):
        recall_by_occupied_cells([bare])
