# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that scans whose Doppler runs against the odometry are noticed on their way in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ssd_ros.recognition.answer import SensorPose
from ssd_ros.ros.matching.matcher import Matcher
from ssd_ros.ros.parameters.node import NodeParameters
from support.posts import random_posts, small_encoder, straight_drive

# Ten scans a second at 10 m/s, among posts enough to measure the speed.
DRIVE = replace(
    straight_drive(num=41, step_m=1.0), posts=random_posts(num=2000), step_ns=100_000_000
)


@pytest.fixture(scope='module')
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    encoder = small_encoder(tmp_path_factory.mktemp('model'), '4d')
    return Matcher(encoder, [], NodeParameters())


def drive(matcher: Matcher, doppler_mps: float, has_odometry: bool = True) -> bool:
    """Return what 41 scans say whose posts ahead have this range rate."""
    matcher.clear()
    poses = DRIVE.cloud_poses
    for index in range(len(poses)):
        cloud = DRIVE.cloud(index)
        cloud.xyz_m[:, 2] = np.resize([-3, 0, 3], len(cloud))  # a plane tells no velocity
        ahead = cloud.xyz_m / (cloud.xyz_m**2).sum(axis=1, keepdims=True) ** 0.5
        pose = SensorPose(poses.positions_m[index], poses.quaternions_xyzw[index])
        cloud = replace(cloud, radial_velocity_mps=doppler_mps * ahead[:, 0])
        matcher.prepare(cloud, pose if has_odometry else None)
    return matcher.is_doppler_opposite


def test_posts_that_come_nearer_with_a_positive_rate_are_opposite(matcher: Matcher) -> None:
    assert not drive(matcher, -10.0)
    assert drive(matcher, 10.0)
    matcher.clear()
    assert not matcher.is_doppler_opposite


def test_without_odometry_nothing_is_said(matcher: Matcher) -> None:
    assert not drive(matcher, 10.0, has_odometry=False)
