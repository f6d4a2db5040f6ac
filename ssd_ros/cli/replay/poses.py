# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Answers of a replay beside the poses of the recording: true ones, or odometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.replay.log import ReplayLog
from ssd_ros.cli.replay.run import Replay
from ssd_ros.motion.pose_chain import segments_of
from ssd_ros.motion.trajectory import POSE_TOLERANCE_NS, Trajectory, wrap_angle
from ssd_ros.recognition.sequence_filter import DEFAULT_CONFIG
from ssd_ros.ros.messages.geometry import Pose


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """
    The best answers beside the true poses.

    :param chosen: shape (Q,) indices of the queries that have a pose
    :param poses: shape (Q, 3): true x, y (m) and yaw (rad) of the vehicle in the map
    :param nearest_m: shape (Q,), to the nearest keyframe of the map
    :param right: shape (Q,), the keyframe of the best answer lies within the radius
    :param errors_m: shape (Q,), of the position that the best answer says
    :param yaw_errors_rad: shape (Q,), absolute
    :param accepted: shape (Q,)
    """

    radius_m: float
    chosen: NDArray[np.int64]
    poses: NDArray[np.float64]
    nearest_m: NDArray[np.float64]
    right: NDArray[np.bool_]
    errors_m: NDArray[np.float64]
    yaw_errors_rad: NDArray[np.float64]
    accepted: NDArray[np.bool_]

    def figures(self) -> dict[str, float | int]:
        """Return what the summary says; shares of nothing are NaN."""
        mapped = self.nearest_m <= self.radius_m
        good = self.accepted & self.right
        return {
            'radius_m': self.radius_m,
            'queries': len(self.chosen),
            'queries_in_map': int(mapped.sum()),
            'recall_at_1': _share(self.right, mapped),
            'accepted_precision': _share(self.right, self.accepted),
            'accepted_recall': _share(good, mapped),
            'accepted_outside_map': int((self.accepted & ~mapped).sum()),
            'median_error_m': _median(self.errors_m[good]),
            'median_yaw_error_deg': float(np.degrees(_median(self.yaw_errors_rad[good]))),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """
    From each accepted answer to the next: how far by the map, how far by odometry.

    The distance between two poses is the same in the frames of both.

    :param seconds: shape (P,), time of the later answer since the first query
    :param by_map_m: shape (P,)
    :param by_odometry_m: shape (P,)
    """

    seconds: NDArray[np.float64]
    by_map_m: NDArray[np.float64]
    by_odometry_m: NDArray[np.float64]

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """Whether both are alike, within what the sequence filter tolerates, shape (P,)."""
        tolerance_m = (
            DEFAULT_CONFIG.tolerance_m + DEFAULT_CONFIG.tolerance_per_m * self.by_odometry_m
        )
        return np.abs(self.by_map_m - self.by_odometry_m) <= tolerance_m

    def figures(self) -> dict[str, float | int]:
        """Return what the summary says."""
        return {
            'pairs': len(self.by_map_m),
            'agreeing': _share(self.agrees, np.ones(len(self.agrees), bool)),
        }


def judge(replay: Replay, log: ReplayLog, radius_m: float | None) -> Truth | Motion | None:
    """
    Compare the answers with the poses of the recording, None if it has too few.

    :param radius_m: within which an answer is right by true poses; None: they are odometry
    """
    poses = replay.scans.poses
    if radius_m is None:
        return motion_of(log, poses)
    return truth_of(log, poses, replay.base_radar, replay.keyframes_m(), radius_m)


def truth_of(
    log: ReplayLog,
    poses: Trajectory,
    base_radar: Pose,
    keyframes_m: NDArray[np.float64],
    radius_m: float,
) -> Truth | None:
    """
    Judge the answers, None if no query has a pose.

    :param poses: of the radar in the map
    :param base_radar: T_base_radar
    :param keyframes_m: shape (K, 2) or (K, 3), in the map
    """
    chosen, at = poses.at(log.stamps_ns)
    if len(chosen) == 0:
        return None
    radar_base = base_radar.inverse()
    vehicle = [
        Pose(position_m, quaternion) @ radar_base
        for position_m, quaternion in zip(at.positions_m, at.quaternions_xyzw, strict=True)
    ]
    true = np.array([[*pose.position_m[:2], pose.yaw_rad] for pose in vehicle])
    said, best = log.poses()[chosen], log.best[chosen]
    to_keyframe = np.hypot(
        best['map_x'] - at.positions_m[:, 0], best['map_y'] - at.positions_m[:, 1]
    )
    return Truth(
        radius_m=radius_m,
        chosen=chosen,
        poses=true,
        nearest_m=_nearest_m(at.positions_m[:, :2], keyframes_m[:, :2]),
        right=to_keyframe <= radius_m,
        errors_m=np.hypot(*(said - true)[:, :2].T),
        yaw_errors_rad=np.abs(wrap_angle(said[:, 2] - true[:, 2])),
        accepted=log.accepted[chosen],
    )


def motion_of(log: ReplayLog, poses: Trajectory) -> Motion | None:
    """
    Compare accepted answers with odometry, None if fewer than two of them have a pose.

    :param poses: of the radar in any frame
    """
    accepted = np.flatnonzero(log.accepted)
    chosen, at = poses.at(log.stamps_ns[accepted])
    if len(chosen) < 2:
        return None
    same_map = np.diff(log.best['map_id'][accepted[chosen]].astype(np.int64)) == 0
    same_map &= np.diff(_segments_at(poses, at.stamps_ns)) == 0
    by_map_m, by_odometry_m = (
        np.hypot(*np.diff(positions_m, axis=0).T)[same_map]
        for positions_m in (log.poses()[accepted[chosen], :2], at.positions_m[:, :2])
    )
    seconds = log.seconds[accepted[chosen]][1:][same_map]
    return Motion(seconds, by_map_m, by_odometry_m)


def _segments_at(poses: Trajectory, stamps_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the segments of the odometry at stamps near its poses, shape (N,)."""
    nearest, _ = poses.nearest(stamps_ns, POSE_TOLERANCE_NS)
    return segments_of(poses)[nearest]


def _nearest_m(
    queries_m: NDArray[np.float64], keyframes_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of each query to the nearest keyframe; a row at a time, maps are big."""
    return np.array([np.hypot(*(keyframes_m - query).T).min() for query in queries_m])


def _share(chosen: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(chosen[among].mean()) if among.any() else float('nan')


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float('nan')
