# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that nothing is accepted in a map whose keyframes are not where their poses say."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path

import pytest
from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.meta import MapError, META_FILE
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.answer import Recognition, RecognizerConfig
from ssd_ros.recognition.map_check import doubt_of, misfit_words
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.calibrations import EASY
from support.posts import jolted, random_posts, small_encoder, straight_drive, write_sealed_meta

DRIVE = replace(straight_drive(num=30, step_m=4.0), posts=random_posts(1250))
CONFIG = RecognizerConfig(min_points=1, accept_max_rival=0.0)


@pytest.fixture(scope='module')
def student(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return small_encoder(tmp_path_factory.mktemp('student'), '4d')


@pytest.fixture(scope='module')
def maps(tmp_path_factory: pytest.TempPathFactory) -> dict[float, PlaceDatabase]:
    """Return maps by how far each keyframe is off."""
    teacher = small_encoder(tmp_path_factory.mktemp('teacher'), 'spinning')
    return {
        off_m: build_database(jolted(DRIVE, off_m), teacher, confidence=EASY)
        for off_m in (0.0, 2.0)
    }


def answers(
    student: OnnxEncoder, maps: list[PlaceDatabase], config: RecognizerConfig = CONFIG
) -> list[Recognition]:
    recognizer = PlaceRecognizer(student, maps, config)
    queries = [recognizer.prepare(DRIVE.cloud(index)) for index in range(30)]
    return [recognizer.query(query, is_requested=True) for query in queries]


def test_a_map_knows_how_well_its_poses_fit(maps: dict[float, PlaceDatabase]) -> None:
    good_m, bad_m = (maps[off_m].info.pose_misfit_m for off_m in (0.0, 2.0))
    assert good_m == pytest.approx(0.4, abs=0.2)  # of cells of 1.6 m
    assert bad_m == pytest.approx(2.35, rel=0.25)


def test_nothing_is_accepted_in_it_unless_a_user_takes_the_risk(
    student: OnnxEncoder, maps: dict[float, PlaceDatabase]
) -> None:
    assert sum(one.decision.accepted for one in answers(student, [maps[0.0]])) == 30
    found = answers(student, [maps[2.0]])
    assert not any(item.accepted for one in found for item in one.candidates)
    assert len(found[-1].candidates) == 10  # still there for who wants to look
    assert found[-1].decision.reason == (
        f'the poses of map Posts/01 disagree with its returns by '
        f'{maps[2.0].info.pose_misfit_m:.2f} m between neighbouring keyframes (median; at most '
        '1.0): nothing is accepted in it; give it better poses with map repose'
    )
    risky = replace(CONFIG, accept_risk_map_poses=True)
    assert sum(one.decision.accepted for one in answers(student, [maps[2.0]], risky)) == 30


def test_only_that_one_of_several_maps_is_refused(
    student: OnnxEncoder, maps: dict[float, PlaceDatabase]
) -> None:
    found = answers(student, [maps[0.0], maps[2.0]])
    accepted = {item.map_id for one in found for item in one.candidates if item.accepted}
    assert accepted == {maps[0.0].map_id}


def test_it_is_stored_and_an_earlier_map_does_not_know_it(
    student: OnnxEncoder, maps: dict[float, PlaceDatabase], tmp_path: Path
) -> None:
    maps[2.0].save(tmp_path / 'a.map')
    loaded = PlaceDatabase.load(tmp_path / 'a.map')
    assert loaded.info == maps[2.0].info
    file = tmp_path / 'a.map' / META_FILE
    meta = json.loads(file.read_text())
    del meta['info']['pose_misfit_m']
    write_sealed_meta(file, meta)
    earlier = PlaceDatabase.load(tmp_path / 'a.map')
    assert earlier.info.pose_misfit_m is None
    assert doubt_of(earlier.info) == ''
    assert misfit_words(earlier.info) == 'not known how far they agree with the returns'
    assert sum(one.decision.accepted for one in answers(student, [earlier])) == 30


@pytest.mark.parametrize(
    ('value', 'words'), [(-1.0, 'expected 0 .. 1e'), ('2', 'expected float'), (1e10, '0 .. 1e')]
)
def test_an_impossible_figure_is_refused_by_name(
    maps: dict[float, PlaceDatabase], tmp_path: Path, value: object, words: str
) -> None:
    maps[0.0].save(tmp_path / 'a.map')
    file = tmp_path / 'a.map' / META_FILE
    meta = json.loads(file.read_text())
    meta['info']['pose_misfit_m'] = value
    write_sealed_meta(file, meta)
    with pytest.raises(MapError, match=f'pose_misfit_m is .*{words}'):
        PlaceDatabase.load(tmp_path / 'a.map')
