# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive is lost to a real restart alone, and every real restart is found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
from ssd_ros.motion.stamp_line import LeftOut
from ssd_ros.motion.stamp_order import Admitted, EVIDENCE, StampOrder

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
YEAR = 365 * 86400.0
ODD_S = (1.5, -1.3, 3600.0, -3600.0, 0.3, -0.7, 13 * YEAR, -53 * YEAR, 90 * YEAR, -1e12, 1e12)


def admit_all(
    order: StampOrder[int], stamps_ns: list[int], arrivals_ns: list[int] | None = None
) -> list[Admitted[int]]:
    arrivals = arrivals_ns or [None] * len(stamps_ns)
    return [
        order.admit(stamp_ns, number, arrival_ns)
        for number, (stamp_ns, arrival_ns) in enumerate(zip(stamps_ns, arrivals, strict=True))
    ]


def used(admitted: list[Admitted[int]]) -> list[int]:
    return [number for each in admitted for _, number in each.samples]


def regular(num: int, rate_hz: float = 10.0, start_ns: int = START) -> list[int]:
    return [start_ns + round(number * SECOND / rate_hz) for number in range(num)]


@st.composite
def disturbed(draw: st.DrawFn) -> tuple[list[int], list[int] | None]:
    """Return stamps with jitter, drift, swaps, drops, copies and odd values, and arrivals."""
    rate_hz = draw(st.sampled_from([0.5, 1.0, 10.0, 20.0, 100.0]))
    drift = draw(st.sampled_from([-0.01, 0.0, 0.003, 0.01]))
    choices = st.integers(0, 99)
    stamps, arrivals = regular(20, rate_hz), regular(20, rate_hz, 5 * SECOND)
    num = draw(st.integers(60, 150))
    was_odd = False
    for number in range(20, 20 + num):
        arrival_ns = round(number * SECOND / rate_hz)
        jitter = draw(st.floats(-0.4, 0.4)) / rate_hz
        stamp_ns = START + round(arrival_ns * (1 + drift) + jitter * SECOND)
        lot = draw(choices)
        if lot < 5:
            continue
        if lot < 12 and not was_odd:
            stamps.append(stamp_ns + round(draw(st.sampled_from(ODD_S)) * SECOND))
            arrivals.append(5 * SECOND + arrival_ns)
            was_odd = True
            continue
        was_odd = False
        for _ in range(2 if lot > 94 else 1):
            stamps.append(stamp_ns)
            arrivals.append(5 * SECOND + arrival_ns)
        if 85 < lot < 95:
            stamps[-2:] = stamps[:-3:-1]
    return stamps, arrivals if draw(st.booleans()) else None


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(disturbed(), st.booleans())
def test_disorder_and_odd_stamps_are_no_restart_and_a_restart_is_found(
    given_stamps: tuple[list[int], list[int] | None], sorts_in: bool
) -> None:
    stamps_ns, arrivals_ns = given_stamps
    order: StampOrder[int] = StampOrder(sorts_in)
    admitted = admit_all(order, stamps_ns, arrivals_ns)
    assert order.counts.restarts == 0
    if sorts_in:  # an odd one costs itself and few others
        assert len(used(admitted)) >= 0.6 * len(stamps_ns)
    again = admit_all(order, regular(6, start_ns=START - 100 * SECOND))
    assert [each.is_restart for each in again].index(True) <= EVIDENCE
    assert used(again) == list(range(6))


@pytest.mark.parametrize('rate_hz', [0.5, 1.0, 10.0, 50.0, 100.0])
@pytest.mark.parametrize('ahead_s', [1.5, 3.7, 3600.0, 13 * YEAR, -1.3, -3600.0, -50 * YEAR])
def test_one_odd_stamp_is_all_that_is_left_out(rate_hz: float, ahead_s: float) -> None:
    stamps_ns = regular(60, rate_hz)
    odd_ns = stamps_ns[30] + round(ahead_s * SECOND)
    if rate_hz < 1 and abs(ahead_s) < 2:
        return  # less than a step of this input: nothing is odd about it
    stamps_ns[30] = odd_ns
    order: StampOrder[int] = StampOrder(sorts_in=True)
    admitted = admit_all(order, stamps_ns)
    if abs(ahead_s) * rate_hz > 4:
        assert used(admitted) == [number for number in range(60) if number != 30]
        reason = 'ahead' if ahead_s > 0 else 'late'
        assert [odd for each in admitted for odd in each.left_out] == [LeftOut(odd_ns, reason)]
    assert (order.counts.restarts, order.counts.steps) == (0, 0)


def test_two_odd_ones_in_a_row_are_no_restart_either() -> None:
    for ahead_s in (-3600, 3600, -50 * YEAR):
        stamps_ns = regular(60)
        stamps_ns[30] = stamps_ns[30] + round(ahead_s * SECOND)
        stamps_ns[31] = stamps_ns[31] + round(ahead_s * SECOND)
        order: StampOrder[int] = StampOrder(sorts_in=False)
        assert len(used(admit_all(order, stamps_ns))) == 58
        assert order.counts.restarts == 0


def test_what_is_late_by_little_is_handed_on_to_be_sorted_in() -> None:
    stamps_ns = regular(60, 100.0)
    stamps_ns[30:36] = [*stamps_ns[31:36], stamps_ns[30]]  # 50 ms late
    sorting: StampOrder[int] = StampOrder(sorts_in=True)
    assert len(used(admit_all(sorting, stamps_ns))) == 60
    leaving: StampOrder[int] = StampOrder(sorts_in=False)
    assert len(used(admit_all(leaving, stamps_ns))) == 59
    assert sorting.counts.late == leaving.counts.late == 1


@pytest.mark.parametrize('step_s', [3600.0, 13 * YEAR, 2.0])
def test_a_clock_set_ahead_for_good_goes_on_with_the_drive(step_s: float) -> None:
    stamps_ns = regular(30) + regular(30, start_ns=START + 3 * SECOND + round(step_s * SECOND))
    order: StampOrder[int] = StampOrder(sorts_in=False)
    admitted = admit_all(order, stamps_ns)
    assert used(admitted) == list(range(60))
    assert (order.counts.restarts, order.counts.steps) == (0, 1)
    assert sum(each.step_ns for each in admitted) == stamps_ns[30] - stamps_ns[29]


def test_a_clock_set_ahead_for_a_moment_and_back_goes_on_with_the_drive() -> None:
    stamps_ns = regular(60)
    for number in range(30, 35):
        stamps_ns[number] += 3600 * SECOND
    order: StampOrder[int] = StampOrder(sorts_in=False)
    admitted = admit_all(order, stamps_ns)
    assert len(used(admitted)) == 60
    assert (order.counts.restarts, order.counts.steps) == (0, 2)


def test_a_clock_set_back_by_less_than_a_second_is_followed() -> None:
    stamps_ns = regular(30, 50.0) + regular(60, 50.0, START + round(0.6 * SECOND - 0.9 * SECOND))
    order: StampOrder[int] = StampOrder(sorts_in=False)
    admitted = admit_all(order, stamps_ns)
    assert used(admitted)[-51:] == list(range(39, 90))
    assert (order.counts.restarts, order.counts.steps) == (0, 1)


def test_a_pause_is_no_fault_where_as_much_time_has_passed() -> None:
    stamps_ns = regular(30) + regular(30, start_ns=START + 20 * SECOND)
    order: StampOrder[int] = StampOrder(sorts_in=False)
    admitted = admit_all(order, stamps_ns, [stamp_ns - START for stamp_ns in stamps_ns])
    assert all(len(each.samples) == 1 for each in admitted)
    assert (order.counts.steps, order.counts.ahead) == (0, 0)


def test_an_odd_stamp_taken_for_the_end_of_a_pause_costs_nothing_after_it() -> None:
    stamps_ns = regular(60)
    stamps_ns[30] += round(1.5 * SECOND)
    arrivals_ns = [2 * number * SECOND for number in range(60)]  # a slow replay
    order: StampOrder[int] = StampOrder(sorts_in=False)
    admitted = admit_all(order, stamps_ns, arrivals_ns)
    assert used(admitted) == list(range(60))
    assert admitted[31].step_ns < 0  # what came of the odd one is to be forgotten
    assert (order.counts.ahead, order.counts.restarts) == (1, 0)


def test_another_clock_is_no_restart() -> None:
    order: StampOrder[int] = StampOrder(sorts_in=False)
    admit_all(order, regular(30))
    order.change_clock()
    admitted = admit_all(order, regular(30, start_ns=START - 100 * SECOND))
    assert used(admitted) == list(range(30))
    assert order.counts.restarts == 0
