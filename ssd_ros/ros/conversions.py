# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Candidates and health as messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import json
import math
from typing import Any

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import Pose as PoseMsg
from geometry_msgs.msg import PoseArray, PoseWithCovarianceStamped
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField
from ssd_ros import candidates
from ssd_ros.candidates import Flag
from ssd_ros.place_recognizer import LoopClosureCandidate
from ssd_ros.ros.geometry import Pose, turn
from ssd_ros.ros.health import Level, Status
from ssd_ros.ros.parameters import NodeParameters
from std_msgs.msg import Header

_ROLL_PITCH_STD_RAD = 0.05
_UNKNOWN_YAW_STD_RAD = math.pi / math.sqrt(3)  # uniform over the circle
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


def keyframe_pose(candidate: LoopClosureCandidate) -> Pose:
    """Return T_map_keyframe."""
    return Pose(np.asarray(candidate.position_m), np.asarray(candidate.quaternion_xyzw))


def knows_yaw(candidate: LoopClosureCandidate) -> bool:
    """Return whether the yaw says anything: with one view per keyframe it does not."""
    return candidate.relative_yaw_std_rad < 0.99 * _UNKNOWN_YAW_STD_RAD


def keyframe_base(candidate: LoopClosureCandidate, base_radar: Pose) -> Pose:
    """
    Return T_keyframe_base, were the radar at the keyframe: all that place recognition can say.

    :param base_radar: T_base_radar
    """
    return turn(candidate.relative_yaw_rad) @ base_radar.inverse()


def candidate_rows(
    found: Sequence[LoopClosureCandidate],
    base_radar: Pose,
    map_id: int,
    max_ratio: float,
    query_flags: Flag,
) -> NDArray[np.void]:
    """
    Return the rows of `~/candidates`.

    :param base_radar: T_base_radar
    :param max_ratio: above it a candidate is flagged ambiguous
    :param query_flags: what holds for all rows of the query
    """
    rows = np.zeros(len(found), candidates.DTYPE)
    rows['confidence'] = rows['intensity'] = rows['support'] = np.nan
    rows['map_id'] = map_id
    for row, candidate in zip(rows, found, strict=True):
        flags = query_flags
        flags |= Flag.ACCEPTED if candidate.accepted else Flag(0)
        flags |= Flag.AMBIGUOUS if candidate.ratio > max_ratio else Flag(0)
        flags |= Flag.YAW_VALID if knows_yaw(candidate) else Flag(0)
        for name, value in zip('xyz', candidate.position_m, strict=True):
            row[name] = row[f'map_{name}'] = value
        for name, value in zip('xyzw', candidate.quaternion_xyzw, strict=True):
            row[f'q{name}'] = value
        yaw_rad = keyframe_base(candidate, base_radar).yaw_rad
        row['relative_yaw'] = yaw_rad if knows_yaw(candidate) else math.nan
        row['relative_yaw_std'] = candidate.relative_yaw_std_rad
        row['distance'], row['ratio'] = candidate.distance, candidate.ratio
        row['keyframe_id'], row['rank'] = candidate.keyframe_id, candidate.rank
        row['kf_stamp_sec'], row['kf_stamp_nanosec'] = divmod(candidate.stamp_ns, 1_000_000_000)
        row['flags'] = int(flags)
    return rows


def candidates_msg(rows: NDArray[np.void], header: Header) -> PointCloud2:
    """Return the rows as the message of `~/candidates`."""
    return candidates.to_msg(rows, PointCloud2(header=header), PointField)


def candidate_poses_msg(
    found: Iterable[LoopClosureCandidate], base_radar: Pose, header: Header
) -> PoseArray:
    """Return keyframe poses turned by the relative yaw, in the order of the rows."""
    poses = [
        pose_msg(keyframe_pose(candidate) @ turn(keyframe_base(candidate, base_radar).yaw_rad))
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


def accepted_pose_msg(
    candidate: LoopClosureCandidate,
    base_radar: Pose,
    keyframe_distance_m: float,
    parameters: NodeParameters,
    header: Header,
) -> PoseWithCovarianceStamped:
    """Return the message of `~/pose`; its covariance is an error model of accepted hits."""
    msg = PoseWithCovarianceStamped(header=header)
    seen = keyframe_pose(candidate) @ keyframe_base(candidate, base_radar)
    msg.pose.pose = pose_msg(seen)
    xy_variance = parameters.covariance_floor_xy**2 + keyframe_distance_m**2 / 12
    diagonal = [xy_variance, xy_variance, parameters.covariance_z**2]
    diagonal += [_ROLL_PITCH_STD_RAD**2, _ROLL_PITCH_STD_RAD**2]
    diagonal.append(candidate.relative_yaw_std_rad**2)
    covariance = np.diag(diagonal) * parameters.covariance_scale
    msg.pose.covariance = covariance.ravel().tolist()
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


def json_text(values: Any) -> str:
    """Return JSON for people and programs; JSON has no NaN, so it becomes null."""
    return json.dumps(_without_nan(values))


def _without_nan(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _without_nan(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_without_nan(value) for value in values]
    if isinstance(values, float) and not math.isfinite(values):
        return None
    return values
