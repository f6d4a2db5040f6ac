# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive of three laps with drifting odometry and the candidates that a localizer would send."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.pose_graph_demo.false_closures import LIVE_MAP_ID, planar, relative, row
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.simulator.config import UNIT_SEED
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.odometry import drifting_odometry

LAPS, POSES_A_LAP, STEP_NS = 3, 600, 100_000_000
PRIOR_MAP_ID = 7
POSITION_STD_M, YAW_STD_RAD = 0.15, 0.01


def truth() -> Trajectory:
    """Return laps of about 350 m, each a little beside the others, a pose every 0.6 m."""
    angle = np.arange(LAPS * POSES_A_LAP) * 2 * np.pi / POSES_A_LAP
    radius_m = 1 + 0.2 * np.cos(3 * angle) + 0.005 * np.sin(angle / 3)
    xy = 52 * radius_m[:, None] * np.column_stack([1.2 * np.cos(angle), np.sin(angle)])
    steps = np.gradient(xy, axis=0)
    xyz = np.column_stack([xy, np.full(len(xy), 0.7)])
    stamps_ns = 1_700_000_000_000_000_123 + STEP_NS * np.arange(len(xy))
    return Trajectory(stamps_ns, xyz, quaternion_from_yaw(np.arctan2(steps[:, 1], steps[:, 0])))


def odometry(drive: Trajectory) -> Trajectory:
    """Return what drifts by 1.5 % and 0.2 degrees for the first metre."""
    return drifting_odometry(drive, stream(UNIT_SEED, 'odometry'))


def closures(
    drive: Trajectory, wrong_share: float = 0.0, map_id: int = LIVE_MAP_ID
) -> dict[int, NDArray[np.void]]:
    """
    Return the rows of every third query after the first lap; keyframes are those of that lap.

    :param wrong_share: so many of them name a place on the other side
    """
    rng, poses = stream(UNIT_SEED, 'closures'), planar(drive)
    answers = {}
    for query in range(POSES_A_LAP, len(poses), 3):
        distances_m = np.hypot(*(poses[:POSES_A_LAP, :2] - poses[query, :2]).T)
        keyframe = int(np.argmin(distances_m)) // 3 * 3
        seen = relative(poses[keyframe], poses[query])
        if rng.random() < wrong_share:
            keyframe = int(rng.choice(np.flatnonzero(distances_m > 30)))
        seen = seen + rng.normal(0, [POSITION_STD_M, POSITION_STD_M, YAW_STD_RAD])
        stamp_ns = int(drive.stamps_ns[keyframe])
        answers[int(drive.stamps_ns[query])] = row(poses[keyframe], stamp_ns, seen, map_id)
    return answers
