# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that adapters are found by name, and what they do where a back end is not as expected."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from rclpy.node import Node
from rclpy.task import Future
from ssd_ros.ros.adapters import ADAPTERS, load_adapter
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.inbox import Inbox
from ssd_ros.ros.adapters.outcomes import Outcomes
from ssd_ros.ros.adapters.service import ServiceCaller
from std_srvs.srv import Trigger
from support.adapters import closure, Pair


@pytest.mark.usefixtures('built_messages')
def test_every_adapter_starts_and_ends(pair: Pair) -> None:
    for name in ADAPTERS:
        adapter = load_adapter(name, pair.host, 'map')
        assert adapter.status().name == f'adapter {name}'
        assert adapter.status().message == 'working'
        adapter.destroy()
    assert list(pair.host.clients) == []


def test_an_unknown_adapter_is_refused_with_the_known_names(pair: Pair) -> None:
    with pytest.raises(ValueError, match="unknown adapter 'rtab'; choose from autoware, lio_sam"):
        load_adapter('rtab', pair.host, 'map')


@pytest.mark.parametrize(
    ('name', 'package', 'apt'),
    [
        ('autoware', 'autoware_adapi_v1_msgs', 'ros-jazzy-autoware-adapi-v1-msgs'),
        ('mola', 'mola_msgs', 'ros-jazzy-mola-msgs'),
        ('nav2', 'nav2_msgs', 'ros-jazzy-nav2-msgs'),
        ('rtabmap', 'rtabmap_msgs', 'ros-jazzy-rtabmap-msgs'),
    ],
)
def test_a_missing_message_package_is_named_with_its_apt_package(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, name: str, package: str, apt: str
) -> None:
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    for module in [f'ssd_ros.ros.adapters.{name}', f'{package}.msg', f'{package}.srv']:
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(ImportError, match=f'needs the package {package}: sudo apt install {apt}$'):
        load_adapter(name, pair.host, 'map')


def test_a_server_that_never_replies_is_given_up(pair: Pair) -> None:
    outcomes = Outcomes('test', pair.host)
    caller = ServiceCaller(pair.host, Trigger, '/silent', outcomes, timeout_s=0.2)

    async def never(request: Any, response: Any) -> Any:
        await Future()

    pair.back_end.create_service(Trigger, '/silent', never)
    pair.wait(lambda: caller.presence() == {'/silent': 'offered'}, 'the service')
    replies: list[Any] = []
    caller.call(Trigger.Request(), replies.append)
    pair.wait(lambda: outcomes.status({}).values.get('timeouts') == 1, 'the timeout')
    assert replies == []
    caller.destroy()


def test_a_call_without_a_server_does_not_wait(pair: Pair) -> None:
    outcomes = Outcomes('test', pair.host)
    caller = ServiceCaller(pair.host, Trigger, '/nobody', outcomes)
    caller.call(Trigger.Request(), lambda reply: None)
    status = outcomes.status(caller.presence())
    assert status.values == {'/nobody': 'absent', 'no_server': 1}
    assert status.message == 'nobody offers /nobody: is the back end running, under this name?'
    caller.destroy()


def test_a_service_can_be_remapped(pair: Pair) -> None:
    arguments = ['--ros-args', '-r', '/usual:=/other']
    node = Node('remapped', context=pair.host.context, cli_args=arguments)
    caller = ServiceCaller(node, Trigger, '/usual', Outcomes('test', node))
    pair.back_end.create_service(Trigger, '/other', lambda _, reply: reply)
    pair.wait(lambda: caller.presence() == {'/other': 'offered'}, 'the remapped service')
    node.destroy_node()


def test_closures_that_come_too_fast_are_dropped_and_counted(pair: Pair) -> None:
    worked: list[LoopClosure] = []
    outcomes = Outcomes('test', pair.host)
    inbox = Inbox(pair.host, worked.append, outcomes)
    sent = [closure(keyframe_id=number) for number in range(103)]
    for found in sent:
        inbox.put(found)
    pair.wait(lambda: len(worked) == 100, 'the work')
    assert worked == sent[3:]
    status = outcomes.status({})
    assert status.values == {'overflowed': 3}
    assert status.message.startswith('closures came faster than the executor turned')
    inbox.destroy()


def test_another_thread_wakes_the_executor_and_a_failure_does_not_end_it(pair: Pair) -> None:
    worked_in: list[int] = []

    def work(found: LoopClosure) -> None:
        worked_in.append(threading.get_ident())
        raise KeyError('strange')

    outcomes = Outcomes('test', pair.host)
    inbox = Inbox(pair.host, work, outcomes)
    thread = threading.Thread(target=lambda: [inbox.put(closure()) for _ in range(3)])
    thread.start()
    thread.join()
    pair.wait(lambda: len(worked_in) == 3, 'the work')
    assert set(worked_in) == {threading.get_ident()}
    status = outcomes.status({})
    assert (status.values, status.message) == ({'failed': 3}, "KeyError: 'strange'")
    inbox.destroy()
