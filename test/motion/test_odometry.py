# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check path lengths against drives whose length is known."""

import math

import numpy as np
import pytest
from ssd_ros.motion.odometry import (
    compose,
    DopplerOdometer,
    motion_between,
    OdometryPose,
    PlanarOdometer,
)

AHEAD = np.array([10.0, 0.0])


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def test_ten_metres_per_second_for_two_seconds_are_twenty_metres() -> None:
    odometer = DopplerOdometer()
    poses = [odometer.add(ns(0.1 * step), AHEAD) for step in range(21)]
    assert poses[-1] is not None
    assert poses[-1].travelled_m == pytest.approx(20.0)


def test_an_even_acceleration_is_integrated_exactly() -> None:
    odometer = DopplerOdometer()
    for step in range(41):
        pose = odometer.add(ns(0.25 * step), np.array([2 * 0.25 * step, 0.0]))
    # v = 2 t, so s = t**2.
    assert pose is not None
    assert pose.travelled_m == pytest.approx(100.0)


def test_sideways_speed_lengthens_the_path_and_reversing_shortens_it() -> None:
    odometer = DopplerOdometer()
    for stamp_s in (0.0, 0.5):
        pose = odometer.add(ns(stamp_s), np.array([3.0, 4.0, 9.0]))
    assert pose == OdometryPose(2.5, None, 0)
    odometer = DopplerOdometer()
    for stamp_s in (0.0, 0.5):
        pose = odometer.add(ns(stamp_s), np.array([-3.0, 4.0]))
    assert pose == OdometryPose(-2.5, None, 0)


def test_an_unknown_velocity_keeps_the_last_one_for_half_a_second() -> None:
    odometer = DopplerOdometer()
    odometer.add(ns(0.0), AHEAD)
    assert odometer.add(ns(0.5), None) == OdometryPose(5.0, None, 0)
    assert odometer.add(ns(0.6), None) is None
    # The link is broken: whatever comes next belongs to another segment.
    assert odometer.add(ns(0.7), None) is None
    assert odometer.add(ns(0.8), AHEAD) == OdometryPose(0.0, None, 1)
    assert odometer.add(ns(0.9), AHEAD) == OdometryPose(1.0, None, 1)


def test_what_was_held_is_corrected_by_the_next_known_velocity() -> None:
    odometer = DopplerOdometer()
    odometer.add(ns(0.0), AHEAD)
    odometer.add(ns(0.2), None)
    # From 10 to 20 m/s in 0.4 s.
    assert odometer.add(ns(0.4), 2 * AHEAD) == OdometryPose(6.0, None, 0)


def test_an_earlier_stamp_and_a_long_silence_start_a_segment() -> None:
    odometer = DopplerOdometer()
    segments = [odometer.add(ns(stamp_s), AHEAD) for stamp_s in (5.0, 5.1, 0.0, 0.1, 2.0)]
    assert [pose and pose.segment for pose in segments] == [0, 0, 1, 1, 2]
    assert odometer.add(ns(1.0), None) is None
    # Known for 0.1 s before and 0.1 s after the jump back.
    assert odometer.add(ns(2.1), AHEAD) == OdometryPose(2.0, None, 3)


def test_a_velocity_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r'velocity is \[nan, 0.0\] m/s.*None if unknown'):
        DopplerOdometer().add(0, np.array([np.nan, 0.0]))


def test_a_circle_of_ten_metres_radius_has_its_circumference() -> None:
    odometer = PlanarOdometer()
    for step, turn in enumerate(np.linspace(0, 2 * np.pi, 101)):
        heading = np.angle(np.exp(1j * turn))  # jumps from pi to -pi half way
        planar = np.array([10 * math.sin(turn), 10 - 10 * math.cos(turn), heading])
        pose = odometer.add(ns(0.1 * step), planar)
    # Chords of 3.6 degrees are shorter than their arcs by 1.6e-4.
    assert pose.travelled_m == pytest.approx(20 * math.pi, rel=2e-4)
    assert pose.segment == 0


def test_driving_back_returns_to_zero() -> None:
    odometer = PlanarOdometer()
    north = math.pi / 2
    travelled = [
        odometer.add(ns(step), np.array([1e6, 4e6 + y, north])).travelled_m
        for step, y in enumerate([0.0, 5.0, 10.0, 5.0, 0.0, -5.0])
    ]
    assert travelled == pytest.approx([0, 5, 10, 5, 0, -5])


def test_a_reset_of_the_odometry_starts_a_segment_and_adds_no_path() -> None:
    odometer = PlanarOdometer()
    odometer.add(ns(0.0), np.array([0.0, 0.0, 0.0]))
    assert odometer.add(ns(1.0), np.array([30.0, 0.0, 0.0])).travelled_m == 30
    reset = odometer.add(ns(1.1), np.zeros(3))
    assert (reset.travelled_m, reset.segment) == (30, 1)
    back_in_time = odometer.add(ns(0.5), np.zeros(3))
    assert (back_in_time.travelled_m, back_in_time.segment) == (30, 2)
    on = odometer.add(ns(1.5), np.array([7.0, 0.0, 0.0]))
    assert (on.travelled_m, on.segment) == (37, 2)


def test_an_odometry_pose_must_be_three_finite_numbers() -> None:
    with pytest.raises(ValueError, match=r'planar has shape \(2,\), expected \(3,\)'):
        OdometryPose(0.0, np.zeros(2))
    with pytest.raises(ValueError, match='expected finite numbers'):
        OdometryPose(math.nan)
    with pytest.raises(ValueError, match='expected finite numbers'):
        PlanarOdometer().add(0, np.array([0.0, np.inf, 0.0]))


def test_the_motion_between_two_poses_leads_from_one_to_the_other() -> None:
    before, after = np.random.default_rng(4000).normal(0, [50, 50, 1], (2, 20, 3))
    np.testing.assert_allclose(compose(before, motion_between(before, after)), after)
    # Looking north, 3 m ahead and 2 m left is 2 m west and 3 m north.
    moved = compose(np.array([10.0, 20.0, math.pi / 2]), np.array([3.0, 2.0, 0.5]))
    np.testing.assert_allclose(moved, [8, 23, math.pi / 2 + 0.5])
