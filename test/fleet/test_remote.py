# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask a place server as the node does: a real one, and such as answer what none would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import gzip
import json
import os
from pathlib import Path
import shutil
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('aiohttp', reason='aiohttp is not installed (make test installs it)')

from ssd_ros.encoders.network import OnnxEncoder
from ssd_ros.fleet.client import MAX_REPLY_BYTES, PlaceClient, PlaceServerError
from ssd_ros.fleet.remote import OtherRevisionError, RemoteDatabase
from ssd_ros.maps.cells.database import open_map
from ssd_ros.maps.neighbours import Prior
from ssd_ros.recognition.answer import RecognizerConfig
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from support.fleet.odd_server import answering, response
from support.fleet.served import Served, serving, STREET

VERIFIED = 5, 2


@pytest.fixture(scope='module')
def student(directory: Path) -> OnnxEncoder:
    return OnnxEncoder(directory / 'student.onnx')


@pytest.fixture(scope='module')
def server(directory: Path) -> Iterator[Served]:
    with serving(directory / 'city.map') as running:
        yield running


@pytest.fixture(scope='module')
def truth(server: Served, student: OnnxEncoder) -> dict[str, Any]:
    """Return what a real server says: of its map, and to a query at keyframe 23."""
    client = PatientClient(server.url)
    found: dict[str, Any] = {'map': client.describe()}

    class Noting(PatientClient):
        def find(self, *asked: Any) -> dict[str, Any]:
            found['answer'] = super().find(*asked)
            return dict(found['answer'])

    remote = RemoteDatabase(Noting(server.url), VERIFIED)
    PlaceRecognizer(student, [remote]).process(STREET.cloud(23))
    return found


class PatientClient(PlaceClient):
    """One that a busy machine does not make fail."""

    def __init__(self, address: str) -> None:
        super().__init__(address, limit_s=60.0)


def test_the_map_over_there_answers_as_one_that_is_here(
    server: Served, directory: Path, student: OnnxEncoder
) -> None:
    database = open_map(directory / 'city.map')
    remote = RemoteDatabase(PatientClient(server.url), VERIFIED)
    assert (remote.revision, remote.map_id) == (database.revision, database.map_id)
    assert (len(remote), remote.num_rows) == (60, 60 * 36)
    assert remote.info == database.info
    here = PlaceRecognizer(student, [database]).process(STREET.cloud(23))
    there = PlaceRecognizer(student, [remote]).process(STREET.cloud(23))
    assert here.candidates[0].keyframe_id == 23
    assert len(there.candidates) == len(here.candidates) == 10
    for own, other in zip(here.candidates, there.candidates, strict=True):
        assert other.keyframe_id == own.keyframe_id
        assert other.decision == own.decision
        for name in ('distance', 'relative_x_m', 'overlap', 'confidence', 'relative_yaw_rad'):
            assert getattr(other, name) == pytest.approx(getattr(own, name), nan_ok=True), name
        assert other.ratio == pytest.approx(own.ratio, rel=1e-6)
    assert there.candidates[0].verified


def test_a_description_that_is_known_is_not_made_again(
    directory: Path, student: OnnxEncoder
) -> None:
    config = RecognizerConfig(verified_candidates=0)  # by distance alone
    recognizer = PlaceRecognizer(student, [open_map(directory / 'city.map')], config)
    here, there = (recognizer.prepare(STREET.cloud(place)) for place in (23, 40))
    first = recognizer.query(here)
    assert first.description is not None

    def found(description: NDArray[np.float32] | None) -> list[tuple[int, float]]:
        answer = recognizer.query(there, description=description)
        return [(each.keyframe_id, each.distance) for each in answer.candidates]

    assert found(first.description) == [
        (each.keyframe_id, each.distance) for each in first.candidates
    ]
    assert found(None)[0][0] == 40


def test_a_prior_goes_along(server: Served, student: OnnxEncoder) -> None:
    recognizer = PlaceRecognizer(student, [RemoteDatabase(PatientClient(server.url), VERIFIED)])
    query = recognizer.prepare(STREET.cloud(50))  # at x = 1000
    near = recognizer.query(query, prior=Prior(100, 0, 50))
    assert {found.position_m[0] < 512 for found in near.candidates} == {True}
    outside = recognizer.query(query, prior=Prior(90_000, 0, 50))
    assert outside.candidates == ()


def test_another_map_over_there_is_noticed(
    directory: Path, tmp_path: Path, student: OnnxEncoder
) -> None:
    shutil.copytree(directory / 'city.map', tmp_path / 'city.map')
    with serving(tmp_path / 'city.map') as server:
        remote = RemoteDatabase(PatientClient(server.url), VERIFIED)
        recognizer = PlaceRecognizer(student, [remote])
        assert recognizer.process(STREET.cloud(9)).candidates[0].keyframe_id == 9
        shutil.rmtree(tmp_path / 'city.map')
        shutil.copytree(directory / 'street.map', tmp_path / 'city.map')
        with pytest.raises(OtherRevisionError):
            recognizer.process(STREET.cloud(9))
        fresh = RemoteDatabase(PatientClient(server.url), VERIFIED)
        assert fresh.revision == open_map(directory / 'street.map').revision


@pytest.mark.parametrize(
    'address',
    [
        *('', 'places', 'ftp://places', 'http://', 'http://places:0', 'http://places:99999'),
        *('http://places/?k=1', 'http://[1', 'file:///etc/passwd', 'http://me:secret@places'),
    ],
)
def test_an_address_that_cannot_be_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r'is no address of a place server: expected one such as'):
        PlaceClient(address)


def test_a_server_that_is_gone_is_said(server: Served) -> None:
    with answering({'/': b''}) as odd:
        pass
    with pytest.raises(PlaceServerError, match=r'127\.0\.0\.1'):
        PatientClient(odd.url).describe()


GOOD = response(b'{}')
ENDLESS = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + 70 * (
    b'10000\r\n' + b' ' * 65536 + b'\r\n'
)


@pytest.mark.parametrize(
    ('reply', 'expected'),
    [
        (b'', 'disconnected'),
        (b'SSH-2.0-OpenSSH_9.6\r\n', 'SSH-2.0-OpenSSH_9.6'),
        (response(b'<html>sign in</html>'), 'no JSON'),
        (response(b'\xff\xfe'), 'no JSON'),
        (response(b'[' * 100_000), 'no JSON'),
        (response(b'[1, 2]'), r'it answers \[1, 2\]'),
        (response(gzip.compress(b'{}'), Content_Encoding='gzip'), 'no JSON'),
        (response(b'{}', '302 Found', Location='http://127.0.0.1:1/'), 'it answers 302'),
        (response(b'no such map', '404 Not Found'), "it answers 404: 'no such map'"),
        (GOOD[:-1], 'payload|Response'),
        (ENDLESS, f'more than {MAX_REPLY_BYTES} bytes'),
        (GOOD, 'its map cannot be used: revision is None'),
    ],
)
def test_what_no_place_server_answers_is_refused(reply: bytes, expected: str) -> None:
    with (
        answering({'/': reply}) as odd,
        pytest.raises(PlaceServerError, match=expected) as refused,
    ):
        RemoteDatabase(PatientClient(odd.url), VERIFIED)
    assert refused.value.pause_s is None
    assert len(odd.asked) == 1 or not reply  # which aiohttp may ask for once more


@pytest.mark.parametrize(
    ('named', 'expected'),
    [('3', 3.0), ('86400', 60.0), ('-1', None), ('Fri, 07 Nov 2026 23:59:59 GMT', None)],
)
def test_a_server_says_when_to_come_again(named: str, expected: float | None) -> None:
    full = response(b'64 requests wait', '503 Service Unavailable', Retry_After=named)
    with answering({'/': full}) as odd, pytest.raises(PlaceServerError, match='503') as refused:
        PatientClient(odd.url).describe()
    assert refused.value.pause_s == expected


def test_a_server_that_drips_is_left_in_time() -> None:
    """A byte a time never comes to an end, and never lets a wait for the next byte run out."""
    with (
        answering({'/': response(b' ' * 10_000)}, pause_s=0.02) as odd,
        pytest.raises(PlaceServerError, match=r'nothing came in 0\.5 s'),
    ):
        PlaceClient(odd.url, limit_s=0.5).describe()


@pytest.mark.parametrize(
    ('name', 'value', 'expected'),
    [
        ('revision', 'x' * 64, 'revision is'),
        ('keyframes', -1, 'keyframes is -1'),
        ('rows', 'many', "rows is 'many'"),
        ('descriptor_size', 1 << 40, 'descriptor_size is 1099511627776'),
        ('info', [], r'MapInfo is \[\], expected a mapping'),
        ('confidence', {'threshold': 2}, 'confidence'),
        ('bounds_m', [[0, 0, 0]], 'expected two corners'),
        ('bounds_m', [[0, 0, 0], [1e300, 0, 0]], 'expected two corners'),
    ],
)
def test_a_description_of_no_map_is_refused(
    truth: dict[str, Any], name: str, value: Any, expected: str
) -> None:
    told = json.dumps(truth['map'] | {name: value}).encode()
    with (
        answering({'/': response(told)}) as odd,
        pytest.raises(PlaceServerError, match=expected),
    ):
        RemoteDatabase(PatientClient(odd.url), VERIFIED)


def first(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what changes one thing of the first candidate."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        best, *others = answer['candidates']
        return answer | {'candidates': [best | {name: value}, *others]}

    return change


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda answer: answer | {'candidates': None}, 'candidates are None'),
        (lambda answer: answer | {'candidates': [7]}, 'a candidate is 7'),
        (lambda answer: answer | {'candidates': answer['candidates'][:1] * 2}, 'named twice'),
        (lambda answer: answer | {'candidates': answer['candidates'][:1] * 101}, 'candidates are'),
        (lambda answer: answer | {'horizon': 'far'}, "horizon is 'far'"),
        (lambda answer: answer | {'horizon': float('nan')}, 'horizon is nan'),
        (lambda answer: answer | {'horizon': -1}, 'horizon is -1'),
        (first('keyframe_id', 1 << 40), 'keyframe_id'),
        (first('stamp_ns', 1 << 62), 'stamp_ns'),
        (first('position_m', [0, 0]), 'position_m'),
        (first('position_m', [0, 0, 1e30]), 'position_m'),
        (first('quaternion_xyzw', [0, 0, 0, 0]), 'no rotation'),
        (first('distance', float('nan')), 'distance'),
        (first('relative_yaw_rad', 1e9), 'relative_yaw_rad'),
        (first('returns_cm', 'AAA'), 'padding'),
        (first('returns_cm', 'AAAA'), 'pairs of int16'),
        (first('returns_cm', 'A' * 400_000), 'returns_cm'),
    ],
)
def test_an_answer_that_cannot_be_is_refused(
    truth: dict[str, Any],
    student: OnnxEncoder,
    change: Callable[[dict[str, Any]], dict[str, Any]],
    expected: str,
) -> None:
    replies = {
        '/v1/map': response(json.dumps(truth['map']).encode()),
        '/v1/descriptor': response(json.dumps(change(truth['answer'])).encode()),
    }
    with answering(replies) as odd:
        remote = RemoteDatabase(PatientClient(odd.url), VERIFIED)
        with pytest.raises(PlaceServerError, match=expected):
            PlaceRecognizer(student, [remote]).process(STREET.cloud(23))


def test_a_later_server_may_tell_more(truth: dict[str, Any], student: OnnxEncoder) -> None:
    more = [each | {'colour': 'red'} for each in truth['answer']['candidates']]
    answer = truth['answer'] | {'candidates': more, 'colour': 'red'}
    replies = {
        '/v1/map': response(json.dumps(truth['map'] | {'colour': 'red'}).encode()),
        '/v1/descriptor': response(json.dumps(answer).encode()),
    }
    with answering(replies) as odd:
        remote = RemoteDatabase(PatientClient(odd.url), VERIFIED)
        found = PlaceRecognizer(student, [remote]).process(STREET.cloud(23))
    assert found.candidates[0].keyframe_id == 23
