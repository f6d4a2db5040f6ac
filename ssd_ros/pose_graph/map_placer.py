# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a prior map lies, told by several candidates that agree: one alone may be wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import math

import gtsam
from ssd_ros.pose_graph.candidate_edges import CandidateEdge
from ssd_ros.pose_graph.config import PlacerConfig

_MAX_FIXES = 200


@dataclass(frozen=True, slots=True)
class MapFix:
    """
    What a candidate says of a node.

    :param map_node: T_map_node
    :param node_query: T_node_query, by odometry
    """

    edge: CandidateEdge
    node: int
    map_node: gtsam.Pose2
    node_query: gtsam.Pose2


class MapPlacer:
    """
    Hold the fixes in one map back until enough of them agree.

    :param node_pose: returns the pose of a node in the graph
    """

    def __init__(self, config: PlacerConfig, node_pose: Callable[[int], gtsam.Pose2]) -> None:
        self._config = config
        self._node_pose = node_pose
        self._fixes: deque[MapFix] = deque(maxlen=_MAX_FIXES)

    def add(self, fix: MapFix) -> list[MapFix]:
        """Return all fixes so far if the new one and enough others agree, else none."""
        num_agreeing = 1 + sum(self._agree(earlier, fix) for earlier in self._fixes)
        self._fixes.append(fix)
        return list(self._fixes) if num_agreeing >= self._config.min_fixes else []

    def _agree(self, earlier: MapFix, fix: MapFix) -> bool:
        driven = self._node_pose(earlier.node).between(self._node_pose(fix.node))
        error = earlier.map_node.compose(driven).between(fix.map_node)
        distance_m = math.hypot(driven.x(), driven.y())
        tolerance_m = self._config.tolerance_m + self._config.tolerance_per_m * distance_m
        is_near = math.hypot(error.x(), error.y()) <= tolerance_m
        return is_near and abs(error.theta()) <= self._config.tolerance_rad
