# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check how a radar moves from scan to scan against motions worked out by hand."""

import math

import numpy as np
import pytest
from ssd_ros.motion.odometry import compose
from ssd_ros.motion.scan_motion import ScanMotion

FRAME_NS = 50_000_000


def test_the_first_scan_has_no_motion_and_the_next_one_that_of_its_speed() -> None:
    motion = ScanMotion()
    assert motion.add(0, np.array([10.0, 0.0, 0.0])) is None
    np.testing.assert_allclose(motion.add(FRAME_NS, np.array([12.0, 0.0, 0.0])), [0.55, 0, 0])


def test_a_radar_ahead_of_the_axle_tells_the_turn() -> None:
    """A circle of 10 m radius at 5 m/s; the radar, 4 m ahead, looks 30 degrees to the left."""
    motion, mounted_rad = ScanMotion(), math.radians(30)
    motion.mount(np.array([4.0, 0.5, mounted_rad]))
    in_base = np.array([5.0 - 0.5 * 0.5, 0.5 * 4.0])  # by the turn of 0.5 rad/s
    cos, sin = math.cos(mounted_rad), math.sin(mounted_rad)
    velocity = np.array([cos * in_base[0] + sin * in_base[1], cos * in_base[1] - sin * in_base[0]])
    motion.add(0, velocity)
    pose = np.zeros(3)
    num = 251  # 4 pi seconds, a whole turn
    for frame in range(1, num + 1):
        step = motion.add(round(frame * 4 * math.pi / num * 1e9), velocity)
        assert step is not None
        pose = compose(pose, step)
    assert pose[2] == pytest.approx(2 * math.pi, abs=1e-6)
    np.testing.assert_allclose(pose[:2], 0, atol=1e-6)


@pytest.mark.parametrize('lever_m', [0.0, 0.9, -0.9])
def test_a_radar_at_the_axle_does_not(lever_m: float) -> None:
    motion = ScanMotion()
    motion.mount(np.array([lever_m, 0.0, 0.0]))
    motion.add(0, np.array([5.0, 1.0]))
    np.testing.assert_allclose(motion.add(FRAME_NS, np.array([5.0, 1.0])), [0.25, 0.05, 0])


def test_odometry_is_taken_before_doppler() -> None:
    motion, velocity = ScanMotion(), np.array([10.0, 0.0])
    motion.add(0, velocity, np.array([3.0, 4.0, math.pi / 2]))
    moved = motion.add(FRAME_NS, velocity, np.array([3.0, 5.0, math.pi]))
    np.testing.assert_allclose(moved, [1, 0, math.pi / 2], atol=1e-12)


def test_between_two_segments_and_to_a_scan_without_pose_doppler_tells() -> None:
    motion, velocity = ScanMotion(), np.array([10.0, 0.0])
    motion.add(0, velocity, np.array([3.0, 4.0, 0.0]), 0)
    for frame, planar, segment in [(1, np.zeros(3), 1), (2, None, 1), (3, np.ones(3), 1)]:
        moved = motion.add(frame * FRAME_NS, velocity, planar, segment)
        np.testing.assert_allclose(moved, [0.5, 0, 0])


def test_the_last_velocity_holds_for_half_a_second() -> None:
    motion = ScanMotion()
    motion.add(0, np.array([10.0, 0.0]))
    for frame in range(1, 11):
        np.testing.assert_allclose(motion.add(frame * FRAME_NS, None), [0.5, 0, 0])
    assert motion.add(11 * FRAME_NS, None) is None
    assert motion.add(12 * FRAME_NS, np.array([10.0, 0.0])) is None
    assert motion.add(13 * FRAME_NS, None) is not None


def test_odometry_tells_where_doppler_never_did() -> None:
    motion = ScanMotion()
    motion.add(0, None, np.zeros(3))
    np.testing.assert_allclose(motion.add(60 * FRAME_NS, None, np.ones(3)), [1, 1, 1])


def test_time_that_goes_back_and_clearing_begin_anew() -> None:
    motion, velocity = ScanMotion(), np.array([10.0, 0.0])
    motion.add(2 * FRAME_NS, velocity, np.zeros(3))
    assert motion.add(FRAME_NS, velocity, np.zeros(3)) is None
    assert motion.add(2 * FRAME_NS, velocity, np.zeros(3)) is not None
    motion.clear()
    assert motion.add(3 * FRAME_NS, velocity, np.zeros(3)) is None
