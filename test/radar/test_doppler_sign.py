# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check when a range rate is called opposite to what odometry says."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.radar.doppler_sign import DopplerSignCheck

STEP_NS = 50_000_000


def drive(
    check: DopplerSignCheck,
    doppler_mps: tuple[float, float],
    speed_mps: float = 10.0,
    num_scans: int = 41,
    step_ns: int = STEP_NS,
    yaw_rad: float = 0.0,
) -> None:
    """Drive along the x axis of the odometry frame with a radar turned by an angle."""
    for number in range(num_scans):
        position_m = np.array([speed_mps * number * step_ns / 1e9, 0, 0])
        velocity_mps = np.array([*doppler_mps, 0.1])
        check.add(number * step_ns, velocity_mps, position_m, quaternion_from_yaw(yaw_rad))


@pytest.mark.parametrize(
    ('doppler_mps', 'speed_mps', 'is_opposite'),
    [
        ((-10.0, 0.0), 10.0, True),
        ((10.0, 0.0), -10.0, True),  # backing up
        ((10.0, 0.0), 10.0, False),
        ((-10.0, 0.0), -10.0, False),
        ((-0.9, 0.0), 10.0, False),  # too slow to tell
        ((-10.0, 0.0), 0.9, False),
        ((float('nan'), 0.0), 10.0, False),
    ],
)
def test_the_directions_of_travel_are_compared(
    doppler_mps: tuple[float, float], speed_mps: float, is_opposite: bool
) -> None:
    check = DopplerSignCheck()
    drive(check, doppler_mps, speed_mps)
    assert check.is_opposite == is_opposite


@pytest.mark.parametrize(('left_mps', 'is_opposite'), [(-10.0, False), (10.0, True)])
def test_a_radar_that_looks_to_the_left_drives_to_its_right(
    left_mps: float, is_opposite: bool
) -> None:
    check = DopplerSignCheck()
    drive(check, (0.0, left_mps), yaw_rad=np.pi / 2)
    assert check.is_opposite == is_opposite


def test_forty_steps_are_needed_and_none_over_a_gap() -> None:
    check = DopplerSignCheck()
    drive(check, (-10.0, 0.0), num_scans=40)
    assert not check.is_opposite
    drive(check, (-10.0, 0.0), num_scans=100, step_ns=600_000_000)
    assert not check.is_opposite


def test_what_was_wrong_is_forgotten() -> None:
    check = DopplerSignCheck()
    drive(check, (-10.0, 0.0))
    assert check.is_opposite
    drive(check, (10.0, 0.0), num_scans=6)
    assert not check.is_opposite
    drive(check, (-10.0, 0.0))
    check.clear()
    assert not check.is_opposite
