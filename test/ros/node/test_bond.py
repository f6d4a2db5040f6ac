# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the heartbeats against what Nav2's lifecycle manager does, over DDS."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
from typing import Any

from lifecycle_msgs.srv import ChangeState
import pytest
from support.ros import Peer, Processes, Running  # skips the tests where rclpy is absent

# isort: split
from rclpy.qos import QoSProfile
from ssd_ros.maps.builder import build_database
from support import message_packages
from support.localizer import DRIVE, NODE
from support.posts import small_encoder, write_small_encoder

NAME = NODE.removeprefix('/')


class Manager:
    """The end of the bond that Nav2's lifecycle manager holds; it knows the node by its name."""

    def __init__(self, peer: Peer) -> None:
        from bond.msg import Status

        self._peer, self._kind = peer, Status
        self._publisher = peer.node.create_publisher(Status, '/bond', QoSProfile(depth=5))
        self.heard: list[Any] = []
        self._subscription = peer.node.create_subscription(
            Status, '/bond', self._on_status, QoSProfile(depth=100)
        )

    def _on_status(self, msg: Any) -> None:
        if msg.id == NAME and msg.instance_id not in ('manager', 'stranger'):
            self.heard.append(msg)

    def destroy(self) -> None:
        self._peer.node.destroy_publisher(self._publisher)
        self._peer.node.destroy_subscription(self._subscription)

    def change_state(self, label: str) -> None:
        request = ChangeState.Request()
        request.transition.label = label
        assert self._peer.call(ChangeState, f'{NODE}/change_state', request).success

    def say(self, active: bool, instance: str = 'manager') -> None:
        self._publisher.publish(self._kind(id=NAME, instance_id=instance, active=active))

    def wait_for_beats(self, num: int, active: bool = True) -> None:
        """Wait until the node has said so often more whether it is active."""
        self.heard.clear()
        self._peer.wait(
            lambda: sum(msg.active == active for msg in self.heard) >= num, f'{num} {active}'
        )

    def wait_for_silence(self) -> None:
        """Wait until nothing has come for the time of eight heartbeats."""
        before = -1
        while before != len(self.heard):
            before = len(self.heard)
            end_ns = self._peer.node.get_clock().now().nanoseconds + 800_000_000
            self._peer.wait(
                lambda end_ns=end_ns: self._peer.node.get_clock().now().nanoseconds > end_ns, ''
            )


@pytest.fixture
def manager(built_messages: None, peer: Peer) -> Iterator[Manager]:
    made = Manager(peer)
    yield made
    made.destroy()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    build_database(DRIVE, small_encoder(tmp_path, 'spinning')).save(tmp_path / 'map.ssd')
    model = write_small_encoder(tmp_path / 'student.onnx', '4d')
    return {'index_path': tmp_path / 'map.ssd', 'model_path': model}


@pytest.fixture
def running(processes: Processes, files: dict[str, Path]) -> Iterator[Running]:
    started = processes.start_localizer(**files, autostart=False, bond_heartbeat_period=0.1)
    yield started
    assert started.end(signal.SIGINT) == 0, started.text()
    assert 'Traceback' not in started.text()


def test_heartbeats_come_while_the_node_is_active(manager: Manager, running: Running) -> None:
    manager.change_state('configure')
    manager.wait_for_silence()
    assert manager.heard == []
    manager.change_state('activate')
    manager.wait_for_beats(5)
    (instance,) = {msg.instance_id for msg in manager.heard}
    first = manager.heard[0]
    assert (first.heartbeat_period, first.heartbeat_timeout) == (pytest.approx(0.1), 4.0)
    manager.say(active=True)
    running.wait_for_text('a lifecycle manager hears the heartbeats of this node')

    manager.change_state('deactivate')
    manager.wait_for_beats(3, active=False)  # until the manager has said so, too
    manager.say(active=False)
    manager.wait_for_silence()
    assert not manager.heard[-1].active

    manager.change_state('activate')
    manager.wait_for_beats(2)
    assert {msg.instance_id for msg in manager.heard}.isdisjoint({instance})


def test_a_manager_that_goes_is_answered_and_the_node_works_on(
    manager: Manager, running: Running, peer: Peer
) -> None:
    manager.change_state('configure')
    manager.change_state('activate')
    manager.wait_for_beats(1)
    manager.say(active=True)
    running.wait_for_text('a lifecycle manager hears')
    manager.say(active=False, instance='stranger')  # a bond has two ends
    manager.wait_for_beats(3)
    manager.say(active=False)
    manager.wait_for_beats(1, active=False)
    manager.wait_for_silence()
    manager.change_state('deactivate')  # it was active still
    manager.change_state('activate')
    manager.wait_for_beats(2)


def test_a_node_that_nobody_is_bound_to_goes_without_farewells(
    manager: Manager, running: Running
) -> None:
    manager.change_state('configure')
    manager.change_state('activate')
    manager.wait_for_beats(1)
    manager.change_state('deactivate')
    manager.wait_for_silence()
    assert [msg.active for msg in manager.heard].count(False) == 1


@pytest.mark.parametrize('settings', [{'autostart': True}, {'bond_heartbeat_period': 0.0}])
def test_without_a_manager_there_is_no_topic(
    manager: Manager, processes: Processes, files: dict[str, Path], settings: dict[str, Any]
) -> None:
    running = processes.start_localizer(**{'autostart': False, **files, **settings})
    if not settings.get('autostart'):
        manager.change_state('configure')
        manager.change_state('activate')
    running.wait_for_text('map of 30 keyframes')
    manager.change_state('deactivate')
    assert manager.heard == []
    assert running.end(signal.SIGINT) == 0, running.text()


def test_without_the_package_bond_the_node_says_so_and_works(
    peer: Peer, processes: Processes, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    others = [folder for folder in folders if not folder.startswith(str(message_packages.BUILT))]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(others))
    running = processes.start_localizer(**files, autostart=False)
    for label in ('configure', 'activate'):
        request = ChangeState.Request()
        request.transition.label = label
        assert peer.call(ChangeState, f'{NODE}/change_state', request).success
    running.wait_for_text('no heartbeats for a lifecycle manager: bond/msg/Status needs')
    assert 'sudo apt install ros-$ROS_DISTRO-bond' in running.text()
    assert running.end(signal.SIGINT) == 0, running.text()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_the_heartbeats_end_with_the_process(
    manager: Manager, processes: Processes, files: dict[str, Path], number: signal.Signals
) -> None:
    """Killed ones come last: those who wait for the next of this name may take it for this one."""
    running = processes.start_localizer(**files, autostart=False, bond_heartbeat_period=0.1)
    manager.change_state('configure')
    manager.change_state('activate')
    manager.wait_for_beats(2)
    assert running.end(number) == (0 if number is signal.SIGTERM else -number)
    manager.wait_for_silence()
