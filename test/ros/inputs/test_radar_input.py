# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check over DDS which radars are heard, in what messages, and what becomes of their scans."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
import contextlib
import subprocess
import sys
from typing import Any

from geometry_msgs.msg import Point32
import numpy as np
import pytest
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import ChannelFloat32, Image, PointCloud, PointCloud2
from ssd_ros.radar.merging import MergeConfig
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.ros.health.inputs import Level, Status
from ssd_ros.ros.inputs.radar_input import RadarInput
from ssd_ros.ros.inputs.radar_subscription import RadarSubscription
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.messages.geometry import Pose, pose_from_xyzrpy
from ssd_ros.ros.parameters.node import NodeParameters
from ssd_ros.ros.parameters.server import ParameterServer
from std_msgs.msg import Header
from support.ros import Peer, points_msg, ROOT
from support.tilted import tilted, TILTS, UPSIDE_DOWN, yaw_for

BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
STAMP_NS = 1_700_000_000_000_000_000

# What every message below holds: x, y, z and range rate; the radar stands still.
POINTS_M = np.array([[3, 4, 0], [10, -5, 1], [20, 1, 2], [30, -3, 1]], np.float32)
DOPPLER_MPS = np.zeros(4, np.float32)


def cloud(frame_id: str = 'radar', points_m: Any = POINTS_M) -> RadarPointCloud:
    points_m = np.asarray(points_m, np.float32)
    none = np.zeros(len(points_m), np.float32)
    return RadarPointCloud(STAMP_NS, points_m, none, none, frame_id)


class Listener:
    """A RadarInput on the test's node, and what came of it."""

    def __init__(
        self, peer: Peer, lookup: Callable[[str, str], Pose | None] | None, values: dict[str, Any]
    ) -> None:
        self.peer = peer
        self.scans: list[RadarPointCloud] = []
        self.base_radar: Pose | None = None
        self.said: list[str] = []
        parameters = NodeParameters.from_values({'stamp_source': 'header', **values})
        self.input = RadarInput(
            peer.node,
            lambda: parameters,
            'base_link',
            lookup,
            MergeConfig(),
            StampSource(lambda: parameters, self.said.append),
            lambda scan, base_radar, receive_s: self.take(scan, base_radar),
            lambda admitted: None,
            self.said.append,
        )
        self.input.start()

    def take(self, scan: RadarPointCloud, base_radar: Pose) -> None:
        self.scans.append(scan)
        self.base_radar = base_radar

    def statuses(self) -> list[Status]:
        return self.input.statuses(min_points=0)

    def hear(self, publisher: Any, message: Any) -> RadarPointCloud:
        """Publish until a scan comes of it: the first messages may be lost to discovery."""
        before = len(self.scans)

        def heard() -> bool:
            if len(self.scans) == before:
                publisher.publish(message)
            return len(self.scans) > before

        self.peer.wait(heard, 'a scan')
        return self.scans[-1]


@pytest.fixture
def listen(peer: Peer) -> Iterator[Callable[..., Listener]]:
    """Make listeners; their topics go down with the test."""
    with contextlib.ExitStack() as stack:

        def make(lookup: Any = None, **values: Any) -> Listener:
            dotted = {name.replace('__', '.'): value for name, value in values.items()}
            listener = Listener(peer, lookup, dotted)
            stack.callback(listener.input.destroy)
            return listener

        yield make


def test_a_topic_of_clouds_is_heard_in_the_frame_of_its_messages(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['first'])
    publisher = peer.speak(PointCloud2, 'first')
    scan = listener.hear(publisher, points_msg(cloud('front')))
    np.testing.assert_array_equal(scan.xyz_m, POINTS_M)
    assert (scan.frame_id, scan.stamp_ns) == ('front', STAMP_NS)
    (status,) = listener.statuses()
    assert (status.name, status.values['type']) == ('input', 'pointcloud2')
    assert status.values['topic'] == '/first'


def test_before_the_start_and_after_the_end_nothing_is_handed_on(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['quiet'])
    publisher = peer.speak(PointCloud2, 'quiet')
    listener.hear(publisher, points_msg(cloud()))
    listener.input.stop()
    heard, messages = len(listener.scans), listener.input.primary.statistics.num_messages
    echo = peer.listen(PointCloud2, 'quiet')
    publisher.publish(points_msg(cloud()))
    peer.wait(lambda: echo, 'the message to arrive elsewhere')
    assert len(listener.scans) == heard
    assert listener.input.primary.statistics.num_messages == messages
    assert listener.statuses()[0].level == Level.STALE


def test_a_latched_publisher_is_heard(peer: Peer, listen: Callable[..., Listener]) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    listener = listen(input_topics=['latched'])
    listener.hear(peer.speak(PointCloud2, 'latched', latched), points_msg(cloud()))


def first_version() -> PointCloud:
    """Return the points as Oculii sends them."""
    return PointCloud(
        header=Header(frame_id='oculii'),
        points=[Point32(x=x, y=y, z=z) for x, y, z in POINTS_M.tolist()],
        channels=[
            ChannelFloat32(name='Doppler', values=DOPPLER_MPS.tolist()),
            ChannelFloat32(name='Power', values=[12.0, 12.0, 12.0, 12.0]),
        ],
    )


def test_auto_follows_whoever_publishes_to_another_type(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['old'])
    with Peer() as driver:  # in DDS one process cannot have one topic with two types
        publisher = driver.node.create_publisher(PointCloud, 'old', 10)
        peer.wait(lambda: listener.statuses()[0].values['type'] == 'pointcloud', 'the other type')
        scan = listener.hear(publisher, first_version())
    np.testing.assert_array_equal(scan.xyz_m, POINTS_M)
    assert scan.rcs_dbsm.tolist() == [2, 2, 2, 2]


def test_a_radar_scan_is_heard(
    built_messages: None, peer: Peer, listen: Callable[..., Listener]
) -> None:
    from radar_msgs.msg import RadarReturn, RadarScan

    listener = listen(input_topics=['echoes'], input_type='radar_scan', intensity_kind='power_db')
    echo = RadarReturn(range=10.0, azimuth=np.pi / 2, doppler_velocity=-3.0, amplitude=7.0)
    scan = listener.hear(peer.speak(RadarScan, 'echoes'), RadarScan(returns=[echo]))
    np.testing.assert_allclose(scan.xyz_m, [[0, 10, 0]], atol=1e-5)
    assert (scan.radial_velocity_mps.tolist(), scan.rcs_dbsm.tolist()) == ([-3], [2])


def test_a_type_whose_package_is_missing_is_refused_with_the_way_out(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, listen: Callable[..., Listener]
) -> None:
    monkeypatch.setitem(__import__('sys').modules, 'radar_msgs.msg', None)
    with pytest.raises(ImportError, match=r'radar_msgs/.* ros-\$ROS_DISTRO-radar-msgs'):
        listen(input_topics=['echoes'], input_type='radar_scan')


def test_auto_reliability_is_that_of_the_publishers(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['sure'], qos_reliability='auto')
    assert listener.statuses()[0].values['reliable'] is False
    reliable = peer.node.create_publisher(PointCloud2, 'sure', 10)
    peer.wait(lambda: listener.statuses()[0].values['reliable'], 'a reliable subscription')
    listener.hear(reliable, points_msg(cloud()))
    unsure = peer.node.create_publisher(PointCloud2, 'sure', BEST_EFFORT)
    peer.wait(lambda: not listener.statuses()[0].values['reliable'], 'a best-effort one')
    listener.hear(unsure, points_msg(cloud()))


def test_a_publisher_that_does_not_match_is_named(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['picky'], qos_reliability='reliable')
    peer.node.create_publisher(PointCloud2, 'picky', BEST_EFFORT)
    peer.wait(lambda: listener.said, 'a warning')
    assert 'a publisher of picky is best effort: set qos_reliability' in listener.said[0]
    assert listener.statuses()[0].values['qos_incompatible'] == 1


# In datagrams instead of shared memory: 40 MB at once do not fit into the receiver's buffer.
LOSSY_DRIVER = """
import array
import os
import time
os.environ |= {'FASTRTPS_DEFAULT_PROFILES_FILE': '', 'FASTDDS_DEFAULT_PROFILES_FILE': ''}
os.environ |= {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import PointCloud2
rclpy.init()
publisher = rclpy.create_node('driver').create_publisher(
    PointCloud2, 'lossy', qos_profile_sensor_data
)
large, small, sent = PointCloud2(data=array.array('B', bytes(2_000_000))), PointCloud2(), 0
while True:
    sent += 21
    print(sent, flush=True)
    for _ in range(20):
        publisher.publish(large)
    publisher.publish(small)
    time.sleep(0.05)
"""


def test_messages_that_the_network_lost_are_counted(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['lossy'])
    statistics = listener.input.primary.statistics
    command = [sys.executable, '-c', LOSSY_DRIVER]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        peer.wait(lambda: statistics.num_lost >= 50, 'messages to be lost')
    finally:
        driver.kill()
        output, _ = driver.communicate()
    sent = int(output.split()[-1])
    assert statistics.num_messages + statistics.num_lost <= sent
    assert listener.statuses()[0].values['lost'] == statistics.num_lost


def test_the_queue_can_be_made_longer_by_an_override(peer: Peer) -> None:
    node = Node(
        'overridden',
        context=peer.node.context,
        cli_args=['--ros-args', '-p', 'qos_overrides./deep.subscription.depth:=50'],
    )
    try:
        ParameterServer(node)
        subscription = RadarSubscription(
            node, 'deep', 'pointcloud2', 'best_effort', lambda *message: None, *[print] * 2
        )
        made = [each for each in node.subscriptions if each.topic_name == subscription.topic_name]
        assert [each.qos_profile.depth for each in made] == [50]
        subscription.destroy()
    finally:
        node.destroy_node()


def test_a_frame_can_be_given_where_the_messages_name_none(
    peer: Peer, listen: Callable[..., Listener]
) -> None:
    listener = listen(input_topics=['nameless'])
    publisher = peer.speak(PointCloud2, 'nameless')
    assert listener.hear(publisher, points_msg(cloud(''))).frame_id == ''
    assert 'set frame_override' in listener.said[0]
    named = listen(input_topics=['nameless'], frame_override=['ti_mmwave'])
    assert named.hear(publisher, points_msg(cloud(''))).frame_id == 'ti_mmwave'
    assert named.said == []


# Two radars 2 m apart, the second one turned by 90 degrees to the left.
TWO = {'input_topics': ['front', 'side']}
EXTRINSICS = [3.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0, 0.0, np.pi / 2]
# In the frame of the side radar. (7, -8, 0) is (9, 7, 0.5) in that of the car and (6, 7, 0) in
# that of the front radar, which does not see the other three.
SIDE_M = [[7, -8, 0], [20, -1, 1], [30, 2, 2], [15, 3, 0]]


def merged(
    listener: Listener,
    side: Any,
    front: Any,
    frames: tuple[str, str],
    tilts: tuple[tuple[float, float], tuple[float, float]] = ((0, 0), (0, 0)),
) -> RadarPointCloud:
    """Have the side radar heard, then the front one, whose frame must be known by then."""
    front_message = points_msg(tilted(cloud(frames[0]), *tilts[0]))
    listener.hear(front, front_message)
    other = listener.input.statuses(0)[1].values['messages']
    side_message = points_msg(tilted(cloud(frames[1], SIDE_M), *tilts[1]))

    def heard() -> bool:
        if (now := listener.input.statuses(0)[1].values['messages']) == other:
            side.publish(side_message)
        return now != other

    listener.peer.wait(heard, 'the side radar')
    return listener.hear(front, front_message)


@pytest.fixture
def two(peer: Peer) -> tuple[Any, Any]:
    """Make the publishers of the side radar and of the front one."""
    return (
        peer.node.create_publisher(PointCloud2, 'side', 10),
        peer.node.create_publisher(PointCloud2, 'front', 10),
    )


def test_what_a_second_radar_sees_before_the_first_one_is_added(
    two: tuple[Any, Any], listen: Callable[..., Listener]
) -> None:
    listener = listen(**TWO, radar_extrinsics=EXTRINSICS)
    scan = merged(listener, *two, ('f', 's'))
    assert (scan.frame_id, len(scan)) == ('f', 5)
    np.testing.assert_allclose(scan.xyz_m[4], [6, 7, 0], atol=1e-5)
    assert [status.name for status in listener.statuses()] == ['input', 'input /side']


@pytest.mark.parametrize('roll_pitch', TILTS)
def test_each_of_two_tilted_radars_is_levelled(
    two: tuple[Any, Any], listen: Callable[..., Listener], roll_pitch: tuple[float, float]
) -> None:
    front_yaw = yaw_for(0.0, roll_pitch[1])
    extrinsics = [3.0, 0.0, 0.5, *roll_pitch, front_yaw, 1.0, 0.0, 0.5, *UPSIDE_DOWN, np.pi / 2]
    listener = listen(**TWO, radar_extrinsics=extrinsics)
    scan = merged(listener, *two, ('f', 's'), (roll_pitch, UPSIDE_DOWN))
    assert (scan.frame_id, len(scan)) == ('f', 5)
    np.testing.assert_allclose(scan.xyz_m, [*POINTS_M, [6, 7, 0]], atol=1e-5)
    assert listener.base_radar is not None
    np.testing.assert_allclose(
        listener.base_radar.matrix, pose_from_xyzrpy(EXTRINSICS[:6]).matrix, atol=1e-12
    )
    front, side = listener.statuses()
    assert (front.values['tilt_deg'] > 0, side.values['tilt_deg']) == (True, 180)


def test_a_mounting_that_changes_is_followed(peer: Peer, listen: Callable[..., Listener]) -> None:
    known: list[Pose | None] = [None]
    listener = listen(lambda base, radar: known[0], input_topics=['moved'])
    publisher = peer.speak(PointCloud2, 'moved')
    message = points_msg(cloud('front'))
    np.testing.assert_array_equal(listener.hear(publisher, message).xyz_m, POINTS_M)
    # TF comes late, is corrected, and falls silent.
    known[0] = pose_from_xyzrpy([1, 0, 0, np.pi, 0, 0])
    turned = listener.hear(publisher, message)
    np.testing.assert_allclose(turned.xyz_m, POINTS_M * [1, -1, -1], atol=1e-5)
    known[0] = pose_from_xyzrpy([1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(listener.hear(publisher, message).xyz_m, POINTS_M)
    known[0] = None
    np.testing.assert_array_equal(listener.hear(publisher, message).xyz_m, POINTS_M)
    assert listener.base_radar is not None
    assert listener.base_radar.position_m.tolist() == [1, 0, 0]
    assert sum('using radar_extrinsics' in text for text in listener.said) >= 1


def test_a_second_radar_before_the_first_one_is_refused_for_that_reason(
    two: tuple[Any, Any], listen: Callable[..., Listener]
) -> None:
    listener = listen(**TWO, radar_extrinsics=EXTRINSICS)

    def refused() -> int:
        two[0].publish(points_msg(cloud('s', SIDE_M)))
        return int(listener.statuses()[1].values.get('refused_no_primary', 0))

    listener.peer.wait(refused, 'a refusal')
    assert listener.said[0].startswith('nothing came on front yet, the first of input_topics')
    assert listener.scans == []


def test_transforms_count_before_parameters(
    two: tuple[Any, Any], listen: Callable[..., Listener]
) -> None:
    poses = {'f': EXTRINSICS[:6], 's': EXTRINSICS[6:]}
    listener = listen(
        lambda base, radar: pose_from_xyzrpy(poses[radar]), **TWO, radar_extrinsics=[9.0] * 12
    )
    scan = merged(listener, *two, ('f', 's'))
    np.testing.assert_allclose(scan.xyz_m[4], [6, 7, 0], atol=1e-5)
    assert [status.values['extrinsics'] for status in listener.statuses()] == ['tf', 'tf']


@pytest.mark.parametrize(
    ('frames', 'values', 'reason'),
    [
        (('radar', 'radar'), {'radar_extrinsics': EXTRINSICS}, 'same_frame'),
        (('f', 's'), {}, 'no_extrinsics'),
        (('', ''), {}, 'no_extrinsics'),
    ],
)
def test_a_second_radar_whose_place_is_not_known_adds_nothing_and_is_named(
    two: tuple[Any, Any],
    listen: Callable[..., Listener],
    frames: tuple[str, str],
    values: dict[str, Any],
    reason: str,
) -> None:
    listener = listen(**TWO, **values)
    assert len(merged(listener, *two, frames)) == 4
    side = listener.statuses()[1]
    assert side.values[f'refused_{reason}'] >= 1
    assert any('frame_override' in text or 'radar_extrinsics' in text for text in listener.said)


def test_one_frame_for_two_radars_is_told_apart_by_topic(
    two: tuple[Any, Any], listen: Callable[..., Listener]
) -> None:
    listener = listen(**TWO, radar_extrinsics=EXTRINSICS, frame_override=['f', 's'])
    assert len(merged(listener, *two, ('radar', 'radar'))) == 5


def turn_msg() -> Image:
    """Return a turn of a spinning radar with one echo at each azimuth."""
    rows = np.zeros((600, 400), np.uint8)
    rows[40 + np.arange(400), np.arange(400)] = 200
    msg = Image(height=600, width=400, encoding='mono8', step=400)
    msg.header.stamp.sec, msg.header.frame_id = STAMP_NS // 10**9, 'navtech'
    msg.data = array.array('B', rows.tobytes())
    return msg


def test_a_turn_is_handed_on_with_its_place(peer: Peer, listen: Callable[..., Listener]) -> None:
    values = {'input_type': 'polar_image', 'radar_extrinsics': [1.0, 0.0, 2.0, 0.05, 0.0, np.pi]}
    listener = listen(input_topics=['turns'], **values)
    scan: Any = listener.hear(peer.speak(Image, 'turns'), turn_msg())
    assert (scan.stamp_ns, scan.frame_id, scan.power.shape) == (STAMP_NS, 'navtech', (600, 400))
    assert listener.base_radar is not None
    np.testing.assert_allclose(listener.base_radar.planar, [1, 0, np.pi], atol=1e-9)
    assert listener.statuses()[0].values['type'] == 'polar_image'


def test_a_turn_of_a_tilted_radar_is_refused(peer: Peer, listen: Callable[..., Listener]) -> None:
    values = {'input_type': 'polar_image', 'radar_extrinsics': [0.0, 0.0, 0.0, np.pi, 0.0, 0.0]}
    listener = listen(input_topics=['tilted_turns'], **values)
    publisher = peer.speak(Image, 'tilted_turns')

    def refused() -> int:
        publisher.publish(turn_msg())
        return int(listener.statuses()[0].values.get('refused_tilted', 0))

    peer.wait(refused, 'a refusal')
    assert listener.scans == []
    assert any('mounted tilted by 180 degrees' in text for text in listener.said)
