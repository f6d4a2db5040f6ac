# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layouts of RViz and Foxglove beside the running node, whose map lies in UTM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from nav_msgs.msg import Path as PathMsg
import numpy as np
import pytest
from ssd_ros.maps.builder import build_database
from std_srvs.srv import Trigger
from support.localizer import DRIVE, LATCHED, Localizer, NODE, running_localizer
from support.posts import small_encoder
from support.ros import Peer
import yaml

CONFIG = Path(__file__).parents[3] / 'config'
# Keyframes 10 m apart from here to the east.
START_M = np.array([500_000.0, 5_400_000.0])
UTM = replace(
    DRIVE,
    xy_yaw=DRIVE.xy_yaw + np.append(START_M, 0.0),
    posts=DRIVE.posts + START_M,
)
# Displays of RViz and what they take.
TYPES = {
    'Image': 'sensor_msgs/msg/Image',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'Path': 'nav_msgs/msg/Path',
    'PointCloud2': 'sensor_msgs/msg/PointCloud2',
    'PoseArray': 'geometry_msgs/msg/PoseArray',
    'PoseWithCovariance': 'geometry_msgs/msg/PoseWithCovarianceStamped',
}


@pytest.fixture(scope='module')
def localizer(
    peer: Peer, built_messages: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localizer]:
    directory = tmp_path_factory.mktemp('layouts')
    utm = directory / 'utm.ssd'
    build_database(UTM, small_encoder(directory, 'spinning')).save(utm)
    with running_localizer(peer, directory, index_path=utm) as running:
        yield running


@pytest.fixture(scope='module')
def rviz() -> dict[str, Any]:
    manager: dict[str, Any] = yaml.safe_load((CONFIG / 'localize.rviz').read_text())
    return manager['Visualization Manager']


@pytest.fixture(scope='module')
def foxglove() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CONFIG / 'foxglove_layout.json').read_text())
    return content['configById']


@pytest.fixture(scope='module')
def view(peer: Peer, localizer: Localizer) -> Any:
    """Return the transform from the map to the frame that both look from."""
    from tf2_msgs.msg import TFMessage

    messages = peer.listen(TFMessage, '/tf_static', LATCHED)
    peer.wait(lambda: messages, 'the frame to look from')
    (transform,) = messages[-1].transforms
    return transform


def test_every_topic_that_rviz_shows_is_in_the_graph_with_its_type(
    localizer: Localizer, rviz: dict[str, Any]
) -> None:
    graph = dict(localizer.peer.node.get_topic_names_and_types())
    shown = [display for display in rviz['Displays'] if 'Topic' in display]
    assert len(shown) == 8
    for display in shown:
        kind = TYPES[display['Class'].removeprefix('rviz_default_plugins/')]
        assert graph[f'/{display["Topic"]["Value"]}'] == [kind]


def test_every_topic_that_foxglove_shows_is_in_the_graph(
    localizer: Localizer, foxglove: dict[str, Any]
) -> None:
    graph = {name for name, _ in localizer.peer.node.get_topic_names_and_types()}
    shown = set(foxglove['3D!map']['topics'])
    shown.add(foxglove['Image!query']['imageMode']['imageTopic'])
    shown.add(foxglove['RawMessages!map']['topicPath'])
    assert len(shown) == 9
    assert shown <= graph


def test_both_look_from_the_middle_of_the_map_wherever_that_is(
    rviz: dict[str, Any], foxglove: dict[str, Any], view: Any
) -> None:
    assert view.child_frame_id == rviz['Global Options']['Fixed Frame']
    camera = rviz['Views']['Current']
    assert (camera['Target Frame'], camera['X'], camera['Y']) == ('<Fixed Frame>', 0, 0)
    panel = foxglove['3D!map']
    assert view.child_frame_id == panel['followTf'] == panel['layers']['grid']['frameId']
    assert panel['cameraState']['target'] == panel['cameraState']['targetOffset'] == [0, 0, 0]
    shift, turned = view.transform.translation, view.transform.rotation
    assert (shift.x, shift.y, shift.z) == (START_M[0] + 145.0, START_M[1], 0.0)
    assert (turned.x, turned.y, turned.z, turned.w) == (0.0, 0.0, 0.0, 1.0)


def test_what_both_show_is_in_the_frame_that_the_view_hangs_on(
    localizer: Localizer, view: Any
) -> None:
    stamp_ns = localizer.send(12)
    pose = localizer.answer_to(stamp_ns, localizer.poses)
    rows = localizer.answer_to(stamp_ns)
    assert view.header.frame_id == pose.header.frame_id == rows.header.frame_id == 'map'
    east_m = pose.pose.pose.position.x - view.transform.translation.x
    assert east_m == pytest.approx(120 - 145, abs=1.6)


def test_the_path_is_where_places_were_accepted_until_it_is_cleared(localizer: Localizer) -> None:
    assert localizer.peer.call(Trigger, f'{NODE}/clear').success
    paths = localizer.peer.listen(PathMsg, f'{NODE}/path')
    places = iter(range(4, 30))

    def has_come_far() -> bool:
        localizer.answer_to(localizer.send(next(places)), localizer.poses)
        return bool(paths) and len(paths[-1].poses) >= 3

    localizer.peer.wait(has_come_far, 'a path of three places')
    path = paths[-1]
    assert path.header.frame_id == 'map'
    east_m = [pose.pose.position.x - START_M[0] for pose in path.poses]
    assert east_m == pytest.approx([40 + 10 * index for index in range(len(east_m))], abs=1.6)
    assert localizer.peer.call(Trigger, f'{NODE}/clear').success
    paths.clear()
    localizer.answer_to(localizer.send(20), localizer.poses)
    localizer.peer.wait(lambda: paths, 'the next path')
    assert len(paths[0].poses) == 1
