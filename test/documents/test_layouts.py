# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the layouts for RViz and Foxglove show what the node publishes."""

from __future__ import annotations

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest
from ssd_ros.recognition.candidates import DTYPE
from ssd_ros.ros.health.inputs import InputStatistics
from ssd_ros.ros.matching.query_health import QueryStatistics
from ssd_ros.ros.messages.topics import (
    DIAGNOSTICS,
    NODE,
    PUBLISHED,
    SUBSCRIBED,
    view_frame_of,
)
from ssd_ros.ros.parameters.node import NodeParameters
import yaml

ROOT = Path(__file__).parents[2]
# The radar is shown, too: what the node asks of a topic is what a viewer may ask.
TOPICS = {topic.name.replace('~', NODE): topic for topic in (*PUBLISHED, *SUBSCRIBED)}
VIEW_FRAME = view_frame_of(NodeParameters().map_frame)
# Displays of RViz that subscribe -> what they take.
TYPES_OF_DISPLAYS = {
    'Image': 'Image',
    'MarkerArray': 'MarkerArray',
    'Path': 'Path',
    'PointCloud2': 'PointCloud2',
    'PoseArray': 'PoseArray',
    'PoseWithCovariance': 'PoseWithCovarianceStamped',
}
_PATH = re.compile(r'(/\w+(?:/\w+)*)\.(.+)')
_STATUS = re.compile(rf'status\[:\]{{name=="{NODE}: (\w+)"}}\.(?:message|values\[:\](.*))')
_VALUE = re.compile(r'{key=="(\w+)"}\.value')


@pytest.fixture(scope='module')
def rviz() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / 'config' / 'localize.rviz').read_text())
    return content


@pytest.fixture(scope='module')
def foxglove() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / 'config' / 'foxglove_layout.json').read_text())
    return content


def displays_with_topics(rviz: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return name of the topic -> class of the display, its settings."""
    displays = rviz['Visualization Manager']['Displays']
    return {
        display['Topic']['Value']: (
            display['Class'].removeprefix('rviz_default_plugins/'),
            display,
        )
        for display in displays
        if 'Topic' in display
    }


def paths_of(foxglove: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield topic and path of every series that a panel draws over time."""
    for panel in foxglove['configById'].values():
        for series in panel.get('paths', []):
            match = _PATH.fullmatch(series['value'])
            assert match is not None, series
            yield match[1], match[2]


def test_every_display_of_rviz_shows_a_topic_of_the_node_in_its_type(
    rviz: dict[str, Any],
) -> None:
    shown = displays_with_topics(rviz)
    assert len(shown) == 8
    for topic, (display, _) in shown.items():
        # Relative: in a namespace RViz finds the node of that namespace.
        assert TOPICS[topic].kind.rpartition('/')[2] == TYPES_OF_DISPLAYS[display]


def test_rviz_shows_the_middle_of_the_map_with_grid_and_tf(rviz: dict[str, Any]) -> None:
    manager = rviz['Visualization Manager']
    assert manager['Global Options']['Fixed Frame'] == VIEW_FRAME
    classes = {display['Class'] for display in manager['Displays']}
    assert {'rviz_default_plugins/Grid', 'rviz_default_plugins/TF'} <= classes


def test_rviz_asks_for_the_quality_of_service_that_the_node_offers(rviz: dict[str, Any]) -> None:
    for topic, (_, display) in displays_with_topics(rviz).items():
        asked, offered = display['Topic'], TOPICS[topic].qos
        assert (asked['Durability Policy'] == 'Transient Local') == offered.latched
        assert (asked['Reliability Policy'] == 'Reliable') == offered.reliable


def test_rviz_colours_candidates_by_a_column_from_0_to_1(rviz: dict[str, Any]) -> None:
    _, display = displays_with_topics(rviz)[f'{NODE}/candidates']
    assert display['Color Transformer'] == 'Intensity'
    assert display['Channel Name'] in (DTYPE.names or ())
    assert (display['Min Intensity'], display['Max Intensity']) == (0, 1)


def test_every_topic_of_the_foxglove_layout_is_one_of_the_node(foxglove: dict[str, Any]) -> None:
    panels = foxglove['configById']
    topics = {topic for panel in panels.values() for topic in panel.get('topics', ())}
    topics |= {panel[key] for panel in panels.values() for key in ('topicPath',) if key in panel}
    topics.add(panels['Image!query']['imageMode']['imageTopic'])
    assert len(topics) == 9
    assert {topic.removeprefix('/') for topic in topics} <= set(TOPICS)
    assert panels['3D!map']['topics'][f'/{NODE}/candidates']['colorField'] in (DTYPE.names or ())
    assert panels['DiagnosticSummary!health']['topicToRender'] == DIAGNOSTICS.name


def test_what_foxglove_draws_over_time_is_in_the_diagnostics(foxglove: dict[str, Any]) -> None:
    paths = list(paths_of(foxglove))
    drawn = [path for topic, path in paths if topic == DIAGNOSTICS.name]
    # The other one is of every lifecycle node.
    assert {topic for topic, _ in paths} == {DIAGNOSTICS.name, f'/{NODE}/transition_event'}
    assert len(drawn) >= 9
    asked = QueryStatistics(since_s=0.0)
    statuses = [
        InputStatistics().status(1.0, 'points', 30),
        asked.inference_status(1.0, 'CPUExecutionProvider'),
        asked.matching_status(1.0, 145, 0),
    ]
    values = {status.name: status.values for status in statuses}
    for path in drawn:
        status = _STATUS.fullmatch(path)
        assert status is not None, path
        if status[2]:
            value = _VALUE.fullmatch(status[2])
            assert value is not None, path
            assert value[1] in values[status[1]]
        assert status[1] in values


def test_the_panels_of_the_foxglove_layout_are_those_that_it_arranges(
    foxglove: dict[str, Any],
) -> None:
    def leaves(node: dict[str, Any] | str) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        else:
            assert node['direction'] in ('row', 'column')
            yield from leaves(node['first'])
            yield from leaves(node['second'])

    assert sorted(leaves(foxglove['layout'])) == sorted(foxglove['configById'])
