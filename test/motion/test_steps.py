# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that jumps are found at any rate of the poses, and that drives have none."""

import numpy as np
import pytest
from ssd_ros.motion.steps import implausible_steps, jumps_of, tracks_of
from ssd_ros.motion.trajectory import Trajectory
from support.wheels import drive_on_wheels


def shifted(poses: Trajectory, part: slice, offset_m: tuple[float, float]) -> Trajectory:
    positions_m = poses.positions_m.copy()
    positions_m[part, :2] += offset_m
    return Trajectory(poses.stamps_ns, positions_m, poses.quaternions_xyzw)


@pytest.mark.parametrize('rate_hz', [1.0, 4.0, 20.0, 200.0])
@pytest.mark.parametrize('speed_mps', [1.0, 6.0, 10.0])
def test_a_drive_has_no_jumps(rate_hz: float, speed_mps: float) -> None:
    poses, _ = drive_on_wheels(rate_hz=rate_hz, speed_mps=speed_mps, reverse=0.2)
    assert not implausible_steps(poses).any()


def test_a_drive_with_noise_and_a_tunnel_has_no_jumps() -> None:
    poses, _ = drive_on_wheels(position_noise_m=0.5)
    seconds = (poses.stamps_ns - poses.stamps_ns[0]) / 1e9
    assert not implausible_steps(poses.select((seconds < 40) | (seconds > 80))).any()


@pytest.mark.parametrize('rate_hz', [1.0, 4.0, 20.0, 200.0])
@pytest.mark.parametrize('offset_m', [(36.0, 0.0), (0.0, -1050.0), (443_000.0, 2000.0)])
def test_a_jump_is_found_where_it_is(rate_hz: float, offset_m: tuple[float, float]) -> None:
    poses, _ = drive_on_wheels(rate_hz=rate_hz)
    half = len(poses) // 2
    (jump,) = jumps_of(shifted(poses, slice(half, None), offset_m))
    assert jump.stamp_ns == poses.stamps_ns[half]
    assert jump.distance_m == pytest.approx(np.hypot(*offset_m), abs=8)
    track_of = tracks_of(shifted(poses, slice(half, None), offset_m))
    assert len(set(track_of[:half])) == len(set(track_of[half:])) == 1
    assert track_of[0] != track_of[-1]


def test_a_stray_pose_does_not_part_the_drive() -> None:
    poses, _ = drive_on_wheels()
    stray = shifted(shifted(poses, slice(700, 701), (36.0, 0)), slice(1500, 1503), (0, 443_000.0))
    track_of = tracks_of(stray)
    assert np.flatnonzero(track_of).tolist() == [700, 1500, 1501, 1502]


@pytest.mark.parametrize('count', [0, 1, 2])
def test_a_few_poses_are_one_track(count: int) -> None:
    poses = drive_on_wheels()[0].select(np.arange(count))
    assert tracks_of(poses).tolist() == [0] * count
    assert implausible_steps(poses).shape == (max(count - 1, 0),)
