# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which answers agree with the odometry, on a drive round a block with drifting odometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.evaluation.judging.consensus import consensus_of, turn_of
from ssd_ros.motion.odometry import compose, motion_between
from ssd_ros.motion.trajectory import wrap_angle

SIDE = 75  # queries on each side of the block, 2 m apart


def round_a_block(num_sides: int = 4) -> NDArray[np.float64]:
    """Return poses round a block of 150 m."""
    steps = np.tile([2.0, 0.0, 0.0], (num_sides * SIDE, 1))
    steps[SIDE - 1 :: SIDE, 2] = np.pi / 2
    poses = [np.array([100.0, 50.0, 0.3])]
    for step in steps[:-1]:
        poses.append(compose(poses[-1], step))
    return np.array(poses)


def drifting(true: NDArray[np.float64], scale: float = 1.02) -> NDArray[np.float64]:
    """Return odometry that begins elsewhere, measures too long and turns by 1 deg in 100 m."""
    steps = motion_between(true[:-1], true[1:])
    steps[:, :2] *= scale
    steps[:, 2] = wrap_angle(steps[:, 2]) + np.radians(0.02)
    poses = [np.array([-7.0, 3.0, 2.0])]
    for step in steps:
        poses.append(compose(poses[-1], step))
    return np.array(poses)


def answers_to(true: NDArray[np.float64], share: float, seed: int = 0) -> NDArray[np.float64]:
    """Return answers of which a share is right within 0.3 m and 1 deg, the others anywhere."""
    generator = np.random.default_rng(seed)
    right = true + generator.normal(0, [0.3, 0.3, np.radians(1)], true.shape)
    anywhere = generator.uniform([0, -50, -np.pi], [300, 250, np.pi], true.shape)
    return np.where(generator.uniform(size=(len(true), 1)) < share, right, anywhere)


@pytest.mark.parametrize('share', [0.3, 0.5, 0.9])
def test_queries_are_where_answers_and_odometry_agree(share: float) -> None:
    true = round_a_block()
    poses = consensus_of(drifting(true), answers_to(true, share))
    is_known = np.isfinite(poses).all(axis=1)
    assert is_known.mean() > 0.95
    error_m = np.hypot(*(poses - true)[is_known, :2].T)
    assert np.median(error_m) < 0.5
    assert error_m.max() < 1.6  # where a corner lies before or behind, all votes are from one side
    assert np.degrees(np.abs(wrap_angle((poses - true)[is_known, 2]))).max() < 2


@pytest.mark.parametrize('seed', range(5))
def test_answers_from_anywhere_agree_on_nothing(seed: int) -> None:
    true = round_a_block()
    assert np.isnan(consensus_of(drifting(true), answers_to(true, 0.0, seed))).all()


def test_of_two_places_that_look_alike_neither_is_taken() -> None:
    true = round_a_block()
    answers = answers_to(true, 1.0)
    answers[::2, 0] += 400
    assert np.isnan(consensus_of(drifting(true), answers)).all()


def test_a_place_that_is_named_now_and_then_does_not_tear_the_way() -> None:
    true = round_a_block()
    answers = answers_to(true, 0.9)
    answers[40:55, :2] += 30
    poses = consensus_of(drifting(true), answers)
    assert np.hypot(*(poses - true)[:, :2].T).max() < 1.6


def test_queries_that_stay_unanswered_are_no_votes() -> None:
    true = round_a_block()
    answers = answers_to(true, 0.9)
    answers[1::2] = np.nan
    assert np.isfinite(consensus_of(drifting(true), answers)).all()
    assert np.isnan(consensus_of(drifting(true), np.full_like(true, np.nan))).all()


def test_a_drive_of_a_few_metres_proves_nothing() -> None:
    true = round_a_block()[:30]
    assert np.isnan(consensus_of(drifting(true), answers_to(true, 1.0))).all()
    assert consensus_of(true[:0], true[:0]).shape == (0, 3)
    assert np.isnan(consensus_of(true[:1], true[:1])).all()


def test_odometry_that_begins_anew_does_not_mislead() -> None:
    true = round_a_block()
    odometry = drifting(true)
    odometry[150:] = compose(np.array([500.0, 0.0, 1.0]), odometry[150:])
    poses = consensus_of(odometry, answers_to(true, 0.9))
    is_known = np.isfinite(poses).all(axis=1)
    assert is_known.mean() > 0.8
    assert np.hypot(*(poses - true)[is_known, :2].T).max() < 2


@pytest.mark.parametrize('yaw_deg', [-90.0, -5.0, 0.0, 3.0, 170.0])
@pytest.mark.parametrize('share', [0.4, 0.9])
def test_the_yaw_of_the_mounting_shows(yaw_deg: float, share: float) -> None:
    true = round_a_block()
    odometry = drifting(true)
    odometry[:, 2] -= np.radians(yaw_deg)  # the radar looks farther to the left than is said
    turn_rad = turn_of(odometry, answers_to(true, share))
    assert np.degrees(turn_rad) == pytest.approx(yaw_deg, abs=0.5)


def test_nothing_is_said_of_the_mounting_without_answers_that_move() -> None:
    true = round_a_block()
    assert np.isnan(turn_of(drifting(true), answers_to(true, 0.0)))
    assert np.isnan(turn_of(true[:0], true[:0]))
