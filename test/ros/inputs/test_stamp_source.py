# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check whose clock stamps what arrives: one decision for all inputs, that falls once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
import random

import pytest
from ssd_ros.ros.inputs.stamp_source import ODOMETRY, StampSource
from ssd_ros.ros.parameters.inputs import InputParameters

SECOND = 1_000_000_000
MS = 1_000_000
NOW = 1_700_000_000 * SECOND


class Decision:
    """A source, what it said, and inputs whose clocks are ahead of ours."""

    def __init__(self, **parameters: object) -> None:
        self.parameters = replace(InputParameters(), **parameters)
        self.said: list[str] = []
        self.source = StampSource(lambda: self.parameters, self.said.append)
        self.now_ns = NOW

    def hear(self, name: str, ahead_s: float) -> float:
        """Return by how many seconds the stamp used is ahead of our clock."""
        header_ns = self.now_ns + round(ahead_s * SECOND)
        return (self.source.stamp_of(name, header_ns, self.now_ns) - self.now_ns) / 1e9

    def drive(self, num: int, **ahead_s: float) -> list[dict[str, float]]:
        """Hear the inputs in turn, every 100 ms."""
        used = []
        for _ in range(num):
            self.now_ns += 100 * MS
            used.append({name: self.hear(name, seconds) for name, seconds in ahead_s.items()})
        return used


@pytest.mark.parametrize(('source', 'used_s'), [('header', -500.0), ('receive', 0.0)])
def test_the_parameter_decides(source: str, used_s: float) -> None:
    decision = Decision(stamp_source=source)
    assert decision.drive(50, points=-500.0)[-1] == {'points': used_s}
    assert decision.said == []


def test_before_the_first_clock_message_the_header_is_believed() -> None:
    source = Decision().source
    assert source.stamp_of('points', 5 * SECOND, 0) == 5 * SECOND


def test_a_clock_that_drifts_through_the_limit_with_jitter_switches_all_inputs_once() -> None:
    decision, generator = Decision(), random.Random(0)
    by_arrival = []
    for number in range(60):  # 6 s, from 1.95 s to 2.05 s
        decision.now_ns += 100 * MS
        drifting_s = -1.95 - 0.1 * number / 60 + generator.uniform(-0.015, 0.015)
        used_s = decision.hear('points', drifting_s), decision.hear(ODOMETRY, -0.01)
        assert used_s in {(0.0, 0.0), (round(drifting_s, 9), -0.01)}
        by_arrival.append(used_s == (0.0, 0.0))
    assert sum(a != b for a, b in pairwise(by_arrival)) == 1
    assert by_arrival[-1]
    (text,) = decision.said
    assert 'stamps of points are 2 s behind: all inputs are stamped by their arrival' in text
    assert decision.source.problem == text


def test_one_odd_stamp_switches_nothing() -> None:
    decision = Decision()
    decision.drive(10, points=0.0)
    assert decision.hear('points', 3600.0) == 3600.0  # whose order then tells that it is odd
    assert decision.drive(10, points=0.0)[-1] == {'points': 0.0}
    assert decision.said == []


def test_radar_and_odometry_of_one_other_clock_are_believed_and_the_offset_is_named() -> None:
    decision = Decision()
    used = decision.drive(30, odometry=37.0, points=37.03)
    assert used[-1] == {'odometry': 37.0, 'points': 37.03}
    (text,) = decision.said
    assert 'stamps of radars and odometry are 37 s ahead, all by the same' in text
    assert 'set stamp_offset to -37.0' in text
    assert decision.source.offset_s == pytest.approx(37.0, abs=0.1)


def test_the_offset_that_was_named_mends_it() -> None:
    decision = Decision(stamp_offset=-37.0)
    used = decision.drive(30, odometry=37.0, points=37.03)
    assert used[-1]['points'] == pytest.approx(0.03)
    assert (decision.said, decision.source.problem) == ([], '')
    decision.parameters = replace(decision.parameters, stamp_offset=0.0)
    assert decision.drive(30, odometry=37.0, points=37.03)[-1]['points'] == 37.03
    assert len(decision.said) == 1


@pytest.mark.parametrize(
    ('odometry_s', 'points_s'), [(0.0, 37.0), (37.0, 0.0), (37.0, -7200.0), (0.0, -1e9)]
)
def test_clocks_that_differ_are_replaced_for_both(odometry_s: float, points_s: float) -> None:
    decision = Decision()
    used = decision.drive(30, odometry=odometry_s, points=points_s)
    assert used[-1] == {'odometry': 0.0, 'points': 0.0}
    (text,) = decision.said
    assert 'all inputs are stamped by their arrival' in text
    assert 'set stamp_offset' not in text  # it would spoil the other


@pytest.mark.parametrize(('ahead_s', 'hint'), [(37.0, '-37.0'), (-1e9, '1000000000.0')])
def test_without_odometry_the_offset_of_the_radars_is_named(ahead_s: float, hint: str) -> None:
    decision = Decision()
    assert decision.drive(30, left=ahead_s, right=ahead_s)[-1] == {'left': 0.0, 'right': 0.0}
    (text,) = decision.said
    assert f'if that is constant, set stamp_offset to {hint}' in text
    decision.parameters = replace(decision.parameters, stamp_offset=float(hint))
    used = decision.drive(30, left=ahead_s, right=ahead_s)[-1]
    assert (used, decision.source.in_use) == ({'left': 0.0, 'right': 0.0}, 'header')


def test_zero_stamps_of_both_are_no_clock_that_they_share() -> None:
    decision = Decision()
    for _ in range(30):
        decision.now_ns += 100 * MS
        for name in (ODOMETRY, 'points'):
            assert decision.source.stamp_of(name, 0, decision.now_ns) == decision.now_ns
    assert len(decision.said) == 1
    assert 'stamp_offset' not in decision.said[0]


def test_a_clock_of_ours_that_stands_still_is_no_evidence() -> None:
    """A bag begins again, and /clock comes once a second."""
    decision = Decision()
    decision.drive(30, points=0.0)
    for number in range(9):
        assert decision.hear('points', -100.0 + 0.1 * number) < -90
    decision.now_ns -= 100 * SECOND
    decision.drive(30, points=0.0)
    assert decision.said == []
