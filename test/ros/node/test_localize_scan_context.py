# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drive with the encoder that needs no training: in a map of build_db, and without one."""

from __future__ import annotations

from collections.abc import Iterator
import math

import numpy as np
from numpy.typing import NDArray
import pytest
from ssd_ros.cli.build_db import command as build_db
from ssd_ros.datasets.formats.hercules import write_hercules
from ssd_ros.maps.live_session import LIVE_MAP_ID
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import Flag
from std_srvs.srv import Trigger
from support.localizer import DRIVE, Localizer, NODE, running_localizer, set_parameter, text
from support.ros import Peer


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    directory = tmp_path_factory.mktemp('scan_context')
    drive = write_hercules(directory, 'Posts', '01', DRIVE)
    path = directory / 'fallback.map'
    command = ['--input', str(drive), '--output', str(path), '--encoder', 'scan_context']
    assert build_db.main(command) == 0
    with running_localizer(
        peer,
        directory,
        index_path=path,
        encoder='scan_context',
        model_path="''",
        online_index=True,
        exclude_recent=5.0,
        session_directory=directory,
        session_path='session.map',
    ) as running:
        yield running


def rows_of(localizer: Localizer, index: int) -> NDArray[np.void]:
    """Send the scan of a place with its odometry and return the candidates."""
    return candidates.from_msg(localizer.answer_to(localizer.send(index, 10.0 * index)))


def best_of_map(rows: NDArray[np.void]) -> np.void:
    found: np.void = rows[rows['map_id'] != LIVE_MAP_ID][0]
    return found


def test_a_map_without_a_network_answers_with_the_same_rows(localizer: Localizer) -> None:
    for index in (12, 3, 25):
        best = best_of_map(rows_of(localizer, index))
        assert best['keyframe_id'] == index
        assert best['map_x'] == pytest.approx(10 * index)
        assert best['distance'] < math.sqrt(2)
        assert best['relative_yaw'] == pytest.approx(0, abs=math.radians(3))
        # An echo of a post reaches 1.75 m to either side.
        assert (best['relative_x'], best['relative_y']) == pytest.approx((0, 0), abs=2)
        assert best['flags'] & Flag.GEOMETRICALLY_VERIFIED


def test_the_running_drive_is_found_again_and_saved_as_a_map(localizer: Localizer) -> None:
    for index in (14, 15, 16, 17):
        rows_of(localizer, index)
    rows = rows_of(localizer, 14)
    live = rows[rows['map_id'] == LIVE_MAP_ID]
    assert live[0]['map_x'] == pytest.approx(140)
    assert live[0]['distance'] == pytest.approx(0, abs=0.01)  # the same cloud
    assert localizer.peer.call(Trigger, f'{NODE}/save_session').success
    saved = PlaceDatabase.load(localizer.map_path.with_name('session.map'))
    assert (saved.info.encoder, saved.info.sensor) == ('scan_context', '4d')
    assert saved.descriptor_size == 40 * 120


def test_a_map_of_a_network_is_refused_by_naming_the_way_out(localizer: Localizer) -> None:
    peer = localizer.peer
    assert set_parameter(peer, 'index_path', text(localizer.map_path)).successful
    response = peer.call(Trigger, f'{NODE}/reload_map')
    assert not response.success
    assert 'was built with --encoder network, but the loaded student is a scan_context' in (
        response.message
    )
    assert 'set encoder:=network, or build the map again with build_db' in response.message
    assert best_of_map(rows_of(localizer, 12))['keyframe_id'] == 12  # the old map stays
