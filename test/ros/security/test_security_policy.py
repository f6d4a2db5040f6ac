# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Check the SROS2 policy against the table of topics and against what the running node opens.

test_security_enforced.py lets DDS enforce it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ssd_ros.ros.messages import topics
from support.localizer import NODE, running_localizer
from support.ros import Peer
from support.security import full_name, permissions, POLICY, read_policy, Rights

RIGHTS = read_policy(POLICY)
LOCALIZER, OPERATOR, BRIDGE = '/ssd_localizer', '/operator', '/bridge'
# What every node of rclpy has.
PARAMETER_SERVICES = {
    *('describe_parameters', 'get_parameter_types', 'get_parameters', 'list_parameters'),
    *('set_parameters', 'set_parameters_atomically', 'get_type_description'),
}
# What every lifecycle node has.
LIFECYCLE_SERVICES = {
    *('change_state', 'get_state', 'get_available_states', 'get_available_transitions'),
    'get_transition_graph',
}
NODE_TOPICS = {'/rosout', '/parameter_events'}
TF_TOPICS = {'/tf', '/tf_static'}


def names_of(table: tuple[topics.Topic | topics.Service, ...]) -> set[str]:
    return {full_name(entry.name, '/', topics.NODE) for entry in table}


PUBLISHED = names_of(
    (*topics.PUBLISHED, topics.DIAGNOSTICS, topics.TF, topics.VIEW_FRAME, topics.BOND)
)
SUBSCRIBED = names_of((*topics.SUBSCRIBED, topics.BOND))
SERVICES = names_of(topics.SERVICES)
OF_EVERY_NODE = {f'{NODE}/{name}' for name in PARAMETER_SERVICES | LIFECYCLE_SERVICES}


def test_the_localizer_may_do_what_the_table_of_topics_says_and_no_more() -> None:
    rights = RIGHTS[LOCALIZER]
    assert rights.publish == PUBLISHED | NODE_TOPICS | {f'{NODE}/transition_event'}
    assert rights.subscribe == SUBSCRIBED | {'/clock'}
    assert rights.reply == SERVICES | OF_EVERY_NODE
    assert rights.request == set()
    assert (len(PUBLISHED), len(SUBSCRIBED), len(SERVICES)) == (16, 8, 6)


def test_an_operator_may_call_everything_and_listen_to_everything() -> None:
    rights = RIGHTS[OPERATOR]
    assert rights.request == RIGHTS[LOCALIZER].reply
    assert rights.subscribe == RIGHTS[LOCALIZER].publish | {'/tf_static', '/clock'}
    assert rights.publish == NODE_TOPICS


def test_a_bridge_feeds_the_localizer_and_may_call_nothing() -> None:
    rights = RIGHTS[BRIDGE]
    assert rights.request == set()
    assert rights.publish == SUBSCRIBED | {'/clock'} | NODE_TOPICS
    assert f'{NODE}/candidates' in rights.subscribe
    assert rights.subscribe <= RIGHTS[LOCALIZER].publish | {'/tf_static', '/clock'}


def test_only_nodes_of_their_own_answer_for_operator_and_bridge() -> None:
    for enclave, nodes in [(OPERATOR, ['operator', '_ros2cli*']), (BRIDGE, ['bridge'])]:
        own = {f'/{node}/{name}' for node in nodes for name in PARAMETER_SERVICES}
        assert RIGHTS[enclave].reply == own


def test_sros2_can_read_the_policy() -> None:
    """It takes every child of <enclaves> for an enclave, comments as well."""
    builder = ElementTree.TreeBuilder(insert_comments=True)
    root = ElementTree.parse(POLICY, ElementTree.XMLParser(target=builder)).getroot()
    enclaves = root.find('enclaves')
    assert enclaves is not None
    assert [child.get('path') for child in enclaves] == [LOCALIZER, OPERATOR, BRIDGE]


def test_a_policy_that_says_more_than_is_read_here_is_refused(tmp_path: Path) -> None:
    for old, new in [('version="0.2.0"', 'version="0.3.0"'), ('ALLOW', 'DENY')]:
        (tmp_path / 'policy.xml').write_text(POLICY.read_text().replace(old, new, 1))
        with pytest.raises(ValueError, match='expected'):
            read_policy(tmp_path / 'policy.xml')


def test_permissions_name_both_topics_of_a_service() -> None:
    rights = Rights(
        publish=frozenset({'/a'}),
        subscribe=frozenset({'/b'}),
        request=frozenset({'/n/asked'}),
        reply=frozenset({'/n/answered'}),
    )
    grant = ElementTree.fromstring(permissions('/n', rights, 7)).find('permissions/grant')
    assert grant is not None
    assert grant.findtext('subject_name') == 'CN=/n'
    assert grant.findtext('allow_rule/domains/id') == '7'
    assert [topic.text for topic in grant.iterfind('allow_rule/publish/topics/topic')] == [
        *('ros_discovery_info', 'rq/n/askedRequest', 'rr/n/answeredReply', 'rt/a')
    ]
    assert [topic.text for topic in grant.iterfind('allow_rule/subscribe/topics/topic')] == [
        *('ros_discovery_info', 'rq/n/answeredRequest', 'rr/n/askedReply', 'rt/b')
    ]


def test_the_running_node_opens_what_the_policy_allows_and_no_more(
    ros_domain: None, tmp_path: Path
) -> None:
    """Without enforcement: what it opens is what DDS would ask the policy for."""
    rights = RIGHTS[LOCALIZER]
    options = ('publish_pose_body', 'publish_odometry', 'publish_loop_closure_stamps')
    with Peer() as peer, running_localizer(peer, tmp_path, **dict.fromkeys(options, True)):
        where = topics.NODE, '/'
        # Topics may be known before their node is.
        peer.wait(lambda: where in peer.node.get_node_names_and_namespaces(), topics.NODE)

        def check(ask: Callable[..., list[tuple[str, list[str]]]], all_of: set[str]) -> set[str]:
            def opened() -> set[str]:
                return {name for name, _ in ask(*where)}

            peer.wait(lambda: all_of <= opened(), f'{all_of}')
            return opened()

        # Open only with tf2_ros, on simulated time, with a lifecycle manager, after Humble, and
        # where the parameters ask for priors.
        optional = {'/tf', '/tf_static', '/clock', '/bond', f'{NODE}/get_type_description'}
        optional |= {'/prior', '/fix'}
        node = peer.node
        for allowed, ask in [
            (rights.publish, node.get_publisher_names_and_types_by_node),
            (rights.subscribe, node.get_subscriber_names_and_types_by_node),
            (rights.reply, node.get_service_names_and_types_by_node),
            (rights.request, node.get_client_names_and_types_by_node),
        ]:
            assert check(ask, allowed - optional) <= allowed
