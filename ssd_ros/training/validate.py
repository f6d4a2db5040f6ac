# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Heterogeneous retrieval on cached worlds: 4D queries in a map of spinning radar views.

Strict protocol: the map is the first drive of the world, every keyframe counts once with its
best view, right means within radius_m, queries without a positive do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.metrics import bootstrap_interval, hits_at_k, is_answerable, recall_at_k
from ssd_ros.polar_bev import PolarGrid, view_yaws_rad, views_of_panorama
from ssd_ros.training.bev_cache import CachedDrive
from ssd_ros.trajectory import thin_by_distance, wrap_angle

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images (N, num_ranges, num_azimuths) to unit descriptors (N, D)."""

NUM_NEIGHBOURS = 5
_BLOCK_LENGTH = 10  # queries resampled together, about 40 m of driving


@dataclass(frozen=True, slots=True)
class Protocol:
    """How to test."""

    keyframe_m: float = 2.0
    query_m: float = 4.0
    num_views: int = 36
    radius_m: float = 5.0
    ambiguity_radius_m: float = 25.0  # a rival must be farther than this from the best


# For watching a run: a sixteenth of the map.
QUICK = Protocol(keyframe_m=4.0, query_m=8.0, num_views=4)


@dataclass(frozen=True, slots=True)
class Map:
    """
    Descriptors of one drive's keyframes.

    :param descriptors: shape (K, num_views, D)
    :param poses: shape (K, 3): x, y, yaw
    """

    drive: CachedDrive
    descriptors: NDArray[np.float32]
    poses: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """
    Answers to the queries of one drive.

    :param query_drive: world and drive of the queries
    :param map_drive: world and drive of the map
    :param neighbours: shape (Q, NUM_NEIGHBOURS), keyframes, nearest first
    :param positives: for each query, the keyframes within the radius
    :param distances: shape (Q,), of the first answer
    :param ratios: shape (Q,), to the best rival elsewhere
    :param correct: shape (Q,), whether the first answer is a positive
    :param yaw_errors_rad: shape (Q,), of the first answer's view, absolute
    """

    query_drive: str
    map_drive: str
    neighbours: NDArray[np.int64]
    positives: list[NDArray[np.int64]]
    distances: NDArray[np.float32]
    ratios: NDArray[np.float32]
    correct: NDArray[np.bool_]
    yaw_errors_rad: NDArray[np.float64]

    @property
    def is_multi_session(self) -> bool:
        """Whether the queries come from another drive than the map."""
        return self.query_drive != self.map_drive

    def summary(self) -> dict[str, object]:
        """Return recall with its 95 % interval, and the error of the yaw where right."""
        first = recall_at_k(self.neighbours, self.positives, 1)
        hits = hits_at_k(self.neighbours, self.positives, 1)[is_answerable(self.positives)]
        low, high = bootstrap_interval(hits, _BLOCK_LENGTH)
        errors = self.yaw_errors_rad[self.correct]
        return {
            'query_drive': self.query_drive,
            'map_drive': self.map_drive,
            'num_queries': first.num_queries,
            'num_left_out': first.num_left_out,
            'recall_at_1': round(first.value, 4),
            'interval': [round(low, 4), round(high, 4)],
            'recall_at_5': round(recall_at_k(self.neighbours, self.positives, 5).value, 4),
            'median_yaw_error_deg': round(math.degrees(np.median(errors)), 2)
            if len(errors)
            else None,
        }


def drives_by_world(drives: Sequence[CachedDrive]) -> dict[str, list[CachedDrive]]:
    """Group drives by world, both in order of name."""
    worlds: dict[str, list[CachedDrive]] = {}
    for drive in sorted(drives, key=lambda drive: (drive.world, drive.name)):
        worlds.setdefault(drive.world, []).append(drive)
    return worlds


def build_map(
    drive: CachedDrive, encode_teacher: Encode, grid: PolarGrid, protocol: Protocol
) -> Map:
    """Encode all views of a drive's keyframes."""
    keyframes = thin_by_distance(drive.panorama_poses[:, :2], protocol.keyframe_m)
    descriptors = [
        encode_teacher(views_of_panorama(drive.panoramas[index], grid, protocol.num_views))
        for index in keyframes
    ]
    return Map(drive, np.stack(descriptors), drive.panorama_poses[keyframes])


def retrieve(
    queries: CachedDrive, encode_student: Encode, place_map: Map, protocol: Protocol
) -> Retrieval:
    """Look up the queries of a drive of the same or another world than the map's."""
    chosen = thin_by_distance(queries.student_poses[:, :2], protocol.query_m)
    poses = queries.student_poses[chosen]
    similarity = np.einsum(
        'qd,kvd->qkv', encode_student(queries.student_bevs[chosen]), place_map.descriptors
    )
    views = similarity.argmax(axis=2)
    distances = np.sqrt(np.maximum(2 - 2 * similarity.max(axis=2), 0))
    neighbours = np.argsort(distances, axis=1, kind='stable')[:, :NUM_NEIGHBOURS]
    offsets = poses[:, None, :2] - place_map.poses[None, :, :2]
    is_positive = np.hypot(offsets[..., 0], offsets[..., 1]) <= protocol.radius_m
    is_positive &= queries.world == place_map.drive.world
    best, rows = neighbours[:, 0], np.arange(len(chosen))
    yaws = view_yaws_rad(protocol.num_views)[views[rows, best]]
    yaw_errors = np.abs(wrap_angle(poses[:, 2] - place_map.poses[best, 2] - yaws))
    return Retrieval(
        queries.name,
        place_map.drive.name,
        neighbours,
        [np.flatnonzero(row) for row in is_positive],
        distances[rows, best],
        _ratios(distances, best, place_map.poses, protocol.ambiguity_radius_m),
        is_positive[rows, best],
        yaw_errors,
    )


def _ratios(
    distances: NDArray[np.float32],
    best: NDArray[np.int64],
    poses: NDArray[np.float64],
    radius_m: float,
) -> NDArray[np.float32]:
    """Return each best distance over that of the best rival, 0 where there is no rival."""
    offsets = poses[best][:, None, :2] - poses[None, :, :2]
    is_rival = np.hypot(offsets[..., 0], offsets[..., 1]) > radius_m
    rival = np.where(is_rival, distances, np.inf).min(axis=1)
    ratios: NDArray[np.float32] = distances[np.arange(len(best)), best] / rival
    return ratios


def evaluate(
    drives: Sequence[CachedDrive],
    encode_student: Encode,
    encode_teacher: Encode,
    grid: PolarGrid,
    protocol: Protocol,
) -> list[Retrieval]:
    """Query every drive of every world in the map of the world's first drive."""
    results = []
    for sessions in drives_by_world(drives).values():
        place_map = build_map(sessions[0], encode_teacher, grid, protocol)
        results += [retrieve(session, encode_student, place_map, protocol) for session in sessions]
    return results


def mean_recall(results: Sequence[Retrieval], multi_session: bool) -> float:
    """Return the plain mean of R@1 over the drives that are, or are not, the map's own."""
    values = [
        recall_at_k(result.neighbours, result.positives, 1).value
        for result in results
        if result.is_multi_session == multi_session
    ]
    return float(np.mean(values))
