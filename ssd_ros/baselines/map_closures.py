# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
MapClosures: ORB features of how densely a local map is filled, matched by a binary tree.

Gupta et al., Effectively Detecting Loop Closures using Point Cloud Density Maps, ICRA 2024; its
own package does the work, `map-closures` of PyPI, extra `peers`. It was made for LiDAR. Here the
local map are the cells with returns of the images of the last metres of way, moved to the newest
one. The plane of the ground is given, as its release 2.2 lets one: it looks for it in the cloud,
but a radar sees none, and what it takes for it tilts the map.
"""

from __future__ import annotations

from functools import partial
import math
from typing import Any, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.method import Closure, Handcrafted, Matches
from ssd_ros.baselines.polar_image import Passed, PolarImage
from ssd_ros.motion.odometry import compose
from ssd_ros.packages import require

if TYPE_CHECKING:
    from map_closures.map_closures import MapClosures as Detector

WAY_M = 20.0
_REACH_M = 100.0  # of its LiDAR
_CELL_M = 0.5  # of its density map
_NUM_SQUARES = round(2 * _REACH_M / _CELL_M)
_MIN_INLIERS = 5  # more close a loop
_SKIPPED = 4  # places whose numbers are nearer to that of a query are not compared with it
_GROUND_M = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
_UP = np.tile([0.0, 0.0, 1.0], (3, 1))


class MapClosures(Handcrafted):
    """MapClosures on local maps of 20 m of way."""

    way_m = WAY_M

    def __init__(self) -> None:
        """
        Look for the package.

        :raise ModuleNotFoundError: it is not installed
        """
        require('map_closures')

    def describe(self, image: PolarImage) -> NDArray[np.uint16]:
        """
        Count the cells with returns of all images, in squares of the density map.

        :return: shape (400, 400): x ahead from behind, y left from the right
        """
        seen = [*image.before(), Passed(image, np.zeros(3))]
        points_m = np.concatenate([_returns_m(one) for one in seen])
        squares = np.floor((points_m + _REACH_M) / _CELL_M).astype(np.int64)
        is_inside = ((squares >= 0) & (squares < _NUM_SQUARES)).all(axis=1)
        numbers = squares[is_inside] @ [_NUM_SQUARES, 1]
        counts = np.bincount(numbers, minlength=_NUM_SQUARES**2)
        return counts.reshape(_NUM_SQUARES, _NUM_SQUARES).astype(np.uint16)

    def index(self, places: NDArray[np.uint16]) -> ClosureIndex:
        """Return places in a tree of features."""
        return ClosureIndex(places[:, 0])


class ClosureIndex:
    """Density maps of places, found by what their features agree on."""

    def __init__(self, places: NDArray[np.uint16]) -> None:
        """
        Add the features of all places.

        :param places: shape (N, 400, 400), counts
        """
        from map_closures.map_closures import MapClosures as Detector

        self._detector: Detector = Detector()
        self._num_places = len(places)
        # The last one first, since each is laid over those with lower numbers that are there.
        for number in reversed(range(len(places))):
            self._closures(number, places[number])

    def search(self, queries: NDArray[np.uint16]) -> Matches:
        """
        Return for every place 1 / the features that agree with it, 1 where none do.

        A query cannot be asked without being added; under a number that none is compared with.
        """
        number = self._num_places + _SKIPPED
        found = [
            {closure.source_id: closure for closure in self._closures(number, query)}
            for query in queries
        ]
        distances = np.ones((len(queries), self._num_places), np.float32)
        yaws_rad = np.full(distances.shape, math.nan)
        for row, closures in enumerate(found):
            for place, closure in closures.items():
                distances[row, place] = 1 / closure.number_of_inliers
                yaws_rad[row, place] = _yaw_rad(closure)
        return Matches(distances, yaws_rad, partial(_close, distances, yaws_rad))

    def _closures(self, number: int, counts: NDArray[np.uint16]) -> list[Any]:
        """Add a local map and return the closures with those of lower numbers."""
        if not counts.any():
            return []
        places = np.argwhere(counts)
        squares = np.repeat(places, counts[counts > 0], axis=0)
        points_m = (squares + 0.5) * _CELL_M - _REACH_M
        cloud_m = np.column_stack([points_m, np.zeros(len(points_m))])
        return self._detector.get_top_k_closures(number, cloud_m, -1, _GROUND_M, _UP)


def _close(
    distances: NDArray[np.float32], yaws_rad: NDArray[np.float64], query: int, place: int
) -> Closure:
    return Closure(float(yaws_rad[query, place]), bool(distances[query, place] < 1 / _MIN_INLIERS))


def _yaw_rad(closure: Any) -> float:
    """Return the heading of the query in the place; a closure says that of the place in it."""
    return -math.atan2(closure.pose[1, 0], closure.pose[0, 0])


def _returns_m(passed: Passed) -> NDArray[np.float64]:
    """Return where the cells with returns are, shape (P, 2), in the frame of the pose."""
    image, pose = passed
    grid = image.grid
    row, column = np.nonzero(image.cells)
    range_m = (row + 0.5) * (grid.max_range_m / grid.num_ranges)
    left_rad = -(column + 0.5) * (2 * math.pi / grid.panorama_azimuths)
    zeros = np.zeros(len(row))
    cells = np.column_stack([range_m * np.cos(left_rad), range_m * np.sin(left_rad), zeros])
    return compose(pose, cells)[:, :2]
