# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask a real server as a fleet does: what it answers, refuses, hands out, and how it ends."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('aiohttp', reason='aiohttp is not installed (make test installs it)')

from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.maps.cells.database import CellDatabase, open_map
from ssd_ros.maps.cells.writing import converted
from ssd_ros.maps.files import read_map
from ssd_ros.maps.meta import read_meta
from ssd_ros.maps.target import BOTH
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.fleet.served import HalfSent, npy, Reply, ROOT, Served, serving, STREET

FAR = 'x=90000&y=0&radius=100'


@pytest.fixture(scope='module')
def server(directory: Path) -> Iterator[Served]:
    with serving(directory / 'city.map', '--model', str(directory / 'student.onnx')) as running:
        yield running


@pytest.fixture(scope='module')
def database(directory: Path) -> CellDatabase:
    database = open_map(directory / 'city.map')
    assert isinstance(database, CellDatabase)
    return database


def query_near(database: CellDatabase, keyframe: int, view: int = 0) -> NDArray[np.float32]:
    """Return a descriptor that is nearly that of a view."""
    row = database.descriptors()[keyframe * 36 + view]
    row = row + np.random.default_rng(keyframe).normal(size=row.shape) * 0.02
    return (row / np.linalg.norm(row)).astype(np.float32)


def rows_of(cloud: RadarPointCloud) -> NDArray[np.float32]:
    return np.column_stack([cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps])


def numbers(reply: Reply) -> list[int]:
    assert reply.status == 200, reply.text
    return [candidate['keyframe_id'] for candidate in reply.json['candidates']]


def test_a_descriptor_gets_the_nearest_keyframes(server: Served, database: CellDatabase) -> None:
    query = query_near(database, 17, view=9)
    reply = server.post('/v1/descriptor?k=3', query)
    found = database.find(query, 1024)
    assert numbers(reply) == found.keyframes[:3].tolist()
    assert found.keyframes[0] == 17
    first = reply.json['candidates'][0]
    assert first['position_m'] == [340, 0, 0]
    assert first['distance'] == found.distances[0]
    assert first['relative_yaw_rad'] == found.yaws_rad[0] == pytest.approx(-np.pi / 2)
    assert 0 < first['ratio'] < 1
    assert reply.json['horizon'] == found.distances[3]
    assert server.post('/v1/descriptor?k=50', query).json['horizon'] >= found.distances[49]
    meta = read_meta(server_map(database), BOTH)
    assert reply.json['revision'] == meta['meta_sha256']
    assert reply.json['map_id'] == database.map_id
    assert reply.headers['content-type'].startswith('application/json')


def server_map(database: CellDatabase) -> Path:
    return database.store.files[0]._path.parents[1]


def test_the_views_of_a_turn_are_found_in_any_heading(
    server: Served, database: CellDatabase
) -> None:
    ring = np.roll(database.descriptors()[36 * 40 : 36 * 41], 5, axis=0)
    reply = server.post('/v1/descriptor?k=1', ring)
    assert numbers(reply) == [40]
    assert reply.json['candidates'][0]['distance'] == pytest.approx(
        0, abs=0.01
    )  # of half precision


def test_a_scan_is_verified_and_judged_as_the_recogniser_does(
    server: Served, database: CellDatabase, directory: Path
) -> None:
    cloud = STREET.cloud(23)
    reply = server.post('/v1/cloud?k=4', rows_of(cloud))
    student = OnnxEncoder(directory / 'student.onnx')
    own = PlaceRecognizer(student, [database]).process(cloud)
    first, best = reply.json['candidates'][0], own.candidates[0]
    assert numbers(reply) == [each.keyframe_id for each in own.candidates[:4]]
    assert first['keyframe_id'] == 23
    assert first['relative_x_m'] == pytest.approx(best.relative_x_m, abs=1e-9)
    assert abs(first['relative_x_m']) < 1
    assert np.shape(first['covariance']) == (3, 3)
    assert first['overlap'] == pytest.approx(best.overlap, abs=1e-9)
    assert first['accepted'] == best.accepted
    assert first['reason'] == best.decision.reason
    again = server.post('/v1/cloud?k=4', rows_of(cloud))
    assert again.json == reply.json  # nothing is remembered of who asked before


def test_with_a_prior_squares_in_reach_are_searched(
    server: Served, database: CellDatabase
) -> None:
    query = query_near(database, 50)
    assert numbers(server.post('/v1/descriptor?k=1', query)) == [50]
    near = server.post('/v1/descriptor?k=50&x=100&y=10&radius=50', query)
    assert numbers(near)
    assert all(each['position_m'][0] < 512 for each in near.json['candidates'])
    outside = server.post(f'/v1/descriptor?{FAR}', query)
    assert numbers(outside) == []
    assert outside.json['reason'].startswith('nothing of the map is within 100 m about (90000')


def test_returns_come_along_when_they_are_asked_for(
    server: Served, database: CellDatabase
) -> None:
    query = query_near(database, 8)
    reply = server.post('/v1/descriptor?k=1&returns=1', query)
    sent = np.frombuffer(b64decode(reply.json['candidates'][0]['returns_cm']), '<i2')
    np.testing.assert_array_equal(sent.reshape(-1, 2), database.keyframe(8).returns_cm)
    some = server.post('/v1/descriptor?k=4&returns=3', query)
    assert ['returns_cm' in each for each in some.json['candidates']] == [True] * 3 + [False]


def test_the_best_of_other_places_come_after_the_first(
    server: Served, database: CellDatabase
) -> None:
    query = query_near(database, 30)
    plain = server.post('/v1/descriptor?k=10', query)
    reply = server.post('/v1/descriptor?k=10&first=2&elsewhere=1', query)
    assert numbers(reply)[:3] == numbers(plain)[:3]  # 20 m apart: the third is elsewhere
    assert sorted(numbers(reply)) == sorted(numbers(plain))


GOOD = np.eye(64, dtype=np.float32)[0]
POINTS = np.ones((40, 5), np.float32)


@pytest.mark.parametrize(
    ('path', 'body', 'reason'),
    [
        ('descriptor', b'', 'the body is not an array: '),
        ('descriptor', b'\x93NUMPY\x01\x00', 'the body is not an array: '),
        ('descriptor', npy(GOOD)[:-1], 'not an array: it says (64,) of float32, the file has'),
        ('descriptor', npy(GOOD.astype(np.float64)), "the array is of 'float64'"),
        ('descriptor', npy(np.array([{}])), 'it holds Python objects'),
        ('descriptor', npy(GOOD[:63]), 'descriptor has shape (63,), this map has (64,)'),
        ('descriptor', npy(GOOD * 2), 'descriptor has length 2, expected 1'),
        ('descriptor', npy(GOOD * np.nan), 'descriptor has length nan, expected 1'),
        ('descriptor', npy(GOOD[:0]), 'the array has shape (0,), expected (D,)'),
        ('descriptor', npy(GOOD.reshape(1, 1, 64)), 'the array has shape (1, 1, 64)'),
        ('descriptor', npy(np.eye(64, dtype=np.float32)[:5]), 'ring has shape (5, 64), this map'),
        ('descriptor?k=0', npy(GOOD), "k is '0', expected a whole number 1 .. 50"),
        ('descriptor?k=1e3', npy(GOOD), "k is '1e3', expected a whole number 1 .. 50"),
        ('descriptor?k=1&k=2', npy(GOOD), 'k is given twice: leave one'),
        ('descriptor?top_k=5', npy(GOOD), "'top_k' is unknown: known are k, first, elsewhere"),
        ('descriptor?x=5', npy(GOOD), 'only x is given: metres in the map frame, such as x=12.5'),
        ('descriptor?x=a&y=0&radius=1', npy(GOOD), "x is 'a', expected metres in the map frame"),
        ('descriptor?x=0&y=0&radius=0', npy(GOOD), 'expected finite numbers and a radius above 0'),
        ('descriptor?x=nan&y=0&radius=9', npy(GOOD), 'expected finite numbers and a radius'),
        ('cloud', npy(POINTS[:, :4]), 'the array has shape (40, 4), expected (N, 5)'),
        ('cloud', npy(POINTS[:0]), 'the array has shape (0, 5), expected (N, 5)'),
        ('cloud', npy(np.ones((32_769, 5), np.float32)), 'with at most 32768 points'),
        ('cloud', npy(POINTS * np.inf), 'point 0 has inf in column 0, expected at most 1e+06'),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    server: Served, path: str, body: bytes, reason: str
) -> None:
    reply = server.ask('POST', f'/v1/{path}', body)
    assert reply.status == 400
    assert reason in reply.text


def test_bodies_are_bounded_and_taken_as_they_are(server: Served) -> None:
    reply = server.ask('POST', '/v1/descriptor', bytes((1 << 20) + 1))
    assert (reply.status, reply.text[:36]) == (413, 'the body has more than 1048576 bytes')
    reply = server.post('/v1/descriptor', GOOD, Content_Encoding='gzip')
    assert reply.status == 415


@pytest.mark.parametrize('path', ['/', '/v1/nothing', '/v1/squares/..%2fmeta.json', '/etc/passwd'])
def test_nothing_else_is_served(server: Served, path: str) -> None:
    assert server.get(path).status == 404


@pytest.mark.parametrize(
    ('headers', 'reason'),
    [
        ({'Host': 'evil.example'}, 'not called'),
        ({'Origin': 'http://evil.example'}, 'may not read'),
    ],
)
def test_pages_and_names_from_elsewhere_are_refused(
    server: Served, headers: dict[str, str], reason: str
) -> None:
    for reply in (
        server.get('/v1/map', **headers),
        server.post('/v1/descriptor', GOOD, **headers),
        server.get('/v1/squares/0_0.cell', **headers),
    ):
        assert reply.status == 403
        assert reason in reply.text


def test_it_listens_on_this_machine_alone(server: Served) -> None:
    with socket.socket() as other:
        other.bind(('127.0.0.2', server.port))  # all addresses would be taken by 0.0.0.0


def test_the_map_says_what_it_is(server: Served, database: CellDatabase) -> None:
    told = server.get('/v1/map').json
    assert (told['keyframes'], told['rows'], told['squares']) == (60, 2160, 3)
    assert told['info']['uuid'] == database.info.uuid
    assert told['bounds_m'] == [[0, 0, 0], [1180, 0, 0]]
    assert told['takes_clouds']
    assert told['problems'] == []
    assert server.get('/health').json == {
        'status': 'serving',
        'revision': told['revision'],
        'problems': [],
    }


def test_squares_ahead_are_listed_and_sent_once(server: Served, database: CellDatabase) -> None:
    ahead = server.get('/v1/squares?x=700&y=100&radius=200').json
    assert ahead['size_m'] == 512
    assert [each['name'].partition('.')[0] for each in ahead['squares']] == ['0_0', '1_0']
    assert len(server.get('/v1/squares').json['squares']) == 3
    square = ahead['squares'][1]
    assert (square['column'], square['row'], square['keyframes']) == (1, 0, 26)
    sent = server.get(f'/v1/squares/{square["name"]}')
    content = (server_map(database) / 'cells' / square['name']).read_bytes()
    assert sent.body == content
    assert sent.headers['etag'] == f'"{square["tag"]}"'
    assert len(content) == square['bytes']
    for given in (sent.headers['etag'], f'"other", W/{sent.headers["etag"]}'):
        again = server.get(f'/v1/squares/{square["name"]}', If_None_Match=given)
        assert (again.status, again.body) == (304, b'')
    other = server.get(f'/v1/squares/{square["name"]}', If_None_Match='"other"')
    assert other.body == content
    lost = server.get('/v1/squares/7_7.cell')
    assert (lost.status, lost.text) == (
        404,
        "the map has no square '7_7.cell': squares lists them",
    )
    assert server.get('/v1/squares?x=1').status == 400


def test_a_map_in_one_piece_answers_but_has_no_squares(directory: Path) -> None:
    with serving(directory / 'street.map') as server:
        assert 'warning    clouds are not answered: map ' in server.printed
        reply = server.get('/v1/squares')
        assert reply.status == server.get('/v1/squares/0_0.cell').status == 404
        assert 'map convert makes squares of it' in reply.text
        assert server.post('/v1/descriptor?k=1', GOOD).status == 200
        refused = server.post('/v1/cloud', POINTS)
        assert refused.status == 400
        assert 'clouds are not answered: map' in refused.text
        assert not server.get('/v1/map').json['takes_clouds']


def test_a_map_that_is_replaced_is_taken_over_and_unchanged_squares_keep_their_tags(
    directory: Path, tmp_path: Path
) -> None:
    shutil.copytree(directory / 'city.map', tmp_path / 'city.map')
    with serving(tmp_path / 'city.map') as server:
        was, tags = server.get('/v1/map').json, tags_of(server)
        content = read_map(directory / 'street.map')
        returns_cm = content.returns_cm.copy()
        returns_cm[59] = 7  # in the last square
        changed = type(content)(
            content.descriptors, content.keyframes, returns_cm, content.info, content.confidence
        )
        converted(tmp_path / 'city.map', changed)
        now = server.get('/v1/map').json
        assert now['revision'] != was['revision']
        new_tags = tags_of(server)
        same = set(tags) & set(new_tags)
        assert sorted(name[:4] for name in same) == ['0_0.', '1_0.']
        assert len(new_tags) == 3
        for name in same:
            assert tags[name] == new_tags[name]
            had = f'"{tags[name]}"'
            assert server.get(f'/v1/squares/{name}', If_None_Match=had).status == 304
        (tmp_path / 'city.map' / 'meta.json').write_text('{}')
        assert (
            server.get('/v1/map').json['revision'] == now['revision']
        )  # goes on with what it has
        health = server.get('/health').json
        assert health['status'] == 'damaged'
        assert health['problems'][0].startswith('the map as it was is in use: ')


def tags_of(server: Served) -> dict[str, str]:
    return {each['name']: each['tag'] for each in server.get('/v1/squares').json['squares']}


def test_a_damaged_square_costs_that_square(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory / 'city.map', tmp_path / 'city.map')
    (damaged,) = (tmp_path / 'city.map' / 'cells').glob('1_0.*')
    (whole,) = (tmp_path / 'city.map' / 'cells').glob('0_0.*')
    damaged.write_bytes(damaged.read_bytes()[:-1] + b'\xff\x00'[:1])
    with serving(tmp_path / 'city.map') as server:
        assert 'warning ' in server.printed
        reply = server.get(f'/v1/squares/{damaged.name}')
        assert reply.status == 500
        assert reply.text.startswith(f'square {damaged.name} is damaged')
        assert server.get(f'/v1/squares/{whole.name}').status == 200
        assert server.get('/health').json['status'] == 'damaged'
        assert server.value('ssd_ros_map_problems') == 1
        found = server.post('/v1/descriptor?k=50', GOOD).json['candidates']
        places = [each['position_m'][0] for each in found]
        assert places
        assert not [x for x in places if 512 <= x < 1024]


def test_who_comes_when_it_is_full_is_told_when_to_come_again(directory: Path) -> None:
    with serving(directory / 'city.map', '--max-waiting', '2') as server:
        taken = [HalfSent(server, '/v1/descriptor?k=1', npy(GOOD)) for _ in range(2)]
        server.wait_for('ssd_ros_waiting', 2)
        for _ in range(5):
            reply = server.post('/v1/descriptor', GOOD)
            assert (reply.status, reply.text[:27]) == (503, '2 requests wait already: co')
            assert 1 <= int(reply.headers['retry-after']) <= 60
        assert server.get('/health').status == 200  # is told all the same
        for request in taken:
            assert request.finish().startswith(b'HTTP/1.1 200 ')
        server.wait_for('ssd_ros_waiting', 0)
        assert server.post('/v1/descriptor', GOOD).status == 200
        name = 'ssd_ros_requests_total{resource="descriptor",status='
        assert (server.value(f'{name}"200"'), server.value(f'{name}"503"')) == (3, 5)
        assert server.value('ssd_ros_answer_seconds_count{resource="descriptor"}') == 3


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_at_the_end_what_was_taken_in_is_answered(directory: Path, number: int) -> None:
    with serving(directory / 'city.map') as server:
        taken = [HalfSent(server, '/v1/descriptor?k=1', npy(GOOD)) for _ in range(5)]
        server.wait_for('ssd_ros_waiting', 5)
        server.process.send_signal(number)
        while is_open(server.port):
            pass
        assert server.process.poll() is None
        for request in taken:
            answer = request.finish()
            assert answer.startswith(b'HTTP/1.1 200 ')
            assert b'"candidates": [{' in answer
        assert server.ended() == 0
        assert server.printed.endswith('ended      all that was taken in is answered\n')


def is_open(port: int) -> bool:
    with socket.socket() as knocking:
        return knocking.connect_ex(('127.0.0.1', port)) == 0


def test_at_the_end_those_who_send_nothing_are_not_waited_for_long(directory: Path) -> None:
    with serving(directory / 'city.map', '--grace', '0.2') as server:
        hanging = HalfSent(server, '/v1/descriptor', npy(GOOD))
        server.wait_for('ssd_ros_waiting', 1)
        assert server.end() == 0
        assert hanging.is_cut_off()
        assert '1 requests were not answered in 0.2 s' in server.printed


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        (['{0}/nothing.map'], 'there is no map at '),
        (['{0}/city.map', '--port', '{port}'], 'cannot serve at 127.0.0.1:'),
        (['{0}/city.map', '--model', '{0}/spinning_a.onnx'], 'sensor'),
        (['{0}/city.map', '--model', '{0}/nothing.onnx'], 'nothing.onnx'),
    ],
)
def test_what_cannot_be_served_is_said_at_the_start(
    server: Served, directory: Path, options: list[str], reason: str
) -> None:
    given = [option.format(directory, port=server.port) for option in options]
    command = [sys.executable, '-m', 'ssd_ros', 'serve', *given]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr.startswith('ssd_ros serve: ')
    assert reason in ended.stderr
    assert ended.stderr.count('\n') == 1


def test_many_at_once_get_each_their_own_answer(server: Served, database: CellDatabase) -> None:
    from concurrent.futures import ThreadPoolExecutor

    queries = [query_near(database, keyframe) for keyframe in range(60)]

    def asked(keyframe: int) -> Any:
        return numbers(server.post('/v1/descriptor?k=1', queries[keyframe]))

    with ThreadPoolExecutor(30) as pool:
        assert list(pool.map(asked, range(60))) == [[keyframe] for keyframe in range(60)]
