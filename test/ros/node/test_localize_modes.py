# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A localizer with what is off by default: initialpose once, a transform, QoS, an adapter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import pytest
from ssd_ros.maps.builder import build_database
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition import candidates
from std_srvs.srv import Trigger
from support.localizer import DRIVE, Localizer, NODE, running_localizer, set_parameter, text
from support.posts import small_encoder
from support.ros import Peer

# A second map: the same posts further along the same road.
FAR = replace(DRIVE, xy_yaw=DRIVE.xy_yaw[:8])


@pytest.fixture(scope='module')
def second_map(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PlaceDatabase]:
    directory = tmp_path_factory.mktemp('second_map')
    database = build_database(FAR, small_encoder(directory, 'spinning'))
    database.save(directory / 'far.ssd')
    return directory / 'far.ssd', database


@pytest.fixture(scope='module')
def initial_poses(peer: Peer) -> list[Any]:
    poses: list[Any] = []
    peer.node.create_subscription(PoseWithCovarianceStamped, '/initialpose', poses.append, 10)
    return poses


@pytest.fixture(scope='module')
def localizer(
    peer: Peer,
    built_messages: None,
    initial_poses: list[Any],
    second_map: tuple[Path, PlaceDatabase],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Localizer]:
    directory = tmp_path_factory.mktemp('modes')
    with running_localizer(
        peer,
        directory,
        index_path=f'{directory / "map.ssd"}:{second_map[0]}',
        initialpose_mode='once',
        publish_tf=True,
        adapters='[lio_sam]',
        **{'qos_overrides./ssd_localizer/pose.publisher.reliability': 'best_effort'},
    ) as running:
        yield running


def test_once_means_at_the_first_place_after_activation(
    peer: Peer, localizer: Localizer, initial_poses: list[Any]
) -> None:
    for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert peer.call(ChangeState, f'{NODE}/change_state', request).success
    initial_poses.clear()
    localizer.wait_for_value('matching', lambda values: values['initialpose_listeners'] == '1')
    for index in (5, 6, 7):
        localizer.answer_to(localizer.send(index))
    peer.wait(lambda: initial_poses, 'the initial pose')
    assert len(initial_poses) == 1
    assert initial_poses[0].pose.pose.position.x == pytest.approx(50, abs=1.6)


def test_the_transform_puts_the_odometry_into_the_map(peer: Peer, localizer: Localizer) -> None:
    from tf2_msgs.msg import TFMessage

    messages = peer.listen(TFMessage, '/tf', 100)
    stamp_ns = localizer.send(20, 1000.0)
    peer.wait(lambda: messages, 'the transform')
    (transform,) = messages[-1].transforms
    assert (transform.header.frame_id, transform.child_frame_id) == ('map', 'odom')
    stamp = transform.header.stamp
    assert stamp.sec * 10**9 + stamp.nanosec == stamp_ns
    assert transform.transform.translation.x == pytest.approx(200 - 1000, abs=3.2)  # two cells


@pytest.mark.parametrize('service', ['clear', 'reload_map'])
def test_of_another_drive_or_map_the_transform_does_not_hold(
    peer: Peer, localizer: Localizer, service: str
) -> None:
    from tf2_msgs.msg import TFMessage

    messages = peer.listen(TFMessage, '/tf', 100)
    localizer.send(20, 1000.0)
    peer.wait(lambda: messages, 'the transform')
    assert peer.call(Trigger, f'{NODE}/{service}').success
    messages.clear()
    localizer.answer_to(localizer.send(21))  # accepted, but nothing says where in `odom`
    stamp_ns = localizer.send(22, 1020.0)
    peer.wait(lambda: messages, 'the next transform')
    stamp = messages[0].transforms[0].header.stamp
    assert stamp.sec * 10**9 + stamp.nanosec == stamp_ns


def test_quality_of_service_can_be_overridden(peer: Peer, localizer: Localizer) -> None:
    (pose,) = peer.node.get_publishers_info_by_topic(f'{NODE}/pose')
    (rows,) = peer.node.get_publishers_info_by_topic(f'{NODE}/candidates')
    assert pose.qos_profile.reliability.name == 'BEST_EFFORT'
    assert rows.qos_profile.reliability.name == 'RELIABLE'


def test_two_maps_answer_as_one(
    localizer: Localizer, second_map: tuple[Path, PlaceDatabase]
) -> None:
    rows = candidates.from_msg(localizer.answer_to(localizer.send(3)))
    found = rows[['map_id', 'keyframe_id']][:2].tolist()
    assert set(found) == {(localizer.database.map_id, 3), (second_map[1].map_id, 3)}
    assert localizer.values('matching')['keyframes'] == '38'
    uuids = {localizer.database.info.uuid, second_map[1].info.uuid}
    assert set(localizer.status('matching').hardware_id.split(',')) == uuids


def test_the_adapter_is_told_and_reports(localizer: Localizer) -> None:
    localizer.answer_to(localizer.send(4))
    # LIO-SAM can only use places of the running drive.
    localizer.wait_for_value(
        'adapter lio_sam', lambda values: int(values.get('skipped_not_live', 0)) > 0
    )


def test_maps_in_two_frames_are_refused(
    peer: Peer, localizer: Localizer, second_map: tuple[Path, PlaceDatabase], tmp_path: Path
) -> None:
    database = build_database(FAR, small_encoder(tmp_path, 'spinning'), map_frame_id='utm')
    database.save(tmp_path / 'utm.ssd')
    paths = f'{localizer.map_path}:{tmp_path / "utm.ssd"}'
    assert set_parameter(peer, 'index_path', text(paths)).successful
    response = peer.call(Trigger, f'{NODE}/reload_map')
    assert not response.success
    assert 'are in the frames map, utm, expected one' in response.message
    paths = f'{localizer.map_path}:{localizer.map_path}'
    assert set_parameter(peer, 'index_path', text(paths)).successful
    assert 'names a map twice' in peer.call(Trigger, f'{NODE}/reload_map').message
    paths = f'{localizer.map_path}:{second_map[0]}'  # for the other tests, in whatever order
    assert set_parameter(peer, 'index_path', text(paths)).successful
