# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask a node for what it cannot do: it refuses, says why, and lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import json
from pathlib import Path
import random
import signal
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState
import pytest
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
import rclpy
from ssd_ros.maps.builder import build_database
from ssd_ros.ros.node.localize_node import LocalizeNode
from ssd_ros.ros.node.requests import state_label
from ssd_ros.ros.node.run import StartupError
from ssd_ros.ros.node.session import Session
from std_srvs.srv import Trigger
from support.localizer import DRIVE, Localizer, NODE, running_localizer
from support.posts import small_encoder, write_small_encoder
from support.ros import Peer, points_msg, Processes

# The primary states of a lifecycle node: what each has, by label, as id and next state.
MODEL: dict[str, dict[str, tuple[int, str]]] = {
    'unconfigured': {'configure': (1, 'inactive'), 'shutdown': (5, 'finalized')},
    'inactive': {
        'cleanup': (2, 'unconfigured'),
        'activate': (3, 'active'),
        'shutdown': (6, 'finalized'),
    },
    'active': {'deactivate': (4, 'inactive'), 'shutdown': (7, 'finalized')},
    'finalized': {},
}
LABELS = ['configure', 'cleanup', 'activate', 'deactivate', 'create', 'destroy', 'Activate']
ODD_LABELS = ['transition_success', 'unconfigured', 'é\n', 'x' * 5000, ' activate', '3']
# Never the fit shutdown: nothing comes after it.
NUM_REQUESTS = 1000


class Asker:
    """Clients of the lifecycle services that are made once."""

    def __init__(self, peer: Peer) -> None:
        self._peer, self._clients = peer, dict[str, Any]()

    def ask(self, kind: Any, name: str, request: Any = None) -> Any:
        if name not in self._clients:
            self._clients[name] = self._peer.node.create_client(kind, f'{NODE}/{name}')
            self._peer.wait(self._clients[name].service_is_ready, name)
        reply = self._clients[name].call_async(request or kind.Request())
        self._peer.wait(reply.done, f'the reply of {name}')
        return reply.result()

    def change_state(self, number: int = 0, label: str = '') -> bool:
        request = ChangeState.Request(transition=Transition(id=number, label=label))
        return bool(self.ask(ChangeState, 'change_state', request).success)

    def state(self) -> str:
        return str(self.ask(GetState, 'get_state').current_state.label)

    def available(self) -> dict[str, int]:
        found = self.ask(GetAvailableTransitions, 'get_available_transitions')
        return {item.transition.label: item.transition.id for item in found.available_transitions}

    def set_types(self, *types: int) -> list[Any]:
        parameters = [
            Parameter(name='top_k', value=ParameterValue(type=kind, integer_value=7))
            for kind in types
        ]
        request = SetParameters.Request(parameters=parameters)
        return list(self.ask(SetParameters, 'set_parameters', request).results)


@pytest.fixture
def localizer(peer: Peer, tmp_path: Path) -> Iterator[Localizer]:
    with running_localizer(peer, tmp_path) as running:
        yield running


@pytest.fixture(scope='module')
def localizer_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp('files')
    build_database(DRIVE, small_encoder(folder, 'spinning')).save(folder / 'map.ssd')
    model = write_small_encoder(folder / 'student.onnx', '4d')
    return {'index_path': folder / 'map.ssd', 'model_path': model}


@pytest.fixture
def asker(peer: Peer) -> Asker:
    return Asker(peer)


def outcome(state: str, number: int, label: str) -> tuple[bool, str]:
    """Return what the model says of a request: success and the next state; a label wins."""
    has = MODEL[state]
    if label:
        return (True, has[label][1]) if label in has else (False, state)
    return next(((True, goal) for known, goal in has.values() if known == number), (False, state))


def random_request(state: str, generator: random.Random) -> tuple[int, str]:
    """Return a request that the state has, or that it has not; none that ends the walk."""
    fit = [(number, label) for label, (number, _) in MODEL[state].items() if label != 'shutdown']
    number, label = generator.choice(fit)
    unknown = generator.choice([0, 8, 9, 10, 99, 255])
    kinds: list[Callable[[], tuple[int, str]]] = [
        lambda: (number, ''),
        lambda: (number, label),
        lambda: (unknown, label),
        lambda: (generator.randrange(256), ''),
        lambda: (unknown, ''),
        lambda: (number, generator.choice(ODD_LABELS)),
        lambda: (generator.randrange(1, 8), generator.choice(LABELS)),
        lambda: (generator.randrange(1, 8), ''),
    ]
    while True:
        request = generator.choice(kinds)()
        if outcome(state, *request)[1] != 'finalized':
            return request


def test_a_thousand_transitions_leave_the_node_where_the_model_says(
    localizer: Localizer, asker: Asker
) -> None:
    generator = random.Random(0)
    state, refused, made = 'active', 0, 0
    for _ in range(NUM_REQUESTS):
        request = random_request(state, generator)
        success, state = outcome(state, *request)
        assert asker.change_state(*request) == success, (request, state)
        assert asker.state() == state, request
        refused, made = refused + (not success), made + success
        look_around(localizer, asker, state, generator.randrange(8))
    assert refused > 300
    assert made > 100
    way = {'unconfigured': ['configure', 'activate'], 'inactive': ['activate'], 'active': []}
    assert all(asker.change_state(label=label) for label in way[state])
    localizer.answer_to(localizer.send(3))
    reply = asker.ask(Trigger, 'query')
    assert reply.success, reply.message
    assert json.loads(reply.message)['candidates'][0]['keyframe_id'] == 3
    assert 'Traceback' not in localizer.running.text()


def look_around(localizer: Localizer, asker: Asker, state: str, chance: int) -> None:
    """Do what others do between two transitions, now and then."""
    if chance == 0:
        assert asker.available() == {label: known for label, (known, _) in MODEL[state].items()}
    elif chance == 1:
        localizer.clock_ns += 2_000_000_000
        localizer.publisher.publish(points_msg(DRIVE.cloud(5), localizer.clock_ns))
    elif chance == 2:
        reason = json.loads(asker.ask(Trigger, 'query').message)['reason']
        expected = {
            'unconfigured': 'the node is not configured',
            'inactive': 'the node is not active',
        }
        assert (reason in expected.values()) == (state != 'active')
        assert reason == expected.get(state, reason)


def test_a_refusal_is_logged_with_what_was_asked_and_what_is_possible(
    localizer: Localizer, asker: Asker
) -> None:
    assert not asker.change_state(Transition.TRANSITION_CONFIGURE)
    localizer.running.wait_for_text(
        'the transition of id 1 is refused: in state active are possible: deactivate (4), '
        'shutdown (7)'
    )
    assert not asker.change_state(3, 'clean\nup')
    localizer.running.wait_for_text(r"the transition 'clean\nup' is refused: in state active")


@pytest.mark.parametrize('way', [[], ['configure'], ['configure', 'activate']])
def test_a_node_that_was_shut_down_refuses_all_and_ends_by_a_signal(
    peer: Peer, processes: Processes, localizer_files: dict[str, Path], way: list[str]
) -> None:
    running = processes.start_localizer(**localizer_files, autostart=False)
    asker = Asker(peer)
    assert all(asker.change_state(label=label) for label in way)
    assert asker.change_state(label='shutdown')
    assert asker.state() == 'finalized'
    assert asker.available() == {}
    assert not any(asker.change_state(number) for number in range(9))
    assert asker.state() == 'finalized'
    running.wait_for_text('in state finalized are possible: none')
    assert json.loads(asker.ask(Trigger, 'query').message)['reason'] == (
        'the node is not configured'
    )
    assert running.end(signal.SIGINT) == 0, running.text()
    assert 'Traceback' not in running.text()


def test_managers_that_ask_at_once_are_answered_in_turn(localizer: Localizer, peer: Peer) -> None:
    """Two managers, each with the whole way down and up, all of it sent before any answer."""
    client = peer.node.create_client(ChangeState, f'{NODE}/change_state')
    peer.wait(client.service_is_ready, 'change_state')
    ways = [4, 4, 2, 2, 1, 1, 3, 3]
    requests = [ChangeState.Request(transition=Transition(id=number)) for number in ways]
    replies = [client.call_async(request) for request in requests]
    peer.wait(lambda: all(reply.done() for reply in replies), 'all replies')
    assert [reply.result().success for reply in replies] == [True, False] * 4
    localizer.answer_to(localizer.send(3))


def test_a_query_that_runs_while_the_node_is_deactivated_is_answered(
    localizer: Localizer, asker: Asker, peer: Peer
) -> None:
    localizer.answer_to(localizer.send(3))
    client = peer.node.create_client(Trigger, f'{NODE}/query')
    peer.wait(client.service_is_ready, 'query')
    for _ in range(20):
        replies = [client.call_async(Trigger.Request()) for _ in range(3)]
        assert asker.change_state(label='deactivate')
        assert asker.change_state(label='cleanup')
        peer.wait(lambda replies=replies: all(reply.done() for reply in replies), 'replies')
        for reply in replies:
            assert json.loads(reply.result().message)['reason']
        assert asker.change_state(label='configure')
        assert asker.change_state(label='activate')
        localizer.answer_to(localizer.send(3))


@pytest.fixture
def node(ros_domain: None, localizer_files: dict[str, Path]) -> Iterator[LocalizeNode]:
    """Make a localizer in this process, which nobody spins."""
    values = [('-p', f'{name}:={value}') for name, value in localizer_files.items()]
    rclpy.init(args=['--ros-args', *(text for pair in values for text in pair)])
    made = LocalizeNode()
    yield made
    made.destroy_node()
    rclpy.shutdown()


def test_the_start_takes_what_a_faster_manager_has_done(node: LocalizeNode) -> None:
    node.trigger_configure()
    for _ in range(2):
        node.start()
        assert state_label(node) == 'active'
    node.trigger_deactivate()
    node.start()
    assert state_label(node) == 'active'


@pytest.mark.parametrize('step', ['activate', 'deactivate', 'close'])
def test_what_a_step_raises_is_said_and_leads_back_to_the_beginning(
    node: LocalizeNode,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    step: str,
) -> None:
    whole = getattr(Session, step)

    def broken(session: Session) -> None:
        whole(session)
        monkeypatch.setattr(Session, step, whole)
        raise RuntimeError('disk on fire')

    monkeypatch.setattr(Session, step, broken)
    transition = {'close': 'cleanup'}.get(step, step)
    if step == 'activate':
        with pytest.raises(StartupError, match='cannot activate: disk on fire'):
            node.start()
    else:
        node.start()
        if step == 'close':
            node.trigger_deactivate()
        getattr(node, f'trigger_{transition}')()
    assert f'cannot {transition}: disk on fire' in capfd.readouterr().err
    assert state_label(node) == 'unconfigured'
    node.start()
    assert state_label(node) == 'active'


def test_a_value_of_a_type_that_does_not_exist_is_refused(
    localizer: Localizer, asker: Asker
) -> None:
    for types in ([77], [2, 77], [10], [255]):
        results = asker.set_types(*types)
        assert [result.successful for result in results] == [False] * len(types)
        reason = f"parameter 'top_k' is of the unknown type {types[-1]}"
        assert results[0].reason == reason
        localizer.running.wait_for_text(f'nothing was set: {reason}')
    request = SetParametersAtomically.Request(
        parameters=[Parameter(name='', value=ParameterValue(type=77))]
    )
    result = asker.ask(SetParametersAtomically, 'set_parameters_atomically', request).result
    assert (result.successful, result.reason) == (
        False, "parameter '' is of the unknown type 77"
    )  # fmt: skip
    values = asker.ask(GetParameters, 'get_parameters', GetParameters.Request(names=['top_k']))
    assert values.values[0].integer_value == 10
    assert [result.successful for result in asker.set_types(2)] == [True]
