# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check maps of LiDAR: which places they have, that 4D radar finds them, and what is accepted."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.encoders.place_encoder import named_encoder, PlaceEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import wrap_angle
from ssd_ros.recognition.answer import Recognition, RecognizerConfig
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.calibrations import EASY
from support.posts import lidar_drive, LIDAR_HEIGHT_M, small_encoder, straight_drive

DRIVE = lidar_drive()
PLACES = range(0, 40, 10)
FOR_LIDAR = replace(EASY, maps='lidar')


@pytest.fixture(scope='module')
def encoders(tmp_path_factory: pytest.TempPathFactory) -> tuple[OnnxEncoder, OnnxEncoder]:
    folder = tmp_path_factory.mktemp('models')
    return small_encoder(folder, '4d'), small_encoder(folder, 'spinning')


@pytest.fixture(scope='module')
def database(encoders: tuple[OnnxEncoder, OnnxEncoder]) -> PlaceDatabase:
    return build_database(DRIVE, encoders[1], keyframe_distance_m=4.0, sensor='lidar')


def answers(student: PlaceEncoder, database: PlaceDatabase) -> list[Recognition]:
    recognizer = PlaceRecognizer(
        student, [database], RecognizerConfig(min_points=10, accept_max_rival=0.0)
    )
    found = []
    for place in PLACES:
        recognizer.clear()
        found.append(recognizer.process(DRIVE.cloud(place)))
    return found


def test_the_drive_of_the_helpers_is_a_sequence() -> None:
    assert isinstance(DRIVE, RadarSequence)


def test_keyframes_are_those_of_the_lidar(database: PlaceDatabase) -> None:
    np.testing.assert_allclose(database.keyframes.positions_m[:, 0], np.arange(0, 79, 4.0))
    np.testing.assert_allclose(database.keyframes.positions_m[:, 2], LIDAR_HEIGHT_M)
    info = database.info
    assert (info.sensor, info.num_views, info.num_scans) == ('lidar', 36, 40)
    assert info.shows_turns


def test_returns_of_keyframes_are_posts_around_them(database: PlaceDatabase) -> None:
    returns_m = database.keyframe(10).returns_cm.astype(float) / 100
    returns_m = returns_m[returns_m[:, 0] > -300]
    yaw = DRIVE.lidar_yaw_rad
    cos, sin = math.cos(yaw), math.sin(yaw)
    in_map = returns_m @ np.array([[cos, sin], [-sin, cos]]) + [40.0, 0.0]
    off_m = np.linalg.norm(in_map[:, None] - DRIVE.posts[None], axis=2).min(axis=1)
    assert len(in_map) > 50
    assert np.median(off_m) < 1.5  # cells of 1.6 m
    # The truck 8 m ahead is at another place in each scan.
    assert (np.linalg.norm(in_map - [48.0, 0.0], axis=1) > 2).all()


@pytest.mark.parametrize('encoder', ['network', 'scan_context'])
def test_4d_radar_is_found_in_a_lidar_map(
    encoder: str, encoders: tuple[OnnxEncoder, OnnxEncoder], database: PlaceDatabase
) -> None:
    student: PlaceEncoder = encoders[0]
    if encoder == 'scan_context':
        student = named_encoder(encoder)
        teacher = named_encoder(encoder, expected_sensor='lidar')
        database = build_database(DRIVE, teacher, keyframe_distance_m=4.0, sensor='lidar')
    for place, answer in zip(PLACES, answers(student, database), strict=True):
        best = answer.candidates[0]
        assert math.hypot(*(best.position_m[:2] - DRIVE.xy_yaw[place, :2])) <= 4.0
        assert best.verified
        # The 4D radar looks along the road, the LiDAR to its left.
        assert abs(wrap_angle(best.relative_yaw_rad + DRIVE.lidar_yaw_rad)) < math.radians(5)


def test_nothing_is_accepted_without_a_calibration_for_lidar_maps(
    encoders: tuple[OnnxEncoder, OnnxEncoder], database: PlaceDatabase
) -> None:
    other = replace(EASY, maps='spinning')
    for confidence in (None, EASY, other):
        database.confidence = confidence
        for answer in answers(encoders[0], database):
            assert not answer.decision.accepted
            assert 'unlike those the calibration knows: a radar in a LiDAR map (known: none)' in (
                answer.decision.reason
            )
            assert math.isnan(answer.candidates[0].confidence)
    database.confidence = FOR_LIDAR
    assert all(answer.decision.accepted for answer in answers(encoders[0], database))
    database.confidence = None


def test_a_map_takes_no_calibration_of_other_maps(database: PlaceDatabase, tmp_path: Path) -> None:
    database.confidence = EASY
    with pytest.raises(MapError, match='fitted on radar maps, and it is a lidar map: fit one wi'):
        database.save(tmp_path / 'map')
    database.confidence = FOR_LIDAR
    database.save(tmp_path / 'map')
    assert PlaceDatabase.load(tmp_path / 'map').confidence == FOR_LIDAR
    database.confidence = None


def test_a_lidar_that_looks_ahead_shows_what_lies_behind_by_its_way(
    encoders: tuple[OnnxEncoder, OnnxEncoder],
) -> None:
    ahead = replace(lidar_drive(num=80), lidar_half_fov_rad=math.radians(60), lidar_yaw_rad=0.0)
    found = build_database(ahead, encoders[1], keyframe_distance_m=20.0, sensor='lidar')
    returns_m = found.keyframe(4).returns_cm.astype(float) / 100
    returns_m = returns_m[returns_m[:, 0] > -300]
    is_behind = returns_m[:, 0] < -30
    assert is_behind.sum() > 5
    in_map = returns_m[is_behind] + [80.0, 0.0]
    off_m = np.linalg.norm(in_map[:, None] - ahead.posts[None], axis=2).min(axis=1)
    assert np.median(off_m) < 1.5


def test_scans_that_cannot_be_read_are_missing_in_the_maps_around_them(
    encoders: tuple[OnnxEncoder, OnnxEncoder],
) -> None:
    damaged = replace(DRIVE, unreadable={4, 5})
    found = build_database(damaged, encoders[1], keyframe_distance_m=4.0, sensor='lidar')
    assert len(found) == 20
    assert found.info.num_unreadable == 2


def test_a_drive_without_a_lidar_and_a_model_of_density_images_are_refused(
    encoders: tuple[OnnxEncoder, OnnxEncoder],
) -> None:
    with pytest.raises(ValueError, match='Posts/01 has no LiDAR scans to make a map of'):
        build_database(straight_drive(), encoders[1], sensor='lidar')
    with pytest.raises(ValueError, match='a map is made of panoramas'):
        build_database(DRIVE, encoders[0], num_views=1, sensor='lidar')
