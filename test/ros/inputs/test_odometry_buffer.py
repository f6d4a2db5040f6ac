# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check where the vehicle was between, before and after the poses of its odometry."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.ros.inputs.odometry_buffer import OdometryBuffer
from ssd_ros.ros.matching.travel_gate import TravelGate
from ssd_ros.ros.messages.geometry import Pose, turn
from ssd_ros.ros.outputs.initial_pose import InitialPosePolicy

MS = 1_000_000


def pose(x_m: float, yaw_rad: float = 0.0) -> Pose:
    return Pose(np.array([x_m, 0.0, 0.0]), turn(yaw_rad).quaternion_xyzw)


def filled(*entries: tuple[int, float]) -> OdometryBuffer:
    buffer = OdometryBuffer()
    for stamp_ms, x_m in entries:
        buffer.add(stamp_ms * MS, pose(x_m))
    return buffer


@pytest.mark.parametrize(
    ('stamp_ms', 'x_m'),
    [
        (900, None),  # before the first
        (1000, 0.0),
        (1040, 0.4),
        (1100, 1.0),
        (1150, 1.5),  # the motion goes on
        (1200, 2.0),
        (1201, None),  # for too long
    ],
)
def test_between_poses_is_a_straight_line_that_goes_on_for_a_tenth_of_a_second(
    stamp_ms: int, x_m: float | None
) -> None:
    found = filled((1000, 0.0), (1100, 1.0)).at(stamp_ms * MS)
    assert (None if found is None else round(float(found.position_m[0]), 9)) == x_m


def test_fast_odometry_goes_on_with_the_motion_of_its_last_tenth_of_a_second() -> None:
    # At 1 kHz with 10 m/s; the last step is a glitch of 5 cm, as if it were 60 m/s.
    buffer = filled(*[(ms, ms * 0.01) for ms in range(1000, 1200)], (1200, 12.05))
    found = buffer.at(1250 * MS)
    assert found is not None
    # 12.05 m + 50 ms at (12.05 - 11) m in 100 ms.
    assert found.position_m[0] == pytest.approx(12.05 + 0.525)


def test_a_single_pose_holds_for_a_moment() -> None:
    found = filled((1000, 7.0)).at(1050 * MS)
    assert found is not None
    assert found.position_m[0] == 7


def test_a_gap_of_more_than_a_second_is_not_bridged() -> None:
    assert filled((1000, 0.0), (2001, 1.0)).at(1500 * MS) is None
    assert filled((1000, 0.0), (2000, 1.0)).at(1500 * MS) is not None


def test_a_pose_that_is_late_is_sorted_in_and_one_that_is_odd_is_left_out() -> None:
    drive = [(10_000 + 20 * number, 0.2 * number) for number in range(100)]
    late, odd = drive[50], (5000, 9.0)
    buffer = filled(*drive[:50], *drive[51:54], late, odd, *drive[54:])
    assert len(buffer) == 100
    found = buffer.at(11_000 * MS)
    assert found is not None
    assert found.position_m[0] == pytest.approx(10.0)
    assert (buffer.stream.counts['late'], buffer.stream.counts['restarts']) == (2, 0)


def test_time_that_begins_anew_forgets_the_poses_before() -> None:
    drive = [(10_000 + 20 * number, 0.2 * number) for number in range(100)]
    buffer = filled(*drive, (1000, 5.0), (1020, 5.1))
    assert len(buffer) == 100
    buffer.add(1040 * MS, pose(5.2))
    assert len(buffer) == 3
    found = buffer.at(1030 * MS)
    assert found is not None
    assert found.position_m[0] == pytest.approx(5.15)


def test_the_shorter_turn_is_taken_whatever_the_sign_of_the_quaternion() -> None:
    buffer = OdometryBuffer()
    buffer.add(0, pose(0, 0.0))
    end = pose(0, 0.2)
    buffer.add(100 * MS, Pose(end.position_m, -end.quaternion_xyzw))
    found = buffer.at(50 * MS)
    assert found is not None
    assert found.yaw_rad == pytest.approx(0.1, abs=1e-4)
    assert np.linalg.norm(found.quaternion_xyzw) == pytest.approx(1)


def test_memory_stays_bounded() -> None:
    buffer = OdometryBuffer()
    for stamp_ms in range(10_000):
        buffer.add(stamp_ms * MS, pose(0))
    assert len(buffer) <= 4000
    assert buffer.at(9999 * MS) is not None


def test_the_gate_opens_after_the_way_and_where_the_way_is_not_known() -> None:
    gate = TravelGate()
    places = [None, 0.0, 4.9, 5.0, 9.9, 10.1]
    passed = [gate.passes(None if x_m is None else OdometryPose(x_m), 5.0) for x_m in places]
    assert passed == [True, True, False, True, False, True]
    assert gate.passes(OdometryPose(10.2, segment=1), 5.0)
    assert TravelGate().passes(OdometryPose(0.0), 0.0)


@pytest.mark.parametrize(
    ('mode', 'lost_at', 'requested_at', 'expected'),
    [
        ('off', [], [], []),
        ('on_request', [2], [], []),
        ('on_request', [], [3], [3]),
        ('once', [], [], [0]),
        ('once', [], [0, 4], [0, 4]),
        ('on_lost', [], [], []),
        ('on_lost', [2], [], [2]),
        ('on_lost', [2, 8], [], [2, 8]),
        ('on_lost', [2, 3], [], [2, 7]),  # 3 s is too soon after 2 s
    ],
)
def test_initial_poses_of_each_mode(
    mode: str, lost_at: list[int], requested_at: list[int], expected: list[int]
) -> None:
    policy = InitialPosePolicy()
    sent = []
    for now_s in range(10):
        if now_s in lost_at:
            policy.lose(True)
        if policy.wants(mode, now_s in requested_at, float(now_s), min_interval_s=5.0):
            sent.append(now_s)
    assert sent == expected


def test_activation_makes_the_first_place_the_first_again() -> None:
    policy = InitialPosePolicy()
    assert policy.wants('once', False, 0.0, 0.0)
    assert not policy.wants('once', False, 1.0, 0.0)
    policy.start()
    assert policy.wants('once', False, 2.0, 0.0)
