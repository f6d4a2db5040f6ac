# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what MOLA, Nav2 and Autoware are asked over DDS, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from ssd_ros.ros.adapters import load_adapter
from ssd_ros.ros.adapters.closure import LoopClosure
from std_srvs.srv import Empty
from support.adapters import closure, Pair

pytestmark = pytest.mark.usefixtures('built_messages')

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.fixture
def load(pair: Pair) -> Iterator[Callable[[str], Any]]:
    made = []

    def load(name: str) -> Any:
        made.append(load_adapter(name, pair.host, 'map'))
        return made[-1]

    yield load
    for adapter in made:
        adapter.destroy()


def wait_for_services(pair: Pair, adapter: Any) -> None:
    pair.wait(lambda: 'absent' not in adapter.status().values.values(), 'the services')


def wait_for_count(pair: Pair, adapter: Any, outcome: str) -> Any:
    """Return the status that first has the outcome."""
    return pair.wait(lambda: (status := adapter.status()).values.get(outcome) and status, outcome)


def assert_is_the_pose_of_the_closure(pose: Any, closure: LoopClosure) -> None:
    stamp = pose.header.stamp
    assert pose.header.frame_id == 'map'
    assert stamp.sec * 1_000_000_000 + stamp.nanosec == closure.query_stamp_ns
    position, turned = pose.pose.pose.position, pose.pose.pose.orientation
    np.testing.assert_allclose([position.x, position.y, position.z], [9.0, 22.0, 0.0], atol=1e-9)
    assert np.degrees(2 * np.arctan2(turned.z, turned.w)) == pytest.approx(120.0)
    assert pose.pose.covariance.tolist() == closure.covariance.ravel().tolist()


def test_mola_is_asked_to_continue_from_the_pose(pair: Pair, load: Callable[[str], Any]) -> None:
    from mola_msgs.srv import RelocalizeNearPose

    adapter = load('mola')
    requests = pair.offer(
        RelocalizeNearPose, '/relocalize_near_pose', lambda _, reply: type(reply)(accepted=True)
    )
    wait_for_services(pair, adapter)
    adapter.on_loop_closure(closure())  # no business of MOLA's
    adapter.relocalize(closure())
    wait_for_count(pair, adapter, 'accepted')
    (request,) = requests
    assert_is_the_pose_of_the_closure(request.pose, closure())


def test_a_pose_that_mola_refuses_is_counted_and_said(
    pair: Pair, load: Callable[[str], Any]
) -> None:
    from mola_msgs.srv import RelocalizeNearPose

    adapter = load('mola')
    pair.offer(RelocalizeNearPose, '/relocalize_near_pose', lambda _, reply: reply)
    wait_for_services(pair, adapter)
    adapter.relocalize(closure())
    status = wait_for_count(pair, adapter, 'refused')
    assert (status.level, status.message) == (1, 'MOLA refused the pose')


def test_nav2_gets_the_pose_and_then_updates_at_standstill(
    pair: Pair, load: Callable[[str], Any]
) -> None:
    from nav2_msgs.srv import SetInitialPose

    order: list[str] = []
    adapter = load('nav2')

    def note(name: str) -> Callable[[Any, Any], Any]:
        return lambda _, reply: (order.append(name), reply)[1]

    requests = pair.offer(SetInitialPose, '/set_initial_pose', note('pose'))
    pair.offer(Empty, '/request_nomotion_update', note('update'))
    wait_for_services(pair, adapter)
    adapter.on_loop_closure(closure())  # a pose would reset the particles
    adapter.relocalize(closure())
    wait_for_count(pair, adapter, 'updated')
    assert order == ['pose', 'update']
    assert_is_the_pose_of_the_closure(requests[0].pose, closure())


def test_autoware_is_initialised_with_our_own_covariance(
    pair: Pair, load: Callable[[str], Any]
) -> None:
    from autoware_adapi_v1_msgs.srv import InitializeLocalization

    def accept(_: Any, reply: Any) -> Any:
        reply.status.success = True
        return reply

    adapter = load('autoware')
    requests = pair.offer(InitializeLocalization, '/api/localization/initialize', accept)
    wait_for_services(pair, adapter)
    adapter.relocalize(closure())
    wait_for_count(pair, adapter, 'accepted')
    (request,) = requests
    (pose,) = request.pose
    assert_is_the_pose_of_the_closure(pose, closure())


def test_the_reason_of_autoware_for_refusing_is_said(
    pair: Pair, load: Callable[[str], Any]
) -> None:
    from autoware_adapi_v1_msgs.srv import InitializeLocalization

    def refuse(_: Any, reply: Any) -> Any:
        reply.status.code, reply.status.message = reply.ERROR_UNSAFE, 'stop first'
        return reply

    adapter = load('autoware')
    pair.offer(InitializeLocalization, '/api/localization/initialize', refuse)
    wait_for_services(pair, adapter)
    adapter.relocalize(closure())
    status = wait_for_count(pair, adapter, 'refused')
    assert status.message == 'Autoware refused: the vehicle moves; stop first'


def test_autoware_is_left_alone_while_it_initialises(
    pair: Pair, load: Callable[[str], Any]
) -> None:
    from autoware_adapi_v1_msgs.msg import LocalizationInitializationState as State
    from autoware_adapi_v1_msgs.srv import InitializeLocalization

    topic = '/api/localization/initialization_state'
    publisher = pair.back_end.create_publisher(State, topic, LATCHED)
    publisher.publish(State(state=State.INITIALIZING))  # latched: before the adapter listens
    adapter = load('autoware')
    requests = pair.offer(
        InitializeLocalization, '/api/localization/initialize', lambda _, reply: reply
    )
    wait_for_services(pair, adapter)
    pair.wait(
        lambda: adapter.status().values['localization'] == 'initializing', 'the latched state'
    )
    adapter.relocalize(closure())
    wait_for_count(pair, adapter, 'busy')
    publisher.publish(State(state=State.UNINITIALIZED))
    pair.wait(lambda: adapter.status().values['localization'] == 'uninitialized', 'the state')
    adapter.relocalize(closure())
    pair.wait(lambda: requests, 'the request')
    assert adapter.status().values['busy'] == 1
