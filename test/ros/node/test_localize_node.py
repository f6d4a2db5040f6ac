# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Talk over DDS to a localizer that runs as a process of its own, among posts of known place."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
from dataclasses import replace
import json
import math
from pathlib import Path
import re

from diagnostic_msgs.msg import DiagnosticStatus
import numpy as np
import pytest
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import DescribeParameters
from sensor_msgs.msg import PointCloud2
from ssd_ros.cli.map import command as map_command
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.cells.database import open_map
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import Flag
from ssd_ros.recognition.place_recognizer import PlaceRecognizer
from ssd_ros.ros.parameters.node import NodeParameters
from std_msgs.msg import String
from std_srvs.srv import Trigger
from support.localizer import (
    double,
    DRIVE,
    integer,
    LATCHED,
    Localizer,
    NODE,
    running_localizer,
    set_parameter,
    text,
)
from support.posts import small_encoder, straight_drive
from support.ros import Peer, points_msg


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    with running_localizer(
        peer,
        tmp_path_factory.mktemp('localizer'),
        radar_extrinsics='[1.5, 0.0, 0.5, 0.0, 0.0, 0.0]',
        query_rate=100.0,
    ) as running:
        yield running


def test_a_cloud_gives_rows_of_136_bytes_with_the_right_keyframe_first(
    localizer: Localizer,
) -> None:
    stamp_ns = localizer.send(12)
    msg = localizer.answer_to(stamp_ns)
    assert msg.header.frame_id == 'map'
    assert (msg.height, msg.width, msg.point_step, msg.row_step) == (1, 10, 136, 1360)
    best = candidates.from_msg(msg)[0]
    assert best['keyframe_id'] == 12
    assert best['rank'] == 0
    assert (best['x'], best['map_x'], best['map_y']) == (120, 120, 0)
    assert (best['qz'], best['qw']) == (0, 1)
    # Laid over the returns of the keyframe: cells of 1.6 m by 2.5 degrees.
    assert best['relative_yaw'] == pytest.approx(0, abs=math.radians(2.5))
    assert 0 < best['relative_yaw_std'] < math.radians(10)
    assert (best['relative_x'], best['relative_y']) == pytest.approx((0, 0), abs=1.6)
    assert best['covariance_xx'] > 0
    assert np.isnan(candidates.from_msg(msg)[7:]['relative_x']).all()  # seven were verified
    assert best['map_id'] == localizer.database.info.map_id
    assert best['map_revision'] == int(open_map(localizer.map_path).revision, 16)
    assert 0 < best['age'] < 20
    assert (
        int(best['kf_stamp_sec']) * 10**9 + int(best['kf_stamp_nanosec'])
        == DRIVE.scan_stamps_ns[12]
    )
    assert np.isnan([best['confidence'], best['intensity']]).all()
    # The posts do not move: no Doppler at all.
    assert best['flags'] == (
        Flag.ACCEPTED | Flag.YAW_VALID | Flag.STATIONARY | Flag.GEOMETRICALLY_VERIFIED
    )


def test_every_field_arrives_bit_for_bit_as_the_recognizer_computed_it(
    localizer: Localizer, tmp_path: Path
) -> None:
    recognizer = PlaceRecognizer(small_encoder(tmp_path, '4d'), [localizer.database])
    recognizer.config = NodeParameters().recognizer_config()
    expected = recognizer.process(DRIVE.cloud(20)).candidates
    rows = candidates.from_msg(localizer.answer_to(localizer.send(20)))
    assert rows['keyframe_id'].tolist() == [candidate.keyframe_id for candidate in expected]
    assert rows['rank'].tolist() == list(range(10))
    for name in ('distance', 'ratio'):
        values = np.array([getattr(candidate, name) for candidate in expected], np.float32)
        assert rows[name].tobytes() == values.tobytes()


def test_poses_of_one_query_have_its_stamp_and_the_order_of_its_rows(localizer: Localizer) -> None:
    stamp_ns = localizer.send(5)
    rows = candidates.from_msg(localizer.answer_to(stamp_ns))
    poses = localizer.answer_to(stamp_ns, localizer.candidate_poses).poses
    # The keyframes look along x; the first ones were verified.
    expected_x = rows['map_x'] + rows['relative_x']
    np.testing.assert_allclose([pose.position.x for pose in poses[:7]], expected_x[:7], atol=1e-4)
    # Of the others only the heading is known, and that the base is 1.5 m behind the radar.
    expected_x = rows['map_x'] - 1.5 * np.cos(rows['relative_yaw'])
    np.testing.assert_allclose([pose.position.x for pose in poses[7:]], expected_x[7:], atol=1e-4)


def test_the_pose_is_that_of_the_base_with_an_honest_covariance(localizer: Localizer) -> None:
    msg = localizer.answer_to(localizer.send(7), localizer.poses)
    # The radar sits at x = 70 m, 1.5 m before and 0.5 m above the base.
    position = msg.pose.pose.position
    assert (position.x, position.y) == pytest.approx((68.5, 0), abs=1.6)  # a cell
    assert position.z == pytest.approx(-0.5)
    covariance = np.array(msg.pose.covariance).reshape(6, 6)
    # The posts lie dense enough for less than the floor of 1 m.
    np.testing.assert_allclose(covariance[:2, :2], np.eye(2), atol=1e-9)
    np.testing.assert_allclose(np.diag(covariance)[2:5], [1, 0.05**2, 0.05**2])
    assert 0 < covariance[5, 5] < math.radians(10) ** 2


def test_a_late_listener_is_told_which_map_is_in_use(localizer: Localizer) -> None:
    messages = localizer.peer.listen(String, f'{NODE}/map_info', LATCHED)
    localizer.peer.wait(lambda: messages, 'map_info')
    info = json.loads(messages[0].data)
    assert (info['frame'], info['online_index']) == ('map', False)
    assert info['query_provider'].startswith('CPUExecutionProvider')
    (described,) = info['maps']
    assert described['uuid'] == localizer.database.info.uuid
    assert described['revision'] == open_map(localizer.map_path).revision
    assert (described['keyframes'], described['rows']) == (30, 30 * 36)
    assert described['bounds_m'] == [[0, 0, 0], [290, 0, 0]]


def test_query_answers_with_the_newest_window_in_json(localizer: Localizer) -> None:
    stamp_ns = localizer.send(9)
    localizer.answer_to(stamp_ns)
    response = localizer.peer.call(Trigger, f'{NODE}/query')
    reply = json.loads(response.message)
    assert response.success
    assert reply['decision'] == 'accepted'
    assert reply['stamp'] == {'sec': stamp_ns // 10**9, 'nanosec': stamp_ns % 10**9}
    assert reply['candidates'][0]['keyframe_id'] == 9
    assert reply['candidates'][0]['position_m'] == [90, 0, 0]
    assert 0 < reply['age_s'] < 20
    (searched,) = reply['maps']
    assert searched == {
        'map_id': localizer.database.map_id,
        'uuid': localizer.database.info.uuid,
        'revision': open_map(localizer.map_path).revision,
    }
    assert reply['candidates'][0]['map_revision'] == searched['revision']


def test_relocalize_says_how_old_the_scan_is_and_in_which_map_it_was_searched(
    localizer: Localizer,
) -> None:
    localizer.answer_to(localizer.send(9))
    message = localizer.peer.call(Trigger, f'{NODE}/relocalize').message
    revision = open_map(localizer.map_path).revision
    pattern = r'\(asked (\d+\.\d\d) s after the scan came; map revision (\w+)\)$'
    found = re.search(pattern, message)
    assert found is not None, message
    assert 0 <= float(found[1]) < 20
    assert found[2] == revision


def test_diagnostics_report_input_inference_and_matching(localizer: Localizer) -> None:
    localizer.answer_to(localizer.send(3))
    localizer.peer.wait(
        lambda: localizer.status('input').level == DiagnosticStatus.OK, 'a healthy input'
    )
    status = localizer.status('matching')
    assert status.hardware_id == localizer.database.info.uuid
    assert localizer.values('matching')['keyframes'] == '30'
    values = localizer.values('inference')
    assert values['provider'].startswith('CPUExecutionProvider')
    assert all(f'{stage}_ms' in values for stage in ('decode', 'bev', 'encode', 'search', 'total'))
    received = localizer.values('input')
    assert received['topic'] == '/points'
    assert received['frame'] == 'radar'
    assert received['extrinsics'] == 'parameter'
    assert int(received['points_in']) == len(DRIVE.cloud(3))


def cut_short(msg: PointCloud2) -> None:
    msg.data = msg.data[:-1]


def unnamed_fields(msg: PointCloud2) -> None:
    for item in msg.fields:
        item.name = 'unknown'


def without_points(msg: PointCloud2) -> None:
    msg.width, msg.row_step, msg.data = 0, 0, array.array('B')


def all_nan(msg: PointCloud2) -> None:
    msg.data = array.array('B', b'\xff' * len(msg.data))


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (cut_short, 'short_data'),
        (unnamed_fields, 'missing_field'),
        (without_points, 'empty'),
        (all_nan, 'no_valid_point'),
    ],
)
def test_a_bad_cloud_is_counted_and_the_next_good_one_answered(
    localizer: Localizer, spoil: Callable[[PointCloud2], None], reason: str
) -> None:
    localizer.clock_ns += 2_000_000_000
    msg = points_msg(DRIVE.cloud(4), localizer.clock_ns)
    spoil(msg)
    localizer.publisher.publish(msg)
    localizer.wait_for_value('input', lambda values: values.get(f'refused_{reason}') == '1')
    localizer.answer_to(localizer.send(4))


def test_time_that_goes_back_starts_a_new_window(localizer: Localizer) -> None:
    localizer.answer_to(localizer.send(15))
    # A bag that loops: were the scan of keyframe 15 still in the window, there were more points.
    localizer.clock_ns -= 30_000_000_000
    for _ in range(2):
        localizer.send(2)
    localizer.answer_to(localizer.send(2))
    localizer.wait_for_value('input', lambda values: values['time_jumps'] == '1')
    assert int(localizer.values('input')['points_used']) <= len(DRIVE.cloud(2))
    localizer.clock_ns += 30_000_000_000  # no stamp twice: answers are told apart by it


def test_thresholds_change_while_the_node_runs(localizer: Localizer) -> None:
    name = 'accept.max_distance'
    assert set_parameter(localizer.peer, name, double(1e-9)).successful
    localizer.answer_to(localizer.send(6))
    reply = json.loads(localizer.peer.call(Trigger, f'{NODE}/query').message)
    assert reply['decision'] == 'rejected'
    assert 'is above 0.000' in reply['reason']
    assert set_parameter(localizer.peer, name, double(0.0)).successful
    assert set_parameter(localizer.peer, 'top_k', integer(3)).successful
    assert localizer.answer_to(localizer.send(6)).width == 3
    assert set_parameter(localizer.peer, 'top_k', integer(10)).successful


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('accept.max_distance', double(2.5), 'max'),
        ('accept.max_distance', integer(1), 'type'),
        ('map_frame', text('x'), 'read-only'),
        ('stamp_source', text('x'), "is 'x'; choose from header, receive, auto"),
    ],
)
def test_an_impossible_change_is_refused_with_the_reason(
    localizer: Localizer, name: str, value: ParameterValue, reason: str
) -> None:
    result = set_parameter(localizer.peer, name, value)
    assert not result.successful
    assert reason in result.reason


def test_parameters_describe_themselves(localizer: Localizer) -> None:
    request = DescribeParameters.Request(names=['accept.max_distance', 'index_path'])
    response = localizer.peer.call(DescribeParameters, f'{NODE}/describe_parameters', request)
    distance, index_path = response.descriptors
    assert 'accept candidates nearer than this' in distance.description
    assert distance.floating_point_range[0].to_value == 2
    assert not index_path.read_only


def test_reload_takes_over_another_map_and_says_so(localizer: Localizer, tmp_path: Path) -> None:
    infos = localizer.peer.listen(String, f'{NODE}/map_info', LATCHED)
    other = build_database(straight_drive(num=8), small_encoder(tmp_path, 'spinning'))
    other.save(tmp_path / 'other.ssd')
    assert set_parameter(localizer.peer, 'index_path', text(tmp_path / 'other.ssd')).successful
    try:
        response = localizer.peer.call(Trigger, f'{NODE}/reload_map')
        assert response.success, response.message
        localizer.peer.wait(
            lambda: any(json.loads(msg.data)['maps'][0]['keyframes'] == 8 for msg in infos),
            'the new map',
        )
        rows = candidates.from_msg(localizer.answer_to(localizer.send(7)))
        assert len(rows) == 8
        assert set(rows['map_id']) == {other.info.map_id}
    finally:
        set_parameter(localizer.peer, 'index_path', text(localizer.map_path))
        assert localizer.peer.call(Trigger, f'{NODE}/reload_map').success


def test_a_map_that_grows_is_answered_from_as_it_was_until_it_is_reloaded(
    localizer: Localizer, tmp_path: Path
) -> None:
    infos = localizer.peer.listen(String, f'{NODE}/map_info', LATCHED)
    city, drives = tmp_path / 'city.map', []
    for number in range(2):
        drive = straight_drive(num=30)
        shifted = replace(drive, xy_yaw=drive.xy_yaw + np.array([5.0 * number, 0, 0]))
        database = build_database(shifted, small_encoder(tmp_path, 'spinning'))
        database.save(tmp_path / f'{number}.map')
        drives.append(str(tmp_path / f'{number}.map'))
    assert map_command.main(['convert', drives[0], '--output', str(city)]) == 0
    assert set_parameter(localizer.peer, 'index_path', text(city)).successful
    try:
        assert localizer.peer.call(Trigger, f'{NODE}/reload_map').success
        before = candidates.from_msg(localizer.answer_to(localizer.send(7)))
        assert map_command.main(['add', str(city), drives[1], '--session', 'second']) == 0
        after = candidates.from_msg(localizer.answer_to(localizer.send(7)))
        for name in ('map_id', 'keyframe_id', 'distance', 'map_x'):
            np.testing.assert_array_equal(after[name], before[name])
        assert localizer.peer.call(Trigger, f'{NODE}/reload_map').success
        localizer.peer.wait(
            lambda: any(json.loads(msg.data)['maps'][0]['keyframes'] == 60 for msg in infos),
            'both drives',
        )
        new = candidates.from_msg(localizer.answer_to(localizer.send(7)))
        assert set(new['map_id']) == {open_map(city).info.map_id} != set(before['map_id'])
    finally:
        set_parameter(localizer.peer, 'index_path', text(localizer.map_path))
        assert localizer.peer.call(Trigger, f'{NODE}/reload_map').success


def test_a_broken_map_is_refused_and_the_old_one_still_answers(localizer: Localizer) -> None:
    meta = localizer.map_path / 'meta.json'
    good = meta.read_bytes()
    meta.write_bytes(good[: len(good) // 2])
    try:
        response = localizer.peer.call(Trigger, f'{NODE}/reload_map')
    finally:
        meta.write_bytes(good)
    assert not response.success
    assert response.message.startswith('kept the old map: ')
    assert 'meta.json' in response.message
    best = candidates.from_msg(localizer.answer_to(localizer.send(25)))[0]
    assert best['keyframe_id'] == 25
    assert best['map_id'] == localizer.database.info.map_id
    assert best['map_revision'] == int(open_map(localizer.map_path).revision, 16)
    assert 0 < best['age'] < 20


def test_a_map_of_another_training_run_is_refused(localizer: Localizer, tmp_path: Path) -> None:
    foreign = build_database(
        straight_drive(num=3), small_encoder(tmp_path, 'spinning', space='c' * 64)
    )
    foreign.save(localizer.map_path)
    try:
        response = localizer.peer.call(Trigger, f'{NODE}/reload_map')
    finally:
        localizer.database.save(localizer.map_path)
    assert not response.success
    assert 'descriptor space' in response.message
