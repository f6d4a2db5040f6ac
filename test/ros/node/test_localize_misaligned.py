# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A radar that points elsewhere than its mounting says is told while driving."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
import pytest
from support.localizer import Localizer, odometry_msg, running_localizer
from support.posts import random_posts, straight_drive
from support.ros import Peer, points_msg

# Stated: it looks 1.2 rad to the left. In truth it is turned by 5 degrees more.
STATED_RAD, TURNED_RAD = 1.2, math.radians(5)
SPEED_MPS, STEP_NS = 8.0, 250_000_000
DRIVE = replace(
    straight_drive(num=24, step_m=2.0, yaw_rad=STATED_RAD + TURNED_RAD),
    posts=random_posts(num=2000),
)


def drive(localizer: Localizer) -> None:
    """Drive 46 m along x."""
    heading_rad = STATED_RAD + TURNED_RAD
    velocity_mps = SPEED_MPS * np.array([math.cos(heading_rad), -math.sin(heading_rad), 0])
    for index in range(len(DRIVE.xy_yaw)):
        localizer.clock_ns += STEP_NS
        localizer.send_odometry(odometry_msg(2.0 * index, localizer.clock_ns))
        cloud = DRIVE.cloud(index)
        directions = cloud.xyz_m / np.linalg.norm(cloud.xyz_m, axis=1)[:, None]
        rates_mps = -(directions @ velocity_mps).astype(np.float32)
        cloud = replace(cloud, radial_velocity_mps=rates_mps)
        localizer.publisher.publish(points_msg(cloud, localizer.clock_ns))
        expected = str(index + 1)
        localizer.wait_for_value('input', lambda values, n=expected: values['messages'] == n)


@pytest.mark.parametrize('stated_rad', [STATED_RAD, STATED_RAD + TURNED_RAD])
def test_a_turned_radar_is_a_warning_and_the_corrected_mounting_is_none(
    peer: Peer, tmp_path: Path, stated_rad: float
) -> None:
    extrinsics = [1.5, 0.0, 0.5, 0.0, 0.0, stated_rad]
    with running_localizer(peer, tmp_path, radar_extrinsics=extrinsics) as localizer:
        drive(localizer)
        off_deg = math.degrees(STATED_RAD + TURNED_RAD - stated_rad)
        values = localizer.values('input')
        assert float(values['yaw_error_deg']) == pytest.approx(off_deg, abs=0.3)
        said = localizer.status('input').message
        assert said.startswith('the 4D radar points 5.0 degrees') == (off_deg > 0)
