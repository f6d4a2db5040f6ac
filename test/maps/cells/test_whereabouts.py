# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a vehicle can be after a place was accepted, and that only there maps are searched."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.cells.whereabouts import Whereabouts
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map
from ssd_ros.maps.neighbours import Prior
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.recognition.answer import Recognition, RecognizerConfig, SensorPose
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.posts import PostDrive, random_posts, small_encoder

PLACE = np.array([100.0, 50.0, math.pi / 2])


def at(x_m: float, segment: int = 0, has_pose: bool = True) -> OdometryPose:
    planar = np.array([x_m, 0.0, 0.0]) if has_pose else None
    return OdometryPose(x_m, planar, segment)


def circle(prior: Prior | None) -> tuple[float, float, float]:
    assert prior is not None
    return prior.x_m, prior.y_m, prior.radius_m


def test_the_circle_moves_with_odometry_and_grows_by_its_drift() -> None:
    here = Whereabouts()
    assert here.prior(at(0)) is None
    here.add(at(5), PLACE)
    assert circle(here.prior(at(25))) == pytest.approx((100, 70, 151))
    assert circle(here.prior(at(25, has_pose=False))) == pytest.approx((100, 50, 171))
    assert here.prior(at(25, segment=1)) is None
    assert here.prior(None) is None


def test_a_place_that_no_query_confirms_is_left() -> None:
    here = Whereabouts()
    here.add(at(0), PLACE)
    for _ in range(9):
        here.add(at(0), None)
    assert here.prior(at(0)) is not None
    here.add(at(0), None)
    assert here.prior(at(0)) is None
    here.add(at(0), PLACE)
    assert here.prior(at(0)) is not None


# Forty keyframes over 1560 m, in four squares.
POSES = np.column_stack([np.arange(40) * 40.0, np.zeros((40, 2))])
DRIVE = PostDrive(random_posts(1500, 1700.0), POSES)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('student'), '4d')


@pytest.fixture(scope='module')
def database(tmp_path_factory: pytest.TempPathFactory) -> PlaceDatabase:
    folder = tmp_path_factory.mktemp('map')
    build_database(DRIVE, small_encoder(folder, 'spinning')).save(folder / 'flat.map')
    converted(folder / 'city.map', read_map(folder / 'flat.map'))
    return open_map(folder / 'city.map')


def found(answer: Recognition) -> set[int]:
    return {candidate.keyframe_id for candidate in answer.candidates}


def test_a_prior_narrows_maps_of_squares_and_no_others(
    student: OnnxEncoder, database: PlaceDatabase, tmp_path: Path
) -> None:
    recognizer = PlaceRecognizer(student, [database])
    query = recognizer.prepare(DRIVE.cloud(20))  # at 800 m, in the second square
    assert recognizer.query(query).candidates[0].keyframe_id == 20
    near = recognizer.query(query, prior=Prior(800.0, 0.0, 100.0))
    assert near.candidates[0].keyframe_id == 20
    assert found(near) <= set(range(13, 26))  # 512 to 1024 m
    elsewhere = recognizer.query(query, prior=Prior(100.0, 0.0, 100.0))
    assert found(elsewhere) <= set(range(13))
    outside = recognizer.query(query, prior=Prior(0.0, 9000.0, 100.0))
    assert outside.candidates == ()
    assert outside.decision.reason == (
        'nothing of the map is within 100 m about (0.0, 9000.0), where the place was said to be'
    )
    database.save(tmp_path / 'flat.map')
    flat = PlaceRecognizer(student, [open_map(tmp_path / 'flat.map')])
    query = flat.prepare(DRIVE.cloud(20))
    narrowed = flat.query(query, prior=Prior(100.0, 0.0, 100.0))
    assert found(narrowed) == found(flat.query(query))


def test_after_an_accepted_place_squares_about_it_are_searched(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    config = RecognizerConfig(accept_max_rival=0)  # among posts, others fit as well
    recognizer = PlaceRecognizer(student, [database], config)
    answers = []
    for index in (18, 19, 20):
        pose = SensorPose(np.array([*POSES[index, :2], 0.0]), quaternion_from_yaw(0.0))
        answers.append(recognizer.process(DRIVE.cloud(index), pose))
    assert [answer.candidates[0].keyframe_id for answer in answers] == [18, 19, 20]
    assert answers[0].decision.accepted, answers[0].decision
    assert not found(answers[0]) <= set(range(13, 26))
    assert found(answers[1]) <= set(range(13, 26))  # within 152 m of 760 m
    recognizer.clear()
    assert not found(recognizer.process(DRIVE.cloud(20))) <= set(range(13, 26))
