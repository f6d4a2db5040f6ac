# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check how far poses and returns disagree on keyframes among posts, whose poses are known."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.verification import returns_of_points
from ssd_ros.verification.pose_misfit import MAX_MISFIT_M, pose_misfit_m
from support.posts import random_posts

NUM = 60
POSTS = random_posts(1000)
FIELD_OF_VIEW_RAD = {'spinning': math.pi, '4d': math.radians(60)}


def bend(num: int = NUM, step_m: float = 2.0) -> NDArray[np.float64]:
    """Return x, y, yaw along a bend to the left."""
    yaw = np.linspace(0, 1, num)
    steps = step_m * np.stack([np.cos(yaw), np.sin(yaw)], axis=1)
    return np.column_stack([np.cumsum(steps, axis=0), yaw])


def returns_at(planar: NDArray[np.float64], sensor: str = 'spinning') -> NDArray[np.int16]:
    """Return what a radar sees of the posts from where it truly is."""
    seen = []
    for x, y, yaw in planar:
        offset = (POSTS - (x, y)) @ np.array([[math.cos(yaw), -math.sin(yaw)],
                                              [math.sin(yaw), math.cos(yaw)]])  # fmt: skip
        in_view = np.abs(np.arctan2(offset[:, 1], offset[:, 0])) <= FIELD_OF_VIEW_RAD[sensor]
        seen.append(returns_of_points(offset[in_view].astype(np.float32)))
    return np.stack(seen)


def trajectory(planar: NDArray[np.float64]) -> Trajectory:
    positions_m = np.column_stack([planar[:, :2], np.zeros(len(planar))])
    return Trajectory(np.arange(len(planar)), positions_m, quaternion_from_yaw(planar[:, 2]))


def off(planar: NDArray[np.float64], rms_m: float) -> NDArray[np.float64]:
    """Return poses each of which is off by itself."""
    stated = planar.copy()
    rng = np.random.default_rng(0)
    stated[:, :2] += rms_m / math.sqrt(2) * rng.standard_normal((len(planar), 2))
    return stated


@pytest.mark.parametrize('sensor', ['spinning', '4d'])
@pytest.mark.parametrize('rms_m', [0.0, 0.3, 2.0, 20.0, 2000.0])
def test_it_is_the_error_of_neighbours_to_each_other(sensor: str, rms_m: float) -> None:
    truth = bend()
    found_m = pose_misfit_m(trajectory(off(truth, rms_m)), returns_at(truth, sensor), (0,))
    # Both are off; the median of a Rayleigh distribution.
    expected_m = rms_m * math.sqrt(2 * math.log(2))
    assert found_m == pytest.approx(expected_m, rel=0.25, abs=0.05)
    assert (found_m > MAX_MISFIT_M) == (rms_m >= 2)


@pytest.mark.parametrize('step_m', [0.5, 4.0, 8.0, 15.0])
def test_near_and_far_keyframes_fit_likewise(step_m: float) -> None:
    truth = bend(30, step_m)
    assert pose_misfit_m(trajectory(truth), returns_at(truth), (0,)) < 0.1


def test_headings_that_are_another_one_are_told() -> None:
    truth = bend()
    turned = truth + np.array([0, 0, math.pi / 2])
    # A step of 2 m to the left is 2.8 m from one ahead.
    found_m = pose_misfit_m(trajectory(turned), returns_at(truth), (0,))
    assert found_m == pytest.approx(2 * math.sqrt(2), abs=0.1)


def test_frames_that_are_not_related_are_not_compared() -> None:
    truth = bend()
    stated = truth.copy()
    stated[::2, :2] += 5.0
    returns_cm = returns_at(truth)
    assert pose_misfit_m(trajectory(stated), returns_cm, (0,)) > 5
    assert math.isnan(pose_misfit_m(trajectory(stated), returns_cm, tuple(range(NUM))))
    stated = truth.copy()
    stated[30:, :2] += 500.0
    assert pose_misfit_m(trajectory(stated), returns_cm, (0, 30)) < 0.1


def test_who_stands_or_shows_little_is_no_evidence() -> None:
    truth = bend()
    few = returns_at(truth)[:11], trajectory(truth[:11])
    assert pose_misfit_m(few[1], few[0], (0,)) < 0.1  # of 10 pairs
    assert math.isnan(pose_misfit_m(trajectory(truth[:10]), few[0][:10], (0,)))
    standing = np.repeat(truth[:1], NUM, axis=0)
    assert math.isnan(pose_misfit_m(trajectory(standing), returns_at(standing), (0,)))
    empty = np.zeros((NUM, 0, 2), np.int16)
    assert math.isnan(pose_misfit_m(trajectory(truth), empty, (0,)))
    elsewhere = returns_at(truth + np.random.default_rng(0).uniform(-99, 99, truth.shape))
    assert math.isnan(pose_misfit_m(trajectory(truth), elsewhere, (0,)))


def test_a_pattern_that_goes_along_with_the_radar_is_no_evidence() -> None:
    # As of a radar whose angles come in steps of 15 degrees: it fits as if nobody had moved.
    azimuth_rad, range_m = np.meshgrid(np.radians(np.arange(-60, 61, 15)), np.arange(6, 60, 9))
    pattern_m = range_m[..., None] * np.stack([np.cos(azimuth_rad), np.sin(azimuth_rad)], axis=-1)
    rng, truth = np.random.default_rng(0), bend()
    returns_cm = np.stack([
        returns_of_points((pattern_m + 0.1 * rng.standard_normal(pattern_m.shape))
                          .reshape(-1, 2).astype(np.float32))
        for _ in truth
    ])  # fmt: skip
    assert math.isnan(pose_misfit_m(trajectory(truth), returns_cm, (0,)))
