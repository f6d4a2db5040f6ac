# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
MOLA: asks the lidar odometry to continue from our pose.

It aligns its scan there and says whether that worked. Releases before June 2026 ignore the frame
of the pose, so it is always given in the map.
"""

from __future__ import annotations

from mola_msgs.srv import RelocalizeNearPose
from rclpy.node import Node
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.inbox import Inbox
from ssd_ros.ros.adapters.messages import initial_pose_msg
from ssd_ros.ros.adapters.outcomes import Outcomes
from ssd_ros.ros.adapters.service import ServiceCaller
from ssd_ros.ros.health.inputs import Status


class MolaAdapter:
    """Calls /relocalize_near_pose."""

    def __init__(self, node: Node, map_frame: str) -> None:
        self._map_frame = map_frame
        self._outcomes = Outcomes('mola', node)
        name = '/relocalize_near_pose'
        self._service = ServiceCaller(node, RelocalizeNearPose, name, self._outcomes)
        self._inbox = Inbox(node, self._send, self._outcomes)

    def on_loop_closure(self, closure: LoopClosure) -> None:
        """Ignore it: MOLA's odometry takes no edges."""

    def relocalize(self, closure: LoopClosure) -> None:
        """Continue from the pose of the closure."""
        self._inbox.put(closure)

    def status(self) -> Status:
        """Return how many poses were sent, accepted and refused."""
        return self._outcomes.status(self._service.presence())

    def destroy(self) -> None:
        """Let go of the service."""
        self._inbox.destroy()
        self._service.destroy()

    def _send(self, closure: LoopClosure) -> None:
        pose = initial_pose_msg(closure, self._map_frame)
        self._service.call(RelocalizeNearPose.Request(pose=pose), self._on_reply)

    def _on_reply(self, reply: RelocalizeNearPose.Response) -> None:
        if reply.accepted:
            self._outcomes.count('accepted')
        else:
            self._outcomes.fail('refused', 'MOLA refused the pose')
