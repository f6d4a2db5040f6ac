# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what other places that fit as well make of a candidate, on figures and in doubled maps."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.recognition.answer import Recognition, RecognizerConfig, SensorPose
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.rivals import rival_shares
from support.calibrations import EASY
from support.posts import PostDrive, random_posts, small_encoder

COPY_M = 1000.0
STEP_M = 4.0


def places(*x_m: float) -> NDArray[np.float64]:
    return np.array([[x, 0.0, 0.0] for x in x_m])


def unknown(num: int) -> NDArray[np.float64]:
    return np.full(num, math.nan)


def test_a_rival_is_a_verified_candidate_more_than_five_metres_away() -> None:
    shares = rival_shares(places(0, 4, 9.5), np.array([0.5, 0.4, 0.3]), unknown(3))
    np.testing.assert_allclose(shares, [0.31 / 0.51, 0.31 / 0.41, 0.51 / 0.31])
    shares = rival_shares(places(0, 4, 900), np.array([0.5, 0.4, math.nan]), unknown(3))
    np.testing.assert_array_equal(shares, [0, 0, math.nan])


def test_where_nothing_fits_nobody_knows_and_no_share_is_endless() -> None:
    shares = rival_shares(places(0, 100), np.array([0.0, 1.0]), unknown(2))
    np.testing.assert_allclose(shares, [10, 0.01 / 1.01])
    assert np.isnan(rival_shares(places(0, 100), np.zeros(2), unknown(2))).all()
    assert rival_shares(np.zeros((0, 3)), np.zeros(0), unknown(0)).shape == (0,)


@pytest.mark.parametrize(
    ('support', 'shares'),
    [
        ((1.0, 1.0), (0.91 / 1.01, 1.01 / 0.91)),  # the whole way fits both
        ((1.0, 0.5), (0.91 / 1.01, 1.01 / 0.91)),
        ((1.0, 0.4), (0.0, 1.01 / 0.91)),  # the way tells them apart
        ((math.nan, math.nan), (0.91 / 1.01, 1.01 / 0.91)),
    ],
)
def test_what_the_recent_queries_speak_against_is_no_rival(
    support: tuple[float, float], shares: tuple[float, float]
) -> None:
    found = rival_shares(places(0, 60), np.array([1.0, 0.9]), np.array(support))
    np.testing.assert_allclose(found, shares)


@pytest.mark.parametrize(
    ('apart_m', 'way_m', 'is_rival'),
    [(8, 0, True), (8, 90, True), (8, 360, False), (50, 50, True)],
)
def test_a_place_of_an_earlier_lap_that_drift_has_moved_is_no_rival(
    apart_m: float, way_m: float, is_rival: bool
) -> None:
    ways_m = np.array([100.0, 100.0 + way_m])
    shares = rival_shares(places(0, apart_m), np.array([0.5, 0.5]), unknown(2), ways_m)
    np.testing.assert_allclose(shares, [float(is_rival)] * 2)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('student'), '4d')


def road(is_doubled: bool, num: int = 50) -> PostDrive:
    """Return a drive of 200 m along x; if doubled, a second one along the same posts far away."""
    near = random_posts(num=400, length_m=200)
    x = np.arange(num) * STEP_M
    way = np.stack([x, 0 * x, 0 * x], axis=1)
    if not is_doubled:
        return PostDrive(near, way)
    copied = [COPY_M, 0.0]
    posts = np.concatenate([near, near + copied])
    return PostDrive(posts, np.concatenate([way, way + np.array([*copied, 0])]))


def answers(student: OnnxEncoder, drive_of_map: PostDrive, directory: Path) -> list[Recognition]:
    """Drive along the road in a map whose calibration accepts all that was verified."""
    teacher = small_encoder(directory, 'spinning')
    database = build_database(drive_of_map, teacher, keyframe_distance_m=1.0)
    database.confidence = EASY
    recognizer = PlaceRecognizer(student, [database], RecognizerConfig(min_points=1))
    drive = road(False)
    return [
        recognizer.process(
            drive.cloud(index), SensorPose(np.array([x, 0.0, 0.0]), quaternion_from_yaw(0.0))
        )
        for index, (x, _, _) in enumerate(drive.xy_yaw)
    ]


def test_in_a_map_that_holds_a_road_twice_every_answer_is_ambiguous(
    student: OnnxEncoder, tmp_path: Path
) -> None:
    once = answers(student, road(False), tmp_path)
    assert sum(answer.decision.accepted for answer in once) >= 45
    twice = answers(student, road(True), tmp_path)
    # The scan at the leap to the second road is smeared: its place looks less alike.
    twice = twice[1:]
    assert [answer.decision.kind for answer in twice] == ['ambiguous'] * 49
    rivals = [answer.candidates[0].rival for answer in twice]
    assert min(rivals) > 0.8
    # Witnesses speak for both.
    of_last = twice[-1].candidates
    copies = {round(item.position_m[0] / COPY_M) for item in of_last if item.support > 0.8}
    assert copies == {0, 1}


def test_without_the_limit_ratio_and_confidence_decide(
    student: OnnxEncoder, tmp_path: Path
) -> None:
    database = build_database(road(False), small_encoder(tmp_path, 'spinning'))
    free = RecognizerConfig(min_points=1, accept_max_rival=0.0)
    answer = PlaceRecognizer(student, [database], free).process(road(False).cloud(20))
    best = answer.candidates[0]
    assert best.accepted
    strict = replace(free, accept_max_rival=max(0.5 * best.rival, 1e-3))
    again = PlaceRecognizer(student, [database], strict).process(road(False).cloud(20))
    assert again.decision.kind == 'ambiguous'
    assert 'another place fits' in again.decision.reason
