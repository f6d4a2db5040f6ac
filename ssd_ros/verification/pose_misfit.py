# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How far the poses of a map's keyframes disagree with what their returns say.

A keyframe that stands elsewhere than its pose says gives wrong loop closures, each of which looks
right. Laid over its neighbour it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.odometry import motion_between
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.verification.returns import NO_RETURN, used_returns
from ssd_ros.verification.verifier import Verifier

# Poses are right within 2 m. Keyframes that are off by .9 m (root mean square), each by itself,
# leave 99 % of them right, and neighbours disagree by 1.06 m in the median.
MAX_MISFIT_M = 1.0
NUM_PAIRS = 100  # spread over the map; 5 ms each at most
_MIN_PAIRS = 10
MIN_APART_M = 1.0  # nearer ones may be one place seen while standing
_NUM_NEXT = 100  # keyframes among which the next one that far away is looked for
_CONVINCING = 0.4  # overlap; wrong places hardly reach half of it
_NO_MOTION_M = 0.5  # so near a vehicle that moved fits by a pattern of its radar, as coarse angles


def pose_misfit_m(
    keyframes: Trajectory, returns_cm: NDArray[np.int16], segment_starts: Sequence[int]
) -> float:
    """
    Return by how much neighbours stand elsewhere to each other than their poses say.

    The median over pairs of |registered - stated position of the second in the frame of the
    first|, of those whose returns fit without doubt.

    :param returns_cm: shape (N, M, 2), of the keyframes, NO_RETURN in unused rows
    :param segment_starts: numbers of the keyframes with which unrelated frames begin
    :return: metres; NaN if fewer than 10 pairs fit, which says nothing
    """
    planar = np.column_stack([keyframes.positions_m[:, :2], keyframes.yaws_rad])
    pairs = _neighbours(planar[:, :2], segment_starts)
    return misfit_of_pairs_m(
        (returns_cm[a], returns_cm[b], motion_between(planar[a], planar[b])) for a, b in pairs
    )


def misfit_of_pairs_m(
    pairs: Iterable[tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.float64]]],
) -> float:
    """
    Return by how much keyframes near each other stand elsewhere to each other than is said.

    :param pairs: returns of two keyframes, each of shape (M, 2), and the pose x, y, yaw of the
        second in the frame of the first, at least MIN_APART_M away
    :return: metres, the median of those pairs that fit; NaN if fewer than 10 do
    """
    verifier, misfits_m = Verifier(), []
    for first_cm, second_cm, stated in pairs:
        place_m = _registered(verifier, first_cm, second_cm, stated)
        if place_m is not None:
            misfits_m.append(math.dist(place_m, stated[:2]))
    return float(np.median(misfits_m)) if len(misfits_m) >= _MIN_PAIRS else math.nan


def _neighbours(
    positions_m: NDArray[np.float64], segment_starts: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Yield pairs spread over the map: a keyframe and the next one of its segment farther on."""
    num = len(positions_m)
    ends = np.append(segment_starts[1:], num)
    for first in np.unique(np.linspace(0, num - 1, min(num, NUM_PAIRS)).astype(int)).tolist():
        end = min(int(ends[ends > first][0]), first + _NUM_NEXT)
        offsets_m = positions_m[first + 1 : end] - positions_m[first]
        is_apart = np.hypot(offsets_m[:, 0], offsets_m[:, 1]) >= MIN_APART_M
        if is_apart.any():
            yield first, first + 1 + int(is_apart.argmax())


def _registered(
    verifier: Verifier,
    first_cm: NDArray[np.int16],
    second_cm: NDArray[np.int16],
    stated: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """
    Lay a keyframe over its neighbour where it is said to be, and else where that one is.

    Neighbours of a drive are near each other, whatever their poses say.

    :param stated: shape (3,), x, y, yaw of the second in the frame of the first
    :return: shape (2,), the place of the second there; None if nothing fits without doubt, or all
        as if the vehicle had not moved
    """
    points_m = (used_returns(second_cm) / 100).astype(np.float32)
    for about_m in (stated[:2], np.zeros(2)):
        moved_cm = np.rint(used_returns(first_cm) - about_m * 100)
        returns_cm = np.clip(moved_cm, NO_RETURN + 1, -NO_RETURN - 1).astype(np.int16)
        found = verifier.verify(points_m, returns_cm, float(stated[2]))
        if found.overlap >= _CONVINCING:
            place_m = about_m + np.array([found.x_m, found.y_m])
            return place_m if np.hypot(*place_m) > _NO_MOTION_M else None
    return None
