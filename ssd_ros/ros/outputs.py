# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics on which the node answers."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import PoseArray, PoseWithCovarianceStamped
import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import PointCloud2
from ssd_ros.candidates import Flag
from ssd_ros.ros.conversions import (
    accepted_pose_msg,
    candidate_poses_msg,
    candidate_rows,
    candidates_msg,
    json_text,
    knows_yaw,
    time_msg,
)
from ssd_ros.ros.geometry import Pose
from ssd_ros.ros.matcher import Answer
from ssd_ros.ros.parameters import NodeParameters
from std_msgs.msg import Header, String


class Outputs:
    """Publishers of the node; they are silent until it is active."""

    def __init__(self, node: LifecycleNode) -> None:
        # Not latched: a late joiner would act on an old place.
        self._candidates = node.create_lifecycle_publisher(PointCloud2, '~/candidates', 10)
        self._poses = node.create_lifecycle_publisher(PoseArray, '~/candidate_poses', 10)
        self._pose = node.create_lifecycle_publisher(PoseWithCovarianceStamped, '~/pose', 10)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._map_info = node.create_lifecycle_publisher(String, '~/map_info', latched)

    def destroy(self, node: LifecycleNode) -> None:
        """Take the topics down."""
        for publisher in (self._candidates, self._poses, self._pose, self._map_info):
            node.destroy_lifecycle_publisher(publisher)

    def publish_map_info(self, summary: dict[str, Any]) -> None:
        """Say which map is in use."""
        self._map_info.publish(String(data=json_text(summary)))

    def publish(
        self, answer: Answer, base_radar: Pose, parameters: NodeParameters
    ) -> NDArray[np.void]:
        """
        Publish the answer to one query.

        :param base_radar: T_base_radar
        :return: the rows of `~/candidates`
        """
        found, info = answer.recognition.candidates, answer.database.info
        header = Header(stamp=time_msg(answer.recognition.stamp_ns), frame_id=parameters.map_frame)
        flags = Flag.STATIONARY if answer.recognition.stationary else Flag(0)
        flags |= Flag.LOW_POINTS if answer.recognition.low_points else Flag(0)
        rows = candidate_rows(found, base_radar, info.map_id, answer.max_ratio, flags)
        self._candidates.publish(candidates_msg(rows, header))
        self._poses.publish(candidate_poses_msg(found, base_radar, header))
        yaw_counts = parameters.allow_unknown_yaw or (bool(found) and knows_yaw(found[0]))
        if answer.decision == 'accepted' and yaw_counts:
            spacing_m = info.keyframe_distance_m
            self._pose.publish(
                accepted_pose_msg(found[0], base_radar, spacing_m, parameters, header)
            )
        return rows


def query_reply(answer: Answer, rows: NDArray[np.void], age_s: float) -> str:
    """
    Return what `~/query` replies, for people and programs.

    :param rows: of `~/candidates`
    """
    seconds, nanoseconds = divmod(answer.recognition.stamp_ns, 1_000_000_000)
    found = [
        {
            'rank': int(row['rank']),
            'keyframe_id': int(row['keyframe_id']),
            'accepted': bool(row['flags'] & Flag.ACCEPTED),
            'distance': round(float(row['distance']), 4),
            'ratio': round(float(row['ratio']), 4),
            'relative_yaw_rad': round(float(row['relative_yaw']), 4),
            'position_m': [round(float(row[name]), 3) for name in ('map_x', 'map_y', 'map_z')],
        }
        for row in rows
    ]
    return json_text(
        {
            'stamp': {'sec': seconds, 'nanosec': nanoseconds},
            'age_s': round(age_s, 3),
            'decision': answer.decision,
            'reason': answer.reason,
            'candidates': found,
        }
    )


def no_reply(reason: str) -> str:
    """Return what `~/query` replies when nothing can be asked."""
    return json_text({'decision': 'none', 'reason': reason, 'candidates': []})
