# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a mounting is split into a level pose and a tilt."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ssd_ros.ros.inputs.mounting import mounting_of
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy
from support.posts import straight_drive
from support.tilted import rotation, TILTS


@pytest.mark.parametrize('yaw', [0.0, 0.7, -2.0, math.pi])
@pytest.mark.parametrize('tilt', TILTS)
def test_level_pose_and_tilt_make_the_pose(tilt: tuple[float, float], yaw: float) -> None:
    base_radar = pose_from_xyzrpy([1, 2, 3, *tilt, yaw])
    mounting = mounting_of(base_radar)
    assert mounting.level_radar is not None
    level = mounting.base_level.matrix
    np.testing.assert_allclose(level[:3, 3], [1, 2, 3])
    np.testing.assert_allclose(level[2, :3], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(
        level[:3, :3] @ mounting.level_radar, rotation(*tilt, yaw), atol=1e-12
    )
    # Over the ground the x axes of both look alike.
    x_axis = rotation(*tilt, yaw)[:2, 0]
    np.testing.assert_allclose(level[:2, 0], x_axis / np.hypot(*x_axis), atol=1e-12)


@pytest.mark.parametrize('roll', [0.0, 2 * math.pi, 5e-7])
def test_an_upright_radar_and_its_clouds_are_left_as_they_are(roll: float) -> None:
    base_radar = pose_from_xyzrpy([1, 2, 3, roll, 0, -2.5])
    mounting, cloud = mounting_of(base_radar), straight_drive().cloud(3)
    assert mounting.base_level is base_radar
    assert mounting.level(cloud) is cloud
    assert mounting.tilt_deg == 0


@pytest.mark.parametrize(
    ('tilt', 'degrees'),
    [((math.pi, 0.0), 180), ((0.0, -0.1), 5.73), ((math.pi, math.pi), 0), ((0.5, 0.0), 28.65)],
)
def test_the_tilt_is_one_angle(tilt: tuple[float, float], degrees: float) -> None:
    # Roll and pitch of half a turn each are a yaw of half a turn.
    mounting = mounting_of(pose_from_xyzrpy([0, 0, 0, *tilt, 0.3]))
    assert mounting.tilt_deg == pytest.approx(degrees, abs=0.01)
