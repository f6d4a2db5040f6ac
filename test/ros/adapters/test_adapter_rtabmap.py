# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the links that RTAB-Map's services get, over DDS, with their numbers."""

from __future__ import annotations

import array
from collections.abc import Iterator
from dataclasses import replace
import json
import math
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from nav_msgs.msg import Odometry
import numpy as np
from numpy.typing import NDArray
import pytest
from rclpy.qos import qos_profile_sensor_data
from ssd_ros.ros.adapters import load_adapter
from ssd_ros.ros.messages.conversions import pose_msg, time_msg
from ssd_ros.ros.messages.geometry import Pose, pose_from_xyzrpy
from std_msgs.msg import Header
from support.adapters import closure, Pair, SECOND
from support.ros import LIMIT_S, ROOT

pytestmark = pytest.mark.usefixtures('built_messages')

# Of the closure of adapter_helpers: at (9, 22) looking at 120 degrees.
OLD_NODE = pose_from_xyzrpy([9.0, 25.0, 0.0, 0.0, 0.0, np.pi / 2])


class RtabMap:
    """What RTAB-Map offers: three services and `info`."""

    def __init__(self, pair: Pair, old_nodes: dict[int, Pose]) -> None:
        from rtabmap_msgs.msg import Info
        from rtabmap_msgs.srv import AddLink, GetMap, GetNodesInRadius

        self.nodes: list[Any] = []  # of all drives
        self._old_nodes = old_nodes
        self._info_type = Info
        self.links = pair.offer(AddLink, '/rtabmap/rtabmap/add_link', lambda _, reply: reply)
        self.searches = pair.offer(
            GetNodesInRadius, '/rtabmap/rtabmap/get_nodes_in_radius', self._nodes_in_radius
        )
        self.asked_for_nodes = pair.offer(GetMap, '/rtabmap/rtabmap/get_map_data', self._map_data)
        self._info = pair.speak(Info, '/rtabmap/info')

    def make_node(self, number: int, stamp_ns: int) -> None:
        self.tell(header=Header(stamp=time_msg(stamp_ns)), ref_id=number)

    def tell(self, **fields: Any) -> None:
        self._info.publish(self._info_type(**fields))

    def forget_graph(self) -> None:
        """Be in mapping mode: until a link joins them, old drives are not in the graph."""
        self._old_nodes.clear()

    def _map_data(self, request: Any, reply: Any) -> Any:
        assert (request.global_map, request.optimized, request.graph_only) == (True, False, True)
        reply.data.nodes = self.nodes
        return reply

    def _nodes_in_radius(self, request: Any, reply: Any) -> Any:
        centre = np.array([request.x, request.y, request.z])
        for number, pose in self._old_nodes.items():
            squared = float(((pose.position_m - centre) ** 2).sum())
            if squared <= request.radius**2:
                reply.ids.append(number)
                reply.poses.append(pose_msg(pose))
                reply.dists_sqr.append(squared)
        return reply


@pytest.fixture
def adapter(pair: Pair) -> Iterator[Any]:
    from ssd_ros.ros.adapters.rtabmap import RtabmapAdapter

    made = load_adapter('rtabmap', pair.host, 'map')
    assert isinstance(made, RtabmapAdapter)
    yield made
    made.destroy()


@pytest.fixture
def rtabmap(pair: Pair, adapter: Any) -> RtabMap:
    made = RtabMap(pair, {7: OLD_NODE, 8: pose_from_xyzrpy([15.0, 22.0, 0, 0, 0, 0])})
    pair.wait(lambda: list(counts(adapter).values()).count('offered') == 3, 'the services')
    return made


def planar(transform: Any) -> tuple[float, float, float]:
    yaw_rad = 2 * np.arctan2(transform.rotation.z, transform.rotation.w)
    return transform.translation.x, transform.translation.y, float(np.degrees(yaw_rad))


def link_of(request: Any) -> tuple[int, int, NDArray[np.float64]]:
    link = request.link
    covariance = np.linalg.inv(np.array(link.information).reshape(6, 6))
    return link.from_id, link.to_id, covariance


def counts(adapter: Any) -> dict[str, object]:
    return dict(adapter.status().values)


def test_the_link_is_the_pose_of_the_map_node_in_the_query_node(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter).get('links'), 'the reply of add_link')
    (request,) = rtabmap.links
    assert link_of(request)[:2] == (42, 7)
    assert request.link.type == 4
    # 3 m along map y, seen by one who looks at 120 degrees: ahead and to the right.
    assert planar(request.link.transform) == pytest.approx((2.598, -1.5, -30.0), abs=1e-3)
    (search,) = rtabmap.searches
    assert (search.x, search.y, search.radius) == (9.0, 22.0, 10.0)


def test_the_information_is_the_inverse_covariance_at_the_map_node(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    covariance = link_of(rtabmap.links[0])[2]
    # The node looks along map y, so its x has the 4 m^2 of map y; its y has the 1 m^2 of map x
    # and the 0.2 rad of yaw over 3 m.
    np.testing.assert_allclose(np.diag(covariance)[:2], [4.0, 1.0 + 9 * 0.04], rtol=1e-6)
    assert covariance[5, 5] == pytest.approx(0.04)


def test_a_closure_waits_for_the_node_of_its_query(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    rtabmap.make_node(41, found.query_stamp_ns - SECOND)
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter)['held'] == 1, 'the closure to be held')
    assert rtabmap.links == []
    rtabmap.make_node(42, found.query_stamp_ns + 20_000_000)
    pair.wait(lambda: rtabmap.links, 'the held link')
    assert link_of(rtabmap.links[0])[0] == 42
    assert counts(adapter)['held'] == 0


def test_a_closure_whose_node_never_comes_is_dropped_and_counted(pair: Pair) -> None:
    from ssd_ros.ros.adapters.rtabmap import RtabmapAdapter

    impatient = RtabmapAdapter(pair.host, 'map', hold_s=0.2)
    impatient.on_loop_closure(closure())
    status = pair.wait(
        lambda: (status := impatient.status()).values.get('dropped_no_node') and status,
        'the closure to be dropped',
    )
    assert status.values['held'] == 0
    assert status.message.endswith('does /rtabmap/info come?')
    assert status.level == 1
    assert impatient.status().level == 0  # said once
    impatient.destroy()


def test_odometry_carries_a_query_to_a_node_half_a_second_before(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    """At 10 m/s the query's base is 5 m before that of the node, so the target is 5 m farther."""
    found = closure()
    node_ns = found.query_stamp_ns - SECOND // 2
    speak = pair.speak(Odometry, '/odom', qos_profile_sensor_data)

    def drive() -> bool:
        for tenth in range(-10, 11):
            msg = Odometry(header=Header(stamp=time_msg(node_ns + tenth * SECOND // 10)))
            msg.pose.pose.position.x = 1.0 * tenth
            speak.publish(msg)
            pair.step()
        return adapter._odometry.motion(node_ns, found.query_stamp_ns) is not None

    pair.wait(drive, 'the odometry')  # best effort: some of it may be lost
    rtabmap.make_node(42, node_ns)
    rtabmap.make_node(43, node_ns + 2 * SECOND)
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[0] == 42
    assert planar(rtabmap.links[0].link.transform) == pytest.approx((7.598, -1.5, -30.0), abs=1e-3)


def test_odometry_that_is_no_pose_is_not_used(pair: Pair, adapter: Any) -> None:
    """A quaternion of zeros or a NaN would go to RTAB-Map in a link."""
    track, stamp = adapter._odometry, closure().query_stamp_ns
    for step in range(3):
        track._on_odometry(Odometry(header=Header(stamp=time_msg(stamp + step * SECOND // 4))))
    assert track.motion(stamp, stamp + SECOND // 4).position_m.tolist() == [0.0, 0.0, 0.0]
    broken = Odometry(header=Header(stamp=time_msg(stamp + SECOND)))
    broken.pose.pose.orientation.w = 0.0
    track._on_odometry(broken)
    broken.pose.pose.orientation.w = 1.0
    broken.pose.pose.position.x = float('nan')
    track._on_odometry(broken)
    assert track.motion(stamp, stamp + SECOND) is None


def test_odometry_whose_quaternion_is_not_of_unit_length_is_normalised(adapter: Any) -> None:
    track, stamp = adapter._odometry, closure().query_stamp_ns
    for step in range(2):
        msg = Odometry(header=Header(stamp=time_msg(stamp + step * SECOND // 4)))
        msg.pose.pose.position.x, msg.pose.pose.orientation.w = 3.0 * step, 1.05
        track._on_odometry(msg)
    moved = track.motion(stamp, stamp + SECOND // 4)
    assert moved.position_m.tolist() == [3.0, 0.0, 0.0]
    assert moved.quaternion_xyzw.tolist() == [0.0, 0.0, 0.0, 1.0]


def test_without_odometry_a_node_half_a_second_away_is_too_far(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    rtabmap.make_node(42, found.query_stamp_ns - SECOND // 2)
    rtabmap.make_node(43, found.query_stamp_ns + 2 * SECOND)
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter).get('dropped_far_node') == 1, 'the closure to be dropped')
    assert rtabmap.links == []


def test_a_keyframe_of_this_drive_is_found_by_its_stamp(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    on_bumper = pose_from_xyzrpy([3.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    live = closure(is_live=True, base_keyframe=on_bumper)
    rtabmap.make_node(12, live.keyframe_stamp_ns + 30_000_000)
    rtabmap.make_node(42, live.query_stamp_ns)
    adapter.on_loop_closure(live)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[:2] == (42, 12)
    assert rtabmap.searches == []
    # The inverse of T_base_base = (3 + 2, 1, 30 degrees).
    assert planar(rtabmap.links[0].link.transform) == pytest.approx(
        (-5 * 0.8660 - 0.5, 5 * 0.5 - 0.8660, -30.0), abs=1e-3
    )


def test_nodes_of_this_drive_are_no_places_of_the_map(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    """Node 7 is nearest, but it was made after node 5: its pose drifts with the drive."""
    found = closure()
    rtabmap.make_node(5, found.query_stamp_ns - 9 * SECOND)
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter).get('dropped_no_map_node') == 1, 'the closure to be dropped')
    assert rtabmap.links == []


def old_node(number: int, stamp_ns: int, x_m: float, drive: int = 0, **fields: Any) -> Any:
    """Return a node on the x axis of the odometry of an earlier drive, looking along it."""
    from rtabmap_msgs.msg import Node

    node = Node(id=number, map_id=drive, stamp=stamp_ns / 1e9, **fields)
    node.pose.position.x, node.pose.orientation.w = x_m, 1.0
    return node


def test_an_old_map_is_continued_by_the_time_of_the_keyframe(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    """
    In mapping mode, in frames that have nothing in common.

    At 10 m/s the keyframe is 5 m behind node 5, which lies at (10, 25) and looks along map y.
    """
    found = closure()
    rtabmap.forget_graph()
    begin_ns = found.keyframe_stamp_ns
    rtabmap.nodes = [
        old_node(4, begin_ns - SECOND, 990.0),
        old_node(5, begin_ns + SECOND // 2, 1005.0),
        old_node(42, begin_ns, 0.0, 1),  # of this drive
    ]
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[:2] == (42, 5)
    # (1, 3) from the query, which looks at 120 degrees.
    assert planar(rtabmap.links[0].link.transform) == pytest.approx((2.098, -2.366, -30), abs=1e-3)
    assert rtabmap.searches == []
    for number in (43, 44):
        later = closure(query_stamp_ns=found.query_stamp_ns + (number - 42) * SECOND)
        rtabmap.make_node(number, later.query_stamp_ns)
        adapter.on_loop_closure(later)
    pair.wait(lambda: counts(adapter).get('links') == 3, 'three links')
    assert (counts(adapter)['found_by_time'], counts(adapter)['old_nodes']) == (3, 2)
    assert len(rtabmap.asked_for_nodes) == 1


@pytest.mark.parametrize(
    'spoil',
    [
        lambda nodes: [*nodes[:1], old_node(5, int(nodes[1].stamp * 1e9), 1005.0, 1)],
        lambda nodes: [old_node(4, int(nodes[0].stamp * 1e9) - 2 * SECOND, 970.0), nodes[1]],
        lambda nodes: nodes[:1],
        lambda nodes: [nodes[0], old_node(5, int(nodes[1].stamp * 1e9), math.nan)],
        lambda nodes: [],
    ],
    ids=['two drives', 'a gap', 'the end of the drive', 'no pose', 'none'],
)
def test_without_nodes_around_the_keyframe_the_nearest_place_is_taken(
    pair: Pair, adapter: Any, rtabmap: RtabMap, spoil: Any
) -> None:
    found = closure()
    begin_ns = found.keyframe_stamp_ns
    around = [old_node(4, begin_ns - SECOND, 990.0), old_node(5, begin_ns + SECOND // 2, 1005.0)]
    rtabmap.nodes = spoil(around)
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[:2] == (42, 7)
    assert len(rtabmap.searches) == 1


def test_a_node_of_the_time_of_the_keyframe_needs_no_neighbour(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    rtabmap.nodes = [old_node(5, found.keyframe_stamp_ns + 40_000_000, 0.0)]
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[:2] == (42, 5)


def test_simulated_drives_are_not_told_apart_by_their_stamps(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure(query_stamp_ns=100 * SECOND, keyframe_stamp_ns=40 * SECOND)
    rtabmap.nodes = [old_node(5, 40 * SECOND, 0.0)]
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[:2] == (42, 7)


def test_messages_with_all_that_rtabmap_says_are_understood(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    from rtabmap_msgs.msg import EnvSensor, KeyPoint, Link, MapGraph, Point3f, SensorData

    found = closure()
    rtabmap.forget_graph()
    data = SensorData(env_sensors=[EnvSensor(type=EnvSensor.TYPE_AMBIENT_LIGHT, value=3.0)])
    data.laser_scan.data = array.array('B', bytes(1000))
    words = {'word_kpts': [KeyPoint(size=2.0)], 'word_pts': [Point3f(z=1.0)]}
    rtabmap.nodes = [
        old_node(5, found.keyframe_stamp_ns, 0.0, label='door', data=data, **words),
    ]
    graph = MapGraph(poses_id=[41, 42], poses=[pose_msg(OLD_NODE)] * 2, links=[Link(from_id=41)])
    rtabmap.tell(
        header=Header(stamp=time_msg(found.query_stamp_ns), frame_id='map'),
        ref_id=42,
        loop_closure_id=7,
        wm_state=[1, 2, 42],
        labels_keys=[5],
        labels_values=['door'],
        stats_keys=['Loop/Id/', 'Memory/Working_memory_size/'],
        stats_values=[7.0, 3.0],
        odom_cache=graph,
    )
    adapter.on_loop_closure(found)
    pair.wait(lambda: rtabmap.links, 'a link')
    assert link_of(rtabmap.links[0])[:2] == (42, 5)
    assert counts(adapter)['closures_of_rtabmap'] == 1


def test_a_node_gets_the_link_of_the_nearest_query_alone(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    at_ns = closure().query_stamp_ns
    for offset_ns in (-40_000_000, -10_000_000, -25_000_000):
        adapter.on_loop_closure(closure(query_stamp_ns=at_ns + offset_ns))
    pair.wait(lambda: counts(adapter)['held'] == 3, 'three closures to be held')
    rtabmap.make_node(42, at_ns)
    pair.wait(lambda: counts(adapter).get('links'), 'a link')
    assert counts(adapter)['superseded'] == 2
    assert len(rtabmap.links) == 1


def test_a_closure_without_a_target_leaves_the_node_to_the_next_one(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    nowhere = replace(found, map_keyframe=pose_from_xyzrpy([500.0, 0, 0, 0, 0, 0]))
    rtabmap.make_node(42, found.query_stamp_ns)
    adapter.on_loop_closure(nowhere)
    pair.wait(lambda: counts(adapter).get('dropped_no_map_node') == 1, 'the first to be dropped')
    adapter.on_loop_closure(replace(found, is_live=True))
    pair.wait(lambda: counts(adapter).get('dropped_far_node') == 1, 'the second to be dropped')
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter).get('links'), 'the link of the third')


def test_a_bag_that_starts_again_clears_nodes_and_held_closures(
    pair: Pair, adapter: Any, rtabmap: RtabMap
) -> None:
    found = closure()
    rtabmap.make_node(42, found.query_stamp_ns - 5 * SECOND)
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter)['held'] == 1, 'the closure to be held')
    for number in range(1, 4):
        rtabmap.make_node(number, found.query_stamp_ns - (90 - number) * SECOND)
    pair.wait(lambda: counts(adapter).get('time_jumps') == 1, 'the jump')
    assert counts(adapter)['held'] == 0


def test_without_rtabmap_a_link_is_counted_as_not_sent(pair: Pair, adapter: Any) -> None:
    from rtabmap_msgs.msg import Info

    info = pair.speak(Info, '/rtabmap/info')
    found = closure()
    info.publish(Info(header=Header(stamp=time_msg(found.query_stamp_ns)), ref_id=42))
    adapter.on_loop_closure(found)
    pair.wait(lambda: counts(adapter).get('no_server') == 1, 'the failure to be counted')


def test_a_link_reaches_rtabmap_in_another_process(
    pair: Pair, adapter: Any, tmp_path: Path
) -> None:
    found = closure()
    output = tmp_path / 'link.json'
    arguments = [str(Path(__file__).with_name('rtabmap_process.py')), str(found.query_stamp_ns)]
    path = os.pathsep.join([str(ROOT), os.environ['PYTHONPATH']])
    process = subprocess.Popen(
        [sys.executable, *arguments, str(output)], env={**os.environ, 'PYTHONPATH': path}
    )
    try:
        pair.wait(lambda: list(counts(adapter).values()).count('offered') == 3, 'the services')
        adapter.on_loop_closure(found)
        pair.wait(lambda: counts(adapter).get('links'), 'the reply of add_link')
    finally:
        process.kill()
        process.wait(LIMIT_S)
    link = json.loads(output.read_text())
    assert link['ids'] == [42, 7]
    assert link['translation'] == pytest.approx([2.598, -1.5, 0.0], abs=1e-3)
    assert np.linalg.inv(np.reshape(link['information'], (6, 6)))[0, 0] == pytest.approx(4.0)
