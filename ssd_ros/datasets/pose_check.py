# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Poses of a drive made fit for use: what is wrong with them is mended, told or refused.

A map, a cache and a truth are as right as the poses of their drives, and those of real recordings
jump from one UTM zone to the next, or carry headings that are off by a constant or drift away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.heading import (
    fit_heading,
    heading_from_motion,
    HeadingFit,
    MAX_LEVER_ARM_M,
)
from ssd_ros.motion.steps import Jump, jumps_of, tracks_of
from ssd_ros.motion.trajectory import Trajectory, turned, wrap_angle

MAX_STRAYS = 0.1  # of the poses: a track of more is no error of single poses
MAX_STEP_M = 100.0  # a GPS that finds back; farther apart are two frames
MIN_FORWARD = 0.9  # of the way, to make headings from the course unasked
_TOLD_BACKWARD = 0.005
MAX_GAP_M = 20_000.0  # between drives through one place


@dataclass(frozen=True, slots=True)
class CheckedPoses:
    """
    Poses that can be used.

    :param note: what became of the headings, and of jumps if there are any
    """

    poses: Trajectory
    note: str


def check_poses(poses: Trajectory, name: str, heading: str = 'auto') -> CheckedPoses:
    """
    Leave out stray poses, and keep, turn or make the headings.

    :param poses: of a vehicle or a sensor on it, in a map
    :param name: of the drive and the sensor, for messages
    :param heading: `auto` keeps headings that fit the course and turns those that are off by a
        constant; `file` keeps them unseen; `motion` and `motion:METRES` take them from the course
        of a sensor so far ahead of the rear axle; `auto:METRES` does so with those that `auto`
        cannot mend, unless the drive reversed much; degrees turn them, counter-clockwise
    :raise ValueError: the poses are in two frames, or `auto` found headings that it cannot mend
    """
    poses, of_jumps = _on_one_track(poses, name)
    poses, of_headings = _with_headings(poses, name, heading)
    return CheckedPoses(poses, '; '.join(filter(None, (of_headings, of_jumps))))


def require_one_place(places: Iterable[tuple[str, NDArray[np.float64], str]]) -> None:
    """
    Refuse drives or maps that are too far apart to be in one frame.

    :param places: name, positions of shape (N, 2) or more, and the frame that they shall be in;
        the first that has any is what the others of a frame are compared with
    :raise ValueError: one is, with the names of both and the distance
    """
    first: dict[str, tuple[str, NDArray[np.float64]]] = {}
    for name, positions_m, frame in places:
        if not len(positions_m):
            continue
        first_name, first_m = first.setdefault(frame, (name, positions_m))
        gap_m = _gap_m(first_m[:, :2], positions_m[:, :2])
        if gap_m > MAX_GAP_M:
            raise ValueError(
                f'{name} lies {gap_m / 1e3:,.0f} km from {first_name}: their origins or UTM zones '
                'differ; give poses in one frame'
            )


def _gap_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return how far the boxes around two sets of positions are apart."""
    low = np.maximum(a.min(axis=0), b.min(axis=0))
    high = np.minimum(a.max(axis=0), b.max(axis=0))
    return float(np.hypot(*np.maximum(low - high, 0)))


def _on_one_track(poses: Trajectory, name: str) -> tuple[Trajectory, str]:
    """Leave out tracks of a few poses and return what there is to tell."""
    if len(poses) == 0:
        return poses, ''
    track_of = tracks_of(poses)
    is_kept = (np.bincount(track_of) > MAX_STRAYS * len(poses))[track_of]
    kept, stray = poses.select(is_kept), poses.select(~is_kept)
    if len(stray) > len(kept):
        raise ValueError(
            f'{name}: its {len(poses)} poses lie on {track_of.max() + 1} tracks, between which '
            'no vehicle gets in time: are they in order, and their stamps in the right unit?'
        )
    notes = []
    if len(stray):
        far_m = np.hypot(*(stray.positions_m[0] - kept.positions_m[0])[:2])
        notes.append(
            f'left out {len(stray)} of {len(poses)} poses that no vehicle reaches, the first '
            f'{_distance(far_m)} away at stamp {stray.stamps_ns[0]}'
        )
    if jumps := jumps_of(kept):
        widest = max(jumps, key=lambda jump: jump.distance_m)
        times = f' and {len(jumps) - 1} times more' if len(jumps) > 1 else ''
        told = f'its poses jump by {_told(widest)}{times}'
        if widest.distance_m > MAX_STEP_M:
            raise ValueError(
                f'{name}: {told}: the drive is in two frames, such as two UTM zones or odometry '
                'that began anew; give poses in one frame (--poses) or cut the drive there'
            )
        notes.append(f'{told}, as those of a GPS that finds back: one side of it is off')
    return kept, '; '.join(notes)


def _told(jump: Jump) -> str:
    places = ' to '.join(
        f'({x:.0f}, {y:.0f})' for x, y, *_ in (jump.before_m.tolist(), jump.after_m.tolist())
    )
    return f'{_distance(jump.distance_m)} at stamp {jump.stamp_ns}, from {places}'


def _distance(metres: float) -> str:
    return f'{metres / 1e3:.1f} km' if metres >= 1e3 else f'{metres:.0f} m'


def _with_headings(poses: Trajectory, name: str, heading: str) -> tuple[Trajectory, str]:
    if heading == 'file':
        return poses, 'headings kept unchecked'
    if heading[0] not in 'am':
        return turned(poses, math.radians(float(heading))), f'headings turned by {heading} degrees'
    how, _, stated = heading.partition(':')
    fit = fit_heading(poses)
    if how == 'motion':
        return _with_course(poses, fit, float(stated) if stated else _lever_arm_m(fit))
    if isinstance(fit, str):
        return poses, f'headings kept; they could not be checked: {fit}'
    off = round(math.degrees(fit.offset_rad), 1) + 0.0  # no minus before zero
    arm = f'(lever arm {round(fit.lever_arm_m, 1) + 0.0:.1f} m)'
    if fit.is_right:
        if not fit.knows_ahead:
            return poses, 'headings kept along the course; reversing hides which end is ahead'
        return poses, f'headings kept, {off:+.1f} degrees off the course {arm}'
    if fit.is_constant:
        note = f'headings turned by {-off:+.1f} degrees onto the course {arm}'
        return turned(poses, -fit.offset_rad), f'{note}; --heading file keeps them'
    if stated and fit.knows_ahead and fit.forward >= MIN_FORWARD:
        made, note = _with_course(poses, fit, float(stated))
        return made, f'{note}; those given are {_told_of(fit)}'
    raise ValueError(
        f'{name}: its headings do not fit its course: {_told_of(fit)}; choose --heading motion '
        '(from the course; motion:METRES for a sensor so far ahead of the rear axle), file (as '
        'they are) or DEGREES (turned by so much)'
    )


def _with_course(poses: Trajectory, fit: HeadingFit | str, arm_m: float) -> tuple[Trajectory, str]:
    note = f'headings from the course, lever arm {arm_m:.1f} m'
    if not isinstance(fit, str) and (backward := 1 - fit.forward) >= _TOLD_BACKWARD:
        note += f'; wrong by 180 degrees where it reversed, {backward:.0%} of the way'
    return heading_from_motion(poses, arm_m), note


def _lever_arm_m(fit: HeadingFit | str) -> float:
    """Return the arm that right or constantly wrong headings tell."""
    if isinstance(fit, str) or not (fit.is_right or fit.is_constant):
        return 0.0
    return float(np.clip(fit.lever_arm_m, 0, MAX_LEVER_ARM_M))


def _told_of(fit: HeadingFit) -> str:
    """Return what is the matter with headings."""
    if not fit.is_plausible:
        return f'only a sensor {fit.lever_arm_m:.1f} m ahead of the rear axle would explain them'
    off = math.degrees(fit.offset_rad)
    low, high = off + np.percentile(
        np.degrees(wrap_angle(fit.local_rad - fit.offset_rad)), [10, 90]
    )
    text = f'off by {off:+.0f} degrees, by {low:+.0f} to {high:+.0f} along the drive'
    if not fit.knows_ahead:
        text += ', or turned by 180 more: reversing hides which end is ahead'
    return text
