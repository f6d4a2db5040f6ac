# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An answer as RViz and Foxglove draw it: lines from the query to its candidates, with labels."""

from __future__ import annotations

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Vector3
import numpy as np
from numpy.typing import NDArray
from ssd_ros.recognition.answer import LoopClosureCandidate
from ssd_ros.ros.matching.matcher import Answer
from ssd_ros.ros.messages.candidate_rows import keyframe_base, keyframe_pose
from ssd_ros.ros.messages.conversions import pose_msg, time_msg
from ssd_ros.ros.messages.geometry import Pose, turn
from ssd_ros.ros.outputs.closures import pose_covariance
from ssd_ros.ros.parameters.interfaces import InterfaceParameters
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

_LIFETIME = Duration(sec=2)
# By the kind of decision, which also is the namespace: green, orange, grey.
_COLOURS = {
    'accepted': (0.2, 0.8, 0.2),
    'ambiguous': (1.0, 0.6, 0.0),
    'rejected': (0.6, 0.6, 0.6),
}
_LINE_WIDTH_M, _TEXT_HEIGHT_M, _TEXT_ABOVE_M = 0.3, 1.5, 2.0
_ELLIPSE_SIGMAS, _ELLIPSE_HEIGHT_M, _ELLIPSE_ALPHA = 2.0, 0.1, 0.4


def markers_msg(answer: Answer, base_radar: Pose, parameters: InterfaceParameters) -> MarkerArray:
    """
    Return the markers of one answer, those of the one before deleted.

    The lines start where the best candidate puts the vehicle.

    :param base_radar: T_base_radar
    """
    stamp = time_msg(answer.recognition.stamp_ns)
    markers = [Marker(action=Marker.DELETEALL)]
    for is_live, frame in ((False, parameters.map_frame), (True, parameters.odom_frame)):
        found = [each for each in answer.recognition.candidates if each.is_live == is_live]
        if not found:
            continue
        header = Header(stamp=stamp, frame_id=frame)
        best = found[0]
        query = keyframe_pose(best) @ keyframe_base(best, base_radar)
        for candidate in found:
            markers += [_line(candidate, query, header), _label(candidate, header)]
        if best.accepted:
            spacing_m = answer.keyframe_distance_m(best)
            covariance = pose_covariance(best, base_radar, spacing_m, parameters)
            markers.append(_ellipse(best, query, covariance, header))
    return MarkerArray(markers=markers)


def _line(candidate: LoopClosureCandidate, query: Pose, header: Header) -> Marker:
    marker = _marker(candidate, header, Marker.LINE_STRIP)
    marker.scale.x = _LINE_WIDTH_M
    marker.points = [_point(query.position_m), _point(candidate.position_m)]
    return marker


def _label(candidate: LoopClosureCandidate, header: Header) -> Marker:
    marker = _marker(candidate, header, Marker.TEXT_VIEW_FACING)
    marker.scale.z = _TEXT_HEIGHT_M
    marker.pose.position = _point(candidate.position_m)
    marker.pose.position.z += _TEXT_ABOVE_M
    marker.text = f'{candidate.rank}: {candidate.distance:.2f}'
    return marker


def _ellipse(
    candidate: LoopClosureCandidate, query: Pose, covariance: NDArray[np.float64], header: Header
) -> Marker:
    """
    Return where the vehicle is with 86 %: two standard deviations in the plane.

    :param covariance: shape (6, 6), of the query in the frame of the header
    """
    marker = _marker(candidate, header, Marker.CYLINDER)
    variances, axes = np.linalg.eigh(covariance[:2, :2])
    yaw_rad = float(np.arctan2(axes[1, 1], axes[0, 1]))  # of the longer axis
    marker.pose = pose_msg(Pose(query.position_m, turn(yaw_rad).quaternion_xyzw))
    short_m, long_m = 2 * _ELLIPSE_SIGMAS * np.sqrt(variances)
    marker.scale = Vector3(x=float(long_m), y=float(short_m), z=_ELLIPSE_HEIGHT_M)
    marker.color.a = _ELLIPSE_ALPHA
    return marker


def _marker(candidate: LoopClosureCandidate, header: Header, kind: int) -> Marker:
    red, green, blue = _COLOURS[candidate.decision.kind]
    marker = Marker(
        header=header,
        ns=candidate.decision.kind,
        # One number for each kind of marker of each candidate.
        id=candidate.rank * 16 + kind,
        type=kind,
        action=Marker.ADD,
        lifetime=_LIFETIME,
        color=ColorRGBA(r=red, g=green, b=blue, a=1.0),
    )
    marker.pose.orientation.w = 1.0
    return marker


def _point(position_m: NDArray[np.float64]) -> Point:
    x, y, z = map(float, position_m)
    return Point(x=x, y=y, z=z)
