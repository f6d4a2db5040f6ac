# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the answers to queries among posts, whose right places and headings are known."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.live_session import LIVE_MAP_ID, LiveSession
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.neighbours import Neighbours
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.maps.place_search import merge_hits
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.answer import RecognizerConfig, SensorPose
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import moving_drive, small_encoder, straight_drive

# Thirty keyframes, one every 10 m.
MAP_DRIVE = straight_drive(num=30)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('student'), '4d')


@pytest.fixture(scope='module')
def database(tmp_path_factory: pytest.TempPathFactory) -> PlaceDatabase:
    return build_database(MAP_DRIVE, small_encoder(tmp_path_factory.mktemp('t'), 'spinning'))


def test_every_place_of_the_drive_is_found_again(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    for index in range(30):
        answer = PlaceRecognizer(student, [database]).process(MAP_DRIVE.cloud(index))
        assert answer.candidates[0].keyframe_id == index
        assert abs(answer.candidates[0].relative_yaw_rad) < math.radians(4)
        assert answer.stamp_ns == MAP_DRIVE.cloud_stamps_ns[index]


@pytest.mark.parametrize('turn_deg', [-90, 30, 170, 180])
def test_the_relative_yaw_is_positive_for_a_query_turned_left(
    student: OnnxEncoder, database: PlaceDatabase, turn_deg: int
) -> None:
    query = straight_drive(num=30, yaw_rad=math.radians(turn_deg)).cloud(12)
    views_only = RecognizerConfig(verified_candidates=0)
    best = PlaceRecognizer(student, [database], views_only).process(query).candidates[0]
    assert best.keyframe_id == 12
    assert math.degrees(best.relative_yaw_rad) == pytest.approx(turn_deg)
    assert math.degrees(best.relative_yaw_std_rad) == pytest.approx(10 / math.sqrt(12))
    assert not best.verified
    assert math.isnan(best.relative_x_m)


def test_the_verified_pose_is_that_of_the_query_in_the_keyframe(
    student: OnnxEncoder, tmp_path: Path
) -> None:
    # So slow that the posts stand still during a turn of the radar, as these drives have it.
    slow = replace(MAP_DRIVE, step_ns=100_000_000_000)
    database = build_database(slow, small_encoder(tmp_path, 'spinning'))
    # 3 m ahead of keyframe 12, 1 m to its left, turned 94 degrees to the left.
    drive = replace(MAP_DRIVE, xy_yaw=np.array([[123.0, 1.0, math.radians(94)]]))
    answer = PlaceRecognizer(student, [database]).process(drive.cloud(0))
    best = next(item for item in answer.candidates if item.keyframe_id == 12)
    assert best.verified
    # The cells of this small model are 1.6 m deep and 2.5 degrees wide.
    assert (best.relative_x_m, best.relative_y_m) == pytest.approx((3, 1), abs=1.6)
    assert math.degrees(best.relative_yaw_rad) == pytest.approx(94, abs=5)
    assert 0.1**2 <= best.covariance[0, 0] < 1
    assert [item.verified for item in answer.candidates] == [True] * 7 + [False] * 3


def test_a_candidate_carries_the_pose_and_stamp_of_its_keyframe(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    best = PlaceRecognizer(student, [database]).process(MAP_DRIVE.cloud(7)).candidates[0]
    assert best.position_m.tolist() == [70, 0, 0]
    assert best.quaternion_xyzw.tolist() == [0, 0, 0, 1]
    assert best.stamp_ns == MAP_DRIVE.scan_stamps_ns[7]


def test_candidates_are_ranked_by_distance_and_no_more_than_asked(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    config = RecognizerConfig(top_k=4)
    candidates = (
        PlaceRecognizer(student, [database], config).process(MAP_DRIVE.cloud(7)).candidates
    )
    distances = [candidate.distance for candidate in candidates]
    assert distances == sorted(distances)
    assert [candidate.rank for candidate in candidates] == [0, 1, 2, 3]
    assert len({candidate.keyframe_id for candidate in candidates}) == 4


def no_returns(num_keyframes: int) -> NDArray[np.int16]:
    return np.zeros((num_keyframes, 8, 2), np.int16)


def places_at(*x_m: float) -> PlaceDatabase:
    num = len(x_m)
    positions_m = np.array([[x, 0, 0] for x in x_m], dtype=np.float64)
    poses = Trajectory(np.arange(num), positions_m, quaternion_from_yaw(np.zeros(num)))
    descriptors = np.tile(np.array([1, 0], np.float32), (num, 1))
    return PlaceDatabase(
        MapContent(descriptors, poses, no_returns(num), MapInfo('a' * 64, 'b' * 64, 1, 2.0))
    )


def ratios_of(
    database: PlaceDatabase, found: Neighbours, top_k: int, radius_m: float
) -> list[float]:
    return [hit.ratio for hit in merge_hits([(database, found)], top_k, radius_m)]


def neighbours(*distances: float, horizon: float) -> Neighbours:
    order = np.arange(len(distances))
    return Neighbours(order, 0 * order, np.array(distances, np.float32), horizon)


def test_the_ratio_is_to_the_best_place_outside_the_ambiguity_radius() -> None:
    found = neighbours(0.2, 0.3, 0.4, horizon=0.8)
    ratios = ratios_of(places_at(0, 10, 100), found, 3, radius_m=25)
    np.testing.assert_allclose(ratios, [0.2 / 0.4, 0.3 / 0.4, 0.4 / 0.2])
    np.testing.assert_allclose(ratios_of(places_at(0, 10, 100), found, 1, 5), [0.2 / 0.3])


def test_without_another_place_the_ratio_is_bounded_by_the_last_row() -> None:
    found = neighbours(0.2, 0.3, horizon=0.5)
    np.testing.assert_allclose(ratios_of(places_at(0, 10), found, 2, 25), [0.2 / 0.5, 0.3 / 0.5])


def test_two_maps_are_searched_as_one() -> None:
    near, far = places_at(0, 10), places_at(300)
    found = [(near, neighbours(0.2, 0.5, horizon=0.6)), (far, neighbours(0.4, horizon=0.9))]
    hits = merge_hits(found, 3, 25)
    assert [(hit.source is far, hit.number) for hit in hits] == [(False, 0), (True, 0), (False, 1)]
    np.testing.assert_allclose([hit.ratio for hit in hits], [0.2 / 0.4, 0.4 / 0.2, 0.5 / 0.4])


def test_fewer_rows_never_lower_a_ratio(student: OnnxEncoder, database: PlaceDatabase) -> None:
    query = PlaceRecognizer(student, [database]).prepare(MAP_DRIVE.cloud(15))
    ratios = [
        PlaceRecognizer(student, [database], RecognizerConfig(search_rows=rows))
        .query(query)
        .candidates[0]
        .ratio
        for rows in (1, 5, 500)
    ]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == 1 > ratios[2]


def test_acceptance_follows_the_limits_of_the_config(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    def accepted(config: RecognizerConfig) -> bool:
        recognizer = PlaceRecognizer(student, [database], config)
        return recognizer.process(MAP_DRIVE.cloud(15)).candidates[0].accepted

    best = PlaceRecognizer(student, [database]).process(MAP_DRIVE.cloud(15)).candidates[0]
    assert 0 < best.distance < 1
    assert accepted(RecognizerConfig())  # the contract's 1.0 and 0.9
    assert not accepted(RecognizerConfig(accept_max_distance=best.distance * 0.99))
    assert accepted(RecognizerConfig(accept_max_distance=best.distance * 1.01))
    assert not accepted(RecognizerConfig(accept_max_ratio=best.ratio * 0.99))
    assert not accepted(RecognizerConfig(min_points=1000))


def test_a_nearly_empty_scan_is_answered_but_not_accepted(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    cloud = MAP_DRIVE.cloud(15)
    few = cloud.select(np.arange(len(cloud)) < 7)
    answer = PlaceRecognizer(student, [database]).process(few)
    assert answer.low_points
    assert answer.num_points == 7
    assert len(answer.candidates) == 10
    assert not any(candidate.accepted for candidate in answer.candidates)


def test_a_scan_too_small_to_tell_is_accepted_in_no_map(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    # Not calibrated, and the user asks for no points: distance and ratio alone would accept it.
    cloud = MAP_DRIVE.cloud(15)
    few = cloud.select(np.arange(len(cloud)) < 15)
    config = RecognizerConfig(min_points=0, accept_max_distance=2.0, accept_max_ratio=1.0)
    answer = PlaceRecognizer(student, [database], config).process(few)
    assert not any(item.accepted or item.verified for item in answer.candidates)
    assert answer.decision.reason == 'too few to tell: 9 distinct points of 15'


def test_an_empty_scan_is_no_error(student: OnnxEncoder, database: PlaceDatabase) -> None:
    empty = MAP_DRIVE.cloud(0).select(np.zeros(len(MAP_DRIVE.cloud(0)), bool))
    answer = PlaceRecognizer(student, [database]).process(empty)
    assert answer.low_points
    assert not answer.stationary


def test_the_window_gathers_points_until_it_is_cleared(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    recognizer = PlaceRecognizer(student, [database])
    num_points = len(MAP_DRIVE.cloud(3))
    assert recognizer.process(MAP_DRIVE.cloud(3)).num_points == num_points
    assert recognizer.process(MAP_DRIVE.cloud(3)).num_points == 2 * num_points
    recognizer.clear()
    assert recognizer.prepare(MAP_DRIVE.cloud(3)).image.num_points == num_points


def test_a_recognition_says_how_long_it_took_and_whether_the_radar_stood(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    recognizer = PlaceRecognizer(student, [database])
    answer = recognizer.process(MAP_DRIVE.cloud(3))
    assert all(milliseconds > 0 for milliseconds in answer.timings_ms)
    assert answer.stationary
    cloud = MAP_DRIVE.cloud(3)
    forward = cloud.xyz_m[:, 0] / np.linalg.norm(cloud.xyz_m, axis=1)
    moving = RadarPointCloud(cloud.stamp_ns, cloud.xyz_m, cloud.rcs_dbsm, -5 * forward)
    assert not recognizer.process(moving).stationary


def test_a_map_can_be_swapped_and_a_foreign_one_leaves_the_old(
    student: OnnxEncoder, database: PlaceDatabase, tmp_path: Path
) -> None:
    recognizer = PlaceRecognizer(student, [database])
    short = replace(MAP_DRIVE, xy_yaw=MAP_DRIVE.xy_yaw[10:20])
    recognizer.swap_maps([build_database(short, small_encoder(tmp_path, 'spinning'))])
    assert recognizer.process(MAP_DRIVE.cloud(12)).candidates[0].keyframe_id == 2
    foreign = build_database(short, small_encoder(tmp_path, 'spinning', space='f' * 64))
    with pytest.raises(MapError, match='space ffffffffffff, but the loaded student'):
        recognizer.swap_maps([foreign])
    assert recognizer.maps != (foreign,)
    with pytest.raises(MapError, match='same training run'):
        PlaceRecognizer(student, [foreign])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'top_k': 0}, 'top_k is 0, expected at least 1'),
        ({'search_rows': 0}, 'search_rows is 0'),
        ({'ambiguity_radius_m': -1.0}, r'ambiguity_radius_m is -1\.0, expected 0 \.\. inf'),
        ({'accept_max_distance': 2.5}, r'accept_max_distance is 2\.5, expected 0 \.\. 2'),
        ({'accept_max_ratio': float('nan')}, 'accept_max_ratio is nan'),
        ({'min_points': -1}, 'min_points is -1'),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(
    options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RecognizerConfig(**options)  # type: ignore[arg-type]


def pose_on_the_way(x_m: float) -> SensorPose:
    return SensorPose(np.array([x_m, 0.0, 0.0]), quaternion_from_yaw(0.0))


def test_queries_that_agree_along_the_way_support_a_candidate(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    recognizer = PlaceRecognizer(student, [database])
    x_m = np.arange(50.0, 140.0, 4.0)
    drive = replace(MAP_DRIVE, xy_yaw=np.stack([x_m, 0 * x_m, 0 * x_m], axis=1))
    support = [
        recognizer.process(drive.cloud(index), pose_on_the_way(x)).candidates[0].support
        for index, x in enumerate(x_m)
    ]
    # Nobody knows before eight have been asked; then three of four agree, of twenty points each.
    assert np.isnan(support[:8]).all()
    assert np.median(support[10:]) >= 0.75
    recognizer.clear()
    answer = recognizer.process(drive.cloud(0), pose_on_the_way(140.0))
    assert math.isnan(answer.candidates[0].support)


def test_without_odometry_and_velocity_the_support_is_unknown(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    cloud = MAP_DRIVE.cloud(15)
    few = cloud.select(np.arange(len(cloud)) < 2)
    answer = PlaceRecognizer(student, [database]).process(few)
    assert math.isnan(answer.candidates[0].support)


def test_the_running_drive_is_remembered_and_found_again_when_it_is_not_recent(
    student: OnnxEncoder,
) -> None:
    live = LiveSession(student.contract.descriptor_size)
    config = RecognizerConfig(exclude_recent_s=30, min_points=1)
    recognizer = PlaceRecognizer(student, [], config, live)
    for index in range(30):
        answer = recognizer.process(MAP_DRIVE.cloud(index), pose_on_the_way(index * 10.0))
        # The scans are 2 s apart: of the session, those 15 and more back may be found.
        assert all(item.keyframe_id <= index - 15 for item in answer.candidates)
        assert len(answer.candidates) == min(max(index - 14, 0), 10)
    assert len(live) == 30
    again = replace(MAP_DRIVE.cloud(7), stamp_ns=MAP_DRIVE.cloud(29).stamp_ns + 40 * 10**9)
    best = recognizer.process(again, pose_on_the_way(70.0)).candidates[0]
    assert (best.keyframe_id, best.is_live, best.map_id) == (7, True, LIVE_MAP_ID)
    assert best.position_m.tolist() == [70, 0, 0]
    assert best.stamp_ns == MAP_DRIVE.cloud_stamps_ns[7]


def test_a_session_without_odometry_remembers_nothing(student: OnnxEncoder) -> None:
    live = LiveSession(student.contract.descriptor_size)
    recognizer = PlaceRecognizer(student, [], live=live)
    answer = recognizer.process(MAP_DRIVE.cloud(0))
    assert (len(live), answer.candidates) == (0, ())
    assert answer.decision.reason == 'the map gave no candidate'
    with pytest.raises(MapError, match='no keyframe yet'):
        live.to_map(MapInfo('a' * 64, 'b' * 64, 1, 2.0, '4d'))


def test_a_saved_session_is_a_map(student: OnnxEncoder, tmp_path: Path) -> None:
    live = LiveSession(student.contract.descriptor_size)
    recognizer = PlaceRecognizer(student, [], RecognizerConfig(min_points=1), live)
    for index in range(20):
        recognizer.process(MAP_DRIVE.cloud(index), pose_on_the_way(index * 10.0))
    info = MapInfo(student.contract.descriptor_space, student.digest, 1, 2.0, '4d')
    PlaceDatabase(live.to_map(info)).save(tmp_path / 'session.map')
    loaded = PlaceDatabase.load(tmp_path / 'session.map')
    assert (len(loaded), loaded.info.sensor) == (20, '4d')
    best = PlaceRecognizer(student, [loaded]).process(MAP_DRIVE.cloud(7)).candidates[0]
    assert (best.keyframe_id, best.is_live, best.map_id) == (7, False, info.map_id)
    assert abs(best.relative_x_m) < 0.3


def test_two_maps_are_told_apart_by_their_id(student: OnnxEncoder, tmp_path: Path) -> None:
    teacher = small_encoder(tmp_path, 'spinning')
    halves = [
        build_database(replace(MAP_DRIVE, xy_yaw=MAP_DRIVE.xy_yaw[part]), teacher)
        for part in (slice(0, 15), slice(15, 30))
    ]
    recognizer = PlaceRecognizer(student, halves)
    for index in (7, 22):
        best = recognizer.process(MAP_DRIVE.cloud(index)).candidates[0]
        assert best.map_id == halves[index // 15].map_id
        assert (best.keyframe_id, best.position_m[0]) == (index % 15, index * 10)


@pytest.mark.parametrize('given', ['pose', 'checked_by'])
def test_a_window_of_way_is_moved_by_odometry(student: OnnxEncoder, given: str) -> None:
    window = replace(student.contract.preprocessing, window_m=25.0)
    recognizer = PlaceRecognizer(student, [], preprocessing=window)
    alone = [len(MAP_DRIVE.cloud(index)) for index in range(6)]
    shown = []
    for index in range(6):
        pose = SensorPose(MAP_DRIVE.cloud_poses.positions_m[index], quaternion_from_yaw(0.0))
        shown.append(recognizer.prepare(MAP_DRIVE.cloud(index), **{given: pose}).image.num_points)
    # 10 m from scan to scan: this one and two before it.
    assert shown == [sum(alone[max(0, index - 2) : index + 1]) for index in range(6)]


@pytest.mark.parametrize('given', ['pose', 'checked_by'])
def test_a_turned_radar_is_told_by_its_velocity_and_odometry(
    student: OnnxEncoder, given: str
) -> None:
    drive = moving_drive(turned_rad=math.radians(5))
    recognizer = PlaceRecognizer(student, [])
    for index in range(40):
        pose = SensorPose(drive.cloud_poses.positions_m[index], quaternion_from_yaw(0.0))
        recognizer.prepare(drive.cloud(index), **{given: pose})
    found = recognizer.mounting_check.yaw_error
    assert found.is_wrong
    assert math.degrees(found.rad) == pytest.approx(5, abs=0.1)
    recognizer.clear()
    assert recognizer.mounting_check.yaw_error == found
