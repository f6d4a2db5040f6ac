# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
LIO-SAM (ROS 2 branch): names two times of this drive between which it closes the loop itself.

It takes no transform: it aligns the clouds of the two keyframes, starting from the poses of its
graph, and reaches 30 m at most. So only closures within the live session are of use, and only
while the drift is smaller than that.
"""

from __future__ import annotations

from rclpy.node import Node
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.inbox import Inbox
from ssd_ros.ros.adapters.outcomes import Outcomes
from ssd_ros.ros.health.inputs import Status
from std_msgs.msg import Float64MultiArray

MIN_APART_NS = 30_000_000_000  # LIO-SAM ignores closer pairs


class LioSamAdapter:
    """Publishes pairs of stamps on /lio_loop/loop_closure_detection."""

    def __init__(self, node: Node, map_frame: str) -> None:
        self._node = node
        self._outcomes = Outcomes('lio_sam', node)
        topic = '/lio_loop/loop_closure_detection'
        self._publisher = node.create_publisher(Float64MultiArray, topic, 10)
        self._inbox = Inbox(node, self._send, self._outcomes)

    def on_loop_closure(self, closure: LoopClosure) -> None:
        """Name the two times of the closure."""
        self._inbox.put(closure)

    def relocalize(self, closure: LoopClosure) -> None:
        """Ignore it: LIO-SAM cannot be given a pose."""

    def status(self) -> Status:
        """Return how many pairs were sent and skipped, and how many nodes listen."""
        num_listeners = self._publisher.get_subscription_count()
        return self._outcomes.status({'listeners': num_listeners})

    def destroy(self) -> None:
        """Take the topic down."""
        self._inbox.destroy()
        self._node.destroy_publisher(self._publisher)

    def _send(self, closure: LoopClosure) -> None:
        if not closure.is_live:
            self._outcomes.count('skipped_not_live')
        elif abs(closure.query_stamp_ns - closure.keyframe_stamp_ns) < MIN_APART_NS:
            self._outcomes.count('skipped_too_recent')
        else:
            # Exactly two, the newer first; as doubles they resolve 0.24 us.
            stamps_s = [closure.query_stamp_ns / 1e9, closure.keyframe_stamp_ns / 1e9]
            self._publisher.publish(Float64MultiArray(data=stamps_s))
            self._outcomes.count('sent')
