# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Closures as messages."""

from __future__ import annotations

from geometry_msgs.msg import PoseWithCovarianceStamped, Transform
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.messages.conversions import pose_msg, time_msg
from ssd_ros.ros.messages.geometry import Pose
from std_msgs.msg import Header


def initial_pose_msg(closure: LoopClosure, map_frame: str) -> PoseWithCovarianceStamped:
    """Return where the vehicle is in the map, at the time of the query."""
    header = Header(stamp=time_msg(closure.query_stamp_ns), frame_id=map_frame)
    msg = PoseWithCovarianceStamped(header=header)
    msg.pose.pose = pose_msg(closure.map_base)
    msg.pose.covariance = closure.covariance.ravel().tolist()
    return msg


def transform_msg(pose: Pose) -> Transform:
    """Return a pose as a transform."""
    msg = Transform()
    shift, quaternion = msg.translation, msg.rotation
    shift.x, shift.y, shift.z = map(float, pose.position_m)
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = map(float, pose.quaternion_xyzw)
    return msg
