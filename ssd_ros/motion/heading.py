# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Headings beside the course of motion: the offset between both, and headings from the course.

A vehicle whose rear axle does not slip moves a sensor that sits ahead of it sideways in turns, by
`v_y = omega * lever_arm`, forward as backward. So two numbers explain the course of right
headings: a constant offset and the lever arm. The thresholds are reconstructed.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.steps import implausible_steps
from ssd_ros.motion.trajectory import (
    quaternion_from_yaw,
    thin_by_distance,
    Trajectory,
    wrap_angle,
)

MAX_OFFSET_RAD = math.radians(4.5)  # of right headings; mountings and side slip make some
_TOLERANCE_RAD = math.radians(6.0)  # of parts of a drive
MIN_DISTANCE_M = 20.0
_MIN_CHORDS = 10
# Shorter chords show the noise of the positions, longer ones cut the corners.
_REACHES_M = (1.0, 3.0, 10.0)
_GOOD_NOISE_RAD, _MAX_NOISE_RAD = math.radians(3.0), math.radians(15.0)
_MAX_UNCERTAINTY_RAD = math.radians(3.0)
_MIN_SPEED_MPS = 0.2
_USUAL_ARM_M = 4.0  # at whose end noise of the headings swings
_CHORDS_PER_WINDOW = 20
_MIN_FORWARD = 0.75  # of the distance, to tell ahead from back by it
_CLEAR_ARM_M = 1.5  # to tell it by the lever arm: sensors sit ahead of the rear axle
_MIN_EXPLAINED = 0.8  # of the distance
MAX_LEVER_ARM_M = 8.0
_CLEAR_SWING_RAD = math.radians(2.0)  # of the course by the arm, in the turns of the drive
_CHORD_STD_RAD = math.radians(2.0)
_LEVER_ARM_PRIOR = (_CHORD_STD_RAD / 5.0) ** 2  # keeps it small where nothing turns
_NUM_ITERATIONS = 20


@dataclass(frozen=True, slots=True)
class HeadingFit:
    """
    How far headings are off, by the course; angles are heading minus truth.

    :param offset_rad: over the whole drive, in (-pi, pi]
    :param lever_arm_m: of the sensor ahead of the rear axle
    :param forward: share of the distance driven ahead
    :param knows_ahead: whether ahead can be told from back; else all angles may be off by pi
    :param is_plausible: no vehicle is so long that it explains what drifts
    :param local_rad: shape (W,), of parts of the drive
    :param local_m: shape (W,), their lengths
    """

    offset_rad: float
    lever_arm_m: float
    forward: float
    knows_ahead: bool
    is_plausible: bool
    local_rad: NDArray[np.float64]
    local_m: NDArray[np.float64]

    @property
    def is_right(self) -> bool:
        """Whether the headings fit the course as they are."""
        offset_rad = abs(self.offset_rad)
        if not self.knows_ahead:
            offset_rad = min(offset_rad, math.pi - offset_rad)
        return self.is_plausible and offset_rad <= MAX_OFFSET_RAD and self._is_explained_by(0.0)

    @property
    def is_constant(self) -> bool:
        """Whether the headings fit the course once the offset is taken off."""
        return self.is_plausible and self.knows_ahead and self._is_explained_by(self.offset_rad)

    def _is_explained_by(self, offset_rad: float) -> bool:
        apart_rad = np.abs(wrap_angle(self.local_rad - offset_rad))
        if not self.knows_ahead:
            apart_rad = np.minimum(apart_rad, np.pi - apart_rad)
        near_m = self.local_m[apart_rad <= _TOLERANCE_RAD].sum()
        return bool(near_m >= _MIN_EXPLAINED * self.local_m.sum())


@dataclass(frozen=True, slots=True)
class _Chords:
    """
    Straight lines from position to position.

    :param rows: shape (N, 3): direction x, y in the frame of the mean heading, and minus the turn
        per metre, exact on a circle
    :param length_m: shape (N,)
    :param course_rad: shape (N,), in the map
    """

    rows: NDArray[np.float64]
    length_m: NDArray[np.float64]
    course_rad: NDArray[np.float64]


def fit_heading(poses: Trajectory) -> HeadingFit | str:
    """
    Compare the headings with the course, or return why they cannot be.

    :param poses: of a sensor that is mounted on a vehicle with wheels
    """
    for reach_m in _REACHES_M:
        chords = _chords(poses, reach_m)
        distance_m = float(chords.length_m.sum())
        if len(chords.length_m) < _MIN_CHORDS or distance_m < MIN_DISTANCE_M:
            return f'only {distance_m:.0f} m of it tell where it goes'
        course_noise_rad = _noise_rad(wrap_angle(np.diff(chords.course_rad)))
        swing_noise_rad = _USUAL_ARM_M * _noise_rad(chords.rows[:, 2])
        if max(course_noise_rad, swing_noise_rad) <= _GOOD_NOISE_RAD:
            break
    if course_noise_rad > _MAX_NOISE_RAD:
        return f'its course jitters by {math.degrees(course_noise_rad):.0f} degrees'
    return _fit(chords)


def heading_from_motion(poses: Trajectory, lever_arm_m: float = 0.0) -> Trajectory:
    """
    Return the same positions, each turned to where the vehicle goes.

    Standing still keeps the heading, going backwards turns it round. A drive that never moves is
    returned as it is.

    :param lever_arm_m: of the sensor ahead of the rear axle, which it pulls like a trailer
    """
    reach_m = _REACHES_M[0]
    kept = thin_by_distance(poses.positions_m, reach_m / 4)
    xy_m = poses.positions_m[kept, :2]
    if len(kept) < 2 or np.ptp(xy_m, axis=0).max() < reach_m:
        return poses
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy_m, axis=0).T))])
    behind = np.searchsorted(along_m, along_m - reach_m, side='right') - 1
    ahead = np.searchsorted(along_m, along_m + reach_m)
    chord_m = xy_m[np.minimum(ahead, len(kept) - 1)] - xy_m[np.maximum(behind, 0)]
    yaws_rad = np.unwrap(np.arctan2(chord_m[:, 1], chord_m[:, 0]))
    if lever_arm_m > 0:
        yaws_rad = _trailing(yaws_rad, along_m, lever_arm_m)
    turns = quaternion_from_yaw(np.interp(_progress(poses, kept), np.arange(len(kept)), yaws_rad))
    return Trajectory(poses.stamps_ns, poses.positions_m, turns)


def _progress(poses: Trajectory, kept: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where each pose is between those kept, by distance: who stands does not move on."""
    last = np.searchsorted(kept, np.arange(len(poses)), side='right') - 1
    steps_m = np.hypot(*np.diff(poses.positions_m[kept, :2], axis=0).T)
    since_m = np.hypot(*(poses.positions_m - poses.positions_m[kept[last]])[:, :2].T)
    return np.asarray(last + np.minimum(since_m / np.append(steps_m, np.inf)[last], 1))


def _chords(poses: Trajectory, reach_m: float) -> _Chords:
    """Return the chords of one length that lie within one piece, driven at a speed to speak of."""
    seldom = np.unique(poses.stamps_ns // 100_000_000, return_index=True)[1]
    piece = np.concatenate([[0], np.cumsum(implausible_steps(poses))])[seldom]
    poses = poses.select(seldom)
    ends = thin_by_distance(poses.positions_m, reach_m)
    step_m = np.diff(poses.positions_m[ends, :2], axis=0)
    length_m = np.hypot(*step_m.T)
    used = length_m >= _MIN_SPEED_MPS * np.diff(poses.stamps_ns[ends]) / 1e9
    used &= np.diff(piece[ends]) == 0
    turn_rad = wrap_angle(np.diff(poses.yaws_rad[ends]))
    course_rad = np.arctan2(step_m[:, 1], step_m[:, 0])
    angle_rad = course_rad - poses.yaws_rad[ends][:-1] - turn_rad / 2
    columns = (np.cos(angle_rad), np.sin(angle_rad), -2 * np.sin(turn_rad / 2) / length_m)
    return _Chords(np.column_stack(columns)[used], length_m[used], course_rad[used])


def _noise_rad(turns_rad: NDArray[np.float64]) -> float:
    """Return the standard deviation of angles about circles from their differences, robustly."""
    bends_rad = wrap_angle(np.diff(turns_rad))
    return float(1.4826 * np.median(np.abs(bends_rad)) / math.sqrt(6))


def _fit(chords: _Chords) -> HeadingFit | str:
    """Fit offset and lever arm by iteratively reweighted least squares (Cauchy)."""
    rows, length_m = chords.rows, chords.length_m
    # Unknown is (sin, cos, arm) with sin^2 + cos^2 = 1: `x sin + y cos = arm * turn`.
    solution = np.array([*_first_guess(rows, length_m), 0.0])
    for _ in range(_NUM_ITERATIONS):
        weight = 1 / (1 + (rows @ solution / _TOLERANCE_RAD) ** 2)
        square = (rows * (weight * length_m / length_m.mean())[:, None]).T @ rows
        square[2, 2] += _LEVER_ARM_PRIOR
        reduced = square[:2, :2] - np.outer(square[:2, 2], square[2, :2]) / square[2, 2]
        certainty, directions = np.linalg.eigh(reduced)
        solution[:2] = directions[:, 0]
        solution[2] = -square[2, :2] @ solution[:2] / square[2, 2]
    uncertainty_rad = _CHORD_STD_RAD / math.sqrt(max(certainty[1] - certainty[0], 1e-12))
    if uncertainty_rad > _MAX_UNCERTAINTY_RAD:
        return 'it turns so evenly that a lever arm looks like wrong headings'
    ahead = rows[:, 0] * solution[1] - rows[:, 1] * solution[0]
    forward = float(length_m[ahead > 0].sum() / length_m.sum())
    swing_rad = abs(solution[2]) * math.sqrt(float(np.mean(rows[:, 2] ** 2)))
    # Of gentle turns the arm says little, and tyres slip where they are fast.
    clear_arm_m = float(solution[2]) if swing_rad >= _CLEAR_SWING_RAD else 0.0
    if _is_back_to_front(forward, clear_arm_m):
        solution, ahead = -solution, -ahead
        forward, clear_arm_m = 1 - forward, -clear_arm_m
    has_arm = abs(clear_arm_m) >= _CLEAR_ARM_M
    offset_rad = math.atan2(solution[0], solution[1])
    residual_rad = np.arctan(rows @ solution / np.where(ahead == 0, 1e-9, ahead))
    parts = np.array_split(np.arange(len(rows)), max(1, len(rows) // _CHORDS_PER_WINDOW))
    local_rad = [offset_rad - np.median(residual_rad[part]) for part in parts]
    return HeadingFit(
        offset_rad=offset_rad,
        lever_arm_m=float(solution[2]),
        forward=forward,
        knows_ahead=has_arm if forward < _MIN_FORWARD else clear_arm_m > -_CLEAR_ARM_M,
        is_plausible=abs(clear_arm_m) <= MAX_LEVER_ARM_M,
        local_rad=wrap_angle(np.array(local_rad)),
        local_m=np.array([length_m[part].sum() for part in parts]),
    )


def _is_back_to_front(forward: float, lever_arm_m: float) -> bool:
    """Return whether ahead is the other way: by what is driven most, in doubt by the arm."""
    if abs(forward - 0.5) < _MIN_FORWARD - 0.5 and abs(lever_arm_m) >= _CLEAR_ARM_M:
        return lever_arm_m < 0
    return forward < 0.5


def _first_guess(rows: NDArray[np.float64], length_m: NDArray[np.float64]) -> tuple[float, float]:
    """Return sine and cosine of the most frequent offset, where forward is as good as backward."""
    angle_rad = np.arctan2(rows[:, 1], rows[:, 0])
    bins = np.round((angle_rad % np.pi) / np.radians(5)).astype(np.int64) % 36
    counts = np.bincount(bins, length_m, 36)
    counts += np.roll(counts, 1) + np.roll(counts, -1)
    guess_rad = -np.radians(5) * int(np.argmax(counts))
    return math.sin(guess_rad), math.cos(guess_rad)


def _trailing(
    course_rad: NDArray[np.float64], along_m: NDArray[np.float64], lever_arm_m: float
) -> NDArray[np.float64]:
    """Return the heading of a trailer whose hitch follows a course: it lags by the arm."""
    shares = 1 - np.exp(-np.diff(along_m) / lever_arm_m)
    middle_rad = (course_rad[1:] + course_rad[:-1]) / 2
    headings_rad = [float(course_rad[0])]
    for course, share in zip(middle_rad.tolist(), shares.tolist(), strict=True):
        headings_rad.append(headings_rad[-1] + share * (course - headings_rad[-1]))
    return np.array(headings_rad)
