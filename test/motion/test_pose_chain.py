# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses before and after an odometry begins anew are of two segments; single odd ones are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.motion.pose_chain import segments_of
from ssd_ros.motion.pose_stream import PoseStream
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

MS = 1_000_000
START = 1_700_000_000_000 * MS


def values(x_m: float, y_m: float = 0.0, yaw_rad: float = 0.0) -> tuple[float, ...]:
    return (x_m, y_m, 0.0, 0.0, 0.0, math.sin(yaw_rad / 2), math.cos(yaw_rad / 2))


def drive(rows: list[tuple[float, ...]], step_ms: int = 100) -> list[tuple[int, int]]:
    """Return number and segment of the poses that are used."""
    stream = PoseStream()
    used = []
    for number, row in enumerate(rows):
        arrived = stream.add(START + number * step_ms * MS, row)
        for pose in arrived.poses:
            used.append(((pose.stamp_ns - START) // (step_ms * MS), pose.segment))
    return used


# 10 m/s along x, a pose every 100 ms.
STRAIGHT = [values(100.0 + number) for number in range(40)]


@pytest.mark.parametrize(
    'begins',
    [
        values(0.0),  # at its origin
        values(-950.0),  # 1050 m back
        values(100.0, 30.0),
        values(140.0, 0.0, 2.5),  # turned on the spot
    ],
)
@pytest.mark.parametrize('step_ms', [10, 100])
def test_odometry_that_begins_anew_starts_a_segment(
    begins: tuple[float, ...], step_ms: int
) -> None:
    after = [(begins[0] + 0.1 * n, *begins[1:]) for n in range(20)]
    used = drive([*STRAIGHT, *after], step_ms)
    assert used == [(number, int(number >= 40)) for number in range(60)]


def test_a_reset_near_the_origin_is_found_by_where_it_begins() -> None:
    slow = [values(1.2 + 0.05 * number) for number in range(40)]  # 3.2 m away, at 0.5 m/s
    used = drive([*slow, *[values(0.05 * number) for number in range(20)]])
    assert [segment for _, segment in used] == [0] * 40 + [1] * 20


@pytest.mark.parametrize(
    'odd',
    [
        values(5000.0),
        values(0.0),
        (0.0,) * 7,  # of a lost odometry
        (math.nan,) * 7,
        (math.inf, 0, 0, 0, 0, 0, 1),
        (1e308, 0, 0, 0, 0, 0, 1),
    ],
)
def test_one_odd_pose_is_left_out_and_starts_nothing(odd: tuple[float, ...]) -> None:
    rows = [*STRAIGHT[:20], odd, *STRAIGHT[21:]]
    assert drive(rows) == [(number, 0) for number in range(40) if number != 20]


def test_fast_driving_turning_and_pauses_are_no_jumps() -> None:
    fast = [values(6.0 * number) for number in range(40)]  # 60 m/s
    turning = [values(1000.0, 0.0, 0.2 * number) for number in range(40)]  # 2 rad/s
    for rows in (fast, turning):
        assert [segment for _, segment in drive(rows)] == [0] * 40
    paused = PoseStream()
    for number in range(20):
        paused.add(START + number * 100 * MS, values(float(number)))
    late_ns = START + 20_000 * MS
    assert paused.add(late_ns, values(200.0), 20_000 * MS).poses == ()  # stamps first
    assert paused.outlast(30_000 * MS).poses[0].segment == 0


def test_a_way_back_over_the_origin_is_no_reset() -> None:
    there_and_back = [values(number) for number in [*range(20), *range(20, -20, -1)]]
    assert {segment for _, segment in drive([tuple(map(float, r)) for r in there_and_back])} == {0}


def test_segments_of_a_recorded_trajectory() -> None:
    x_m = np.array([10.0, 11, 12, 900, 13, 14, 0, 1, 2])
    stamps_ns = START + np.arange(9) * 100 * MS
    positions_m = np.column_stack([x_m, 0 * x_m, 0 * x_m])
    poses = Trajectory(stamps_ns, positions_m, quaternion_from_yaw(0 * x_m))
    assert segments_of(poses).tolist() == [0, 0, 0, -1, 0, 0, 1, 1, 1]


def test_time_that_begins_anew_begins_a_segment_and_a_clock_that_is_set_does_not() -> None:
    stream = PoseStream()
    for number in range(20):
        stream.add(START + number * 100 * MS, values(float(number)))
    for number in range(5):
        stream.add(START + (10**7 + number * 100) * MS, values(20.0 + number))
    assert stream.counts['segments'] == 1
    for number in range(5):
        stream.add(START - (10**7 - number * 100) * MS, values(float(number)))
    assert (stream.counts['segments'], stream.counts['restarts']) == (2, 1)


@pytest.mark.parametrize('rate_hz', [1, 10, 50, 200])
@pytest.mark.parametrize('speed_mps', [0.0, 30.0])
def test_an_odometry_as_rough_as_a_gps_does_not_begin_anew(rate_hz: int, speed_mps: float) -> None:
    seconds = np.arange(1000) / rate_hz
    noise_m = np.random.default_rng(3).normal(0.0, 2.0, (1000, 2))
    rows = [
        values(1000 + speed_mps * t + x, y) for t, (x, y) in zip(seconds, noise_m, strict=True)
    ]
    segment_of = dict(drive(rows, 1000 // rate_hz))
    # What is usual is not known before ten poses.
    assert {segment_of[number] for number in segment_of if number >= 10} == {segment_of[10]}
    assert len(segment_of) >= 990


def test_stamps_that_jitter_by_more_than_their_step_tear_nothing() -> None:
    stamps_s = np.arange(2000) / 200 + np.random.default_rng(1).normal(0.0, 0.02, 2000)
    stream = PoseStream()
    for number, stamp_s in enumerate(stamps_s.tolist()):
        stream.add(START + round(stamp_s * 1e9), values(15.0 * number / 200))
    assert (stream.counts['segments'], stream.counts['restarts']) == (1, 0)
    assert stream.counts['jumps'] < 20


def test_two_poses_of_one_stamp_are_no_jump() -> None:
    stream = PoseStream()
    for number in range(100):  # 100 m/s by their stamps, 50 m/s in truth
        stream.add(START + number // 2 * 100 * MS, values(5.0 * number))
    assert (stream.counts['segments'], stream.counts['jumps']) == (1, 0)


def test_a_frame_that_changes_by_few_metres_is_found_where_the_vehicle_is_slow() -> None:
    slow = [values(15.0 + 0.02 * number) for number in range(40)]
    used = drive([*slow, *[values(0.5 + 0.02 * number) for number in range(20)]])
    assert [segment for _, segment in used] == [0] * 40 + [1] * 20


@pytest.mark.parametrize('silent_s', [3.0, 60.0])
def test_an_odometry_that_comes_back_at_its_origin_was_restarted(silent_s: float) -> None:
    stream = PoseStream()
    standing = [values(50.0)] * 20
    for number, row in enumerate([*standing, *[values(0.0)] * 20]):
        ms = number * 100 + 1000 * silent_s * (number >= 20)
        stream.add(START + int(ms) * MS, row, int(ms) * MS)
    assert stream.counts['segments'] == 2


def test_a_tunnel_without_odometry_is_no_new_frame() -> None:
    stream = PoseStream()
    for number in range(40):
        ms, x_m = number * 100 + 20_000 * (number >= 20), 2.5 * number + 500 * (number >= 20)
        stream.add(START + ms * MS, values(x_m), ms * MS)
    assert (stream.counts['segments'], stream.counts['jumps']) == (1, 0)


def test_a_stamp_ahead_of_slow_odometry_tears_nothing() -> None:
    stream = PoseStream()
    for number in range(30):
        ms = 1000 * number + 1300 * (number == 20)
        stream.add(START + ms * MS, values(10.0 * number), number * 1000 * MS)
    assert (stream.counts['segments'], stream.counts['restarts']) == (1, 0)
