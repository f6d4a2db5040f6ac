# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publish map -> odom, for demonstrations: a back end, where there is one, owns this transform."""

from __future__ import annotations

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from ssd_ros.ros.adapters.messages import transform_msg
from ssd_ros.ros.messages.conversions import time_msg
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import TF
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.parameters.interfaces import InterfaceParameters
from std_msgs.msg import Header


class TfOutput:
    """The transform that the last accepted place gave."""

    def __init__(self, node: Node, parameters: InterfaceParameters) -> None:
        """
        Open the topic.

        :raise ImportError: tf2_msgs is not installed
        """
        self._node = node
        self._frames = parameters.map_frame, parameters.odom_frame
        self._kind = message_class(TF.kind)
        self._publisher = node.create_publisher(self._kind, TF.name, qos_profile(TF.qos))
        self._map_odom: Pose | None = None
        self._said_ns = -1

    def destroy(self) -> None:
        """Take the topic down."""
        self._node.destroy_publisher(self._publisher)

    def update(self, map_odom: Pose) -> None:
        """Take over a new transform."""
        self._map_odom = map_odom

    def clear(self) -> None:
        """Forget the transform: the odometry or the map is another."""
        self._map_odom, self._said_ns = None, -1

    def publish(self, stamp_ns: int) -> None:
        """Say that the transform, if there is one, holds at this time; of a time only once."""
        if self._map_odom is None or stamp_ns <= self._said_ns:
            return
        self._said_ns = stamp_ns
        parent, child = self._frames
        transform = TransformStamped(
            header=Header(stamp=time_msg(stamp_ns), frame_id=parent),
            child_frame_id=child,
            transform=transform_msg(self._map_odom),
        )
        self._publisher.publish(self._kind(transforms=[transform]))
