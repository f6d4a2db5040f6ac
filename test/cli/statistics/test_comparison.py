# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check distances and AUC on samples whose difference is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.cli.statistics.comparison import (
    auc,
    cross_validated_auc,
    in_their_place,
    known_in_both,
    ks_distance,
    Sample,
    sample_of,
)
from ssd_ros.cli.statistics.pieces import Piece


def drawn(seed: int, shift: float, num_recordings: int, num_frames: int = 1) -> Sample:
    """Ten pieces a frame with two statistics of unit deviation."""
    rng = np.random.default_rng(seed)
    return sample_of(
        [
            [
                [
                    Piece(n, {'shape: a': rng.normal(shift), 'level: b': rng.normal()})
                    for n in range(10)
                ]
                for _ in range(num_frames)
            ]
            for _ in range(num_recordings)
        ]
    )


@pytest.mark.parametrize(
    ('one', 'other', 'expected'),
    [
        ([1, 2, 3], [1, 2, 3], 0),
        ([1, 2, 3], [4, 5], 1),
        ([1, 2, 3, 4], [3, 4, 5, 6], 0.5),
        ([1, 2, math.nan], [1, 2], 0),
        ([1, 1, 1, 2], [1, 2], 0.25),
        ([math.nan], [1, 2], math.nan),
    ],
)
def test_ks_distance(one: list[float], other: list[float], expected: float) -> None:
    assert ks_distance(np.array(one), np.array(other)) == pytest.approx(expected, nan_ok=True)


def test_auc_counts_pairs_and_halves_of_ties() -> None:
    scores = np.array([3.0, 1.0, 2.0, 1.0])
    # Of the four pairs of real (3, 1) and simulated (2, 1): won, won, lost, a tie.
    assert auc(scores, np.array([True, True, False, False])) == 2.5 / 4


def test_what_is_alike_cannot_be_told_and_what_is_far_can() -> None:
    simulated = drawn(1, 0.0, 20, 3)
    assert cross_validated_auc(drawn(2, 0.0, 20), simulated) == pytest.approx(0.5, abs=0.1)
    assert cross_validated_auc(drawn(2, 4.0, 20), simulated) > 0.95
    # Two normal distributions a deviation apart: the best AUC is .760.
    assert cross_validated_auc(drawn(2, 1.0, 40), simulated) == pytest.approx(0.76, abs=0.05)


def test_folds_keep_drives_together_or_else_frames_or_else_sectors() -> None:
    several, one_drive, one_frame = drawn(1, 0, 3, 2), drawn(1, 0, 1, 4), drawn(1, 0, 1)
    assert [len(np.unique(each.groups)) for each in (several, one_drive, one_frame)] == [3, 4, 10]
    assert [each.num_frames for each in (several, one_drive, one_frame)] == [6, 4, 1]
    assert [each.num_recordings for each in (several, one_drive, one_frame)] == [3, 1, 1]


def test_one_group_cannot_be_validated() -> None:
    one = drawn(1, 0, 1)
    lone = one.select(one.sector == 0)
    assert math.isnan(cross_validated_auc(lone, drawn(2, 0, 5)))


def test_simulated_drives_in_the_place_of_real_ones_cannot_be_told() -> None:
    simulated = drawn(1, 0.0, 30, 2)
    found = list(in_their_place(drawn(2, 9.0, 5), simulated, 8))
    assert len(found) == 8
    assert np.median(found) == pytest.approx(0.5, abs=0.1)
    assert list(in_their_place(drawn(2, 9.0, 5), drawn(1, 0.0, 6), 8)) == []


def test_statistics_that_a_sample_lacks_are_left_out_and_gaps_are_filled() -> None:
    real, simulated = drawn(1, 5.0, 6), drawn(2, 0.0, 6)
    simulated.values[:, 1] = np.nan
    simulated.values[::3, 0] = np.nan
    real, simulated = known_in_both(real, simulated)
    assert real.names == simulated.names == ('shape: a',)
    assert cross_validated_auc(real, simulated) > 0.9


def test_no_piece_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match='no scan holds enough'):
        sample_of([[[]], []])
