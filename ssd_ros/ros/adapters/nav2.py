# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Nav2: sets the pose of AMCL by its service, for systems where nobody may publish initialpose.

AMCL moves its particles only when the robot moves, so an update is asked for as well. It drops a
pose whose frame is not its own global_frame_id without telling the caller.
"""

from __future__ import annotations

from nav2_msgs.srv import SetInitialPose
from rclpy.node import Node
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.inbox import Inbox
from ssd_ros.ros.adapters.messages import initial_pose_msg
from ssd_ros.ros.adapters.outcomes import Outcomes
from ssd_ros.ros.adapters.service import ServiceCaller
from ssd_ros.ros.health.inputs import Status
from std_srvs.srv import Empty


class Nav2Adapter:
    """Calls /set_initial_pose, then /request_nomotion_update."""

    def __init__(self, node: Node, map_frame: str) -> None:
        self._map_frame = map_frame
        self._outcomes = Outcomes('nav2', node)
        self._pose = ServiceCaller(node, SetInitialPose, '/set_initial_pose', self._outcomes)
        self._update = ServiceCaller(node, Empty, '/request_nomotion_update', self._outcomes)
        self._inbox = Inbox(node, self._send, self._outcomes)

    def on_loop_closure(self, closure: LoopClosure) -> None:
        """Ignore it: a pose resets AMCL's particles, so it must not get a stream of them."""

    def relocalize(self, closure: LoopClosure) -> None:
        """Reset AMCL to the pose of the closure."""
        self._inbox.put(closure)

    def status(self) -> Status:
        """Return how many poses were set."""
        return self._outcomes.status(self._pose.presence() | self._update.presence())

    def destroy(self) -> None:
        """Let go of the services."""
        self._inbox.destroy()
        self._pose.destroy()
        self._update.destroy()

    def _send(self, closure: LoopClosure) -> None:
        pose = initial_pose_msg(closure, self._map_frame)
        self._pose.call(SetInitialPose.Request(pose=pose), self._on_set)

    def _on_set(self, reply: SetInitialPose.Response) -> None:
        self._outcomes.count('set')
        self._update.call(Empty.Request(), lambda done: self._outcomes.count('updated'))
