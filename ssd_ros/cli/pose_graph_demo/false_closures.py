# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Laps and what a localizer that errs says of them: poses alone, simulated without any radar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.pose_graph.planar import composed, inverted, Poses
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import Flag
from ssd_ros.simulator.random_streams import stream

LIVE_MAP_ID = 0xFFFFFFFF
KINDS = ('shifted', 'along', 'scattered')
LAPS, POSES_A_LAP, STEP_NS = 3, 200, 300_000_000
_QUERY_SPACING = 3  # poses
_POSITION_STD_M, _YAW_STD_RAD = 0.15, 0.01  # of what is right
_OFFSETS_M = 15.0, 60.0
_MAX_TURN_RAD = 0.1
_ELSEWHERE_M = 30.0
_FLAGS = Flag.ACCEPTED | Flag.YAW_VALID | Flag.GEOMETRICALLY_VERIFIED


@dataclass(frozen=True, slots=True)
class FalseClosures:
    """
    Which answers are false.

    'shifted': as if the vehicle were elsewhere, always by the same offset and turn.
    'along': the place that lies so far on along the road, always as far.
    'scattered': any place but the right one.

    :param kind: one of `KINDS`
    :param share: of the answers
    :param num_first: so many answers are false before the first that may be right
    """

    kind: str
    share: float
    num_first: int = 0


def laps(seed: int) -> Trajectory:
    """Return laps of about 400 m round one smooth course, a little apart, a pose every 2 m."""
    rng = stream(seed, 'laps')
    angle = np.arange(LAPS * POSES_A_LAP) * 2 * np.pi / POSES_A_LAP
    radius = 1 + 0.01 * rng.standard_normal() * np.sin(angle / LAPS)
    for number in (2, 3, 4):
        phase = rng.uniform(0, 2 * np.pi)
        radius += rng.uniform(-0.12, 0.12) * np.cos(number * angle + phase)
    course = np.column_stack([rng.uniform(1, 1.4) * np.cos(angle), np.sin(angle)])
    positions_m = np.zeros((len(angle), 3))
    positions_m[:, :2] = 52 * radius[:, None] * course
    ahead = np.asarray(np.gradient(positions_m, axis=0))
    stamps_ns = 1_700_000_000 * 10**9 + STEP_NS * np.arange(len(angle))
    yaws_rad = np.arctan2(ahead[:, 1], ahead[:, 0])
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(yaws_rad))


def answers(
    drive: Trajectory, false: FalseClosures, seed: int
) -> tuple[dict[int, NDArray[np.void]], set[int]]:
    """
    Return the rows of every third query after the first lap, by stamp; and which are false.

    Keyframes are those of the first lap. The queries, their noise and, for one share, which of
    them are false depend on the seed alone.
    """
    rng, choices = stream(seed, 'answers'), stream(seed, 'false answers')
    poses = planar(drive)
    first_lap = poses[:POSES_A_LAP]
    offset_m = choices.uniform(*_OFFSETS_M)
    direction = choices.uniform(-np.pi, np.pi)
    offset = np.array([offset_m * np.cos(direction), offset_m * np.sin(direction)])
    turn_rad = choices.uniform(-_MAX_TURN_RAD, _MAX_TURN_RAD)
    spacing_m = np.hypot(*np.diff(first_lap[:, :2], axis=0).T).mean()
    num_on = round(float(choices.choice([-1, 1])) * offset_m / spacing_m)
    rows, lies = {}, set()
    for number, query in enumerate(range(POSES_A_LAP, len(poses), _QUERY_SPACING)):
        keyframe = nearest(first_lap, poses[query])
        seen = relative(first_lap[keyframe], poses[query])
        stamp_ns = int(drive.stamps_ns[query])
        noise = rng.normal(0, [_POSITION_STD_M, _POSITION_STD_M, _YAW_STD_RAD])
        draw, place = choices.random(), choices.random()
        if draw < false.share or number < false.num_first:
            lies.add(stamp_ns)
            if false.kind == 'shifted':
                turned = composed(np.array([0.0, 0.0, turn_rad]), poses[query])
                turned[:2] += offset
                keyframe = nearest(first_lap, turned)
                seen = relative(first_lap[keyframe], turned)
            elif false.kind == 'along':
                keyframe = (keyframe + num_on) % POSES_A_LAP
            else:
                distances_m = np.hypot(*(first_lap[:, :2] - poses[query, :2]).T)
                elsewhere = np.flatnonzero(distances_m > _ELSEWHERE_M)
                keyframe = int(elsewhere[int(place * len(elsewhere))])
        keyframe_ns = int(drive.stamps_ns[keyframe])
        rows[stamp_ns] = row(first_lap[keyframe], keyframe_ns, seen + noise)
    return rows, lies


def planar(drive: Trajectory) -> Poses:
    """Return x, y, yaw of each pose, shape (N, 3)."""
    return np.column_stack([drive.positions_m[:, :2], drive.yaws_rad])


def nearest(poses: Poses, pose: Poses) -> int:
    """Return the number of the nearest one."""
    return int(np.argmin(np.hypot(*(poses[:, :2] - pose[:2]).T)))


def relative(first: Poses, second: Poses) -> Poses:
    """Return T_first_second of planar poses, shape (3,)."""
    return composed(inverted(first), second)


def row(
    keyframe: Poses, keyframe_stamp_ns: int, keyframe_query: Poses, map_id: int = LIVE_MAP_ID
) -> NDArray[np.void]:
    """
    Return an accepted, verified candidate, shape (1,).

    :param keyframe: shape (3,), planar pose in the map
    :param keyframe_query: shape (3,), T_keyframe_query
    """
    rows = np.zeros(1, candidates.DTYPE)
    found = rows[0]
    found['map_x'], found['map_y'] = found['x'], found['y'] = keyframe[:2]
    for name, value in zip('xyzw', quaternion_from_yaw(keyframe[2]), strict=True):
        found[f'q{name}'] = value
    found['kf_stamp_sec'], found['kf_stamp_nanosec'] = divmod(keyframe_stamp_ns, 10**9)
    found['relative_x'], found['relative_y'], found['relative_yaw'] = keyframe_query
    found['covariance_xx'] = found['covariance_yy'] = _POSITION_STD_M**2
    found['relative_yaw_std'] = _YAW_STD_RAD
    found['map_id'] = map_id
    is_live = map_id == LIVE_MAP_ID
    found['flags'] = int(_FLAGS | (Flag.LIVE_SESSION if is_live else Flag(0)))
    return rows
