# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The search for the pose at which a keyframe explains most of a query's points.

Two modules do it, one in NumPy and one compiled, and find the same to the last bit: sums are of
whole numbers, points are placed in float32, and of equal poses the first is taken.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.verification.likelihood import FINE_M, KeyframeGrids

SEARCH_RAD = math.radians(8)
COARSE_YAWS_RAD = np.linspace(-SEARCH_RAD, SEARCH_RAD, 9)
FINE_YAWS_RAD = np.radians(np.linspace(-1.2, 1.2, 5))
NUM_STARTS = 12  # best coarse poses that are looked at more closely
NUM_RIVALS, RIVAL_M = 6, 2.5  # likewise, of those farther than this from the best one
CLOSER, CLOSER_STEP = 2, 2  # fine cells that a closer look reaches to each side, and its steps
_YAWS_RAD = np.append(0.0, FINE_YAWS_RAD)  # from a coarse one
FINE = 4  # fine cells that the fine search reaches to each side
_FINE_SHIFTS_M = np.arange(-FINE, FINE + 1) * FINE_M
_YAWS, _Y, _X = np.meshgrid(FINE_YAWS_RAD, _FINE_SHIFTS_M, _FINE_SHIFTS_M, indexing='ij')
# Those of the fine search from its middle, shape (poses, 3): x and y in metres, yaw in radians.
FINE_POSES = np.column_stack([_X.ravel(), _Y.ravel(), _YAWS.ravel()])


class Headings(NamedTuple):
    """
    The headings of a search: each coarse one, then the fine ones about it.

    :param yaws_rad: shape (9,), the coarse ones, in the keyframe frame
    :param cos: shape (9, 6)
    :param sin: likewise
    """

    yaws_rad: NDArray[np.float64]
    cos: NDArray[np.float32]
    sin: NDArray[np.float32]

    @classmethod
    def about(cls, yaw_rad: float) -> Headings:
        """Return those about a heading, which is finite."""
        coarse = yaw_rad + COARSE_YAWS_RAD
        yaws = coarse[:, None] + _YAWS_RAD
        return cls(coarse, np.cos(yaws, dtype=np.float32), np.sin(yaws, dtype=np.float32))


class Fit(NamedTuple):
    """
    What the search found; sums are over points, of values up to PEAK each.

    :param turn: of the coarse headings, about which the fine search was
    :param x_m: middle of the fine search, T_keyframe_query
    :param y_m: likewise
    :param elsewhere: greatest sum farther than RIVAL_M from there, to half a metre
    :param sums: shape (poses,), of FINE_POSES
    :param explained: shape (P,), how well each point is explained at the best of them
    """

    turn: int
    x_m: float
    y_m: float
    elsewhere: int
    sums: NDArray[np.uint32]
    explained: NDArray[np.uint8]


class PoseSearch(Protocol):
    """Draw keyframes and search in them."""

    def draw(self, returns_cm: NDArray[np.int16], grids: KeyframeGrids) -> None:
        """
        Draw a keyframe in place of what was there.

        :param returns_cm: shape (M, 2), keyframe frame, NO_RETURN in unused rows
        """
        ...

    def fit(self, points_m: NDArray[np.float32], headings: Headings, grids: KeyframeGrids) -> Fit:
        """
        Find the pose that explains most points.

        :param points_m: shape (P, 2), query frame, within REACH_M, at least 1
        """
        ...
