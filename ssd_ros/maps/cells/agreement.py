# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether drives stand where a map says, seen where both have been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.cells.sources import Plan, Source
from ssd_ros.motion.odometry import motion_between
from ssd_ros.motion.trajectory import wrap_angle, yaw_from_quaternion
from ssd_ros.verification.pose_misfit import MIN_APART_M, misfit_of_pairs_m, NUM_PAIRS

_NUM_SQUARES = 20  # of those that both have, evenly
_MAX_APART_M = 6.0  # of two keyframes that are laid over each other
_MAX_TURN_RAD = math.radians(30.0)  # of two that show no whole turn

Pair = tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.float64]]


def misfit_between_m(base: Plan, part: Plan) -> float:
    """
    Return by how much keyframes stand elsewhere to those of a map than both poses say.

    :return: metres; NaN if hardly any of both can be laid over each other, as where they never met
    :raise MapError: a square of one cannot be read
    """
    common = sorted(base.cells.keys() & part.cells.keys())
    num = min(len(common), _NUM_SQUARES)
    chosen = [common[number] for number in np.linspace(0, len(common) - 1, num).astype(int)]
    max_turn_rad = math.pi if base.info.shows_turns else _MAX_TURN_RAD
    return misfit_of_pairs_m(
        pair
        for cell in chosen
        for pair in _pairs(
            base.cells[cell], part.cells[cell], math.ceil(NUM_PAIRS / num), max_turn_rad
        )
    )


def _pairs(
    sources: Sequence[Source], others: Sequence[Source], num: int, max_turn_rad: float
) -> Iterator[Pair]:
    """Yield so many keyframes of a square at most, each with the nearest of others."""
    (planar, returns_cm), (other_planar, others_cm) = map(_placed, (sources, others))
    for number in np.unique(np.linspace(0, len(others_cm) - 1, num).astype(int)).tolist():
        apart_m = np.hypot(*(planar[:, :2] - other_planar[number, :2]).T)
        turns_rad = np.abs(wrap_angle(planar[:, 2] - other_planar[number, 2]))
        apart_m[(apart_m < MIN_APART_M) | (turns_rad > max_turn_rad)] = math.inf
        nearest = int(apart_m.argmin())
        if apart_m[nearest] <= _MAX_APART_M:
            stated = motion_between(planar[nearest], other_planar[number])
            yield returns_cm[nearest], others_cm[number], stated


def _placed(sources: Sequence[Source]) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    """Return x, y, yaw of keyframes, shape (N, 3), and their returns."""
    planar, returns_cm = [], []
    for source in sources:
        records = source.records
        yaws_rad = yaw_from_quaternion(records['quaternion_xyzw'])
        planar.append(np.column_stack([records['position_m'][:, :2], yaws_rad]))
        returns_cm.append(source.read().returns_cm)
    return np.concatenate(planar), np.concatenate(returns_cm)
