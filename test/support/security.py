# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A secured DDS domain for tests: rights from an SROS2 policy, a keystore, peers with credentials.

The package sros2 comes with ROS only, so the keystore is made by the program openssl: a
certificate for each enclave, and governance and permissions as the DDS Security specification
has them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
import os
from pathlib import Path
import subprocess
from unittest.mock import patch
from xml.etree import ElementTree

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from support.ros import Peer

POLICY = Path(__file__).parents[2] / 'config' / 'security' / 'localize.policy.xml'
# What rclpy raises where the middleware refuses.
RefusedError = rclpy_implementation.RCLError
# What it says then if its DDS was built without the security plugins.
NO_SECURITY = "doesn't have the security libraries|does not have security support"
PREFIXES = {'publish': 'rt{}', 'subscribe': 'rt{}', 'request': 'rq{}Request', 'reply': 'rr{}Reply'}
OPENSSL_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
"""
# Nobody without a certificate may join; everything is encrypted. The same as sros2's default.
GOVERNANCE = """<?xml version="1.0" encoding="UTF-8"?>
<dds>
  <domain_access_rules>
    <domain_rule>
      <domains><id>{domain_id}</id></domains>
      <allow_unauthenticated_participants>false</allow_unauthenticated_participants>
      <enable_join_access_control>true</enable_join_access_control>
      <discovery_protection_kind>ENCRYPT</discovery_protection_kind>
      <liveliness_protection_kind>ENCRYPT</liveliness_protection_kind>
      <rtps_protection_kind>SIGN</rtps_protection_kind>
      <topic_access_rules>
        <topic_rule>
          <topic_expression>*</topic_expression>
          <enable_discovery_protection>true</enable_discovery_protection>
          <enable_liveliness_protection>true</enable_liveliness_protection>
          <enable_read_access_control>true</enable_read_access_control>
          <enable_write_access_control>true</enable_write_access_control>
          <metadata_protection_kind>ENCRYPT</metadata_protection_kind>
          <data_protection_kind>ENCRYPT</data_protection_kind>
        </topic_rule>
      </topic_access_rules>
    </domain_rule>
  </domain_access_rules>
</dds>
"""


@dataclass(frozen=True)
class Rights:
    """What an enclave may do: full names of topics and services; `*` stands for anything."""

    publish: frozenset[str]
    subscribe: frozenset[str]
    request: frozenset[str]
    reply: frozenset[str]


def full_name(name: str, namespace: str, node: str) -> str:
    """Return a name as it is on the wire: `~/pose` of a node a in / is /a/pose."""
    if name.startswith('/'):
        return name
    above = namespace.rstrip('/')
    return f'{above}/{node}{name[1:]}' if name.startswith('~') else f'{above}/{name}'


def read_policy(path: Path) -> dict[str, Rights]:
    """
    Return the rights of each enclave of a policy.

    :raise ValueError: it says what this reader does not know: actions, denials, inclusions
    """
    policy = ElementTree.parse(path).getroot()
    if policy.get('version') != '0.2.0':
        raise ValueError(f'policy has version {policy.get("version")}, expected 0.2.0')
    rights: dict[str, Rights] = {}
    for enclave in policy.iterfind('enclaves/enclave'):
        names: dict[str, set[str]] = {field.name: set() for field in fields(Rights)}
        for profile in enclave.iterfind('profiles/profile'):
            where = profile.attrib['ns'], profile.attrib['node']
            for rule in profile:
                if rule.tag not in ('topics', 'services'):
                    raise ValueError(f'a profile has <{rule.tag}>, expected topics or services')
                for verb, qualifier in rule.attrib.items():
                    if qualifier != 'ALLOW':
                        raise ValueError(f'a rule says {qualifier}, expected ALLOW')
                    names[verb] |= {full_name(str(entry.text), *where) for entry in rule}
        rights[enclave.attrib['path']] = Rights(
            **{verb: frozenset(found) for verb, found in names.items()}
        )
    return rights


def make_keystore(folder: Path, rights: dict[str, Rights], domain_id: int) -> Path:
    """Make certificates and signed rights for all enclaves of a policy; return the folder."""
    folder.mkdir()
    (folder / 'openssl.cnf').write_text(OPENSSL_CONFIG)
    _openssl(folder, '-x509 -extensions ca -days 1', '/CN=test CA', 'ca.key.pem', 'ca.cert.pem')
    _sign(folder, 'governance', GOVERNANCE.format(domain_id=domain_id))
    for number, (path, its_rights) in enumerate(rights.items(), start=1):
        enclave = f'enclaves{path}'
        (folder / enclave).mkdir(parents=True)
        subject = '/CN=' + path.replace('/', r'\/')
        _openssl(folder, '', subject, f'{enclave}/key.pem', f'{enclave}/request.pem')
        _run(
            folder,
            f'openssl x509 -req -days 1 -CA ca.cert.pem -CAkey ca.key.pem -set_serial {number}'
            f' -in {enclave}/request.pem -out {enclave}/cert.pem',
        )
        _sign(folder, f'{enclave}/permissions', permissions(path, its_rights, domain_id))
        for link, target in [
            ('identity_ca.cert.pem', 'ca.cert.pem'),
            ('permissions_ca.cert.pem', 'ca.cert.pem'),
            ('governance.p7s', 'governance.p7s'),
        ]:
            (folder / enclave / link).symlink_to(folder / target)
    return folder


def permissions(enclave: str, rights: Rights, domain_id: int) -> str:
    """Return the permissions of an enclave, for yesterday and tomorrow."""
    # A request is published and its reply subscribed to; the other end does the opposite.
    other = {'request': 'rr{}Reply', 'reply': 'rq{}Request'}
    published = _wire_names(rights, PREFIXES, 'publish', 'request', 'reply')
    subscribed = _wire_names(rights, PREFIXES | other, 'subscribe', 'request', 'reply')
    now = datetime.now(timezone.utc)
    not_before, not_after = (f'{now + timedelta(days=days):%Y-%m-%dT%H:%M:%S}' for days in (-1, 1))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<dds>
  <permissions>
    <grant name="{enclave}">
      <subject_name>CN={enclave}</subject_name>
      <validity><not_before>{not_before}</not_before><not_after>{not_after}</not_after></validity>
      <allow_rule>
        <domains><id>{domain_id}</id></domains>
        <publish><topics>{published}</topics></publish>
        <subscribe><topics>{subscribed}</topics></subscribe>
      </allow_rule>
      <default>DENY</default>
    </grant>
  </permissions>
</dds>
"""


def _wire_names(rights: Rights, formats: dict[str, str], *verbs: str) -> str:
    # By this topic, which sros2 allows everybody, participants tell of their nodes.
    names = {'ros_discovery_info'}
    for verb in verbs:
        names |= {formats[verb].format(name) for name in getattr(rights, verb)}
    return ''.join(f'<topic>{name}</topic>' for name in sorted(names))


def _openssl(folder: Path, options: str, subject: str, key: str, output: str) -> None:
    """Make a key and a certificate, or a request for one."""
    _run(
        folder,
        f'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes {options}'
        f' -config openssl.cnf -keyout {key} -out {output}',
        '-subj',
        subject,
    )


def _sign(folder: Path, name: str, text: str) -> None:
    (folder / f'{name}.xml').write_text(text)
    _run(
        folder,
        'openssl smime -sign -text -signer ca.cert.pem -inkey ca.key.pem'
        f' -in {name}.xml -out {name}.p7s',
    )


def _run(folder: Path, command: str, *more: str) -> None:
    subprocess.run([*command.split(), *more], cwd=folder, check=True, capture_output=True)


def security_variables(keystore: Path) -> dict[str, str]:
    """Return the environment of a process that must have credentials of this keystore."""
    return {
        'ROS_SECURITY_ENABLE': 'true',
        'ROS_SECURITY_STRATEGY': 'Enforce',
        'ROS_SECURITY_KEYSTORE': str(keystore),
    }


class SecurePeer(Peer):
    """A peer with the credentials of an enclave; its node is named like the enclave, or name."""

    def __init__(self, keystore: Path, enclave: str, name: str = '') -> None:
        self._variables = security_variables(keystore)
        self._enclave, self._name = enclave, name or enclave.strip('/')

    def __enter__(self) -> SecurePeer:
        self._context = Context()
        with patch.dict(os.environ, self._variables):
            rclpy.init(args=['--ros-args', '--enclave', self._enclave], context=self._context)
        try:
            self.node = Node(self._name, context=self._context)
        except RefusedError:
            rclpy.shutdown(context=self._context)
            raise
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        return self
