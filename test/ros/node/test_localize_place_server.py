# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask a place server from the running node: it finds, is gone, is full, or is no such server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import math
from pathlib import Path

from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
import pytest
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map
from ssd_ros.recognition.candidates import Flag, from_msg
from std_srvs.srv import Trigger
from support.fleet.odd_server import answering, response
from support.fleet.served import HalfSent, npy, serving
from support.localizer import DRIVE, Localizer, NODE, running_localizer
from support.posts import small_encoder
from support.ros import Peer, Processes

DESCRIPTOR = 'ssd_ros_requests_total{resource="descriptor",status='


@pytest.fixture(scope='module')
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a map of squares of the drive."""
    directory = tmp_path_factory.mktemp('city')
    build_database(DRIVE, small_encoder(directory, 'spinning')).save(directory / 'flat.map')
    converted(directory / 'city.map', read_map(directory / 'flat.map'))
    return directory / 'city.map'


def without_map(url: str) -> dict[str, object]:
    return {'index_path': "''", 'place_server': url.rstrip('/')}


def send_until(node: Localizer, place: int, condition: Callable[[dict[str, str]], bool]) -> None:
    """Send a place again and again, as a radar does, until the diagnostics are as expected."""

    def holds() -> bool:
        node.answer_to(node.send(place))
        return condition(node.values('matching'))

    node.peer.wait(holds, 'what the place server is to answer')


def num_known(values: dict[str, str]) -> int:
    """Return how many questions have come to an end."""
    return sum(int(values[f'place_server_{name}']) for name in ('answered', 'failed'))


def has_come_to(num: int, values: dict[str, str]) -> bool:
    return num_known(values) == num


def remote_rows(node: Localizer) -> list[object]:
    rows = [row for msg in node.candidates for row in from_msg(msg)]
    return [row for row in rows if row['flags'] & Flag.PLACE_SERVER]


def test_what_the_own_maps_do_not_have_is_found_over_there(
    peer: Peer, tmp_path: Path, city: Path
) -> None:
    with (
        serving(city) as server,
        running_localizer(peer, tmp_path, **without_map(server.url)) as node,
    ):
        initial = peer.listen(PoseWithCovarianceStamped, '/initialpose')
        send_until(node, 7, lambda values: values['place_server_accepted'] != '0')
        peer.wait(lambda: node.poses, 'a pose')
        assert node.poses[0].pose.pose.position.x == pytest.approx(70, abs=0.5)
        assert node.poses[0].header.frame_id == 'map'
        best = remote_rows(node)[0]
        assert best['flags'] & Flag.ACCEPTED
        assert best['keyframe_id'] == 7
        values = node.values('matching')
        revision = values['place_server_revision']
        assert server.get('/v1/map').json['revision'].startswith(revision)
        assert f'{best["map_revision"]:08x}' == revision
        assert 0 < best['age'] < math.inf
        assert values['place_server_failed'] == '0'
        assert node.status('matching').level == b'\0'
        # One request a question, and none that was taken back.
        node.wait_for_value(
            'matching',
            lambda values: num_known(values) == server.value(f'{DESCRIPTOR}"200"'),
        )
        assert server.value(f'{DESCRIPTOR}"400"') == 0
        asks_for_a_place(peer, initial)


def asks_for_a_place(peer: Peer, initial: list[PoseWithCovarianceStamped]) -> None:
    """Ask by the service, as after a kidnapping: what the server knows sets the back end."""
    assert not initial
    reply = peer.call(Trigger, f'{NODE}/relocalize')
    assert not reply.success
    assert 'no map gave a candidate' in reply.message
    assert 'the place server is asked' in reply.message
    peer.wait(lambda: initial, 'an initial pose')
    assert initial[0].pose.pose.position.x == pytest.approx(70, abs=0.5)


def test_the_own_map_answers_without_it(peer: Peer, tmp_path: Path, city: Path) -> None:
    with (
        serving(city) as server,
        running_localizer(peer, tmp_path, place_server=server.url) as node,
    ):
        node.answer_to(node.send(7), node.poses)
        assert node.values('matching')['place_server_asked'] == '0'
        assert node.values('matching')['place_server_revision'] == ''
        assert server.value(f'{DESCRIPTOR}"200"') == 0
        assert not remote_rows(node)


def test_a_server_that_goes_and_comes_back_costs_its_answers_alone(
    peer: Peer, tmp_path: Path, city: Path
) -> None:
    with serving(city) as server:
        url, port = server.url.rstrip('/'), str(server.port)
        assert server.end() == 0
    with running_localizer(peer, tmp_path, **without_map(url)) as node:
        send_until(node, 7, lambda values: values['place_server_failed'] not in ('0', '1'))
        status = node.status('matching')
        assert status.level == b'\1'
        assert status.message.startswith(f'the place server {url} gives no answer: ')
        assert status.message.endswith(
            'is it running, and its map of these models and this frame?'
        )
        assert node.values('inference')['failed'] == '0'
        with serving(city, '--port', port):
            send_until(node, 7, lambda values: values['place_server_accepted'] == '1')
            assert node.status('matching').level == b'\0'


def test_a_server_that_is_full_is_left_alone_for_as_long_as_it_says(
    peer: Peer, tmp_path: Path, city: Path
) -> None:
    with (
        serving(city, '--max-waiting', '1') as server,
        running_localizer(peer, tmp_path, **without_map(server.url)) as node,
    ):
        for num_asked in range(1, 9):
            taken = HalfSent(server, '/v1/descriptor?k=1', npy(np.eye(64, dtype=np.float32)[0]))
            server.wait_for('ssd_ros_waiting', 1)
            node.answer_to(node.send(7))
            node.wait_for_value('matching', partial(has_come_to, num_asked))
            if node.values('matching')['place_server_failed'] == '1':
                break  # or what was half there had been cut off before
        message = node.status('matching').message
        assert 'refuses and is asked again later: it answers 503' in message
        assert '1 requests wait already' in message
        taken.finish()
        send_until(node, 7, lambda values: values['place_server_accepted'] == '1')
        assert 'refuses' not in node.status('matching').message


@pytest.mark.parametrize(
    ('reply', 'expected'),
    [
        (response(b'<html>sign in</html>'), 'its answer is no JSON'),
        (response(b'{"revision": 7}'), 'its map cannot be used: revision is 7'),
    ],
)
def test_what_is_no_place_server_is_said(
    peer: Peer, tmp_path: Path, reply: bytes, expected: str
) -> None:
    with (
        answering({'/': reply}) as odd,
        running_localizer(peer, tmp_path, **without_map(odd.url)) as node,
    ):
        send_until(node, 7, lambda values: values['place_server_failed'] == '1')
        assert expected in node.status('matching').message
        assert node.values('inference')['failed'] == '0'
        assert not node.poses


def test_an_address_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    with Processes(tmp_path) as started:
        running = started.start_localizer(
            index_path="''", place_server='places', online_index=True
        )
        running.wait_for_text("'places' is no address of a place server: expected one such as")
        assert running.end() == 1
