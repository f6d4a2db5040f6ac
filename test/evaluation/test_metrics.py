# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the retrieval metrics against counts made by hand."""

import numpy as np
import pytest
from ssd_ros.evaluation.metrics import (
    bootstrap_interval,
    crossed_bootstrap_interval,
    least_share,
    mcnemar_p_value,
    most_share,
    precision_recall,
)


def test_precision_recall_of_five_answers() -> None:
    distances = np.array([0.4, 0.1, 0.3, 0.2, 0.3])
    correct = np.array([False, True, True, False, True])
    curve = precision_recall(distances, correct, num_answerable=4)
    assert curve.thresholds.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert curve.precision == pytest.approx([1, 1 / 2, 3 / 4, 3 / 5])
    assert curve.recall == pytest.approx([1 / 4, 1 / 4, 3 / 4, 3 / 4])


def test_the_interval_of_half_the_hits_has_the_binomial_width() -> None:
    hits = np.arange(400) % 2 == 0
    low, high = bootstrap_interval(hits)
    # 1.96 * sqrt(0.25 / 400) = 0.049; 2000 draws place a quantile within 0.005
    assert low == pytest.approx(0.5 - 0.049, abs=0.01)
    assert high == pytest.approx(0.5 + 0.049, abs=0.01)


def test_blocks_of_equal_hits_widen_the_interval_by_the_root_of_their_length() -> None:
    hits = (np.arange(1600) // 16) % 2 == 0
    single = np.diff(bootstrap_interval(hits))
    blocks = np.diff(bootstrap_interval(hits, block_length=16))
    # Blocks start anywhere, so they straddle two runs: a factor between 2 and sqrt(16) = 4.
    assert 1.8 < blocks / single < 4


def test_the_interval_is_the_same_each_time() -> None:
    hits = np.arange(50) % 3 == 0
    assert bootstrap_interval(hits) == bootstrap_interval(hits)
    assert bootstrap_interval(np.ones(7, bool), block_length=20) == (1.0, 1.0)


def test_nothing_to_count_is_an_error() -> None:
    with pytest.raises(ValueError, match='no query has a positive'):
        precision_recall(np.zeros(1), np.zeros(1, bool), 0)
    with pytest.raises(ValueError, match='no query to resample'):
        bootstrap_interval(np.zeros(0, bool))


def test_a_drive_shorter_than_a_block_is_cut_into_shorter_blocks() -> None:
    low, high = bootstrap_interval((np.arange(40) // 5) % 2 == 0, block_length=1000)
    assert low < 0.5 < high
    low, high = bootstrap_interval(np.array([True, False]), block_length=5)
    assert (low, high) == (0.0, 1.0)


def test_seeds_and_queries_both_widen_the_interval() -> None:
    # Seeds of recall 0.4 and 0.6: half of all draws of two seeds take one of them twice.
    by_seed = np.stack([np.arange(1000) % 5 < 2, np.arange(1000) % 5 < 3])
    low, high = crossed_bootstrap_interval([by_seed], [1])
    assert low == pytest.approx(0.4, abs=0.04)
    assert high == pytest.approx(0.6, abs=0.04)
    one = np.diff(crossed_bootstrap_interval([by_seed[:1]], [1]))
    two = np.diff(crossed_bootstrap_interval([by_seed[:1], by_seed[:1]], [1, 1]))
    assert two / one == pytest.approx(1 / np.sqrt(2), abs=0.05)  # two drives, equally noisy
    with pytest.raises(ValueError, match='no query to resample'):
        crossed_bootstrap_interval([], [])


@pytest.mark.parametrize(
    ('wins', 'losses', 'p_value'),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 2 / 32), (3, 1, 10 / 16), (407, 297, 3.8e-5)],
)
def test_p_values_of_mcnemars_exact_test(wins: int, losses: int, p_value: float) -> None:
    assert mcnemar_p_value(wins, losses) == pytest.approx(p_value, rel=0.02)
    assert mcnemar_p_value(losses, wins) == mcnemar_p_value(wins, losses)


@pytest.mark.parametrize(
    ('num', 'of', 'least', 'most'),
    [
        # No hit: (1 - most) ** of = 0.05. Half of ten: from tables of the binomial distribution.
        (0, 100, 0.0, 1 - 0.05 ** (1 / 100)),
        (0, 3000, 0.0, 1 - 0.05 ** (1 / 3000)),
        (5, 10, 0.2224, 0.7776),
        (10, 10, 0.05 ** (1 / 10), 1.0),
        (99, 100, 0.9534, 0.9995),
        (0, 0, 0.0, 1.0),
    ],
)
def test_bounds_of_shares(num: int, of: int, least: float, most: float) -> None:
    assert least_share(num, of) == pytest.approx(least, abs=5e-5)
    assert most_share(num, of) == pytest.approx(most, abs=5e-5)


def test_a_bound_holds_for_a_hundred_thousand_trials() -> None:
    # So many hits, as normal as they come: half a hit more, and 1.645 deviations of 50 hits.
    assert most_share(50_000, 100_000) == pytest.approx(0.5 + 1.645 * 0.5 / 316.2, abs=1e-5)
    with pytest.raises(ValueError, match='3 of 2'):
        most_share(3, 2)
