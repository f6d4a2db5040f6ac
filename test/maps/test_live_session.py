# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a session can be saved while it grows, and what it does when it is full."""

from __future__ import annotations

import sys
import tracemalloc
from types import FrameType

import numpy as np
import pytest
from ssd_ros.encoders.scan_context import ScanContextConfig
from ssd_ros.maps import live_session
from ssd_ros.maps.checks import MAX_RETURNS_BYTES
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.place_database import Keyframe
from ssd_ros.verification import NO_RETURN, NUM_RETURNS

INFO = MapInfo('a' * 64, 'b' * 64, 1, 2.0, '4d')
UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
SCAN_CONTEXT = ScanContextConfig()


def add(session: LiveSession, number: int, size: int) -> None:
    """Add a keyframe every 10 m, each with another descriptor."""
    descriptor = np.full(size, 1e-3, np.float32)
    descriptor[number % size] = 1
    keyframe = Keyframe(
        number + 1, np.array([10.0 * number, 0, 0]), UPRIGHT, np.full((1, 2), number, np.int16)
    )
    session.add(descriptor / np.linalg.norm(descriptor), keyframe)


@pytest.mark.parametrize('scan_context', [None, SCAN_CONTEXT], ids=['network', 'scan_context'])
def test_a_snapshot_stays_as_the_session_was(scan_context: ScanContextConfig | None) -> None:
    size = 64 if scan_context is None else SCAN_CONTEXT.num_rings * SCAN_CONTEXT.num_sectors
    session = LiveSession(size, scan_context=scan_context)
    for number in range(5):
        add(session, number, size)
    before, taken = session.to_map(INFO), session.snapshot()
    for number in range(5, 40):
        add(session, number, size)
    session.clear()
    add(session, 50, size)
    after = taken.to_map(INFO)
    np.testing.assert_array_equal(after.descriptors, before.descriptors)
    np.testing.assert_array_equal(after.keyframes.positions_m[:, 0], [0, 10, 20, 30, 40])
    assert after.returns_cm[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert taken.uuid != session.uuid


def done_by_a_snapshot(num: int) -> tuple[int, int]:
    """Return the calls that a snapshot of so many keyframes takes, and its memory at most."""
    session, calls = LiveSession(64), 0
    for number in range(num):
        add(session, number, 64)

    def count(_frame: FrameType, _event: str, _of: object) -> None:
        nonlocal calls
        calls += 1

    tracemalloc.start()
    sys.setprofile(count)
    try:
        taken = session.snapshot()
    finally:
        sys.setprofile(None)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(taken.records) == num
    return calls, peak_bytes


def test_a_snapshot_takes_as_little_of_many_keyframes_as_of_few() -> None:
    """It is all that is done while queries wait for a session that is saved."""
    few_calls, few_bytes = done_by_a_snapshot(10)
    many_calls, many_bytes = done_by_a_snapshot(5000)
    assert many_calls == few_calls < 100
    assert few_bytes < 10_000
    assert many_bytes < 10_000  # a list of the keyframes alone would take 40,000


def test_keyframes_come_back_without_the_rows_that_are_not_used() -> None:
    session = LiveSession(64)
    for number, num_used in enumerate([3, 0, NUM_RETURNS, 1]):
        returns_cm = np.full((NUM_RETURNS, 2), NO_RETURN, np.int16)
        returns_cm[:num_used] = number + 1
        keyframe = Keyframe(number + 1, np.array([10.0 * number, 1, 2]), UPRIGHT, returns_cm)
        session.add(np.eye(64, dtype=np.float32)[number], keyframe)
        back = session.keyframe(number)
        assert back.returns_cm.tolist() == [[number + 1] * 2] * num_used
        assert (back.stamp_ns, back.position_m.tolist()) == (number + 1, [10.0 * number, 1, 2])
    assert len(session.keyframe(0).returns_cm) == 3
    saved_cm = session.to_map(INFO).returns_cm
    assert saved_cm.shape == (4, NUM_RETURNS, 2)
    assert (saved_cm[:, :, 0] != NO_RETURN).sum(axis=1).tolist() == [3, 0, NUM_RETURNS, 1]


def test_a_full_session_remembers_no_more_and_is_searched_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = LiveSession(64)
    add(session, 0, 64)
    keyframe_bytes = session.num_bytes
    assert keyframe_bytes == 5 * 64 + 92 + 4  # descriptor, record, the return that is used
    session.clear()
    assert session.num_bytes == 0
    largest_bytes = 5 * 64 + 92 + MAX_RETURNS_BYTES
    monkeypatch.setattr(live_session, 'MAX_BYTES', 2 * keyframe_bytes + largest_bytes)
    for number in range(3):
        assert not session.is_full
        assert session.wants(number + 1, np.array([10.0 * number, 0, 0]))
        add(session, number, 64)
    assert session.is_full
    assert not session.wants(100, np.array([1000.0, 0, 0]))
    descriptor = session.snapshot().rows[1]
    assert session.search(descriptor, 1, newest_ns=100).keyframes.tolist() == [1]
    session.clear()
    assert not session.is_full
    assert session.wants(1, np.zeros(3))


def found(session: LiveSession, least_way_m: float) -> set[int]:
    """Return which keyframes count when time excludes none."""
    descriptor = session.snapshot().rows[0]
    return set(session.search(descriptor, 100, 10**18, least_way_m).keyframes.tolist())


def test_places_count_when_the_vehicle_has_travelled_far_enough_since() -> None:
    session = LiveSession(64)
    for number in range(6):
        session.arrive(np.array([10.0 * number, 0, 0]))
        add(session, number, 64)
    assert found(session, 0) == {0, 1, 2, 3, 4, 5}
    assert found(session, 30) == {0, 1, 2}
    # A way back is way as well, jitter is none, nor is what a vehicle drifts that stands.
    session.arrive(np.array([40.0, 0, 0]))
    assert found(session, 30) == {0, 1, 2, 3}
    for number in range(1000):
        session.arrive(np.array([40 + 0.3 * (-1) ** number, 0.3, 0]))
    for number in range(1000):
        session.arrive(np.array([40 + 0.1 * number, 0, 0]), is_standing=True)
    assert found(session, 30) == {0, 1, 2, 3}
    session.arrive(np.array([160.0, 0, 0]))
    assert found(session, 30) == {0, 1, 2, 3, 4, 5}


def test_no_way_is_known_between_segments_and_to_impossible_positions() -> None:
    session = LiveSession(64)
    session.arrive(np.zeros(3))
    add(session, 0, 64)
    for position_m, segment in [([1e5, 0, 0], 1), ([np.nan, 0, 0], 1), ([1e300, 0, 0], 1)]:
        session.arrive(np.array(position_m), segment)
        assert found(session, 30) == set()
    session.arrive(np.array([1e5, 31, 0]), 1)
    assert found(session, 30) == {0}
    session.clear()
    add(session, 0, 64)
    assert found(session, 0) == {0}
    assert found(session, 30) == set()
