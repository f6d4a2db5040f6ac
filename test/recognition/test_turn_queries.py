# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the answers to turns of a spinning radar, whose right places and headings are known."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.scan_context_encoder import ScanContextEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.files import MapInfo
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.recognition.answer import Recognition, RecognizerConfig, SensorPose
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.radar_check import radar_words
from ssd_ros.recognition.turn_preprocessor import TurnPreprocessor
from ssd_ros.shared_files import ENCODERS, shared_file
from support.calibrations import EASY
from support.posts import PostDrive, random_posts, SMALL, small_encoder, straight_drive

# Thirty keyframes, one every 10 m; so slow that nothing moves during a turn of the radar.
DRIVE = replace(straight_drive(num=30), posts=random_posts(1000), step_ns=100_000_000_000)
RISKY = RecognizerConfig(accept_risk_unknown_radar=True)


@pytest.fixture(scope='module')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('teacher'), 'spinning')


@pytest.fixture(scope='module')
def database(teacher: OnnxEncoder) -> PlaceDatabase:
    return build_database(DRIVE, teacher)


def turn_at(x_m: float, y_m: float, turned_deg: float) -> SpinningRadarScan:
    """Return what a radar sees there."""
    pose = np.array([[x_m, y_m, math.radians(turned_deg)]])
    return replace(DRIVE, xy_yaw=pose).scan(0)


@pytest.mark.parametrize('turned_deg', [0, 33, 90, -137, 180])
def test_place_and_heading_are_found_at_once(
    teacher: OnnxEncoder, database: PlaceDatabase, turned_deg: float
) -> None:
    views_only = RecognizerConfig(verified_candidates=0)
    for place in (3, 12, 25):
        scan = turn_at(10.0 * place, 0.0, turned_deg)
        best = PlaceRecognizer(teacher, [database], views_only).process(scan).candidates[0]
        assert best.keyframe_id == place
        miss_deg = math.degrees(best.relative_yaw_rad) - turned_deg
        # Columns of 2.5 degrees, views of 10.
        assert abs(math.remainder(miss_deg, 360)) < 5
        assert not best.verified


def test_the_verified_pose_is_that_of_the_query_in_the_keyframe(
    teacher: OnnxEncoder, database: PlaceDatabase
) -> None:
    # 3 m ahead of keyframe 12, 1 m to its left, looking back.
    answer = PlaceRecognizer(teacher, [database]).process(turn_at(123.0, 1.0, 174.0))
    best = next(item for item in answer.candidates if item.keyframe_id == 12)
    assert best.verified
    # The cells of this small model are 1.6 m deep and 2.5 degrees wide.
    assert (best.relative_x_m, best.relative_y_m) == pytest.approx((3, 1), abs=1.0)
    assert math.degrees(best.relative_yaw_rad) == pytest.approx(174, abs=2.5)
    assert best.overlap > 0.5
    assert [item.verified for item in answer.candidates] == [True] * 7 + [False] * 3
    assert not answer.low_points
    assert not answer.stationary  # nobody knows


def answers(database: PlaceDatabase, recognizer: PlaceRecognizer) -> list[Recognition]:
    recognizer.swap_maps([database])
    queries = [recognizer.prepare(turn_at(10.0 * place, 0.0, 90.0)) for place in range(5, 25)]
    return [recognizer.query(query, is_requested=True) for query in queries]


@pytest.mark.parametrize(('calibration', 'known'), [(None, 'none'), (EASY, '4D radar')])
def test_nothing_is_accepted_that_no_calibration_has_seen(
    teacher: OnnxEncoder, database: PlaceDatabase, calibration: object, known: str
) -> None:
    database.confidence = calibration  # type: ignore[assignment]
    try:
        found = answers(database, PlaceRecognizer(teacher, []))
        assert {one.unlike_radar for one in found} == {f'a spinning radar (known: {known})'}
        assert not any(item.accepted for one in found for item in one.candidates)
        assert found[0].decision.reason == (
            'this radar is unlike those the calibration knows: a spinning radar (known: '
            f'{known}): nothing is accepted until trust was run with drives of yours'
        )
        assert radar_words([database], '', 'spinning').endswith(f'(known: {known})')
        # At a risk, what the model carries decides; a calibration of others says nothing.
        found = answers(database, PlaceRecognizer(teacher, [], RISKY))
        assert all(one.decision.accepted for one in found)
        assert 'distance' in found[0].decision.reason
        assert math.isnan(found[0].candidates[0].confidence)
    finally:
        database.confidence = None


def test_a_calibration_of_turns_decides_for_turns_alone(
    teacher: OnnxEncoder, database: PlaceDatabase, tmp_path: Path
) -> None:
    database.confidence = replace(EASY, queries='spinning')
    database.save(tmp_path / 'a.map')
    database.confidence = None
    calibrated = PlaceDatabase.load(tmp_path / 'a.map')
    found = answers(calibrated, PlaceRecognizer(teacher, []))
    assert {one.unlike_radar for one in found} == {''}
    assert all(one.decision.accepted for one in found)
    assert found[0].candidates[0].confidence > 0.9
    student = PlaceRecognizer(small_encoder(tmp_path, '4d'), [calibrated])
    of_cloud = student.process(DRIVE.cloud(12))
    assert of_cloud.unlike_radar == 'a 4D radar (known: spinning radar)'
    assert not of_cloud.decision.accepted


def test_odometry_supports_turns_as_it_does_clouds(
    teacher: OnnxEncoder, database: PlaceDatabase
) -> None:
    recognizer = PlaceRecognizer(teacher, [database])
    x_m, support = np.arange(50.0, 140.0, 4.0), []
    drive = replace(DRIVE, xy_yaw=np.stack([x_m, 0 * x_m, 0 * x_m], axis=1))
    for number, position_m in enumerate(drive.scan_poses.positions_m):
        pose = SensorPose(position_m, quaternion_from_yaw(0.0))
        found = recognizer.process(drive.scan(number), pose)
        support.append(found.candidates[0].support)
    assert np.isnan(support[:8]).all()
    assert np.median(support[10:]) >= 0.75


def moving(step_ns: int = 250_000_000) -> PostDrive:
    return replace(straight_drive(num=8, step_m=2.0), posts=random_posts(1000), step_ns=step_ns)


def test_returns_are_moved_to_the_middle_of_the_turn_as_those_of_keyframes(
    teacher: OnnxEncoder,
) -> None:
    drive = moving()
    database, turns = build_database(drive, teacher), TurnPreprocessor(SMALL)
    poses, stood = drive.scan_poses, TurnPreprocessor(SMALL).process(drive.scan(4))
    for number in range(5):
        pose = SensorPose(poses.positions_m[number], poses.quaternions_xyzw[number])
        image = turns.process(drive.scan(number), pose)
    returns_cm = database.returns_cm[4][: len(image.points_m)]
    np.testing.assert_allclose(image.points_m * 100, returns_cm, atol=0.01)
    # Without odometry it is taken to stand: what is behind was seen half a turn, 1 m, off.
    apart_m = np.linalg.norm(image.points_m[:, None] - stood.points_m[None], axis=2).min(axis=1)
    assert 0.5 < apart_m.max() < 1.5
    # Another segment of the odometry tells nothing of the way from the last one.
    apart = turns.process(drive.scan(4), pose, segment=1)
    np.testing.assert_array_equal(apart.points_m, stood.points_m)


def test_scan_contexts_take_turns_too() -> None:
    encoder = ScanContextEncoder(shared_file(ENCODERS['scan_context'].teacher), 'spinning')
    recognizer = PlaceRecognizer(encoder, [build_database(DRIVE, encoder)])
    best = recognizer.process(turn_at(120.0, 0.0, 90.0)).candidates[0]
    assert best.keyframe_id == 12
    assert math.degrees(best.relative_yaw_rad) == pytest.approx(90, abs=3)


def test_maps_of_single_windows_and_live_sessions_are_refused(
    teacher: OnnxEncoder, tmp_path: Path
) -> None:
    student = small_encoder(tmp_path, '4d')
    live = LiveSession(student.contract.descriptor_size)
    recognizer = PlaceRecognizer(student, [], RecognizerConfig(min_points=1), live)
    for number, cloud in enumerate(map(DRIVE.cloud, range(3))):
        pose = SensorPose(np.array([10.0 * number, 0.0, 0.0]), quaternion_from_yaw(0.0))
        recognizer.process(cloud, pose)
    info = MapInfo(student.contract.descriptor_space, student.digest, 1, 2.0, '4d')
    with pytest.raises(MapError, match='by a 4D radar, whose keyframes show a part of'):
        PlaceRecognizer(teacher, [PlaceDatabase(live.to_map(info))])
    with pytest.raises(ValueError, match='remembered of a 4D radar alone'):
        PlaceRecognizer(teacher, [], live=live)
