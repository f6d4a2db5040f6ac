# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The frame that RViz and Foxglove look at: the middle of the map.

A map may lie anywhere, in UTM millions of metres from its zero: there a camera at the zero sees
nothing, and single precision, in which both draw, has steps of half a metre.
"""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import TransformStamped
import numpy as np
from rclpy.node import Node
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.ros.adapters.messages import transform_msg
from ssd_ros.ros.messages.geometry import Pose, UNMOVED
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import VIEW_FRAME, view_frame_of
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.parameters.interfaces import InterfaceParameters
from std_msgs.msg import Header


class ViewFrame:
    """A fixed transform, sent again with every other map."""

    def __init__(self, node: Node) -> None:
        """
        Open the topic.

        :raise ImportError: tf2_msgs is not installed
        """
        self._node = node
        self._kind = message_class(VIEW_FRAME.kind)
        profile = qos_profile(VIEW_FRAME.qos)
        self._publisher = node.create_publisher(self._kind, VIEW_FRAME.name, profile)

    def destroy(self) -> None:
        """Take the topic down."""
        self._node.destroy_publisher(self._publisher)

    def publish(self, maps: Sequence[PlaceDatabase], parameters: InterfaceParameters) -> None:
        """Say where the middle of the maps is; without one, the zero of the odometry."""
        header = Header(
            stamp=self._node.get_clock().now().to_msg(),
            frame_id=parameters.map_frame if maps else parameters.odom_frame,
        )
        transform = TransformStamped(
            header=header,
            child_frame_id=view_frame_of(parameters.map_frame),
            transform=transform_msg(middle_of(maps)),
        )
        self._publisher.publish(self._kind(transforms=[transform]))


def middle_of(maps: Sequence[PlaceDatabase]) -> Pose:
    """Return the middle of the box around all keyframes, in the axes of the map."""
    if not maps:
        return UNMOVED
    positions_m = np.concatenate([database.keyframes.positions_m for database in maps])
    middle_m = (positions_m.min(axis=0) + positions_m.max(axis=0)) / 2
    return Pose(middle_m, UNMOVED.quaternion_xyzw)


def view_frame(node: Node) -> ViewFrame | None:
    """Return the frame to look at; None where there is no tf2_msgs."""
    try:
        return ViewFrame(node)
    except ImportError:
        return None
