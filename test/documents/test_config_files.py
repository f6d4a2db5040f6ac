# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the shipped configuration says what the code does."""

from __future__ import annotations

from pathlib import Path
from typing import Any
import xml.etree.ElementTree as ElementTree

from ssd_ros.ros.parameters.node import NodeParameters, OPTIONS, value_of, yaml_text
import yaml

CONFIG = Path(__file__).parents[2] / 'config'


def flattened(values: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= flattened(value, f'{prefix}{name}.')
        else:
            flat[f'{prefix}{name}'] = value
    return flat


def test_the_parameter_file_has_every_parameter_at_its_default() -> None:
    content = yaml.safe_load((CONFIG / 'localize.yaml').read_text())
    # '/**' survives a namespace and another node name.
    values = flattened(content['/**']['ros__parameters'])
    assert NodeParameters.from_values(values) == NodeParameters()
    assert list(values) == [option.name for option in OPTIONS]
    assert len(values) == 74


def test_the_parameter_file_is_the_generated_one() -> None:
    """After a change: python -m ssd_ros.ros.parameters.node > config/localize.yaml."""
    assert (CONFIG / 'localize.yaml').read_text() == yaml_text()


def test_every_parameter_is_described_and_its_default_is_in_range() -> None:
    for option in OPTIONS:
        assert option.description
        assert option.checked(value_of(NodeParameters(), option.name)) == option.default


def test_the_dds_profile_announces_every_50_ms_at_first() -> None:
    namespace = {'dds': 'http://www.eprosima.com'}
    root = ElementTree.parse(CONFIG / 'fastdds_profile.xml').getroot()
    announcements = root.find('.//dds:initialAnnouncements', namespace)
    assert announcements is not None
    assert announcements.findtext('dds:count', namespaces=namespace) == '10'
    period = announcements.findtext('dds:period/dds:nanosec', namespaces=namespace)
    assert period == '50000000'
