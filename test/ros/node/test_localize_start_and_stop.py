# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the localizer rightly and wrongly, steer its lifecycle, end it by every signal."""

from __future__ import annotations

import json
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
import pytest
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import PointCloud2
from ssd_ros.maps.builder import build_database
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from support.localizer import set_parameter
from support.posts import small_encoder, straight_drive, write_small_encoder
from support.ros import Peer, points_msg, Processes, wait_until

DRIVE = straight_drive(num=4)
NODE = '/ssd_localizer'
RUNNING = 'map of 4 keyframes'


@pytest.fixture(scope='module')
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the parameters of a localizer that works."""
    directory = tmp_path_factory.mktemp('files')
    build_database(DRIVE, small_encoder(directory, 'spinning')).save(directory / 'map.ssd')
    model = write_small_encoder(directory / 'student.onnx', '4d')
    return {'index_path': directory / 'map.ssd', 'model_path': model}


def test_without_a_home_to_log_to_it_starts_all_the_same(
    processes: Processes, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'home').write_text('a file, which keeps root out, too')
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.delenv('ROS_LOG_DIR', raising=False)
    monkeypatch.delenv('ROS_HOME', raising=False)
    running = processes.start_localizer(**{**files, 'index_path': '/nowhere'})
    assert running.end() == 1
    assert f'{tmp_path}/home/.ros/log cannot be written' in running.text()
    assert 'there is no map at /nowhere' in running.text()


@pytest.mark.parametrize(
    ('parameters', 'reason'),
    [
        ({'index_pat': 'x'}, 'unknown parameter index_pat; did you mean index_path'),
        ({'accept__max_ratio': 1}, r'accept\.max_ratio is the integer 1.*write 1\.0'),
        ({'radar_extrinsics': '[1.0, 2.0]'}, r'radar_extrinsics is .*expected 6 finite numbers'),
        ({'index_path': '/nowhere'}, 'there is no map at /nowhere'),
        ({'index_path': "''"}, 'no map: set the parameter index_path'),
        ({'model_path': '/nowhere.onnx'}, r'No such file or directory: .*/nowhere\.onnx'),
        ({'input_topics': '[]'}, r'input_topics is \[\], expected a list of texts, such as'),
        ({'top_k': '[]'}, r'top_k is \[\], expected int'),
        ({'adapters': '[slam]'}, "unknown adapter 'slam'; choose from autoware, lio_sam"),
    ],
    ids=lambda value: '-'.join(value) if isinstance(value, dict) else '',
)
def test_a_wrong_start_ends_with_code_1_and_one_line_that_says_why(
    processes: Processes, files: dict[str, Path], parameters: dict[str, Any], reason: str
) -> None:
    running = processes.start_localizer(**{**files, **parameters})
    assert running.end() == 1
    lines = [line for line in running.text().splitlines() if line.startswith('localize: ')]
    assert len(lines) == 1, running.text()
    assert re.search(reason, lines[0]), lines[0]
    assert 'Traceback' not in running.text()


@pytest.mark.parametrize(
    ('parameters', 'package'),
    [({'adapters': '[lio_sam, mola]'}, 'mola_msgs'), ({'publish_tf': True}, 'tf2_msgs')],
    ids=['adapter', 'publish_tf'],
)
def test_a_message_package_that_is_missing_is_named_with_the_way_to_get_it(
    processes: Processes, files: dict[str, Path], parameters: dict[str, Any], package: str
) -> None:
    # In a process of its own: this one may have imported what another test generated.
    importing = subprocess.run([sys.executable, '-c', f'import {package}'], capture_output=True)
    if importing.returncode == 0:
        pytest.skip(f'{package} is installed')
    running = processes.start_localizer(**{**files, **parameters})
    assert running.end() == 1
    assert f'needs the package {package}: sudo apt install ros-' in running.text()


def test_a_node_without_a_map_starts_if_it_is_to_remember_the_drive(
    peer: Peer, processes: Processes, files: dict[str, Path]
) -> None:
    running = processes.start_localizer(**{**files, 'index_path': "''"}, online_index=True)
    running.wait_for_text('no map, the running drive only')
    peer.wait(lambda: call(peer, 'relocalize').message.startswith('no usable'), 'activation')
    assert running.end(signal.SIGINT) == 0, running.text()


def test_a_model_of_the_other_radar_is_refused(
    processes: Processes, files: dict[str, Path], tmp_path: Path
) -> None:
    teacher = write_small_encoder(tmp_path / 'teacher.onnx', 'spinning')
    running = processes.start_localizer(**{**files, 'model_path': teacher})
    assert running.end() == 1
    assert "encodes sensor 'spinning'" in running.text()


def test_a_model_of_another_training_run_is_refused(
    processes: Processes, files: dict[str, Path], tmp_path: Path
) -> None:
    foreign = write_small_encoder(tmp_path / 'foreign.onnx', '4d', space='d' * 64)
    running = processes.start_localizer(**{**files, 'model_path': foreign})
    assert running.end() == 1
    assert 'was filled in descriptor space aaaaaaaaaaaa' in running.text()


def test_a_parameter_file_is_read_and_its_slips_are_refused(
    processes: Processes, files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / 'localize.yaml'
    lines = [f'    {name}: {value}' for name, value in files.items()]
    lines += ['    accept:', '      max_distanc: 0.5']
    path.write_text('/**/ssd_localizer:\n  ros__parameters:\n' + '\n'.join(lines) + '\n')
    running = processes.start('node.localize_node', '--ros-args', '--params-file', str(path))
    assert running.end() == 1
    assert 'unknown parameter accept.max_distanc; did you mean accept.max_distance' in (
        running.text()
    )


def test_a_file_shared_with_other_nodes_is_no_fault_and_said_once(
    peer: Peer, processes: Processes, files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / 'car.yaml'
    lines = [f'    {name}: {value}' for name, value in files.items()]
    lines += ['    wheel_radius: 0.39', '    lidar: {rings: []}', '    adapters: []']
    path.write_text('/**:\n  ros__parameters:\n' + '\n'.join(lines) + '\n')
    running = processes.start('node.localize_node', '--ros-args', '--params-file', str(path))
    running.wait_for_text(RUNNING)
    assert state(peer) == 'active'
    assert call(peer, 'reload_map').success
    assert running.end(signal.SIGINT) == 0, running.text()
    said = f'{path} gives under /**, to nodes of any name, what this one does not have: '
    assert running.text().count(said + 'lidar.rings, wheel_radius\n') == 1
    path.write_text(path.read_text() + 'ssd_localizer: {ros__parameters: {wheel_radius: 0.4}}\n')
    running = processes.start('node.localize_node', '--ros-args', '--params-file', str(path))
    assert running.end() == 1
    assert 'localize: unknown parameter wheel_radius' in running.text()


def test_an_empty_list_is_none_however_it_comes(
    peer: Peer, processes: Processes, files: dict[str, Path]
) -> None:
    running = processes.start_localizer(**files, adapters='[]', frame_override='[]')
    running.wait_for_text(RUNNING)
    request = GetParameters.Request(names=['adapters', 'frame_override'])
    values = peer.call(GetParameters, f'{NODE}/get_parameters', request).values
    assert [list(value.string_array_value) for value in values] == [[''], ['']]
    kinds = ParameterType
    for kind in (
        kinds.PARAMETER_STRING_ARRAY,
        kinds.PARAMETER_BOOL_ARRAY,
        kinds.PARAMETER_NOT_SET,
    ):
        result = set_parameter(peer, 'adapters', ParameterValue(type=kind))
        assert not result.successful
        assert result.reason
    assert state(peer) == 'active'
    assert running.end(signal.SIGINT) == 0, running.text()


@pytest.mark.parametrize(
    'signals',
    [
        [signal.SIGINT],
        [signal.SIGTERM],
        [signal.SIGINT, signal.SIGINT],
        [signal.SIGTERM, signal.SIGINT],
    ],
    ids=lambda signals: '-'.join(number.name for number in signals),
)
def test_a_signal_ends_the_running_node_with_code_0(
    processes: Processes, files: dict[str, Path], signals: list[signal.Signals]
) -> None:
    running = processes.start_localizer(**files)
    running.wait_for_text(RUNNING)
    assert running.end(*signals) == 0, running.text()
    assert 'Traceback' not in running.text()


def test_a_signal_during_model_load_ends_the_node_with_code_0(
    processes: Processes, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))  # where no model has passed
    running = processes.start_localizer(**files)
    tasks = Path(f'/proc/{running.process.pid}/task')

    def trial() -> list[str]:  # the process in which the model is tried
        return ' '.join(path.read_text() for path in tasks.glob('*/children')).split()

    (child,) = wait_until(trial, 'the trial of the model', lambda: time.sleep(0.001))
    os.kill(int(child), signal.SIGSTOP)
    running.process.send_signal(signal.SIGTERM)
    os.kill(int(child), signal.SIGCONT)
    assert running.end() == 0, running.text()
    assert RUNNING not in running.text()
    assert 'Traceback' not in running.text()


def change_state(peer: Peer, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return bool(peer.call(ChangeState, f'{NODE}/change_state', request).success)


def state(peer: Peer) -> str:
    return str(peer.call(GetState, f'{NODE}/get_state').current_state.label)


def call(peer: Peer, service: str) -> Trigger.Response:
    return peer.call(Trigger, f'{NODE}/{service}')


def ask(peer: Peer) -> tuple[bool, str]:
    response = call(peer, 'query')
    return response.success, json.loads(response.message)['reason']


def test_a_lifecycle_manager_can_take_the_node_through_all_states(
    peer: Peer, processes: Processes, files: dict[str, Path], tmp_path: Path
) -> None:
    map_path = tmp_path / 'later.ssd'
    running = processes.start_localizer(
        **{**files, 'index_path': map_path}, autostart=False, stamp_source='header',
        diagnostics_rate=10.0,
    )  # fmt: skip
    assert state(peer) == 'unconfigured'
    assert ask(peer) == (False, 'the node is not configured')
    for name in ('reload_map', 'relocalize', 'clear', 'save_session'):
        response = call(peer, name)
        assert not response.success
        assert response.message.startswith('the node is not configured')

    assert not change_state(peer, Transition.TRANSITION_CONFIGURE)  # there is no map yet
    assert state(peer) == 'unconfigured'
    running.wait_for_text('cannot configure: there is no map at')

    build_database(DRIVE, small_encoder(tmp_path, 'spinning')).save(map_path)
    assert change_state(peer, Transition.TRANSITION_CONFIGURE)
    assert state(peer) == 'inactive'
    assert ask(peer) == (False, 'the node is not active')
    for name in ('relocalize', 'clear'):
        assert call(peer, name).message == 'the node is not active'
    enable = peer.call(SetBool, f'{NODE}/enable', SetBool.Request(data=True))
    assert (enable.success, enable.message) == (False, 'the node is not active')

    for _ in range(2):  # a second round works like the first
        answers = peer.listen(PointCloud2, f'{NODE}/candidates')
        publisher = peer.speak(PointCloud2, '/points')
        publisher.publish(points_msg(DRIVE.cloud(1)))
        assert change_state(peer, Transition.TRANSITION_ACTIVATE)
        assert ask(peer) == (False, 'no usable scan has come on /points')
        publisher.publish(points_msg(DRIVE.cloud(1)))
        peer.wait(lambda answers=answers: answers, 'an answer')
        assert ask(peer)[0]
        assert change_state(peer, Transition.TRANSITION_DEACTIVATE)
        assert ask(peer) == (False, 'the node is not active')
        assert change_state(peer, Transition.TRANSITION_CLEANUP)
        assert state(peer) == 'unconfigured'
        assert change_state(peer, Transition.TRANSITION_CONFIGURE)

    assert change_state(peer, Transition.TRANSITION_INACTIVE_SHUTDOWN)
    assert state(peer) == 'finalized'
    assert running.end(signal.SIGINT) == 0, running.text()
    assert 'Traceback' not in running.text()


def test_a_namespace_moves_the_topics_of_the_node(
    peer: Peer, processes: Processes, files: dict[str, Path]
) -> None:
    arguments = [f'{name}:={value}' for name, value in files.items()]
    parameters = [text for argument in arguments for text in ('-p', argument)]
    remap = ['-r', '__ns:=/front', '-r', 'points:=/driver/points']
    running = processes.start('node.localize_node', '--ros-args', *parameters, *remap)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    infos = peer.listen(String, '/front/ssd_localizer/map_info', latched)
    peer.wait(lambda: infos, 'map_info')
    peer.speak(PointCloud2, '/driver/points')
    assert running.end(signal.SIGTERM) == 0


def test_a_publisher_that_cannot_be_heard_is_named(
    peer: Peer, processes: Processes, files: dict[str, Path]
) -> None:
    running = processes.start_localizer(**files, qos_reliability='reliable', diagnostics_rate=10.0)
    diagnostics = peer.listen(DiagnosticArray, '/diagnostics')
    peer.node.create_publisher(PointCloud2, '/points', qos_profile_sensor_data)
    running.wait_for_text('set qos_reliability to best_effort')

    def count() -> str:
        values = {item.key: item.value for item in diagnostics[-1].status[0].values}
        return values.get('qos_incompatible', '')

    peer.wait(lambda: diagnostics and count() == '1', 'the count in the diagnostics')
    assert running.end(signal.SIGINT) == 0
