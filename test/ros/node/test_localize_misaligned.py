# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A radar that points elsewhere than its mounting says is told while driving."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from support.localizer import Localizer, odometry_msg, running_localizer
from support.posts import moving_drive
from support.ros import Peer, points_msg

# It looks 1.2 rad to the left, or 5 degrees more.
HEADING_RAD, TURNED_RAD = 1.2, math.radians(5)
DRIVE = moving_drive(num=24, turned_rad=HEADING_RAD + TURNED_RAD)


def drive(localizer: Localizer) -> None:
    """Drive 46 m along x."""
    for index in range(len(DRIVE.xy_yaw)):
        localizer.clock_ns += DRIVE.step_ns
        localizer.send_odometry(odometry_msg(2.0 * index, localizer.clock_ns))
        localizer.publisher.publish(points_msg(DRIVE.cloud(index), localizer.clock_ns))
        expected = str(index + 1)
        localizer.wait_for_value('input', lambda values, n=expected: values['messages'] == n)


@pytest.mark.parametrize('stated_rad', [HEADING_RAD, HEADING_RAD + TURNED_RAD])
def test_a_turned_radar_is_a_warning_and_the_corrected_mounting_is_none(
    peer: Peer, tmp_path: Path, stated_rad: float
) -> None:
    extrinsics = [1.5, 0.0, 0.5, 0.0, 0.0, stated_rad]
    with running_localizer(peer, tmp_path, radar_extrinsics=extrinsics) as localizer:
        drive(localizer)
        off_deg = math.degrees(HEADING_RAD + TURNED_RAD - stated_rad)
        values = localizer.values('input')
        assert float(values['yaw_error_deg']) == pytest.approx(off_deg, abs=0.3)
        said = localizer.status('input').message
        assert said.startswith('the 4D radar points 5.0 degrees') == (off_deg > 0)
