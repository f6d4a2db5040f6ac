# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask by submaps past posts, driving back in the lane beside: in maps and in the running drive."""

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
from ssd_ros.maps.live_session import LiveSession
from ssd_ros.maps.meta import MapError
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import quaternion_from_yaw
from ssd_ros.recognition.answer import Recognition, RecognizerConfig, SensorPose
from ssd_ros.recognition.offline.submap_drive import map_of_submaps
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.calibrations import EASY
from support.posts import MovingDrive, random_posts, small_encoder, straight_drive

LENGTH_M, HALF, SPACING_M = 40.0, 20, 2.0
POSTS = random_posts(num=1500)
ALONG = np.arange(121.0)
THERE = replace(straight_drive(num=121, step_m=1.0), posts=POSTS)
BACK = MovingDrive(
    POSTS,
    np.stack([ALONG[::-1], np.full(121, 3.5), np.full(121, math.pi)], axis=1),
    step_ns=250_000_000,
)
OLD = RecognizerConfig(exclude_recent_s=5.0, min_points=1)


@pytest.fixture(scope='module')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('asked'), 'spinning')


@pytest.fixture(scope='module')
def of_submaps(teacher: OnnxEncoder) -> PlaceDatabase:
    return map_of_submaps(THERE, teacher, LENGTH_M, SPACING_M)


def pose_of(xy_yaw: NDArray[np.float64]) -> SensorPose:
    return SensorPose(np.array([*xy_yaw[:2], 0.0]), quaternion_from_yaw(xy_yaw[2:])[0])


def driven(recognizer: PlaceRecognizer, drive: MovingDrive, num: int) -> list[Recognition]:
    return [
        recognizer.process(drive.cloud(index), pose_of(drive.xy_yaw[index]))
        for index in range(num)
    ]


def test_the_way_back_is_found_and_refused_as_no_calibration_knows_submaps(
    teacher: OnnxEncoder, of_submaps: PlaceDatabase
) -> None:
    of_submaps.confidence = EASY
    recognizer = PlaceRecognizer(teacher, [of_submaps], submap_m=LENGTH_M)
    assert recognizer.maps[0].confidence is None
    of_submaps.confidence = None
    answers = driven(recognizer, BACK, 100)
    for answer in answers[:36]:  # nine tenths of the way before the middle will do
        assert answer.candidates == ()
        assert answer.decision.reason == 'no submap yet: the vehicle has to drive 40 m first'
    num_right = 0
    for index, answer in enumerate(answers):
        if index < 38:
            continue
        # The scan in the middle, 20 m back, is the one that the answer is about.
        middle = index - HALF
        assert (answer.stamp_ns, answer.is_submap) == (BACK.cloud_stamps_ns[middle], True)
        best = answer.candidates[0]
        assert math.isnan(best.confidence)
        assert not best.accepted
        assert best.decision.reason.startswith('asked by submaps, which no calibration knows')
        num_right += abs(best.position_m[0] - BACK.xy_yaw[middle, 0]) < 2.5
    assert num_right >= 50
    # Laid over each other: the keyframes look along x, the vehicle comes back.
    found = [answers[index].candidates[0] for index in range(40, 100)]
    off_m = [
        best.position_m[0] + best.relative_x_m - BACK.xy_yaw[index - HALF, 0]
        for index, best in enumerate(found, 40)
    ]
    assert np.nanmedian(np.abs(off_m)) < 0.3  # where too little can be seen, nothing is laid over
    turned = [abs(best.relative_yaw_rad) for best in found]
    assert np.median(turned) == pytest.approx(math.pi, abs=math.radians(1))


def test_at_a_risk_the_limits_of_the_model_accept(
    teacher: OnnxEncoder, of_submaps: PlaceDatabase
) -> None:
    config = RecognizerConfig(accept_risk_submaps=True, accept_max_rival=0.0)
    recognizer = PlaceRecognizer(teacher, [of_submaps], config, submap_m=LENGTH_M)
    answers = driven(recognizer, BACK, 70)
    accepted = [answer for answer in answers if answer.decision.accepted]
    assert accepted
    assert 'distance' in accepted[0].decision.reason


def test_a_map_of_a_spinning_radar_is_asked_as_far_as_it_sees(teacher: OnnxEncoder) -> None:
    database = build_database(THERE, teacher, keyframe_distance_m=SPACING_M)
    recognizer = PlaceRecognizer(teacher, [database], submap_m=LENGTH_M)
    answers = driven(recognizer, BACK, 100)[2 * HALF :]
    found_m = [answer.candidates[0].position_m[0] for answer in answers]
    apart_m = np.abs(np.array(found_m) - BACK.xy_yaw[HALF : HALF + 60, 0])
    assert np.count_nonzero(apart_m < 2.5) >= 45


def test_the_running_drive_finds_its_way_back_and_is_saved(
    teacher: OnnxEncoder, tmp_path: Path
) -> None:
    views = teacher.contract.num_views
    live = LiveSession(teacher.contract.descriptor_size, SPACING_M, num_views=views)
    recognizer = PlaceRecognizer(teacher, [], OLD, live, submap_m=LENGTH_M)
    # There, round, and back in the lane beside.
    turn = np.linspace(0, math.pi, 8)
    round_m = np.stack([120 + 1.75 * np.sin(turn), 1.75 - 1.75 * np.cos(turn), turn], axis=1)
    way = np.concatenate([THERE.xy_yaw[:-1], round_m, BACK.xy_yaw[1:]])
    drive = MovingDrive(POSTS, way, step_ns=250_000_000)
    answers = driven(recognizer, drive, len(way))
    on_the_way_back = range(150, 200)
    num_right = 0
    for index in on_the_way_back:
        best = answers[index + HALF].candidates[0]
        assert best.is_live
        assert not best.accepted
        x_m = way[index, 0]
        is_there = abs(best.position_m[0] - x_m) < 2.5 and abs(best.position_m[1]) < 4
        num_right += is_there and abs(best.relative_yaw_rad) > 3
    assert num_right >= 40

    space, digest = teacher.contract.descriptor_space, teacher.digest
    info = MapInfo(space, digest, views, SPACING_M, '4d', submap_m=LENGTH_M)
    PlaceDatabase(live.to_map(info)).save(tmp_path / 'session.map')
    saved = PlaceDatabase.load(tmp_path / 'session.map')
    assert (len(saved), saved.num_rows) == (len(live), views * len(live))
    again = PlaceRecognizer(teacher, [saved], submap_m=LENGTH_M)
    best = driven(again, BACK, 61)[-1].candidates[0]
    assert abs(best.position_m[0] - BACK.xy_yaw[40, 0]) < 2.5


def test_without_odometry_doppler_leads_to_submaps(
    teacher: OnnxEncoder, of_submaps: PlaceDatabase
) -> None:
    recognizer = PlaceRecognizer(teacher, [of_submaps], submap_m=LENGTH_M)
    answers = [recognizer.process(BACK.cloud(index)) for index in range(50)]
    assert not answers[30].is_submap
    assert answers[-1].is_submap
    recognizer.clear()
    assert not recognizer.process(BACK.cloud(50)).is_submap


def test_a_map_of_single_windows_cannot_be_asked_by_submaps(
    teacher: OnnxEncoder, of_submaps: PlaceDatabase
) -> None:
    views = replace(of_submaps.info, submap_m=0.0)
    content = of_submaps.descriptors(), of_submaps.keyframes, of_submaps.returns_cm, views
    one = PlaceDatabase(MapContent(*content))
    with pytest.raises(MapError, match='a submap is found in maps that build_db made of a spin'):
        PlaceRecognizer(teacher, [one], submap_m=LENGTH_M)
