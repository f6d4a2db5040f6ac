# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what back ends get from a localizer that runs as a process of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.ros import Peer, Processes  # skips the tests where rclpy is absent

# isort: split
from ssd_ros.maps.builder import build_database
from ssd_ros.ros.messages.conversions import pose_msg
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from support import message_packages
from support.localizer import DRIVE, NODE, running_localizer
from support.posts import small_encoder, write_small_encoder

MAP_NODE = pose_from_xyzrpy([120.0, 3.0, 0.0, 0.0, 0.0, 0.0])


@pytest.mark.usefixtures('built_messages')
def test_rtabmap_gets_a_link_and_mola_a_pose_of_one_query(peer: Peer, tmp_path: Path) -> None:
    from mola_msgs.srv import RelocalizeNearPose
    from rtabmap_msgs.msg import Info
    from rtabmap_msgs.srv import AddLink, GetMap, GetNodesInRadius

    links: list[Any] = []
    poses: list[Any] = []

    def add_link(request: Any, reply: Any) -> Any:
        links.append(request.link)
        return reply

    def nodes_in_radius(request: Any, reply: Any) -> Any:
        reply.ids, reply.poses, reply.dists_sqr = [7], [pose_msg(MAP_NODE)], [9.0]
        return reply

    def relocalize(request: Any, reply: Any) -> Any:
        poses.append(request.pose)
        reply.accepted = True
        return reply

    peer.node.create_service(AddLink, '/rtabmap/rtabmap/add_link', add_link)
    peer.node.create_service(
        GetNodesInRadius, '/rtabmap/rtabmap/get_nodes_in_radius', nodes_in_radius
    )
    peer.node.create_service(GetMap, '/rtabmap/rtabmap/get_map_data', lambda request, reply: reply)
    peer.node.create_service(RelocalizeNearPose, '/relocalize_near_pose', relocalize)
    with running_localizer(peer, tmp_path, adapters='[rtabmap, mola]') as localizer:
        info = peer.speak(Info, '/rtabmap/info')
        for name, count in (('rtabmap', 3), ('mola', 1)):
            localizer.wait_for_value(
                f'adapter {name}',
                lambda values, count=count: list(values.values()).count('offered') == count,
            )
        answer = localizer.answer_to(localizer.send(12))
        info.publish(Info(header=Header(stamp=answer.header.stamp), ref_id=42))
        localizer.wait_for_value('adapter rtabmap', lambda values: values.get('links') == '1')
        assert poses == []  # nobody asked for one
        assert peer.call(Trigger, f'{NODE}/relocalize').success
        localizer.wait_for_value('adapter mola', lambda values: values.get('accepted') == '1')
    (link,), (pose,) = links, poses
    assert (link.from_id, link.to_id) == (42, 7)
    # The query is that of the keyframe at x = 120 m, looking along x; cells are 1.6 m wide.
    shift = link.transform.translation
    assert (shift.x, shift.y) == pytest.approx((0.0, 3.0), abs=1.6)
    position = pose.pose.pose.position
    assert (position.x, position.y) == pytest.approx((120.0, 0.0), abs=1.6)
    assert pose.header.stamp == answer.header.stamp


def test_a_missing_message_package_ends_the_start_with_a_line_that_helps(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = os.environ.get('PYTHONPATH', '').split(os.pathsep)
    others = [folder for folder in folders if not folder.startswith(str(message_packages.BUILT))]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(others))
    build_database(DRIVE, small_encoder(tmp_path, 'spinning')).save(tmp_path / 'map.ssd')
    running = processes.start_localizer(
        index_path=tmp_path / 'map.ssd',
        model_path=write_small_encoder(tmp_path / 'student.onnx', '4d'),
        adapters='[autoware]',
    )
    assert running.end() == 1
    assert "adapter 'autoware' needs the package autoware_adapi_v1_msgs" in running.text()
    assert 'sudo apt install ros-' in running.text()
