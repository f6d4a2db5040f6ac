# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check windows of way on scans of a single post."""

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.bev.way_window import MAX_POINTS, seen_from, WayWindow
from ssd_ros.motion.odometry import compose, motion_between

POST_M = np.array([40.0, 5.0, 0.0])


def scan_from(pose: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the one return of the post, seen from a planar pose."""
    x, y, _ = motion_between(pose, POST_M)
    return np.array([[x, y, 1.0, 7.0]], np.float32)


def driven(window: WayWindow, steps: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    """Return the window after some steps from the origin."""
    pose = np.zeros(3)
    window.add(scan_from(pose), None, 0)
    for number, step in enumerate(steps):
        pose = compose(pose, step)
        window.add(scan_from(pose), step, number + 1)
    return window.seen_from_newest()


@pytest.mark.parametrize('turn_rad', [0.0, 0.05, -0.1])
def test_what_stands_still_lies_in_one_place(turn_rad: float) -> None:
    steps = [np.array([0.5, 0.02, turn_rad])] * 12
    shown = driven(WayWindow(100.0), steps)
    assert len(shown) == 13
    np.testing.assert_allclose(shown, np.repeat(shown[-1:], 13, axis=0), atol=1e-4)
    np.testing.assert_array_equal(shown[:, 2:], [[1.0, 7.0]] * 13)


@pytest.mark.parametrize(('length_m', 'num_scans'), [(5.0, 11), (10.0, 21), (20.0, 41)])
def test_a_window_holds_the_scans_of_its_way(length_m: float, num_scans: int) -> None:
    window = WayWindow(length_m)
    assert len(driven(window, [np.array([0.5, 0.0, 0.0])] * 60)) == num_scans
    assert window.way_m == pytest.approx(length_m)


def test_standing_still_adds_nothing_and_shows_the_newest_scan() -> None:
    window = WayWindow(5.0)
    driven(window, [np.array([0.5, 0.0, 0.0])] * 20)
    rng = np.random.default_rng(0)
    jitter = np.diff(rng.normal(0, 0.02, (5000, 3)) * [1, 1, 0.01], axis=0, prepend=0)
    sizes, ways = set(), set()
    for number, step in enumerate(jitter):
        newest = np.full((1, 4), number, np.float32)
        window.add(newest, step)
        shown = window.seen_from_newest()
        np.testing.assert_array_equal(shown[-1], newest[0])
        sizes.add(len(shown))
        ways.add(window.way_m)
    assert max(sizes) <= 12
    assert min(sizes) >= 10
    assert max(ways) - min(ways) < 0.5


def test_scans_of_one_that_creeps_are_a_quarter_of_a_metre_apart() -> None:
    window = WayWindow(5.0)
    assert len(driven(window, [np.array([0.01, 0.0, 0.0])] * 2000)) in (20, 21)


def test_reversing_is_way_too() -> None:
    steps = [np.array([0.5, 0.0, 0.0])] * 6 + [np.array([-0.5, 0.0, 0.0])] * 6
    window = WayWindow(20.0)
    shown = driven(window, steps)
    assert window.way_m == pytest.approx(6.0)
    np.testing.assert_allclose(shown[:, :2], [POST_M[:2]] * 13, atol=1e-4)


def test_a_motion_not_known_begins_anew() -> None:
    window = WayWindow(20.0)
    driven(window, [np.array([0.5, 0.0, 0.0])] * 6)
    window.add(scan_from(np.zeros(3)), None)
    assert len(window.seen_from_newest()) == 1
    assert window.way_m == 0.0


def test_a_window_of_dense_scans_keeps_the_newest_of_them() -> None:
    window, size = WayWindow(100.0), MAX_POINTS // 10
    for number in range(30):
        returns = np.full((size, 4), number, np.float32)
        window.add(returns, np.array([0.5, 0.0, 0.0]))
    shown = window.seen_from_newest()
    assert len(shown) == 10 * size <= MAX_POINTS
    np.testing.assert_array_equal(np.unique(shown[:, 3]), np.arange(20, 30))


def test_the_caller_may_change_what_is_shown_without_harm() -> None:
    window = WayWindow(20.0)
    window.add(scan_from(np.zeros(3)), None)
    window.seen_from_newest()[:] = 0
    window.add(scan_from(np.array([1.0, 0.0, 0.0])), np.array([1.0, 0.0, 0.0]))
    shown = window.seen_from_newest()
    np.testing.assert_allclose(shown[:, :2], [[39.0, 5.0]] * 2, atol=1e-5)


def test_the_window_is_seen_from_any_of_its_scans() -> None:
    window = WayWindow(20.0)
    assert window.back(0.0) is None
    driven(window, [np.array([0.5, 0.0, 0.02])] * 30)
    middle = window.back(5.0)
    assert middle is not None
    assert middle.tag == 20
    here = scan_from(middle.pose)
    np.testing.assert_allclose(
        seen_from(middle, window.scans), np.repeat(here, 31, axis=0), atol=1e-4
    )
    assert window.back(15.5) is None
