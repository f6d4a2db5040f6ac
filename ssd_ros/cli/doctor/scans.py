# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the scans of a recording are like, as the node would take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.progress import progress_bar
from ssd_ros.cli.doctor.answers import Answers
from ssd_ros.cli.replay.run import Replay
from ssd_ros.maps.turn_check import TurnCheck
from ssd_ros.motion.mounting_check import YawError
from ssd_ros.motion.time_shift import fit_time_shift, TimeShift
from ssd_ros.radar.doppler_sign import DopplerSignCheck
from ssd_ros.radar.ego_velocity import Motion
from ssd_ros.recognition.answer import Query

_NUM_SHOWN = 400  # scans in the picture
_NUM_ASKED = {'4d': 1000, 'spinning': 100}  # scans that the maps are asked for


class Shown(NamedTuple):
    """
    A scan for the picture.

    :param planar: shape (3,), where its radar was: x, y (m), yaw (rad); NaN where nothing tells
    :param points_m: shape (P, 2), static returns of the window, x ahead, y to the left
    :param bev: what the encoder sees
    """

    planar: NDArray[np.float64]
    points_m: NDArray[np.float32]
    bev: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Scans:
    """
    N scans that could be read.

    :param stamps_ns: shape (N,)
    :param num_points: shape (N,), of the scan
    :param num_static: shape (N,), static points in the window that ends with it
    :param motions: shape (N,), a Motion each
    :param speeds_mps: shape (N,), by Doppler; 0 where not known
    :param has_pose: shape (N,)
    :param is_opposite: Doppler runs against the odometry
    :param yaw_error: of the mounting
    :param time_shift: of the scans against the odometry
    :param profile: of the radar at the end, see RadarProfile
    :param filled: shape (N,), share of the cells of the image that show a return
    :param turns: whether the images of a spinning radar turn with the headings
    :param shown: some of them, evenly chosen
    :param places_m: shape (N, 2), of the radar; NaN where nothing tells
    :param answers: of the maps
    """

    stamps_ns: NDArray[np.int64]
    num_points: NDArray[np.int64]
    num_static: NDArray[np.int64]
    motions: NDArray[np.object_]
    speeds_mps: NDArray[np.float64]
    has_pose: NDArray[np.bool_]
    is_opposite: bool
    yaw_error: YawError
    time_shift: TimeShift
    profile: NDArray[np.float64]
    filled: NDArray[np.float64]
    turns: TurnCheck
    shown: list[Shown]
    places_m: NDArray[np.float64]
    answers: Answers

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def rate_hz(self) -> float:
        """The usual rate; NaN of a single scan."""
        if len(self) < 2:
            return float('nan')
        return float(1e9 / np.median(np.diff(self.stamps_ns)))

    def share_of(self, motion: Motion) -> float:
        """Return in which share of the scans the vehicle moves like that."""
        return float(np.mean([each is motion for each in self.motions]))


def scans_of(replay: Replay) -> Scans:
    """
    Read all scans of a recording.

    :raise ValueError: none can be read
    """
    sign, is_opposite, turns = DopplerSignCheck(), False, TurnCheck()
    rows: list[tuple[Any, ...]] = []
    shown, answers, number = [], Answers(replay.recognizer), 0
    every_shown = -(-len(replay.scans) // _NUM_SHOWN)
    every_asked = -(-len(replay.scans) // _NUM_ASKED[replay.recognizer.sensor])
    with progress_bar(replay.drive.name, 'scan') as progress:
        for query, _ in replay.prepared(progress):
            if number % every_asked == 0:
                answers.ask(query)
            if number % every_shown == 0:
                shown.append(_shown(query))
            number += 1
            ego, pose = query.image.ego_velocity, query.pose
            if pose is not None and ego.motion is Motion.MOVING:
                sign.add(query.stamp_ns, ego.velocity_mps, *pose)
                is_opposite |= sign.is_opposite
            if pose is not None and replay.recognizer.sensor == 'spinning':
                turns.add(query.image.bev, pose.position_m, float(pose.planar[2]))
            share = float(np.count_nonzero(query.image.bev) / query.image.bev.size)
            speed_mps = float(np.hypot(*ego.velocity_mps[:2]))
            num_points, num_static = len(ego.usable), query.image.num_points
            x_y_m = (np.nan, np.nan) if pose is None else tuple(pose.position_m[:2])
            row = (query.stamp_ns, num_points, num_static, ego.motion, speed_mps, x_y_m, share)
            rows.append(row)
            profile = query.profile
    if not rows:
        faults = '; '.join(reason for reason, _ in replay.faults.most_common(3))
        raise ValueError(f'no scan of {replay.drive.name} can be read: {faults}')
    stamps_ns, points, static, motions, speeds_mps, places_m, filled = zip(*rows, strict=True)
    placed = np.isfinite(np.array(places_m)[:, 0])
    known = placed & [motion is Motion.MOVING for motion in motions]
    return Scans(
        np.array(stamps_ns),
        np.array(points),
        np.array(static),
        np.array(motions, dtype=object),
        np.array(speeds_mps),
        placed,
        is_opposite,
        replay.recognizer.mounting_check.yaw_error,
        fit_time_shift(
            (np.array(stamps_ns)[known] - stamps_ns[0]) / 1e9,
            np.array(speeds_mps)[known],
            np.array(places_m)[known],
        ),
        profile,
        np.array(filled),
        turns,
        shown,
        np.array(places_m),
        answers,
    )


def _shown(query: Query) -> Shown:
    planar = np.full(3, np.nan) if query.pose is None else query.pose.planar
    return Shown(planar, query.image.points_m, query.image.bev)
