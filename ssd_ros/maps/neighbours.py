# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an index of places is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.growing_rows import Rows


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    The nearest keyframes, each at its best view or rotation, nearest first.

    :param keyframes: shape (K,) int64, indices into the keyframes of the map
    :param yaws_rad: shape (K,) float64, heading of the query in the frame of each, (-pi, pi]
    :param distances: shape (K,) float32, between unit descriptors, 0 (same) to 2 (opposite)
    :param horizon: distance of the last row searched: every keyframe that was searched and is not
        among these is at least this far
    """

    keyframes: NDArray[np.int64]
    yaws_rad: NDArray[np.float64]
    distances: NDArray[np.float32]
    horizon: float

    def __len__(self) -> int:
        return len(self.keyframes)


@dataclass(frozen=True, slots=True)
class Prior:
    """
    Where a place is before anything is searched: within a circle of the map frame.

    :raise ValueError: that is none
    """

    x_m: float
    y_m: float
    radius_m: float

    def __post_init__(self) -> None:
        values = self.x_m, self.y_m, self.radius_m
        if not all(map(math.isfinite, values)) or self.radius_m <= 0:
            raise ValueError(
                f'prior is {values}, expected finite numbers and a radius above 0: metres in the '
                'map frame'
            )

    def __str__(self) -> str:
        return f'{self.radius_m:.0f} m about ({self.x_m:.1f}, {self.y_m:.1f})'


class RowSource(Protocol):
    """Rows of which the near ones are found quickly and compared exactly."""

    error: float  # of the quick products, to those of the same keyframe

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        ...

    def nearest(
        self, query: NDArray[np.float32], num: int, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """
        Return the nearest of the oldest rows in ascending order, and their quick products.

        :param query: shape (D,), unit length
        :param num: of them, at most count
        :param count: rows to search, at most as many as there are
        """
        ...

    def products(self, rows: NDArray[np.int64], query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the products of some rows with a query, shape of rows."""
        ...

    def rings(self, keyframes: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return all views of some keyframes, shape (K, num_views, D)."""
        ...


class PlaceIndex(Protocol):
    """Unit descriptors of keyframes in the order of their numbers."""

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        ...

    @property
    def descriptor_size(self) -> int:
        """Length of a descriptor, D."""
        ...

    @property
    def bytes_per_row(self) -> int:
        """Memory that a descriptor takes."""
        ...

    def __len__(self) -> int:
        """Return the number of descriptors."""
        ...

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        ...

    def search(self, descriptor: NDArray[np.float32], num_rows: int) -> Neighbours:
        """
        Return the keyframes among the nearest rows, each with its best view.

        :param descriptor: shape (D,)
        :param num_rows: rows to look at
        """
        ...

    def search_turn(self, ring: NDArray[np.float32], num_keyframes: int) -> Neighbours:
        """
        Return the keyframes nearest to a whole turn, each at its best rotation.

        Of more than SHORT_LIST keyframes with descriptors of a network, those are searched that
        the views of the turn find.

        :param ring: shape (V, D), as many views as a keyframe has
        """
        ...


class GrowingIndex(PlaceIndex, Protocol):
    """Descriptors in the order in which they came."""

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """
        Append descriptors; they are copied.

        :param descriptors: shape (N, D); the views of one keyframe stand together
        """
        ...

    def clear(self) -> None:
        """Forget all descriptors; what was handed out stays."""
        ...

    def snapshot(self) -> Rows:
        """Return all descriptors as they stand, without copying them; any thread may read them."""
        ...

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """
        Search as any index does.

        :param first: search only so many of the oldest keyframes
        """
        ...

    def search_turn(
        self, ring: NDArray[np.float32], num_keyframes: int, first: int | None = None
    ) -> Neighbours:
        """Search as any index does; see `search`."""
        ...
