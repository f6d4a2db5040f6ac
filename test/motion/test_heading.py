# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check headings against the course of vehicles whose lever arm, offset and faults are known."""

import numpy as np
import pytest
from ssd_ros.motion.heading import fit_heading, heading_from_motion, HeadingFit
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory, wrap_angle
from support.wheels import drive_on_wheels, START_NS


def fitted(**how: float) -> HeadingFit:
    fit = fit_heading(drive_on_wheels(**how)[0])
    assert isinstance(fit, HeadingFit), fit
    return fit


@pytest.mark.parametrize('lever_arm_m', [0.0, 1.0, 3.7, 5.0])
@pytest.mark.parametrize('offset_deg', [0.0, 4.0, -12.5, 43.0, -90.0, 178.7])
def test_offset_and_lever_arm_are_found(offset_deg: float, lever_arm_m: float) -> None:
    fit = fitted(offset_deg=offset_deg, lever_arm_m=lever_arm_m)
    assert abs(wrap_angle(fit.offset_rad - np.radians(offset_deg))) < np.radians(0.1)
    assert fit.lever_arm_m == pytest.approx(lever_arm_m, abs=0.05)
    assert fit.is_constant
    assert fit.is_right == (abs(offset_deg) < 4.5)


@pytest.mark.parametrize('rate_hz', [1.0, 4.0, 20.0, 200.0])
@pytest.mark.parametrize('reverse', [0.0, 0.2, 0.5, 0.7])
def test_pose_rates_and_reversing_do_not_matter(rate_hz: float, reverse: float) -> None:
    fit = fitted(offset_deg=15.0, rate_hz=rate_hz, reverse=reverse)
    assert np.degrees(fit.offset_rad) == pytest.approx(15.0, abs=0.5)
    assert fit.is_constant


@pytest.mark.parametrize(
    'noise',
    [
        {'position_noise_m': 0.3},
        {'position_noise_m': 1.0},
        {'yaw_noise_deg': 5.0},
        {'position_noise_m': 0.5, 'rate_hz': 200.0},
        {'position_noise_m': 0.5, 'rate_hz': 1.0},
    ],
)
@pytest.mark.parametrize('seed', range(3))
def test_noise_of_positions_and_headings_moves_the_offset_little(
    noise: dict[str, float], seed: int
) -> None:
    right = fitted(seed=seed, **noise)
    assert right.is_right
    wrong = fitted(seed=seed, offset_deg=-30.0, **noise)
    assert np.degrees(wrong.offset_rad) == pytest.approx(-30.0, abs=2.0)
    assert wrong.is_constant


@pytest.mark.parametrize('drift_deg', [20.0, 60.0, 180.0, -32.0])
def test_no_constant_explains_headings_that_drift(drift_deg: float) -> None:
    fit = fitted(drift_deg=drift_deg)
    assert (fit.is_right, fit.is_constant) == (False, False)


def test_a_lever_arm_that_no_vehicle_has_explains_nothing() -> None:
    """Over one S a drift of 40 degrees looks like an arm of 12 m."""
    turn_rad = 0.06 * np.sin(np.linspace(0, 2 * np.pi, 60))
    yaw_rad = np.cumsum(turn_rad)
    course_rad = yaw_rad - turn_rad / 2
    steps_m = 3 * np.column_stack([np.cos(course_rad), np.sin(course_rad), 0 * course_rad])
    drift_rad = np.radians(np.linspace(-65, -25, 60))
    stamps_ns = START_NS + np.arange(60) * 500_000_000
    turns = quaternion_from_yaw(yaw_rad + drift_rad)
    fit = fit_heading(Trajectory(stamps_ns, np.cumsum(steps_m, axis=0), turns))
    assert isinstance(fit, HeadingFit)
    assert fit.lever_arm_m > 8
    assert (fit.is_right, fit.is_constant) == (False, False)


def test_headings_that_are_none_fit_nothing() -> None:
    poses, _ = drive_on_wheels()
    flat = np.tile([0.0, 0.0, 0.0, 1.0], (len(poses), 1))
    fit = fit_heading(Trajectory(poses.stamps_ns, poses.positions_m, flat))
    assert isinstance(fit, HeadingFit)
    assert (fit.is_right, fit.is_constant) == (False, False)


def test_a_drive_in_reverse_keeps_right_headings_and_hides_its_front() -> None:
    """Nine tenths backward look like headings that are 180 degrees off, but for the arm."""
    assert fitted(reverse=0.9).is_right
    assert not fitted(reverse=0.9).knows_ahead
    assert not fitted(reverse=0.9, offset_deg=40.0).is_constant


@pytest.mark.parametrize(
    ('how', 'reason'),
    [
        ({'speed_mps': 0.0}, 'only 0 m'),
        ({'speed_mps': 0.0, 'position_noise_m': 0.5}, 'only'),
        ({'duration_s': 2.0}, 'only 8 m'),
        ({'position_noise_m': 2.0}, 'its course jitters'),
    ],
)
def test_what_cannot_be_checked_says_why(how: dict[str, float], reason: str) -> None:
    fit = fit_heading(drive_on_wheels(offset_deg=30.0, **how)[0])
    assert isinstance(fit, str)
    assert fit.startswith(reason)


def test_on_one_circle_a_lever_arm_cannot_be_told_from_an_offset() -> None:
    angle_rad = np.arange(0, 2 * np.pi, 0.02)  # 3.7 m ahead of an axle that runs at 8 m
    axle_m = 8 * np.column_stack([np.sin(angle_rad), -np.cos(angle_rad)])
    arm_m = 3.7 * np.column_stack([np.cos(angle_rad), np.sin(angle_rad)])
    positions_m = np.column_stack([axle_m + arm_m, 0 * angle_rad])
    stamps_ns = START_NS + (np.arange(len(angle_rad)) * 50_000_000).astype(np.int64)
    fit = fit_heading(Trajectory(stamps_ns, positions_m, quaternion_from_yaw(angle_rad)))
    assert isinstance(fit, str)
    assert 'turns so evenly' in fit


def test_the_course_gives_headings_where_the_lever_arm_is_known() -> None:
    """Sensors 3.7 m ahead of the axle move up to 30 degrees off the heading in tight turns."""
    poses, yaws_rad = drive_on_wheels(max_curvature=0.15, drift_deg=90.0)
    off_deg = [
        np.degrees(np.abs(wrap_angle(heading_from_motion(poses, arm_m).yaws_rad - yaws_rad)))
        for arm_m in (0.0, 3.7)
    ]
    assert np.percentile(off_deg[0], 90) > 15
    assert np.percentile(off_deg[1], 90) < 2


def test_heading_follows_the_motion_and_holds_while_standing() -> None:
    # East for 5 m, standing for three poses, then north; the file says 180 degrees all along.
    xy = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 0), (5, 0), (5, 0), (5, 1), (5, 2)]
    positions_m = np.column_stack([np.array(xy, float), np.zeros(len(xy))])
    stamps_ns = np.arange(len(xy), dtype=np.int64)
    poses = Trajectory(stamps_ns, positions_m, quaternion_from_yaw(np.full(len(xy), np.pi)))
    yaws_deg = np.degrees(heading_from_motion(poses).yaws_rad)
    # At the corner the chord runs from 1 m behind to 1 m ahead: 45 degrees.
    np.testing.assert_allclose(yaws_deg, [0] * 5 + [45] * 4 + [90] * 2, atol=1e-9)


def test_a_drive_that_never_moves_keeps_its_heading() -> None:
    turns = quaternion_from_yaw(np.array([1.0, 1.0]))
    poses = Trajectory(np.array([1, 2]), np.zeros((2, 3)), turns)
    assert heading_from_motion(poses) is poses
    empty = poses.select(np.zeros(0, np.int64))
    assert heading_from_motion(empty) is empty
