# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes that earlier drives left in RTAB-Map's map, found by the time of a keyframe."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
import math
from typing import Any, NamedTuple

from ssd_ros.motion.pose_faults import fault_of_pose
from ssd_ros.ros.adapters.graph_nodes import Anchor, MAX_APART_ALONE_NS
from ssd_ros.ros.inputs.odometry_buffer import interpolated, values_of
from ssd_ros.ros.messages.conversions import pose_from_msg
from ssd_ros.ros.messages.geometry import Pose, turn

_MAX_GAP_NS = 2_500_000_000  # RTAB-Map makes a node a second
# 2001. Simulated drives all begin at zero: their stamps do not tell one from another.
_FIRST_REAL_NS = 1_000_000_000_000_000_000


class OldNode(NamedTuple):
    """
    One of them.

    :param drive: number of the session that made it
    :param odom_base: T_odom_base, by the odometry of that drive
    """

    stamp_ns: int
    number: int
    drive: int
    odom_base: Pose


class OldNodes:
    """
    Where a vehicle was between the nodes of its drive, by the odometry of that drive.

    That needs neither a graph that joins the drives nor a frame that RTAB-Map's map shares with
    ours, only that both were made of one drive.
    """

    def __init__(self, nodes: Iterable[OldNode] = ()) -> None:
        real = (node for node in nodes if node.stamp_ns >= _FIRST_REAL_NS)
        self._nodes = sorted(real, key=lambda node: (node.stamp_ns, node.number))
        self._stamps_ns = [node.stamp_ns for node in self._nodes]

    def __len__(self) -> int:
        """Return the number of nodes that can be found."""
        return len(self._nodes)

    def anchor(self, stamp_ns: int) -> Anchor | None:
        """Return the node nearest in time, if it is near enough."""
        after = bisect_left(self._stamps_ns, stamp_ns)
        around = self._nodes[max(after - 1, 0) : after + 1]
        nearest = min(around, key=lambda node: abs(node.stamp_ns - stamp_ns), default=None)
        if nearest is None:
            return None
        moved = _between(around, stamp_ns)
        if moved is not None:
            return Anchor(nearest.number, nearest.odom_base.inverse() @ moved)
        is_near = abs(nearest.stamp_ns - stamp_ns) <= MAX_APART_ALONE_NS
        return Anchor(nearest.number, turn(0.0)) if is_near else None


def _between(around: list[OldNode], stamp_ns: int) -> Pose | None:
    """Return T_odom_base between two nodes of one drive that follow each other closely."""
    if len(around) < 2:
        return None
    first, second = around
    gap_ns = second.stamp_ns - first.stamp_ns
    if first.drive != second.drive or not 0 < gap_ns <= _MAX_GAP_NS:
        return None
    share = (stamp_ns - first.stamp_ns) / gap_ns
    return interpolated(first.odom_base, second.odom_base, share)


def old_nodes_of(msgs: Iterable[Any]) -> OldNodes:
    """
    Return the nodes of messages rtabmap_msgs/Node; those without a time or a pose are left out.

    :param msgs: `nodes` of rtabmap_msgs/MapData
    """
    found = []
    for msg in msgs:
        pose = pose_from_msg(msg.pose)
        if msg.id > 0 and math.isfinite(msg.stamp) and not fault_of_pose(values_of(pose)):
            found.append(OldNode(round(msg.stamp * 1e9), msg.id, msg.map_id, pose))
    return OldNodes(found)
