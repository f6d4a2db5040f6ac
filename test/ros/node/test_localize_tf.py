# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where TF is installed it says where the radar sits and how the vehicle moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from geometry_msgs.msg import TransformStamped
import pytest
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import Flag
from support.localizer import Localizer, running_localizer
from support.ros import Peer

pytest.importorskip('tf2_ros', reason='tf2_ros is not installed (it comes with ROS)')


@pytest.fixture(scope='module')
def localizer(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localizer]:
    with running_localizer(
        peer, tmp_path_factory.mktemp('tf'), online_index=True, exclude_recent=1.0
    ) as running:
        yield running


def transform(parent: str, child: str, x_m: float, stamp_ns: int) -> TransformStamped:
    msg = TransformStamped(child_frame_id=child)
    msg.header.frame_id = parent
    msg.header.stamp.sec, msg.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    msg.transform.translation.x = x_m
    msg.transform.rotation.w = 1.0
    return msg


def send(localizer: Localizer, broadcaster: Any, index: int) -> int:
    """Drive at 5 m/s along the odometry's x axis, whose zero is at 100 m in the map."""
    localizer.clock_ns += 2_000_000_000
    base_x_m = 10.0 * index - 1.5
    broadcaster.sendTransform(
        [
            transform('odom', 'base_link', base_x_m - 100.0, localizer.clock_ns),
            transform('map', 'odom', 100.0, localizer.clock_ns),
        ]
    )
    localizer.clock_ns -= 2_000_000_000
    return localizer.send(index)


def test_tf_tells_where_radar_and_vehicle_are(localizer: Localizer) -> None:
    import tf2_ros

    node = localizer.peer.node
    static = tf2_ros.StaticTransformBroadcaster(node)
    static.sendTransform(transform('base_link', 'radar', 1.5, 0))
    broadcaster = tf2_ros.TransformBroadcaster(node)
    localizer.peer.wait(lambda: node.count_subscribers('/tf'), 'a listener of /tf')

    def is_found() -> bool:
        localizer.answer_to(send(localizer, broadcaster, 3))
        values = localizer.values('input')
        return values['extrinsics'] == 'tf' and values['odometry'] == 'tf'

    localizer.peer.wait(is_found, 'both transforms')
    # The radar is 1.5 m before the base, so at 30 m in the map.
    msg = localizer.answer_to(send(localizer, broadcaster, 3), localizer.poses)
    assert msg.pose.pose.position.x == pytest.approx(28.5, abs=1.6)
    # The running drive knows places by their odometry: 70 m behind its zero.
    rows = candidates.from_msg(localizer.answer_to(send(localizer, broadcaster, 3)))
    live = rows[(rows['flags'] & Flag.LIVE_SESSION) > 0]
    assert live[0]['map_x'] == pytest.approx(-70)


def test_the_back_end_is_compared_with_what_is_accepted(localizer: Localizer) -> None:
    localizer.wait_for_value(
        'matching', lambda values: 0 <= float(values['backend_agreement']) < 1.6
    )
