# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is looked up in whose map, by which images, and what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.evaluation.bev_cache import CachedDrive
from ssd_ros.evaluation.queries.answers import distances_m, GroundTruth
from ssd_ros.evaluation.queries.descriptors import random_yaws_rad
from ssd_ros.evaluation.queries.protocol import Protocol, Task, TASKS
from ssd_ros.motion.trajectory import (
    in_lanes,
    quaternion_from_yaw,
    thin_by_distance,
    Trajectory,
)

_HEADINGS_SEED = 0


class Pair(NamedTuple):
    """A drive that is mapped and a drive whose queries are looked up in that map."""

    task: str
    map_drive: CachedDrive
    query_drive: CachedDrive


class Setting(NamedTuple):
    """
    What any method is given to answer a pair, and what is right.

    :param query_poses: pose of each query; turned where the task turns the image
    :param scans: images of the map drive that can be found
    :param lanes_m: how far to the left of its way each is seen from
    :param scan_poses: pose of each; turned where the random-yaw test turns the image
    :param entries: numbers into scans that the database holds, perhaps several times
    :param excluded: shape (Q, K), scans that a query may not find
    """

    queries: NDArray[np.int64]
    query_poses: Trajectory
    scans: NDArray[np.int64]
    lanes_m: NDArray[np.float64]
    scan_poses: Trajectory
    entries: NDArray[np.int64]
    excluded: NDArray[np.bool_]
    truth: GroundTruth


def drives_by_place(drives: Sequence[CachedDrive]) -> dict[str, list[CachedDrive]]:
    """Group drives by place, both in order of name."""
    places: dict[str, list[CachedDrive]] = {}
    for drive in sorted(drives, key=lambda drive: (drive.world, drive.name)):
        places.setdefault(drive.world, []).append(drive)
    return places


def pairs_of(drives: Sequence[CachedDrive], task: str) -> list[Pair]:
    """
    Return who is looked up in whose map; between sessions, that of the first that can make one.

    Drives without images of the sensor that the task asks for are left out.
    """
    if task not in TASKS:
        raise ValueError(f'unknown task {task!r}; choose from {", ".join(TASKS)}')
    kind = TASKS[task]
    pairs = []
    for sessions in drives_by_place(drives).values():
        asking = [drive for drive in sessions if len(poses_of(drive, kind.query_sensor))]
        mapped = [drive for drive in sessions if len(poses_of(drive, kind.map_sensor))]
        for query in asking:
            maps = mapped[:1] if kind.is_multi_session else mapped
            pairs += [
                Pair(task, drive, query)
                for drive in maps
                if (query is not drive) == kind.is_multi_session
            ]
    return pairs


def poses_of(drive: CachedDrive, sensor: str) -> Trajectory:
    """Return the poses of all images of a sensor, '4d' or 'spinning'."""
    is_cloud = sensor == '4d'
    poses = drive.student_poses if is_cloud else drive.panorama_poses
    stamps_ns = drive.student_stamps_ns if is_cloud else drive.panorama_stamps_ns
    return _trajectory(np.asarray(stamps_ns), np.asarray(poses))


def _trajectory(stamps_ns: NDArray[np.int64], poses: NDArray[np.float64]) -> Trajectory:
    """Return poses x, y, yaw as a trajectory."""
    positions_m = np.column_stack([poses[:, :2], np.zeros(len(poses))])
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(poses[:, 2]))


def setting_of(pair: Pair, protocol: Protocol) -> Setting:
    """Choose queries and scans, and say which scans are right."""
    task = TASKS[pair.task]
    queries, query_poses = _thinned(pair.query_drive, task.query_sensor, protocol.query_m)
    spacing_m = protocol.keyframe_m if protocol.database == 'C' else 0.0
    scans, scan_poses = _thinned(pair.map_drive, task.map_sensor, spacing_m)
    lanes_m = np.zeros(len(scans))
    if (lane_m := lane_of(task, protocol)) and len(scans):
        scans, scan_poses = np.repeat(scans, 2), in_lanes(scan_poses, lane_m)
        lanes_m = np.tile([0.0, lane_m], len(lanes_m))
    between_m = distances_m(query_poses, scan_poses)
    excluded = _excluded(pair, task, query_poses, scan_poses, protocol)
    is_positive = (between_m <= protocol.radius_m) & ~excluded
    is_positive &= pair.query_drive.world == pair.map_drive.world
    entries = np.arange(len(scans))
    if protocol.database == 'A':
        reachable = np.where(excluded, np.inf, between_m)
        accepted = reachable.min(axis=1) <= protocol.radius_m
        if not accepted.any():
            raise ValueError(
                f'{pair.query_drive.name} has no query within {protocol.radius_m:g} m of a scan '
                f'of {pair.map_drive.name}, so that database A is empty: use B or C'
            )
        entries = np.sort(reachable.argmin(axis=1)[accepted])
    scan_poses = _turned(scan_poses, pair.map_drive, scans, yaw_seed(task, protocol))
    query_poses = _turned(query_poses, pair.query_drive, queries, query_seed(task))
    positives = [entries[row[entries]] for row in is_positive]
    truth = GroundTruth(query_poses, scan_poses, protocol.radius_m, positives)
    return Setting(queries, query_poses, scans, lanes_m, scan_poses, entries, excluded, truth)


def yaw_seed(task: Task, protocol: Protocol) -> int | None:
    """Return the seed of the random-yaw test if it applies: it needs views in all directions."""
    return protocol.random_yaw_seed if task.needs_views and not task.any_heading else None


def lane_of(task: Task, protocol: Protocol) -> float:
    """Return the lane beside in which a map of a task is seen, too, 0 if there is none."""
    return protocol.opposite_lane_m if task.needs_views and not task.any_heading else 0.0


def query_seed(task: Task) -> int | None:
    """Return the seed by which the queries of a task are turned, None if they are not."""
    return _HEADINGS_SEED if task.any_heading else None


def _turned(
    poses: Trajectory, drive: CachedDrive, rows: NDArray[np.int64], seed: int | None
) -> Trajectory:
    """Return the poses of panoramas once they are turned by random_columns."""
    if seed is None:
        return poses
    yaws_rad = poses.yaws_rad + random_yaws_rad(drive, rows.tolist(), seed)
    return _trajectory(poses.stamps_ns, np.column_stack([poses.positions_m[:, :2], yaws_rad]))


def _thinned(
    drive: CachedDrive, sensor: str, spacing_m: float
) -> tuple[NDArray[np.int64], Trajectory]:
    poses = poses_of(drive, sensor)
    rows = thin_by_distance(poses.positions_m, spacing_m)
    return rows, poses.select(rows)


def _excluded(
    pair: Pair, task: Task, queries: Trajectory, scans: Trajectory, protocol: Protocol
) -> NDArray[np.bool_]:
    """Return which scans a sensor would find only because it has just been there."""
    if pair.query_drive is not pair.map_drive or task.query_sensor != task.map_sensor:
        return np.zeros((len(queries), len(scans)), dtype=bool)
    apart_s = np.abs(queries.stamps_ns[:, None] - scans.stamps_ns[None]) / 1e9
    return np.asarray(apart_s < protocol.exclude_s)
