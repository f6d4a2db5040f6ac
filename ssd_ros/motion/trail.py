# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was, for people to look at: a point every metre, the newest ones."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Point = TypeVar('Point')

SPACING_M = 1.0
MAX_POINTS = 1000


class Trail(Generic[Point]):
    """The last `MAX_POINTS` points of a way, `SPACING_M` or more apart in the plane."""

    def __init__(self) -> None:
        self._points: deque[Point] = deque(maxlen=MAX_POINTS)
        self._newest_m: NDArray[np.float64] | None = None

    @property
    def points(self) -> list[Point]:
        """What was added, oldest first."""
        return list(self._points)

    def add(self, xy_m: NDArray[np.float64], point: Point) -> bool:
        """
        Add a point, unless it lies where the newest one does; return whether it was added.

        :param xy_m: where it is, shape (2,)
        """
        if self._newest_m is not None and np.hypot(*(xy_m - self._newest_m)) < SPACING_M:
            return False
        self._newest_m = xy_m
        self._points.append(point)
        return True

    def clear(self) -> None:
        """Begin a new way."""
        self._points.clear()
        self._newest_m = None
