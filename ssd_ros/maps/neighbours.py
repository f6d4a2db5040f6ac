# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an index of places is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


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


class PlaceIndex(Protocol):
    """Unit descriptors of keyframes in the order in which they came."""

    @property
    def view_yaws_rad(self) -> NDArray[np.float64]:
        """Heading of each view relative to its keyframe, counter-clockwise, (num_views,)."""
        ...

    @property
    def bytes_per_row(self) -> int:
        """Memory that a descriptor takes."""
        ...

    def __len__(self) -> int:
        """Return the number of descriptors."""
        ...

    def add(self, descriptors: NDArray[np.float32]) -> None:
        """
        Append descriptors; they are copied.

        :param descriptors: shape (N, D); the views of one keyframe stand together
        """
        ...

    def clear(self) -> None:
        """Forget all descriptors."""
        ...

    def descriptors(self) -> NDArray[np.float32]:
        """Return all descriptors, shape (N, D), read-only."""
        ...

    def search(
        self, descriptor: NDArray[np.float32], num_rows: int, first: int | None = None
    ) -> Neighbours:
        """
        Return the keyframes among the nearest rows, each with its best view.

        :param descriptor: shape (D,)
        :param num_rows: rows to look at
        :param first: search only so many of the oldest keyframes
        """
        ...

    def search_turn(
        self, ring: NDArray[np.float32], num_keyframes: int, first: int | None = None
    ) -> Neighbours:
        """
        Return the keyframes nearest to a whole turn, each at its best rotation.

        Of more than SHORT_LIST keyframes with descriptors of a network, those are searched that
        the views of the turn find.

        :param ring: shape (V, D), as many views as a keyframe has
        """
        ...
