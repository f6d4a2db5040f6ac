# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check how many points of a query say something of their own, and what their share varies by."""

import numpy as np
import pytest
from ssd_ros.verification.likelihood import PEAK
from ssd_ros.verification.query_points import thinned


def test_points_near_each_other_count_as_one() -> None:
    # Ten cells of 2 m; in the first, nine points of cells of 0.25 m, else one.
    apart = np.column_stack([np.arange(10) * 4.0 + 1, np.ones(10)])
    beside = np.column_stack(
        [np.tile(np.arange(0.1, 1, 0.3), 3)[:8], np.repeat([0.1, 0.5, 1.6], 3)[:8]]
    )
    assert thinned(apart.astype(np.float32), 100).num_distinct == 10
    query = thinned(np.concatenate([apart, beside]).astype(np.float32), 100)
    assert len(query) == 18
    assert query.num_distinct == pytest.approx(18**2 / (9**2 + 9))


def test_no_points_say_nothing() -> None:
    assert thinned(np.full((3, 2), np.nan, np.float32), 100).num_distinct == 0


def test_the_share_of_few_points_varies_as_of_a_poisson_process() -> None:
    # All of 25 lone points explained by half: a count of mean 25, in halves of 1/25.
    lone = np.column_stack([np.arange(25) * 3.0 - 36, np.zeros(25)]).astype(np.float32)
    query = thinned(lone, 100)
    explained = np.full(25, PEAK // 2, np.uint8)
    assert query.variance(explained) == pytest.approx(25 * (0.5 / 25) ** 2)


def test_points_in_one_cell_vary_together() -> None:
    pair = np.array([[0.1, 0.1], [1.1, 0.1]], np.float32)
    explained = np.full(2, PEAK, np.uint8)
    assert thinned(pair, 100).variance(explained) == pytest.approx(1.0)
    assert thinned(pair * 10, 100).variance(explained) == pytest.approx(0.5)
