# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is shipped in maps of LiDAR: places are found and accepted there, not elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from ssd_ros.cli.trust.asked.answers import pose_of
from ssd_ros.cli.trust.asked.queries import DriveQueries, queries_of
from ssd_ros.confidence.file import shipped_confidence
from ssd_ros.encoders.place_encoder import named_encoder
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.simulator.config import conditions_of, PRESETS, UNIT_SEED
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.visits.session import Session

STUDENT = named_encoder('network')


def visit(seed: int, index: int, part: tuple[float, float]) -> SimulatedSequence:
    world = World(seed, PRESETS['unit'].world)
    session = Session(world, index, conditions_of('default', index), True)
    return SimulatedSequence(session, lidar_rate_hz=10.0, part=part)


def lidar_map(seed: int) -> PlaceDatabase:
    teacher = named_encoder('network', expected_sensor='lidar')
    space = teacher.contract.descriptor_space
    return build_database(
        visit(seed, 0, (0.0, 0.4)),
        teacher,
        keyframe_distance_m=4.0,
        confidence=shipped_confidence('network', space, 'lidar'),
        sensor='lidar',
    )


@pytest.fixture(scope='module')
def queries() -> DriveQueries:
    """Return what another visit asks, in a part of the way that was mapped."""
    drive = visit(UNIT_SEED, 1, (0.1, 0.3))
    return queries_of(drive, PlaceRecognizer(STUDENT, []), 2.0, lambda *_: None)


@pytest.mark.parametrize(('seed', 'is_here'), [(UNIT_SEED, True), (UNIT_SEED + 1, False)])
def test_4d_radar_is_accepted_in_a_lidar_map_of_its_place_alone(
    seed: int, is_here: bool, queries: DriveQueries
) -> None:
    recognizer = PlaceRecognizer(STUDENT, [lidar_map(seed)])
    asked = [recognizer.query(queries.query(number)) for number in range(len(queries))]
    assert len(asked) >= 30
    assert all(answer.candidates[0].verified for answer in asked)
    accepted = [number for number, answer in enumerate(asked) if answer.decision.accepted]
    if not is_here:
        assert not accepted
        return
    assert len(accepted) >= len(asked) / 2
    for number in accepted:
        off = pose_of(asked[number].candidates[0]) - queries.poses[number]
        assert np.hypot(*off[:2]) < 2.0
