# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check poses, rows and covariances against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
import json
import math

from builtin_interfaces.msg import Time
import numpy as np
import pytest
import ros_helpers  # noqa: F401  skips without rclpy
from ssd_ros.candidates import Flag
from ssd_ros.place_recognizer import LoopClosureCandidate
from ssd_ros.ros.conversions import (
    accepted_pose_msg,
    candidate_poses_msg,
    candidate_rows,
    diagnostics_msg,
    json_text,
)
from ssd_ros.ros.extrinsics import Extrinsics
from ssd_ros.ros.geometry import Pose, pose_from_xyzrpy, turn
from ssd_ros.ros.health import Level, Status
from ssd_ros.ros.parameters import NodeParameters
from ssd_ros.trajectory import quaternion_from_yaw
from std_msgs.msg import Header

NOWHERE = pose_from_xyzrpy([0, 0, 0, 0, 0, 0])
# Keyframe at UTM-like coordinates, looking north (+y); the query looks 90 degrees further left.
CANDIDATE = LoopClosureCandidate(
    keyframe_id=2**24 + 1,
    rank=0,
    relative_yaw_rad=math.pi / 2,
    relative_yaw_std_rad=0.05,
    distance=0.5,
    ratio=0.8,
    accepted=True,
    stamp_ns=1_735_689_600_000_000_001,
    position_m=np.array([500_000.25, 4_500_000.5, 30.0]),
    quaternion_xyzw=quaternion_from_yaw(math.pi / 2),
)


def test_a_row_keeps_full_precision_and_whole_numbers() -> None:
    (row,) = candidate_rows([CANDIDATE], NOWHERE, 0xDEADBEEF, 0.9, Flag(0))
    assert (row['map_x'], row['map_y'], row['map_z']) == (500_000.25, 4_500_000.5, 30)
    assert row['x'] == np.float32(500_000.25)
    assert row['keyframe_id'] == 16_777_217
    assert row['map_id'] == 0xDEADBEEF
    assert (row['kf_stamp_sec'], row['kf_stamp_nanosec']) == (1_735_689_600, 1)
    assert row['relative_yaw'] == pytest.approx(math.pi / 2)


@pytest.mark.parametrize(
    ('changes', 'query_flags', 'expected'),
    [
        ({}, Flag(0), Flag.ACCEPTED | Flag.YAW_VALID),
        ({'accepted': False, 'ratio': 0.95}, Flag(0), Flag.AMBIGUOUS | Flag.YAW_VALID),
        ({'accepted': False}, Flag.LOW_POINTS, Flag.LOW_POINTS | Flag.YAW_VALID),
        ({'relative_yaw_std_rad': math.pi / math.sqrt(3)}, Flag.STATIONARY,
         Flag.ACCEPTED | Flag.STATIONARY),
    ],
)  # fmt: skip
def test_flags_of_a_row(changes: dict[str, float], query_flags: Flag, expected: Flag) -> None:
    (row,) = candidate_rows([replace(CANDIDATE, **changes)], NOWHERE, 1, 0.9, query_flags)
    assert Flag(int(row['flags'])) == expected
    assert np.isnan(row['relative_yaw']) == (Flag.YAW_VALID not in expected)


def test_no_candidate_gives_no_row() -> None:
    assert candidate_rows([], NOWHERE, 1, 0.9, Flag(0)).shape == (0,)


def test_yaw_and_pose_are_those_of_the_base_not_of_the_radar() -> None:
    # The radar sits 2 m before the base and looks to its right.
    base_radar = pose_from_xyzrpy([2, 0, 0, 0, 0, -math.pi / 2])
    (row,) = candidate_rows([CANDIDATE], base_radar, 1, 0.9, Flag(0))
    # The radar is turned 90 degrees left of the keyframe, the base another 90.
    assert abs(row['relative_yaw']) == pytest.approx(math.pi)
    pose = accepted_pose_msg(CANDIDATE, base_radar, 2.0, NodeParameters(), Header()).pose.pose
    # In the map the base looks south (north + 180) and its radar, 2 m ahead, is at the keyframe.
    assert pose.position.x == pytest.approx(500_000.25)
    assert pose.position.y == pytest.approx(4_500_002.5)
    yaw_rad = 2 * math.atan2(pose.orientation.z, pose.orientation.w)
    assert math.remainder(yaw_rad, 2 * math.pi) == pytest.approx(-math.pi / 2)


def test_candidate_poses_are_keyframes_turned_by_the_yaw() -> None:
    (pose,) = candidate_poses_msg([CANDIDATE], NOWHERE, Header()).poses
    assert (pose.position.x, pose.position.y, pose.position.z) == (500_000.25, 4_500_000.5, 30)
    # North plus 90 degrees left is west.
    assert 2 * math.atan2(pose.orientation.z, pose.orientation.w) == pytest.approx(math.pi)


def test_the_covariance_scales_and_is_never_zero() -> None:
    parameters = NodeParameters.from_values(
        {'covariance_floor_xy': 2.0, 'covariance_z': 3.0, 'covariance_scale': 2.0}
    )
    msg = accepted_pose_msg(CANDIDATE, NOWHERE, 6.0, parameters, Header())
    covariance = np.array(msg.pose.covariance).reshape(6, 6)
    # xy: (2^2 + 6^2 / 12) * 2 = 14; yaw: 0.05^2 * 2.
    np.testing.assert_allclose(np.diag(covariance), [14, 14, 18, 0.005, 0.005, 0.005])
    assert np.count_nonzero(covariance) == 6


def test_roll_and_pitch_turn_about_fixed_axes() -> None:
    pose = pose_from_xyzrpy([1, 2, 3, 0.1, 0.2, 0.3])
    roll = Pose(np.zeros(3), np.array([math.sin(0.05), 0, 0, math.cos(0.05)]))
    pitch = Pose(np.zeros(3), np.array([0, math.sin(0.1), 0, math.cos(0.1)]))
    expected = turn(0.3) @ pitch @ roll
    np.testing.assert_allclose(pose.quaternion_xyzw, expected.quaternion_xyzw, atol=1e-12)


def test_a_pose_times_its_inverse_is_nothing() -> None:
    pose = pose_from_xyzrpy([1, 2, 3, 0.1, 0.2, 0.3])
    product = pose @ pose.inverse()
    np.testing.assert_allclose(product.position_m, 0, atol=1e-12)
    np.testing.assert_allclose(product.quaternion_xyzw, [0, 0, 0, 1], atol=1e-12)


def test_extrinsics_come_from_the_lookup_once_it_knows_and_stay() -> None:
    known: dict[tuple[str, str], Pose] = {}
    said: list[str] = []
    extrinsics = Extrinsics('base_link', NOWHERE, lambda *frames: known.get(frames), said.append)
    assert extrinsics.pose_of('radar') == (NOWHERE, 'parameter')
    assert said == ["TF does not know 'radar' in 'base_link': using radar_extrinsics"]
    known['base_link', 'radar'] = mounted = pose_from_xyzrpy([1, 0, 0, 0, 0, 0])
    assert extrinsics.pose_of('radar') == (mounted, 'tf')
    known.clear()
    assert extrinsics.pose_of('radar') == (mounted, 'tf')
    assert extrinsics.pose_of('') == (NOWHERE, 'parameter')


def test_without_tf_the_parameter_is_used() -> None:
    said: list[str] = []
    extrinsics = Extrinsics('base_link', NOWHERE, None, said.append)
    assert extrinsics.pose_of('radar') == (NOWHERE, 'parameter')
    assert said == []


def test_diagnostics_carry_levels_as_ros_wants_them() -> None:
    statuses = [Status('input', Level.WARN, 'few points', {'rate_hz': 9.5})]
    msg = diagnostics_msg(statuses, 'ssd_localizer', 'uuid', Time(sec=1))
    (status,) = msg.status
    assert (status.name, status.level) == ('ssd_localizer: input', b'\x01')
    assert (status.values[0].key, status.values[0].value) == ('rate_hz', '9.5')
    assert status.hardware_id == 'uuid'


def test_json_has_null_for_what_is_not_a_number() -> None:
    text = json_text({'a': math.nan, 'b': [math.inf, 1.5], 'c': {'d': 'x'}})
    assert json.loads(text) == {'a': None, 'b': [None, 1.5], 'c': {'d': 'x'}}
