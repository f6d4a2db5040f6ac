# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the pairs of stamps that LIO-SAM gets."""

from __future__ import annotations

from typing import Any

from rclpy.qos import QoSProfile, ReliabilityPolicy
from ssd_ros.ros.adapters import load_adapter
from std_msgs.msg import Float64MultiArray
from support.adapters import closure, Pair, SECOND

QOS_OF_LIO_SAM = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


def test_only_two_moments_of_this_drive_30_s_apart_are_sent(pair: Pair) -> None:
    heard: list[Any] = []
    topic = '/lio_loop/loop_closure_detection'
    pair.back_end.create_subscription(Float64MultiArray, topic, heard.append, QOS_OF_LIO_SAM)
    adapter = load_adapter('lio_sam', pair.host, 'map')
    pair.wait(lambda: adapter.status().values['listeners'], 'LIO-SAM')
    query_ns = closure().query_stamp_ns
    recent_ns = query_ns - 30 * SECOND + 1

    def send() -> list[Any]:  # again and again: the subscriber is best effort
        adapter.on_loop_closure(closure())  # of a map
        adapter.on_loop_closure(closure(is_live=True, keyframe_stamp_ns=recent_ns))
        adapter.on_loop_closure(closure(is_live=True, keyframe_stamp_ns=recent_ns - 1))
        return heard

    pair.wait(send, 'a message')
    assert heard[0].data.tolist() == [1_700_000_100.0, 1_700_000_070.0]
    values = adapter.status().values
    assert values['skipped_not_live'] == values['skipped_too_recent'] == values['sent']
    adapter.destroy()
