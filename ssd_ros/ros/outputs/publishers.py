# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The publishers of the node; which there are says the table in topics."""

from __future__ import annotations

from collections.abc import Sequence
import time
from typing import Any

from nav_msgs.msg import Odometry
import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos_overriding_options import QoSOverridingOptions
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition.candidates import Flag
from ssd_ros.records import json_text
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.messages import initial_pose_msg
from ssd_ros.ros.matching.matcher import Answer, Job
from ssd_ros.ros.messages.candidate_rows import candidate_rows, flags_of_query
from ssd_ros.ros.messages.conversions import (
    bev_msg,
    candidate_poses_msg,
    candidates_msg,
    keyframes_msg,
    time_msg,
)
from ssd_ros.ros.messages.geometry import Pose
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import PUBLISHED, Topic
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.outputs.accepted_path import AcceptedPath
from ssd_ros.ros.outputs.markers import markers_msg
from ssd_ros.ros.outputs.view_frame import view_frame
from ssd_ros.ros.parameters.node import NodeParameters
from std_msgs.msg import Float64MultiArray, Header, String

_TWIST_VARIANCE = 1e4  # (100 m/s)^2: not measured; zero would mean certain


class Outputs:
    """Messages of the answers; silent until the node is active."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._publishers = {topic.name: _publisher(node, topic) for topic in PUBLISHED}
        self._view_frame = view_frame(node)
        self._path = AcceptedPath()
        self.initial_ns = 0  # stamp of the last initial pose

    def destroy(self) -> None:
        """Take the topics down."""
        for publisher in self._publishers.values():
            self._node.destroy_lifecycle_publisher(publisher)
        if self._view_frame is not None:
            self._view_frame.destroy()

    def clear(self) -> None:
        """Begin a new path."""
        self._path.clear()

    def listeners_of(self, name: str) -> int:
        """Return how many subscribe to a topic."""
        return int(self._publishers[name].get_subscription_count())

    def topic_name(self, name: str) -> str:
        """Return the name of a topic after remapping."""
        return str(self._publishers[name].topic_name)

    def publish_maps(
        self, maps: Sequence[PlaceDatabase], summary: dict[str, Any], parameters: NodeParameters
    ) -> None:
        """Say which maps are in use, and where to look at them."""
        stamp = self._node.get_clock().now().to_msg()
        if self._view_frame is not None:
            self._view_frame.publish(maps, parameters)
        keyframes = keyframes_msg(maps, Header(stamp=stamp, frame_id=parameters.map_frame))
        self._publish('~/map_keyframes', keyframes)
        self.publish_info(summary)

    def publish_info(self, summary: dict[str, Any]) -> None:
        """Say what is known of the maps and, by them, of the radar."""
        self._publish('~/map_info', String(data=json_text(summary)))

    def publish_answer(
        self, answer: Answer, base_radar: Pose, parameters: NodeParameters, age_s: float
    ) -> NDArray[np.void]:
        """
        Publish all candidates of one query.

        :param base_radar: T_base_radar
        :param age_s: since the newest scan came
        :return: the rows of `~/candidates`
        """
        found = answer.recognition.candidates
        # Places of the running drive are in the odometry frame; among others a flag says so.
        frame = parameters.map_frame if answer.maps else parameters.odom_frame
        header = Header(stamp=time_msg(answer.recognition.stamp_ns), frame_id=frame)
        flags = flags_of_query(answer.recognition)
        flags |= Flag.PLACE_SERVER if answer.is_from_server else Flag(0)
        rows = candidate_rows(found, base_radar, answer.max_ratio, flags, answer.maps, age_s)
        self._publish('~/candidates', candidates_msg(rows, header))
        if self.listeners_of('~/candidate_poses'):
            self._publish('~/candidate_poses', candidate_poses_msg(found, base_radar, header))
        return rows

    def publish_pictures(self, answer: Answer, job: Job, parameters: NodeParameters) -> None:
        """Publish what people look at, if somebody does."""
        if parameters.publish_markers and self.listeners_of('~/markers'):
            self._publish('~/markers', markers_msg(answer, job.base_radar, parameters))
        if self.listeners_of('~/bev') and not answer.is_from_server:  # which shows the same
            header = Header(stamp=time_msg(job.query.stamp_ns), frame_id=job.frame_id)
            self._publish('~/bev', bev_msg(job.query.image.bev, header))

    def publish_pose(self, closure: LoopClosure, parameters: NodeParameters) -> None:
        """Publish where the vehicle is in the map."""
        msg = initial_pose_msg(closure, parameters.map_frame)
        self._publish('~/pose', msg)
        self._path.add(msg)
        if self.listeners_of('~/path') and self._path.is_due(time.monotonic()):
            self._publish('~/path', self._path.message(msg.header))
        if parameters.publish_odometry:
            odometry = Odometry(header=msg.header, child_frame_id=parameters.base_frame)
            odometry.pose = msg.pose
            odometry.twist.covariance = (np.eye(6) * _TWIST_VARIANCE).ravel().tolist()
            self._publish('~/odometry', odometry)
        if parameters.publish_pose_body:
            self._publish('~/pose_body', initial_pose_msg(closure, parameters.base_frame))

    def publish_initial_pose(self, closure: LoopClosure, map_frame: str) -> None:
        """Reset those who listen to `initialpose`."""
        self.initial_ns = closure.query_stamp_ns
        self._publish('initialpose', initial_pose_msg(closure, map_frame))

    def publish_loop_closure_stamps(self, closure: LoopClosure) -> None:
        """Name the two times of a closure within this drive."""
        stamps_s = [closure.query_stamp_ns / 1e9, closure.keyframe_stamp_ns / 1e9]
        self._publish('~/loop_closure_stamps', Float64MultiArray(data=stamps_s))

    def _publish(self, name: str, msg: Any) -> None:
        self._publishers[name].publish(msg)


def _publisher(node: LifecycleNode, topic: Topic) -> Any:
    overrides = QoSOverridingOptions.with_default_policies() if topic.has_qos_overrides else None
    return node.create_lifecycle_publisher(
        message_class(topic.kind),
        topic.name,
        qos_profile(topic.qos),
        qos_overriding_options=overrides,
    )
