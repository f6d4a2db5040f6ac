# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that a radar that points elsewhere is told, by how much, and that a right one never is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.motion.mounting_check import MountingCheck, YawError

# Speed (m/s) and yaw rate (rad/s) at a time (s).
Steering = Callable[[float], tuple[float, float]]
Pose = NDArray[np.float64] | None
_STEP_S, _RATE_HZ, _ARM_M = 0.01, 5.0, 3.5


def round_the_block(time_s: float) -> tuple[float, float]:
    """Legs of 60 m and corners of 12 m radius, all to the left."""
    leg_s, corner_s = 60 / 6.0, 12 * math.pi / 2 / 6.0
    return 6.0, (6.0 / 12 if time_s % (leg_s + corner_s) > leg_s else 0.0)


DRIVES: dict[str, Steering] = {
    'straight': lambda time_s: (6.0, 0.0),
    'round the block': round_the_block,
    'winding': lambda time_s: (8 + 2 * math.sin(time_s / 3), 0.25 * math.sin(time_s / 2.7)),
    'slalom': lambda time_s: (10.0, 0.4 * math.sin(1.5 * time_s)),
    'motorway': lambda time_s: (30.0, 0.03 * math.sin(time_s / 10)),
    'back and forth': lambda time_s: (6.0 if time_s < 30 else -4.0, 0.2 * math.sin(time_s / 5)),
    'backing up': lambda time_s: (-5.0, 0.1 * math.sin(time_s / 3)),
}
HARDLY: dict[str, Steering] = {
    'circle': lambda time_s: (6.0, 6.0 / 20),
    'other circle': lambda time_s: (6.0, -6.0 / 20),
    'fast circle': lambda time_s: (15.0, 0.2),
    'stop and go': lambda time_s: (max(0.0, 6 * math.sin(time_s / 4)), 0.05),
    'creeping': lambda time_s: (1.0, 0.0),
    'standing': lambda time_s: (0.0, 0.0),
}


@dataclass(frozen=True)
class Vehicle:
    """
    A vehicle with a radar.

    :param stated_rad: yaw of the mounting as stated, off_rad: how far the radar is turned from it
    :param arm_m: of the radar ahead of the rear axle, stated_arm_m: as its mounting says
    :param share_odd: of scans whose velocity is anything
    """

    off_rad: float = 0.0
    stated_rad: float = 0.0
    arm_m: float = _ARM_M
    stated_arm_m: float = _ARM_M
    doppler_sign: int = 1
    noise_mps: float = 0.1
    share_odd: float = 0.0
    delay_s: float = 0.0  # of the stamps of the radar


class Scan(NamedTuple):
    stamp_ns: int
    velocity_mps: NDArray[np.float64]
    pose: NDArray[np.float64]
    stated_rad: float


@cache
def way_of(steering: Steering) -> tuple[NDArray[np.float64], ...]:
    """Return times, speeds, yaw rates, headings and places of the rear axle for 62 s."""
    times_s = np.arange(0, 62, _STEP_S)
    speed, yaw_rate = np.array([steering(time_s) for time_s in times_s]).T
    yaws = np.cumsum(yaw_rate) * _STEP_S
    xy = np.cumsum(np.column_stack([np.cos(yaws), np.sin(yaws)]) * speed[:, None], 0) * _STEP_S
    return times_s, speed, yaw_rate, yaws, xy


def scans_of(steering: Steering, vehicle: Vehicle, duration_s: float = 60.0) -> Iterator[Scan]:
    """Drive, and yield what the radar measures and where odometry puts it."""
    rng = np.random.default_rng(1)
    times_s, speed, yaw_rate, yaws, xy = way_of(steering)
    radar_rad = vehicle.stated_rad + vehicle.off_rad
    for number in range(int(duration_s * _RATE_HZ)):
        now = round((1 + number / _RATE_HZ) / _STEP_S)
        measured = now - round(vehicle.delay_s / _STEP_S)
        moving = speed[measured] + 1j * yaw_rate[measured] * vehicle.arm_m
        velocity = vehicle.doppler_sign * moving * np.exp(-1j * radar_rad)
        velocity_mps = np.array([velocity.real, velocity.imag])
        velocity_mps += vehicle.noise_mps * rng.standard_normal(2)
        if rng.random() < vehicle.share_odd:
            velocity_mps = rng.uniform(-10, 10, 2)
        ahead = np.array([np.cos(yaws[now]), np.sin(yaws[now])])
        pose = np.append(xy[now] + vehicle.stated_arm_m * ahead, yaws[now] + vehicle.stated_rad)
        yield Scan(round(times_s[now] * 1e9), velocity_mps, pose, vehicle.stated_rad)


def found_by(
    vehicle: Vehicle, steering: Steering, odometry: Callable[[Scan], Pose] = lambda scan: scan.pose
) -> list[YawError]:
    """Return what the check knows after each scan."""
    check, found = MountingCheck(), []
    check.mount(vehicle.stated_rad)
    for scan in scans_of(steering, vehicle):
        check.add(scan.stamp_ns, scan.velocity_mps, odometry(scan))
        found.append(check.yaw_error)
    return found


@pytest.mark.parametrize('off_deg', [-5.0, 3.0, 90.0])
@pytest.mark.parametrize('name', DRIVES)
def test_a_radar_that_is_turned_is_told_within_a_minute(name: str, off_deg: float) -> None:
    last = found_by(Vehicle(off_rad=math.radians(off_deg)), DRIVES[name])[-1]
    assert last.is_wrong
    assert math.degrees(last.rad) == pytest.approx(off_deg, abs=0.3)
    assert math.degrees(last.sigma_rad) < 0.5


def turned(angle_deg: float) -> NDArray[np.float64]:
    return np.array([0, 0, math.radians(angle_deg)])


RIGHT = {
    'plain': Vehicle(),
    'noisy': Vehicle(noise_mps=0.3),
    'with odd velocities': Vehicle(share_odd=0.2),
    'a lorry': Vehicle(arm_m=8.0, stated_arm_m=8.0),
    'stated in the wrong place': Vehicle(stated_arm_m=0.0),
    'late': Vehicle(delay_s=0.3),
    'looking left': Vehicle(stated_rad=math.pi / 2),
    'looking right': Vehicle(stated_rad=-math.pi / 2),
    'looking back': Vehicle(stated_rad=math.pi),
    'at a corner': Vehicle(stated_rad=math.radians(135)),
    'a degree off': Vehicle(off_rad=math.radians(1)),
}
_RNG = np.random.default_rng(2)
# How odometry may be, and without.
ODOMETRY: dict[str, Callable[[Scan], Pose]] = {
    'right': lambda scan: scan.pose,
    'none': lambda scan: None,
    'of GPS': lambda scan: scan.pose + _RNG.normal(0, (0.1, 0.1, 0)),
    'with noisy headings': lambda scan: scan.pose + _RNG.normal(0, (0, 0, math.radians(1))),
    'with headings off by 5 degrees': lambda scan: scan.pose + turned(5),
    'without headings': lambda scan: np.array([*scan.pose[:2], scan.stated_rad]),
    'in reach now and then': lambda scan: scan.pose if scan.stamp_ns % 3 else None,
}


@pytest.mark.parametrize(
    ('kind', 'odometry'),
    [
        *((kind, odometry) for kind in RIGHT for odometry in ('right', 'none')),
        *(('noisy', odometry) for odometry in ODOMETRY if odometry not in ('right', 'none')),
    ],
)
def test_a_right_mounting_is_never_called_wrong(kind: str, odometry: str) -> None:
    for name, steering in (DRIVES | HARDLY).items():
        found = found_by(RIGHT[kind], steering, ODOMETRY[odometry])
        assert not any(error.is_wrong for error in found), name


@pytest.mark.parametrize('name', ['creeping', 'standing', 'circle', 'other circle'])
def test_what_tells_nothing_leaves_it_unknown(name: str) -> None:
    found = found_by(Vehicle(off_rad=math.radians(5)), HARDLY[name])
    assert all(math.isnan(error.rad) and math.isnan(error.at_least_rad) for error in found)


def test_without_odometry_only_speed_vouches_for_a_straight_way() -> None:
    vehicle = Vehicle(off_rad=math.radians(5))
    fast = found_by(vehicle, DRIVES['motorway'], ODOMETRY['none'])[-1]
    assert fast.is_wrong
    assert math.degrees(fast.rad) == pytest.approx(5, abs=0.5)
    slow = found_by(vehicle, DRIVES['straight'], ODOMETRY['none'])
    assert all(math.isnan(error.rad) for error in slow)


def test_base_axes_that_do_not_point_ahead_are_no_fault_of_the_radar() -> None:
    vehicle = Vehicle(stated_rad=math.radians(10), off_rad=math.radians(-10))
    found = found_by(vehicle, DRIVES['winding'], lambda scan: scan.pose + turned(-10))
    assert not any(error.is_wrong for error in found)


@pytest.mark.parametrize('off_deg', [0.0, 5.0])
def test_the_wrong_sign_of_doppler_looks_like_a_radar_turned_round(off_deg: float) -> None:
    vehicle = Vehicle(doppler_sign=-1, off_rad=math.radians(off_deg))
    last = found_by(vehicle, DRIVES['round the block'])[-1]
    apart_deg = math.degrees(math.remainder(last.rad - math.pi, math.tau))
    assert apart_deg == pytest.approx(off_deg, abs=0.3)


def test_a_new_mounting_begins_anew_and_a_new_drive_does_not() -> None:
    check, vehicle = MountingCheck(), Vehicle(off_rad=math.radians(5))
    for scan in scans_of(DRIVES['straight'], vehicle, duration_s=20):
        check.add(scan.stamp_ns, scan.velocity_mps, scan.pose)
    assert check.yaw_error.is_wrong
    check.begin_anew()
    check.mount(1e-4)
    assert check.yaw_error.is_wrong
    check.mount(check.yaw_error.rad)
    assert math.isnan(check.yaw_error.rad)
    for scan in scans_of(DRIVES['straight'], vehicle, duration_s=20):
        check.add(scan.stamp_ns, scan.velocity_mps, scan.pose + turned(5))
    assert math.degrees(check.yaw_error.rad) == pytest.approx(0, abs=0.2)
    assert check.yaw_error.at_least_rad == 0


def test_gaps_and_segments_part_the_way() -> None:
    scans = list(scans_of(DRIVES['straight'], Vehicle(), duration_s=30))
    for step_ns, num_segments in ((600_000_000, 1), (100_000_000, len(scans))):
        check = MountingCheck()
        for number, scan in enumerate(scans):
            check.add(number * step_ns, scan.velocity_mps, scan.pose, number % num_segments)
        assert math.isnan(check.yaw_error.rad)
