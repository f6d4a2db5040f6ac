# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The candidates that a pose graph used, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass, fields
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import Trajectory, wrap_angle

RADIUS_M = 5.0  # a keyframe within this distance of the query is the right place
_OUTVOTED = 0.1  # a candidate of less weight no longer pulls


@dataclass(frozen=True, slots=True)
class JudgedEdges:
    """
    Candidates in the graph.

    :param is_live: shape (N,) bool, of the live session, else of a prior map
    :param keyframes_m: shape (N, 2), where the keyframe truly is
    :param queries_m: shape (N, 2), where the query truly is
    :param errors_m: shape (N,), of the relative position
    :param errors_rad: shape (N,), of the relative heading, absolute
    :param weights: shape (N,), 1 = believed by the graph, 0 = outvoted
    """

    is_live: NDArray[np.bool_]
    keyframes_m: NDArray[np.float64]
    queries_m: NDArray[np.float64]
    errors_m: NDArray[np.float64]
    errors_rad: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each names the place where the query was, shape (N,)."""
        return np.hypot(*(self.keyframes_m - self.queries_m).T) <= RADIUS_M

    def select(self, chosen: NDArray[np.bool_]) -> JudgedEdges:
        """Return the chosen ones."""
        return JudgedEdges(*(getattr(self, item.name)[chosen] for item in fields(self)))

    def figures(self) -> dict[str, Any]:
        """Return counts, and errors of the right ones; None where there are none."""
        is_right = self.is_right
        right = self.select(is_right)
        outvoted = int((self.weights[~is_right] < _OUTVOTED).sum())
        counts = {'used': len(self), 'wrong': int((~is_right).sum()), 'wrong_outvoted': outvoted}
        if not len(right):
            return counts | {'median_error_m': None, 'median_error_deg': None}
        return counts | {
            'median_error_m': float(np.median(right.errors_m)),
            'median_error_deg': float(np.rad2deg(np.median(right.errors_rad))),
        }


def read_edges(path: Path, truth: Trajectory) -> JudgedEdges:
    """
    Read the edges of a pose graph.

    :param path: edges.jsonl
    :param truth: true poses of the drive, in the frame of the prior map
    """
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    is_live = np.array([line['is_live'] for line in lines], dtype=bool)
    queries = _poses_at(truth, [line['query_stamp_ns'] for line in lines])
    keyframes = np.array([line['map_keyframe'] for line in lines]).reshape(-1, 3)
    # Keyframes of the live session have odometry poses: the truth is looked up.
    live_ns = [line['keyframe_stamp_ns'] for line in lines if line['is_live']]
    keyframes[is_live] = _poses_at(truth, live_ns)
    measured = np.array([line['keyframe_query'] for line in lines]).reshape(-1, 3)
    offset_m = queries[:, :2] - keyframes[:, :2]
    cos, sin = np.cos(keyframes[:, 2]), np.sin(keyframes[:, 2])
    seen_m = np.column_stack(
        [cos * offset_m[:, 0] + sin * offset_m[:, 1], cos * offset_m[:, 1] - sin * offset_m[:, 0]]
    )
    return JudgedEdges(
        is_live,
        keyframes[:, :2],
        queries[:, :2],
        np.hypot(*(measured[:, :2] - seen_m).T),
        np.abs(wrap_angle(measured[:, 2] - (queries[:, 2] - keyframes[:, 2]))),
        np.array([line['weight'] for line in lines], dtype=np.float64),
    )


def _poses_at(truth: Trajectory, stamps_ns: list[int]) -> NDArray[np.float64]:
    """Return x, y, yaw at stamps in any order, each within the drive, shape (N, 3)."""
    ascending_ns, back = np.unique(np.array(stamps_ns, dtype=np.int64), return_inverse=True)
    poses = truth.interpolate(ascending_ns) if len(ascending_ns) else truth.select(ascending_ns)
    return np.column_stack([poses.positions_m[:, :2], poses.yaws_rad])[back]
