# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Let DDS enforce the SROS2 policy: who may feed the localizer, who may call it, who sees nothing.

The wheels' Fast DDS is built without its security plugins, so this is skipped there and runs where
ROS is sourced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
import os
from pathlib import Path
import re
import shutil
import signal
from unittest.mock import patch

from lifecycle_msgs.srv import ChangeState
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import PointCloud2
from ssd_ros.maps.cells.database import open_map
from ssd_ros.recognition import candidates
from std_srvs.srv import Trigger
from support.localizer import double, Localizer, NODE, set_parameter
from support.posts import write_small_encoder
from support.ros import Peer, Processes
from support.security import (
    make_keystore,
    NO_SECURITY,
    POLICY,
    read_policy,
    RefusedError,
    SecurePeer,
    security_variables,
)

RIGHTS = read_policy(POLICY)
LOCALIZER, OPERATOR, BRIDGE = '/ssd_localizer', '/operator', '/bridge'


@dataclass
class SecuredDomain:
    """A localizer on a secured domain, what the bridge has of it, and an operator."""

    localizer: Localizer
    operator: SecurePeer
    keystore: Path
    session: Path


@pytest.fixture(scope='module')
def keystore(ros_domain: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return credentials for all enclaves; skip where there is nobody to ask for them."""
    if 'zenoh' in get_rmw_implementation_identifier():
        pytest.skip('Zenoh has access control of its own')
    if shutil.which('openssl') is None:
        pytest.skip('the program openssl is not installed')
    folder = tmp_path_factory.mktemp('security') / 'keystore'
    keystore = make_keystore(folder, RIGHTS, int(os.environ['ROS_DOMAIN_ID']))
    try:
        with SecurePeer(keystore, OPERATOR):
            return keystore
    except RefusedError as error:
        if re.search(NO_SECURITY, str(error)):
            pytest.skip(f'DDS is built without security: {str(error).splitlines()[0]}')
        raise


@pytest.fixture(scope='module')
def secured(keystore: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredDomain]:
    directory = tmp_path_factory.mktemp('secured')
    session = directory / 'session.ssd'
    parameters = {
        'model_path': write_small_encoder(directory / 'student.onnx', '4d'),
        'online_index': 'true',
        'stamp_source': 'header',
        'diagnostics_rate': 10.0,
        'aggregation.min_points': 5,
        'session_directory': directory,
        'session_path': session.name,
        'publish_pose_body': 'true',
        'publish_odometry': 'true',
        'publish_loop_closure_stamps': 'true',
    }
    arguments = ['--ros-args', '--enclave', LOCALIZER]
    for name, value in parameters.items():
        arguments += ['-p', f'{name}:={value}']
    with ExitStack() as stack:
        started = stack.enter_context(Processes(directory))
        with patch.dict(os.environ, security_variables(keystore)):
            running = started.start('node.localize_node', *arguments)
        operator = stack.enter_context(SecurePeer(keystore, OPERATOR))
        bridge = stack.enter_context(SecurePeer(keystore, BRIDGE))
        try:
            localizer = Localizer(bridge, running, None, directory)
            yield SecuredDomain(localizer, operator, keystore, session)
        finally:
            assert running.end(signal.SIGINT) == 0, running.text()


def test_a_bridge_gets_candidates_and_an_operator_may_save_them(secured: SecuredDomain) -> None:
    for index in range(3):
        stamp_ns = secured.localizer.send(index, odometry_x_m=10.0 * index)
        msg = secured.localizer.answer_to(stamp_ns)
        assert len(candidates.from_msg(msg)) == 0  # all places are younger than 30 s
    response = secured.operator.call(Trigger, f'{NODE}/save_session')
    assert response.success, response.message
    saved = open_map(secured.session)
    what = f'3 keyframes, revision {saved.revision},'
    assert response.message == f'wrote {what} to {secured.session}'
    assert len(saved) == 3


def test_the_command_ros2_may_call_as_operator(secured: SecuredDomain) -> None:
    name = '_ros2cli_requester_std_srvs_Trigger'  # its node in `ros2 service call`
    with SecurePeer(secured.keystore, OPERATOR, name) as command:
        assert command.call(Trigger, f'{NODE}/clear').success


def test_an_operator_may_set_parameters(secured: SecuredDomain) -> None:
    assert set_parameter(secured.operator, 'min_travel', double(0.5)).successful
    assert set_parameter(secured.operator, 'min_travel', double(0.0)).successful


@pytest.mark.parametrize(
    ('kind', 'service'),
    [(Trigger, 'save_session'), (SetParameters, 'set_parameters'), (ChangeState, 'change_state')],
)
def test_a_bridge_may_not_call(secured: SecuredDomain, kind: type, service: str) -> None:
    client = secured.operator.node.create_client(kind, f'{NODE}/{service}')
    secured.operator.wait(client.service_is_ready, service)
    # Its own middleware refuses already, by the signed permissions that everybody asks it for.
    with pytest.raises(RefusedError):
        secured.localizer.peer.node.create_client(kind, f'{NODE}/{service}')


def test_an_operator_may_not_pose_as_a_radar(secured: SecuredDomain) -> None:
    with pytest.raises(RefusedError):
        secured.operator.node.create_publisher(PointCloud2, '/points', 10)


def test_without_credentials_nobody_is_seen(secured: SecuredDomain) -> None:
    sees_only_each_other(secured, Peer(), Peer())


def test_credentials_of_another_authority_are_worth_nothing(
    secured: SecuredDomain, tmp_path: Path
) -> None:
    forged = make_keystore(tmp_path / 'keystore', RIGHTS, int(os.environ['ROS_DOMAIN_ID']))
    sees_only_each_other(secured, SecurePeer(forged, OPERATOR), SecurePeer(forged, BRIDGE))


def sees_only_each_other(secured: SecuredDomain, first: Peer, second: Peer) -> None:
    """Let two strangers meet; neither may know the localizer, nor it them."""
    with first, second:
        publisher = second.node.create_publisher(PointCloud2, '/points', 10)
        first.wait(lambda: first.node.count_publishers('/points'), 'the other stranger')
        # Who comes after them and has credentials finds the localizer: they had the time.
        with SecurePeer(secured.keystore, BRIDGE) as late:
            late.wait(lambda: late.node.count_subscribers('/points'), 'the localizer')
            late.wait(lambda: late.node.count_publishers('/points'), 'the bridge')
            assert late.node.count_publishers('/points') == 1
        names = {name for name, _ in first.node.get_topic_names_and_types()}
        assert names == {'/points', '/rosout', '/parameter_events'}
        assert publisher.get_subscription_count() == 0
