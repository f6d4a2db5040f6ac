# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check poses, rows and covariances against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time
import numpy as np
import pytest
from ssd_ros.bev.preprocessing import RadarImage
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.ego_velocity import EgoVelocity, Motion
from ssd_ros.recognition.answer import (
    LoopClosureCandidate,
    Query,
    Recognition,
    SensorPose,
    StageTimes,
)
from ssd_ros.recognition.candidates import Flag
from ssd_ros.recognition.decision import Decision
from ssd_ros.ros.health.inputs import Level, Status
from ssd_ros.ros.inputs.extrinsics import Extrinsics
from ssd_ros.ros.matching.matcher import Answer, Job, NewestScan
from ssd_ros.ros.messages.candidate_rows import candidate_rows
from ssd_ros.ros.messages.conversions import (
    bev_msg,
    candidate_poses_msg,
    diagnostics_msg,
    keyframes_msg,
    MAX_SHOWN,
)
from ssd_ros.ros.messages.geometry import Pose, pose_from_xyzrpy, turn
from ssd_ros.ros.outputs.closures import accepted_closure, at_newest_scan, pose_covariance
from ssd_ros.ros.parameters.node import NodeParameters
from std_msgs.msg import Header
from support.posts import small_encoder, straight_drive

ACCEPTED, REJECTED = Decision('accepted', 'near'), Decision('rejected', 'far')
NOWHERE = pose_from_xyzrpy([0, 0, 0, 0, 0, 0])
# Keyframe at UTM-like coordinates, looking north (+y); the query looks 90 degrees further left.
CANDIDATE = LoopClosureCandidate(
    keyframe_id=2**24 + 1,
    map_id=0xDEADBEEF,
    rank=0,
    relative_yaw_rad=math.pi / 2,
    relative_yaw_std_rad=0.05,
    relative_x_m=math.nan,
    relative_y_m=math.nan,
    covariance=np.full((3, 3), math.nan),
    overlap=math.nan,
    distance=0.5,
    ratio=0.8,
    agreement=0.0,
    support=math.nan,
    rival=0.0,
    ambiguity=0.0,
    confidence=math.nan,
    decision=ACCEPTED,
    stamp_ns=1_735_689_600_000_000_001,
    position_m=np.array([500_000.25, 4_500_000.5, 30.0]),
    quaternion_xyzw=quaternion_from_yaw(math.pi / 2),
    is_live=False,
)


def test_a_row_keeps_full_precision_and_whole_numbers() -> None:
    (row,) = candidate_rows([CANDIDATE], NOWHERE, 0.9, Flag(0))
    assert (row['map_x'], row['map_y'], row['map_z']) == (500_000.25, 4_500_000.5, 30)
    assert row['x'] == np.float32(500_000.25)
    assert row['keyframe_id'] == 16_777_217
    assert row['map_id'] == 0xDEADBEEF
    assert (row['kf_stamp_sec'], row['kf_stamp_nanosec']) == (1_735_689_600, 1)
    assert row['relative_yaw'] == pytest.approx(math.pi / 2)


def test_a_row_has_the_age_of_the_answer_and_the_revision_of_its_map(tmp_path: Path) -> None:
    build_database(straight_drive(num=3), small_encoder(tmp_path, 'spinning')).save(
        tmp_path / 'map.ssd'
    )
    place = open_map(tmp_path / 'map.ssd')
    found = [replace(CANDIDATE, map_id=place.map_id), CANDIDATE]
    rows = candidate_rows(found, NOWHERE, 0.9, Flag(0), [place], 0.25)
    assert rows['age'].tolist() == [0.25, 0.25]
    assert rows['map_revision'].tolist() == [int(place.revision, 16), 0]
    assert np.isnan(candidate_rows([CANDIDATE], NOWHERE, 0.9, Flag(0))['age']).all()


@pytest.mark.parametrize(
    ('changes', 'query_flags', 'expected'),
    [
        ({}, Flag(0), Flag.ACCEPTED | Flag.YAW_VALID),
        ({'decision': REJECTED, 'ratio': 0.95}, Flag(0), Flag.AMBIGUOUS | Flag.YAW_VALID),
        ({'decision': REJECTED}, Flag.LOW_POINTS, Flag.LOW_POINTS | Flag.YAW_VALID),
        ({'relative_yaw_std_rad': math.pi / math.sqrt(3)}, Flag.STATIONARY,
         Flag.ACCEPTED | Flag.STATIONARY),
        # Laid over, but it fits no better than another world may.
        ({'overlap': 0.22}, Flag(0), Flag.ACCEPTED | Flag.YAW_VALID),
        ({'overlap': 0.23}, Flag(0),
         Flag.ACCEPTED | Flag.YAW_VALID | Flag.GEOMETRICALLY_VERIFIED),
    ],
)  # fmt: skip
def test_flags_of_a_row(changes: dict[str, Any], query_flags: Flag, expected: Flag) -> None:
    (row,) = candidate_rows([replace(CANDIDATE, **changes)], NOWHERE, 0.9, query_flags)
    assert Flag(int(row['flags'])) == expected
    assert np.isnan(row['relative_yaw']) == (Flag.YAW_VALID not in expected)


def test_no_candidate_gives_no_row() -> None:
    assert candidate_rows([], NOWHERE, 0.9, Flag(0)).shape == (0,)


def test_yaw_and_pose_are_those_of_the_base_not_of_the_radar() -> None:
    # The radar sits 2 m before the base and looks to its right.
    base_radar = pose_from_xyzrpy([2, 0, 0, 0, 0, -math.pi / 2])
    (row,) = candidate_rows([CANDIDATE], base_radar, 0.9, Flag(0))
    # The radar is turned 90 degrees left of the keyframe, the base another 90.
    assert abs(row['relative_yaw']) == pytest.approx(math.pi)
    (pose,) = candidate_poses_msg([CANDIDATE], base_radar, Header()).poses
    # In the map the base looks south (north + 180) and its radar, 2 m ahead, is at the keyframe.
    assert pose.position.x == pytest.approx(500_000.25)
    assert pose.position.y == pytest.approx(4_500_002.5)
    yaw_rad = 2 * math.atan2(pose.orientation.z, pose.orientation.w)
    assert math.remainder(yaw_rad, 2 * math.pi) == pytest.approx(-math.pi / 2)


# The radar stands 3 m ahead of the keyframe and 1 m to its left.
VERIFIED = replace(
    CANDIDATE,
    relative_x_m=3.0,
    relative_y_m=1.0,
    covariance=np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.0], [0.0, 0.0, 0.0025]]),
    overlap=0.7,
    support=0.6,
    confidence=0.98,
)


def test_a_verified_row_has_the_pose_of_the_base_with_its_covariance() -> None:
    # The radar sits 2 m before the base and looks ahead; it is turned 90 degrees left.
    (row,) = candidate_rows([VERIFIED], pose_from_xyzrpy([2, 0, 0, 0, 0, 0]), 0.9, Flag(0))
    assert (row['relative_x'], row['relative_y']) == pytest.approx((3, -1))
    assert row['confidence'] == row['intensity'] == pytest.approx(0.98)
    assert Flag.GEOMETRICALLY_VERIFIED | Flag.SEQUENCE_CONSISTENT in Flag(int(row['flags']))
    # The base lies 2 m behind along -y: an error of heading of 0.05 rad moves it 0.1 m along x.
    names = ('xx', 'xy', 'yy', 'x_yaw', 'y_yaw')
    found = [row[f'covariance_{name}'] for name in names]
    np.testing.assert_allclose(found, [0.05, 0.01, 0.09, 0.005, 0], atol=1e-7)


@pytest.mark.parametrize(('floor_m', 'expected'), [
    # The keyframe looks north: what is along x there is along y in the map.
    (0.1, [[0.09, -0.01], [-0.01, 0.04]]),
    (1.0, [[1.0, 0.0], [0.0, 1.0]]),
])  # fmt: skip
def test_the_covariance_of_a_verified_candidate_is_turned_into_the_map(
    floor_m: float, expected: list[list[float]]
) -> None:
    parameters = NodeParameters.from_values({'covariance_floor_xy': floor_m})
    covariance = pose_covariance(VERIFIED, NOWHERE, 2.0, parameters)
    np.testing.assert_allclose(covariance[:2, :2], expected, atol=1e-9)
    assert covariance[5, 5] == pytest.approx(0.0025)


def answer_of(*found: LoopClosureCandidate) -> Answer:
    recognition = Recognition(
        stamp_ns=7,
        candidates=found,
        decision=found[0].decision,
        timings_ms=StageTimes(1, 2, 3, 4),
        num_points=100,
        low_points=False,
        ego_velocity=EgoVelocity(Motion.UNKNOWN, np.zeros(3), np.zeros(3), np.zeros(0, bool)),
    )
    return Answer(recognition, (), max_ratio=0.9, live_distance_m=6.0)


def test_a_closure_says_where_the_base_is_and_how_surely() -> None:
    live = replace(VERIFIED, is_live=True)
    # The radar sits 2 m before the base and looks ahead.
    base_radar = pose_from_xyzrpy([2, 0, 0, 0, 0, 0])
    answer = answer_of(replace(CANDIDATE, decision=REJECTED), live)
    assert accepted_closure(answer, False, base_radar, NodeParameters()) is None
    closure = accepted_closure(answer, True, base_radar, NodeParameters())
    assert closure is not None
    assert (closure.query_stamp_ns, closure.keyframe_stamp_ns) == (7, CANDIDATE.stamp_ns)
    # The keyframe looks north: 3 m ahead is +y, 1 m left is -x; the query looks west, so that
    # its base is 2 m to the east.
    expected = (500_000.25 - 1 + 2, 4_500_000.5 + 3, 30)
    np.testing.assert_allclose(closure.map_base.position_m, expected)
    assert closure.base_keyframe is base_radar
    assert closure.confidence == 0.98


def job_of(query_pose: Pose | None, newest_pose: Pose | None, segment: int = 0) -> Job:
    """Return a query by submap of the stamp 7, at a scan of the stamp 9."""
    unknown = EgoVelocity(Motion.UNKNOWN, np.zeros(3), np.zeros(3), np.zeros(0, bool))
    image = RadarImage(np.zeros((1, 1), np.uint8), unknown, np.zeros((0, 2), np.float32))
    then, now = (
        None if pose is None else SensorPose(pose.position_m, pose.quaternion_xyzw)
        for pose in (query_pose, newest_pose)
    )
    newest = NewestScan(9, now, segment)
    return Job(Query(7, image, then, None, 0.0, 7), newest, 'radar', NOWHERE, 0.0, 0.0)


def test_what_was_half_a_submap_ago_is_brought_to_the_newest_scan() -> None:
    answer = answer_of(replace(VERIFIED, is_live=True))
    closure = accepted_closure(answer, True, NOWHERE, NodeParameters())
    assert closure is not None
    # The vehicle looked west in the map, north in odometry, and came 70 m ahead.
    then = pose_from_xyzrpy([5, 5, 0, 0, 0, math.pi / 2])
    now = pose_from_xyzrpy([5, 75, 0, 0, 0, math.pi / 2])
    here = at_newest_scan(closure, job_of(then, now))
    assert here is not None
    moved_m = here.map_base.position_m - closure.map_base.position_m
    np.testing.assert_allclose(moved_m, [-70, 0, 0], atol=1e-6)
    assert (here.query_stamp_ns, closure.query_stamp_ns) == (9, 7)
    # 3 % of drift; and by 70 m a wrong heading leads aside.
    added = np.diag(here.covariance - closure.covariance)[:2]
    heading = closure.covariance[5, 5]
    expected = [2.1**2, 2.1**2 + 70**2 * heading - 2 * 70 * closure.covariance[1, 5]]
    np.testing.assert_allclose(added, expected, rtol=1e-6)


def test_where_odometry_does_not_tell_nothing_is_brought_on() -> None:
    answer = answer_of(replace(VERIFIED, is_live=True))
    closure = accepted_closure(answer, True, NOWHERE, NodeParameters())
    assert closure is not None
    assert at_newest_scan(closure, job_of(None, NOWHERE)) is None
    assert at_newest_scan(closure, job_of(NOWHERE, NOWHERE, segment=1)) is None
    by_window = replace(job_of(None, None), newest=NewestScan(7, None, 0))
    assert at_newest_scan(closure, by_window) is closure


def test_a_closure_needs_a_heading_unless_told_otherwise() -> None:
    live = replace(CANDIDATE, is_live=True, relative_yaw_std_rad=math.pi / math.sqrt(3))
    answer = answer_of(live)
    assert accepted_closure(answer, True, NOWHERE, NodeParameters()) is None
    parameters = NodeParameters.from_values({'allow_unknown_yaw': True})
    closure = accepted_closure(answer, True, NOWHERE, parameters)
    assert closure is not None
    # Uniform over the circle; floor 1 m and places 6 m apart: 1 + 36 / 12.
    assert closure.covariance[5, 5] == pytest.approx(math.pi**2 / 3)
    assert closure.covariance[0, 0] == pytest.approx(4)


def test_candidate_poses_are_keyframes_turned_by_the_yaw() -> None:
    (pose,) = candidate_poses_msg([CANDIDATE], NOWHERE, Header()).poses
    assert (pose.position.x, pose.position.y, pose.position.z) == (500_000.25, 4_500_000.5, 30)
    # North plus 90 degrees left is west.
    assert 2 * math.atan2(pose.orientation.z, pose.orientation.w) == pytest.approx(math.pi)


def test_the_covariance_scales_and_is_never_zero() -> None:
    parameters = NodeParameters.from_values(
        {'covariance_floor_xy': 2.0, 'covariance_z': 3.0, 'covariance_scale': 2.0}
    )
    covariance = pose_covariance(CANDIDATE, NOWHERE, 6.0, parameters)
    # xy: (2^2 + 6^2 / 12) * 2 = 14; yaw: 0.05^2 * 2.
    np.testing.assert_allclose(np.diag(covariance), [14, 14, 18, 0.005, 0.005, 0.005])
    assert np.count_nonzero(covariance) == 6


def test_the_picture_of_the_encoder_keeps_rows_and_columns() -> None:
    bev = np.arange(6, dtype=np.uint8).reshape(2, 3)
    msg = bev_msg(bev, Header(frame_id='radar'))
    assert (msg.height, msg.width, msg.step, list(msg.data)) == (2, 3, 3, [0, 1, 2, 3, 4, 5])


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


def straight_map(num_keyframes: int) -> PlaceDatabase:
    positions_m = np.zeros((num_keyframes, 3))
    positions_m[:, 0] = np.arange(num_keyframes)
    quaternions = quaternion_from_yaw(np.zeros(num_keyframes))
    descriptors = np.tile(np.array([1, 0], np.float32), (num_keyframes, 1))
    info = MapInfo('a' * 64, 'b' * 64, 1, 2.0)
    returns_cm = np.zeros((num_keyframes, 8, 2), np.int16)
    poses = Trajectory(np.arange(num_keyframes), positions_m, quaternions)
    return PlaceDatabase(MapContent(descriptors, poses, returns_cm, info))


def test_of_a_long_way_as_many_keyframes_are_shown_as_a_window_can_draw() -> None:
    whole = keyframes_msg([straight_map(30), straight_map(5)], Header())
    assert [pose.position.x for pose in whole.poses] == [*range(30), *range(5)]
    thinned = keyframes_msg([straight_map(MAX_SHOWN), straight_map(7)], Header())
    assert [pose.position.x for pose in thinned.poses] == [*range(0, MAX_SHOWN, 2), 0, 2, 4, 6]
