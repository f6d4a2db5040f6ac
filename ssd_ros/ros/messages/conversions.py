# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Candidates and health as messages."""

from __future__ import annotations

import array
from collections.abc import Iterable, Sequence
import math

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Pose as PoseMsg
from geometry_msgs.msg import PoseArray
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image, PointCloud2, PointField
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.recognition import candidates
from ssd_ros.recognition.answer import LoopClosureCandidate
from ssd_ros.ros.health.inputs import Level, Status
from ssd_ros.ros.messages.candidate_rows import keyframe_base, keyframe_pose
from ssd_ros.ros.messages.geometry import Pose
from std_msgs.msg import Header

MAX_SHOWN = 10_000  # keyframes of the map: .6 MB, what a window can draw and a radio carry
# DiagnosticStatus wants its own constants (bytes), not numbers.
_LEVELS = {
    Level.OK: DiagnosticStatus.OK,
    Level.WARN: DiagnosticStatus.WARN,
    Level.ERROR: DiagnosticStatus.ERROR,
    Level.STALE: DiagnosticStatus.STALE,
}


def time_msg(stamp_ns: int) -> Time:
    """Return integer nanoseconds as a stamp."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    return Time(sec=seconds, nanosec=nanoseconds)


def candidates_msg(rows: NDArray[np.void], header: Header) -> PointCloud2:
    """Return the rows as the message of `~/candidates`."""
    return candidates.to_msg(rows, PointCloud2(header=header), PointField)


def candidate_poses_msg(
    found: Iterable[LoopClosureCandidate], base_radar: Pose, header: Header
) -> PoseArray:
    """Return where the query's base frame is according to each row."""
    poses = [
        pose_msg(keyframe_pose(candidate) @ keyframe_base(candidate, base_radar))
        for candidate in found
    ]
    return PoseArray(header=header, poses=poses)


def pose_msg(pose: Pose) -> PoseMsg:
    """Return a pose as a message."""
    msg = PoseMsg()
    msg.position.x, msg.position.y, msg.position.z = map(float, pose.position_m)
    quaternion = msg.orientation
    quaternion.x, quaternion.y, quaternion.z, quaternion.w = map(float, pose.quaternion_xyzw)
    return msg


def pose_from_msg(msg: PoseMsg) -> Pose:
    """Return the pose that a message says, if it says one: nothing is checked."""
    position, turned = msg.position, msg.orientation
    return Pose(
        np.array([position.x, position.y, position.z]),
        np.array([turned.x, turned.y, turned.z, turned.w]),
    )


def keyframes_msg(maps: Sequence[PlaceDatabase], header: Header) -> PoseArray:
    """
    Return where the radar was at the keyframes of the maps, to be looked at.

    Of larger maps every second is shown, third, ...: at most MAX_SHOWN of all.
    """
    step = max(1, math.ceil(sum(map(len, maps)) / MAX_SHOWN))
    poses = [
        pose_msg(Pose(position_m, quaternion))
        for database in maps
        for position_m, quaternion in zip(
            database.keyframes.positions_m[::step],
            database.keyframes.quaternions_xyzw[::step],
            strict=True,
        )
    ]
    return PoseArray(header=header, poses=poses)


def bev_msg(bev: NDArray[np.uint8], header: Header) -> Image:
    """
    Return what the encoder sees.

    :param bev: shape (num_ranges, num_azimuths)
    """
    height, width = bev.shape
    msg = Image(header=header, height=height, width=width, encoding='mono8', step=width)
    # Other types than array are copied or checked element by element.
    msg.data = array.array('B', bev.tobytes())
    return msg


def diagnostics_msg(
    statuses: Iterable[Status], node_name: str, hardware_id: str, stamp: Time
) -> DiagnosticArray:
    """Return the health of the node; values become text."""
    msg = DiagnosticArray()
    msg.header.stamp = stamp
    msg.status = [
        DiagnosticStatus(
            level=_LEVELS[status.level],
            name=f'{node_name}: {status.name}',
            message=status.message,
            hardware_id=hardware_id,
            values=[KeyValue(key=key, value=str(value)) for key, value in status.values.items()],
        )
        for status in statuses
    ]
    return msg
