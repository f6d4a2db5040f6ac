# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that nothing is accepted from a radar that the calibration of the map does not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.answer import Recognition, RecognizerConfig
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.recognition.radar_check import radar_words, RADARS_NOT_KNOWN
from support.calibrations import calibration_of, EASY, thinned
from support.posts import random_posts, small_encoder, straight_drive

# So many posts that a fifth of them is enough to verify.
MAP_DRIVE = replace(straight_drive(num=30), posts=random_posts(1250))
CONFIG = RecognizerConfig(min_points=1, accept_max_rival=0.0)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('student'), '4d')


@pytest.fixture(scope='module')
def database(tmp_path_factory: pytest.TempPathFactory, student: OnnxEncoder) -> PlaceDatabase:
    found = build_database(MAP_DRIVE, small_encoder(tmp_path_factory.mktemp('t'), 'spinning'))
    found.confidence = calibration_of(MAP_DRIVE, student)
    return found


def saved(database: PlaceDatabase, directory: Path) -> Path:
    database.save(directory / 'a.map')
    return directory / 'a.map'


def answers(recognizer: PlaceRecognizer, share: float = 1.0) -> list[Recognition]:
    """Ask each time: for who stands, as these do, a place is accepted once."""
    queries = [recognizer.prepare(thinned(MAP_DRIVE.cloud(index), share)) for index in range(30)]
    return [recognizer.query(query, is_requested=True) for query in queries]


def test_the_radar_of_the_calibration_is_accepted(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    found = answers(PlaceRecognizer(student, [database], CONFIG))
    assert [one.unlike_radar for one in found] == [''] * 30
    assert sum(one.decision.accepted for one in found) == 30


def test_a_radar_of_a_fifth_of_the_points_is_refused_unless_a_user_takes_the_risk(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    found = answers(PlaceRecognizer(student, [database], CONFIG), 0.2)
    assert [one.decision.kind for one in found] == ['rejected'] * 30
    assert not any(item.accepted for one in found for item in one.candidates)
    assert len(found[-1].candidates) == 10  # still there for who wants to look
    assert 'static points a scan (known: ' in found[-1].unlike_radar
    assert found[-1].decision.reason == (
        'this radar is unlike those the calibration knows: '
        f'{found[-1].unlike_radar}: nothing is accepted until trust was run with drives of yours'
    )
    risky = replace(CONFIG, accept_risk_unknown_radar=True)
    found = answers(PlaceRecognizer(student, [database], risky), 0.2)
    assert sum(one.decision.accepted for one in found) >= 25
    assert all(one.unlike_radar for one in found)  # it is told all the same


def test_a_calibration_that_does_not_know_its_radars_refuses_none(
    student: OnnxEncoder, database: PlaceDatabase, tmp_path: Path
) -> None:
    early = PlaceDatabase.load(saved(database, tmp_path))
    early.confidence = EASY
    found = answers(PlaceRecognizer(student, [early], CONFIG), 0.2)
    assert [one.unlike_radar for one in found] == [''] * 30
    assert sum(one.decision.accepted for one in found) >= 25


def test_with_a_drive_that_begins_anew_another_radar_may(
    student: OnnxEncoder, database: PlaceDatabase
) -> None:
    recognizer = PlaceRecognizer(student, [database], CONFIG)
    answers(recognizer, 0.2)
    assert recognizer.process(MAP_DRIVE.cloud(29)).unlike_radar
    recognizer.clear()
    assert recognizer.process(MAP_DRIVE.cloud(0)).decision.accepted


def test_a_map_carries_the_radars_that_its_calibration_knows(
    database: PlaceDatabase, tmp_path: Path
) -> None:
    loaded = PlaceDatabase.load(saved(database, tmp_path)).confidence
    assert loaded == database.confidence
    assert loaded is not None
    assert loaded.radars is not None


def test_what_the_calibrations_say_of_a_radar(database: PlaceDatabase, tmp_path: Path) -> None:
    other = PlaceDatabase.load(saved(database, tmp_path))
    assert radar_words([database, None], '') == 'like those the calibration knows'
    assert radar_words([database], 'x').startswith('unlike those the calibration knows: x')
    other.confidence = EASY
    assert radar_words([database, other], '') == RADARS_NOT_KNOWN
    other.confidence = None
    assert radar_words([other, None], '') == 'no calibration'
