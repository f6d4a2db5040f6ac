# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check whose calibration holds: the map's, the installed one or that of the parameters."""

from __future__ import annotations

from dataclasses import replace
import gc
from pathlib import Path
import weakref

import pytest
from ssd_ros.confidence.file import write_confidence
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map
from ssd_ros.maps.neighbours import Prior
from ssd_ros.recognition.radar_check import RADARS_NOT_KNOWN
from ssd_ros.ros.matching.loading import (
    live_confidence,
    load_encoder,
    load_maps,
    new_live_session,
)
from ssd_ros.ros.matching.matcher import Job, Matcher, NewestScan
from ssd_ros.ros.messages.geometry import UNMOVED
from ssd_ros.ros.parameters.node import AggregationParameters, NodeParameters
from support.calibrations import EASY
from support.posts import small_encoder, straight_drive, write_small_encoder

SIDES = ('4d', 'spinning')
OWN = replace(EASY, data='of the map')
GIVEN = replace(EASY, data='fitted by its user')


@pytest.fixture
def space(tmp_path: Path) -> str:
    """Put a map that carries a calibration into the folder and return what it is encoded with."""
    teacher = small_encoder(tmp_path, 'spinning')
    build_database(straight_drive(num=4), teacher, confidence=OWN).save(tmp_path / 'map')
    return teacher.contract.descriptor_space


def test_that_of_the_parameters_takes_the_place_of_the_maps(space: str, tmp_path: Path) -> None:
    path = tmp_path / 'mine.json'
    write_confidence(path, space, {'spinning': GIVEN})
    (map_alone,) = load_maps([tmp_path / 'map'])
    (calibrated,) = load_maps([tmp_path / 'map'], confidence_path=str(path))
    assert (map_alone.confidence, calibrated.confidence) == (OWN, GIVEN)


@pytest.mark.parametrize(('other_space', 'sensor'), [(True, 'spinning'), (False, '4d')])
def test_one_that_is_of_other_models_or_maps_is_refused(
    space: str, tmp_path: Path, other_space: bool, sensor: str
) -> None:
    path = tmp_path / 'mine.json'
    write_confidence(path, 'f' * 64 if other_space else space, {sensor: GIVEN})
    with pytest.raises(ValueError, match=r'mine\.json has no calibration .* for spinning maps'):
        load_maps([tmp_path / 'map'], confidence_path=str(path))


def test_the_running_drive_has_the_given_one_too(tmp_path: Path) -> None:
    student = small_encoder(tmp_path, '4d')
    path = tmp_path / 'mine.json'
    write_confidence(path, student.contract.descriptor_space, {'4d': GIVEN})
    given = NodeParameters(online_index=True, confidence_path=str(path))
    session = new_live_session(student, given)
    assert session is not None
    assert session.confidence == GIVEN
    # Models of our own have no installed one.
    session = new_live_session(student, replace(given, confidence_path=''))
    assert session is not None
    assert session.confidence is None


def test_of_other_models_the_running_drive_takes_none(tmp_path: Path) -> None:
    student, path = small_encoder(tmp_path, '4d'), tmp_path / 'mine.json'
    given = NodeParameters(online_index=True, confidence_path=str(path))
    write_confidence(path, 'f' * 64, {'4d': GIVEN})
    with pytest.raises(ValueError, match=r'mine\.json has no calibration of the model that is lo'):
        new_live_session(student, given)
    # One for maps alone is not of other models; then the installed one holds, if there is any.
    write_confidence(path, student.contract.descriptor_space, {'spinning': GIVEN})
    session = new_live_session(student, given)
    assert session is not None
    assert session.confidence is None


def test_submaps_are_encoded_by_the_teacher_and_calibrated_by_nothing(
    space: str, tmp_path: Path
) -> None:
    models = {sensor: write_small_encoder(tmp_path / f'{sensor}.onnx', sensor) for sensor in SIDES}
    asked = AggregationParameters(submap=40.0)
    parameters = NodeParameters(
        model_path=str(models['spinning']), aggregation=asked, online_index=True
    )
    teacher = load_encoder(parameters)
    assert teacher.contract.sensor == 'spinning'
    with pytest.raises(ValueError, match='4D radar'):
        load_encoder(replace(parameters, model_path=str(models['4d'])))
    session = new_live_session(teacher, parameters)
    assert session is not None
    assert len(session.view_yaws_rad) == teacher.contract.num_views
    told = replace(parameters, confidence_path=str(tmp_path / 'mine.json'))
    with pytest.raises(ValueError, match='no calibration knows submaps: leave it empty'):
        new_live_session(teacher, told)
    matcher = Matcher(teacher, load_maps([tmp_path / 'map']), parameters, session)
    assert matcher.radar_words == 'no calibration'


def test_reloading_gives_the_running_drive_its_calibration(tmp_path: Path) -> None:
    student = small_encoder(tmp_path, '4d')
    parameters = NodeParameters(online_index=True)
    matcher = Matcher(student, [], parameters, new_live_session(student, parameters))
    path = tmp_path / 'mine.json'
    write_confidence(path, student.contract.descriptor_space, {'4d': GIVEN})
    told = replace(parameters, confidence_path=str(path))
    matcher.swap_maps([], live_confidence(student, told))
    assert matcher.radar_words == RADARS_NOT_KNOWN  # without one: 'no calibration'


@pytest.mark.parametrize('is_city', [False, True])
def test_a_map_is_freed_as_soon_as_another_takes_its_place(
    space: str, tmp_path: Path, is_city: bool
) -> None:
    path = tmp_path / 'map'
    if is_city:
        converted(tmp_path / 'city', read_map(path))
        path = tmp_path / 'city'
    parameters, student = NodeParameters(), small_encoder(tmp_path, '4d')
    matcher = Matcher(student, load_maps([path]), parameters)
    before = [weakref.ref(matcher.maps[0]), weakref.ref(matcher.maps[0]._index)]
    cloud = straight_drive(num=4).cloud(2)
    newest = NewestScan(cloud.stamp_ns, None, 0)
    job = Job(matcher.prepare(cloud), newest, 'radar', UNMOVED, 0.0, 0.0, Prior(0.0, 0.0, 1e3))
    assert matcher.match(job, parameters).recognition.candidates
    matcher.summary(parameters)
    gc.disable()  # nothing waits for it
    try:
        matcher.swap_maps(load_maps([path]), None)
        assert [each() for each in before] == [None, None]
    finally:
        gc.enable()
    assert matcher.match(job, parameters).recognition.candidates
