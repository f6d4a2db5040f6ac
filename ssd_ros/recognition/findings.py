# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hits with what their returns and the sequence say, in the order of their confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.confidence.features import Features
from ssd_ros.confidence.model import ConfidenceModel
from ssd_ros.maps.place_database import Keyframe
from ssd_ros.maps.place_search import Hit
from ssd_ros.motion.trajectory import yaw_from_quaternion
from ssd_ros.verification import Verification

SAME_PLACE_M = 2.0  # reconstructed: poses nearer to each other than this are the same
SEGMENT_BITS = 32  # of the number of a frame, by which that of its segment is shifted


@dataclass(frozen=True)  # with slots nothing could be computed once
class Finding:
    """
    A hit and what its returns say.

    :param verification: None for hits too far down the list, and where too little can be seen
    :param pose_in_map: shape (3,), see planar_pose_of
    :param frame: number of the frame of that pose: those of two frames do not compare
    :param calibration: what tells the confidence, None if nothing does
    :param agreement: share of the other verified candidates that give the same pose
    :param support: NaN without odometry
    :param ambiguity: share of recent queries that fitted two places of its map alike, NaN
        without odometry
    :param too_few: what is too little, in words
    :param rival: best overlap of another place as a share of its own; NaN as far as not known
    """

    hit: Hit
    keyframe: Keyframe
    verification: Verification | None
    pose_in_map: NDArray[np.float64]
    frame: int
    calibration: ConfidenceModel | None = None
    agreement: float = 0.0
    support: float = math.nan
    ambiguity: float = math.nan
    too_few: str = ''
    rival: float = math.nan

    @property
    def offset_m(self) -> float:
        """Distance of the query from the keyframe, 0 as far as is known."""
        found = self.verification
        return 0.0 if found is None else math.hypot(found.x_m, found.y_m)

    @property
    def overlap(self) -> float:
        """How well the query fits, 0 as far as is known."""
        return 0.0 if self.verification is None else self.verification.overlap

    @cached_property
    def confidence(self) -> float:
        """Calibrated probability that the pose is right; NaN if that is not known."""
        model, found = self.calibration, self.verification
        if model is None or found is None:
            return math.nan
        return float(model.confidence(self._features(found, model)))

    def _features(self, found: Verification, model: ConfidenceModel) -> Features:
        hit = self.hit
        return Features(
            model.relative_distance(hit.distance, hit.source.novelty_distance),
            hit.ratio,
            found.overlap,
            self.agreement,
            self.rival,
            self.support,
        )

    @property
    def order(self) -> tuple[float, float]:
        """What to sort by: the most confident first, then those without, nearest first."""
        return (1.0 if math.isnan(self.confidence) else -self.confidence, self.hit.distance)


def frame_of(hit: Hit) -> int:
    """Return the number of the frame that the keyframe of a hit is in."""
    return hit.source.map_id + (hit.source.segment(hit.number) << SEGMENT_BITS)


def planar_pose_of(
    hit: Hit, keyframe: Keyframe, found: Verification | None
) -> NDArray[np.float64]:
    """Return the pose of the query's radar in the map (x, y, yaw), as far as it is known."""
    x, y = keyframe.position_m[:2].tolist()
    yaw = float(yaw_from_quaternion(keyframe.quaternion_xyzw))
    if found is None:
        return np.array([x, y, yaw + hit.yaw_rad])
    cos, sin = math.cos(yaw), math.sin(yaw)
    return np.array(
        [
            x + cos * found.x_m - sin * found.y_m,
            y + sin * found.x_m + cos * found.y_m,
            yaw + found.yaw_rad,
        ]
    )


def nearest_of_best(
    confidence: NDArray[np.float64],
    positions_m: NDArray[np.float64],
    offsets_m: NDArray[np.float64],
    threshold: float,
) -> int:
    """
    Return which candidate to report: of those that say what the best one says, the nearest.

    Neighbouring keyframes lead to the same pose; from the nearest the error of the relative pose
    is smallest. An accepted candidate gives way to accepted ones only.

    :param confidence: shape (K,), NaN where there is none, but not in all
    :param positions_m: shape (K, 2), of the query in the map according to each candidate
    :param offsets_m: shape (K,), from the keyframe of each to there
    :param threshold: from which confidence on candidates are accepted
    """
    best = int(np.nanargmax(confidence))
    apart_m = np.hypot(*(positions_m - positions_m[best]).T)
    least = threshold if confidence[best] >= threshold else 0.0
    is_same = (apart_m <= SAME_PLACE_M) & (confidence >= least)
    return int(np.argmin(np.where(is_same, offsets_m, np.inf)))


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings of one frame, best first; see nearest_of_best."""
    ordered = sorted(findings, key=lambda finding: finding.order)
    if not ordered or math.isnan(ordered[0].confidence):
        return ordered
    model = ordered[0].calibration
    assert model is not None  # or there were no confidence
    first = nearest_of_best(
        np.array([finding.confidence for finding in ordered]),
        np.array([finding.pose_in_map[:2] for finding in ordered]),
        np.array([finding.offset_m for finding in ordered]),
        model.threshold,
    )
    return [ordered.pop(first), *ordered]


def planar_poses_of(findings: Sequence[Finding]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return planar poses of the query, shape (K, 3), and numbers of the frames, shape (K,)."""
    poses = np.array([finding.pose_in_map for finding in findings]).reshape(-1, 3)
    return poses, np.array([finding.frame for finding in findings], np.int64)
