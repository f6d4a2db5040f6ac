# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What back ends and people get from an accepted place: poses, markers, pictures, a transform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
import math
from typing import Any

from geometry_msgs.msg import PoseArray, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from ssd_ros.ros.messages import topics
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger
from support.localizer import (
    double,
    LATCHED,
    Localizer,
    NODE,
    running_localizer,
    set_parameter,
    text,
)
from support.ros import Peer
from visualization_msgs.msg import Marker, MarkerArray


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    with running_localizer(
        peer,
        tmp_path_factory.mktemp('poses'),
        radar_extrinsics='[1.5, 0.0, 0.5, 0.0, 0.0, 0.0]',
        publish_pose_body=True,
        publish_odometry=True,
        initialpose_min_interval=0.0,
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def news(localizer: Localizer) -> None:
    """Forget what was accepted: the vehicle of these tests stands where it was before."""
    assert localizer.peer.call(Trigger, f'{NODE}/clear').success


@pytest.fixture
def initial_poses(localizer: Localizer) -> Iterator[list[Any]]:
    """Listen to initialpose for one test."""
    messages: list[Any] = []
    subscription = localizer.peer.node.create_subscription(
        PoseWithCovarianceStamped, '/initialpose', messages.append, 10
    )
    localizer.wait_for_value('matching', lambda values: values['initialpose_listeners'] == '1')
    yield messages
    localizer.peer.node.destroy_subscription(subscription)


def test_every_topic_and_service_of_the_table_is_there(localizer: Localizer) -> None:
    node = localizer.peer.node

    def found(ask: Callable[[str, str], Any]) -> dict[str, str]:
        return {name: kinds[0] for name, kinds in ask('ssd_localizer', '/')}

    def resolved(entries: Iterable[topics.Topic | topics.Service]) -> set[tuple[str, str]]:
        names = [(item.name.replace('~', NODE), item.kind) for item in entries]
        return {(name if name.startswith('/') else f'/{name}', kind) for name, kind in names}

    offered = resolved([*topics.PUBLISHED, topics.DIAGNOSTICS])
    always = set(topics.SUBSCRIBED) - set(topics.PRIOR_TOPICS.values())
    heard = {(name, kind) for name, kind in resolved(always) if '/tf' not in name}
    served = resolved(topics.SERVICES)
    for ask, expected in (
        (node.get_publisher_names_and_types_by_node, offered),
        (node.get_subscriber_names_and_types_by_node, heard),
        (node.get_service_names_and_types_by_node, served),
    ):
        localizer.peer.wait(
            lambda ask=ask, expected=expected: expected <= set(found(ask).items()),
            f'all of {expected}',
        )
    # And nothing else under the name of the node.
    own = {name for name in found(node.get_publisher_names_and_types_by_node) if NODE in name}
    assert own - {name for name, _ in offered} == {f'{NODE}/transition_event'}


def test_the_pose_comes_in_three_shapes_that_agree(localizer: Localizer) -> None:
    bodies = localizer.peer.listen(PoseWithCovarianceStamped, f'{NODE}/pose_body')
    odometries = localizer.peer.listen(Odometry, f'{NODE}/odometry')
    stamp_ns = localizer.send(12)
    pose = localizer.answer_to(stamp_ns, localizer.poses)
    body = localizer.answer_to(stamp_ns, bodies)
    odometry = localizer.answer_to(stamp_ns, odometries)
    assert pose.pose == body.pose == odometry.pose
    assert (pose.header.frame_id, body.header.frame_id) == ('map', 'base_link')
    assert (odometry.header.frame_id, odometry.child_frame_id) == ('map', 'base_link')
    # Not measured: a zero would be taken for certain.
    assert min(np.diag(np.array(odometry.twist.covariance).reshape(6, 6))) == 1e4
    assert pose.pose.pose.position.x == pytest.approx(118.5, abs=1.6)


def test_markers_lead_from_the_query_to_its_candidates(localizer: Localizer) -> None:
    messages = localizer.peer.listen(MarkerArray, f'{NODE}/markers')
    stamp_ns = localizer.send(9)

    def about_it() -> list[Marker]:
        last = messages[-1].markers if messages else []
        stamps = {marker.header.stamp.sec * 10**9 + marker.header.stamp.nanosec for marker in last}
        return last if stamp_ns in stamps else []

    first, *rest = localizer.peer.wait(about_it, 'markers')
    assert first.action == Marker.DELETEALL
    assert {marker.lifetime.sec for marker in rest} == {2}
    lines = [marker for marker in rest if marker.type == Marker.LINE_STRIP]
    labels = [marker for marker in rest if marker.type == Marker.TEXT_VIEW_FACING]
    assert len(lines) == len(labels) == 10
    best = lines[0]
    assert best.ns == 'accepted'
    assert best.color.g > best.color.r  # green
    # From the base, 1.5 m behind the radar, to the keyframe.
    assert best.points[0].x == pytest.approx(88.5, abs=1.6)
    assert (best.points[1].x, best.points[1].y) == (90, 0)
    assert labels[0].text.startswith('0: 0.')
    (ellipse,) = [marker for marker in rest if marker.type == Marker.CYLINDER]
    # Twice the floor of 1 m to each side.
    assert (ellipse.scale.x, ellipse.scale.y) == pytest.approx((4, 4))
    assert len({(marker.ns, marker.id) for marker in rest}) == len(rest)


def test_the_picture_is_what_the_encoder_sees(localizer: Localizer) -> None:
    messages = localizer.peer.listen(Image, f'{NODE}/bev', qos_profile_sensor_data)
    msg = localizer.answer_to(localizer.send(4), messages)
    assert (msg.height, msg.width, msg.step, msg.encoding) == (64, 48, 48, 'mono8')
    assert msg.header.frame_id == 'radar'
    assert len(msg.data) == 64 * 48
    assert max(msg.data) > 0


def test_a_late_listener_gets_the_keyframes_of_the_map(localizer: Localizer) -> None:
    messages = localizer.peer.listen(PoseArray, f'{NODE}/map_keyframes', LATCHED)
    localizer.peer.wait(lambda: messages, 'map_keyframes')
    assert messages[0].header.frame_id == 'map'
    assert [pose.position.x for pose in messages[0].poses] == [10 * k for k in range(30)]


def test_relocalize_sets_the_initial_pose_once(
    localizer: Localizer, initial_poses: list[Any]
) -> None:
    stamp_ns = localizer.send(20)
    pose = localizer.answer_to(stamp_ns, localizer.poses)
    assert initial_poses == []  # nobody requested one
    response = localizer.peer.call(Trigger, f'{NODE}/relocalize')
    assert response.success, response.message
    assert 'distance' in response.message
    localizer.peer.wait(lambda: initial_poses, 'the initial pose')
    assert initial_poses == [pose]
    quaternion = pose.pose.pose.orientation
    length = math.hypot(quaternion.x, quaternion.y, quaternion.z, quaternion.w)
    assert length == pytest.approx(1)


def test_relocalize_says_why_it_does_not(localizer: Localizer, initial_poses: list[Any]) -> None:
    localizer.answer_to(localizer.send(20))
    assert set_parameter(localizer.peer, 'accept.max_distance', double(1e-9)).successful
    response = localizer.peer.call(Trigger, f'{NODE}/relocalize')
    assert set_parameter(localizer.peer, 'accept.max_distance', double(0.0)).successful
    assert not response.success
    assert 'is above 0.000' in response.message
    localizer.answer_to(localizer.send(21), localizer.poses)
    assert initial_poses == []


def test_a_lost_back_end_gets_one_pose(localizer: Localizer, initial_poses: list[Any]) -> None:
    lost = localizer.peer.speak(Bool, '/reinitialization_requested', 1)
    assert set_parameter(localizer.peer, 'initialpose_mode', text('on_lost')).successful
    localizer.answer_to(localizer.send(3), localizer.poses)
    assert initial_poses == []
    lost.publish(Bool(data=True))
    sent = 0
    while not initial_poses:  # the request may come after a scan
        # Accepted before, but somebody waits for it.
        localizer.answer_to(localizer.send(3))
        sent += 1
        assert sent < 50
    for index in (4, 5, 6):
        localizer.answer_to(localizer.send(index), localizer.poses)
    assert len(initial_poses) == 1


def test_mode_off_keeps_the_topic_silent(localizer: Localizer, initial_poses: list[Any]) -> None:
    assert set_parameter(localizer.peer, 'initialpose_mode', text('off')).successful
    localizer.answer_to(localizer.send(3), localizer.poses)
    assert localizer.peer.call(Trigger, f'{NODE}/relocalize').success
    assert set_parameter(localizer.peer, 'initialpose_mode', text('on_request')).successful
    assert localizer.peer.call(Trigger, f'{NODE}/relocalize').success
    localizer.peer.wait(lambda: initial_poses, 'the pose of the second call')
    assert len(initial_poses) == 1


def test_an_initial_pose_without_a_listener_is_said_aloud(localizer: Localizer) -> None:
    localizer.wait_for_value('matching', lambda values: values['initialpose_listeners'] == '0')
    localizer.answer_to(localizer.send(3), localizer.poses)
    assert localizer.peer.call(Trigger, f'{NODE}/relocalize').success
    localizer.running.wait_for_text('nobody subscribes to /initialpose')


def test_disabled_it_answers_services_alone(localizer: Localizer) -> None:
    peer = localizer.peer
    assert peer.call(SetBool, f'{NODE}/enable', SetBool.Request(data=False)).success
    before = int(localizer.values('input')['messages'])
    stamp_ns = localizer.send(6)
    localizer.send(6)
    localizer.wait_for_value('input', lambda values: int(values['messages']) >= before + 2)
    assert peer.call(Trigger, f'{NODE}/query').success
    stamps = [msg.header.stamp for msg in localizer.candidates]
    asked = [stamp.sec * 10**9 + stamp.nanosec for stamp in stamps]
    assert stamp_ns not in asked
    assert peer.call(SetBool, f'{NODE}/enable', SetBool.Request(data=True)).success
    localizer.answer_to(localizer.send(6))


def test_queries_wait_until_the_vehicle_has_moved(localizer: Localizer) -> None:
    assert set_parameter(localizer.peer, 'min_travel', double(5.0)).successful
    try:
        first_ns = localizer.send(6, 60.0)
        second_ns = localizer.send(6, 61.0)
        third_ns = localizer.send(6, 66.0)
        localizer.answer_to(first_ns)
        localizer.answer_to(third_ns)
        stamps = [msg.header.stamp for msg in localizer.candidates]
        assert second_ns not in [stamp.sec * 10**9 + stamp.nanosec for stamp in stamps]
    finally:
        assert set_parameter(localizer.peer, 'min_travel', double(0.0)).successful
