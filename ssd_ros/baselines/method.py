# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What every place-recognition method is to a benchmark: fit, describe, search.

Learned and handcrafted methods, of single vectors or of whole images, for spinning radar and for
4D radar, are judged through this one protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.bev.polar_bev import view_yaws_rad

Descriptors = NDArray[Any]
"""Numbers of any kind; the first axis counts images or places."""


class Closure(NamedTuple):
    """
    What came of laying a query over a place.

    :param relative_yaw_rad: heading of the query in the frame of the place; NaN if there is none
    :param is_accepted: whether the method would close a loop by it
    """

    relative_yaw_rad: float
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class Matches:
    """
    How well N places fit each of Q queries, each at its best view and rotation.

    :param distances: shape (Q, N), smaller is better
    :param relative_yaws_rad: shape (Q, N), heading of the query in the frame of the place; NaN
        if the method cannot tell
    :param close: lays a query over a place, both by number; None = the method only ranks
    """

    distances: NDArray[np.float32]
    relative_yaws_rad: NDArray[np.float64]
    close: Callable[[int, int], Closure] | None = None


class MapIndex(Protocol):
    """The places of a map, ready to be searched."""

    def search(self, queries: Descriptors) -> Matches:
        """
        Compare queries with every place.

        :param queries: shape (Q, ...), what Method.describe gave for each
        """
        ...


class Method(Protocol):
    """One method of place recognition."""

    @property
    def fits_map(self) -> bool:
        """Whether descriptors depend on what `fit` was given."""
        ...

    @property
    def way_m(self) -> float:
        """Length of the way that an image needs to have `before` it; 0 = none."""
        ...

    def fit(self, images: Sequence[PolarImage]) -> None:
        """Learn what the method learns from the images of a map."""
        ...

    def describe(self, image: PolarImage) -> Descriptors:
        """Return the descriptor of a query."""
        ...

    def describe_place(self, image: PolarImage, for_part: bool) -> Descriptors:
        """
        Return the descriptors of a mapped place, one for each of its views, shape (V, ...).

        :param for_part: the queries see only a part of what the image shows
        """
        ...

    def index(self, places: Descriptors) -> MapIndex:
        """
        Make places searchable.

        :param places: shape (N, V, ...)
        """
        ...


class Handcrafted:
    """
    What methods that are not learned have in common.

    A method of one vector cannot tell a part of a turn from a turn with nothing in the rest. Where
    num_views is above 1, a place is therefore described once for each of so many headings, as the
    field of view of the query would show it.
    """

    num_views = 1
    fits_map = False
    way_m = 0.0

    def fit(self, images: Sequence[PolarImage]) -> None:
        """Learn nothing."""

    def describe(self, image: PolarImage) -> Descriptors:
        """Return the descriptor of an image."""
        raise NotImplementedError

    def describe_place(self, image: PolarImage, for_part: bool) -> Descriptors:
        """Return one descriptor, or one for each view if a part of the turn is asked for."""
        if for_part and self.num_views > 1:
            return np.stack([self.describe(view) for view in image.views(self.num_views)])
        return self.describe(image)[None]

    def index(self, places: Descriptors) -> MapIndex:
        """Return places to be compared by the distance between their vectors."""
        return DistanceIndex(places)


def best_views(distances: NDArray[np.float32]) -> Matches:
    """
    Return the nearest view of each place, and its heading.

    :param distances: shape (Q, N, V)
    """
    views = distances.argmin(axis=2)
    nearest = np.take_along_axis(distances, views[..., None], axis=2)[..., 0]
    num_views = distances.shape[2]
    # One view is all that there is, not a heading.
    yaws = view_yaws_rad(num_views) if num_views > 1 else np.array([math.nan])
    return Matches(nearest, yaws[views])


class DistanceIndex:
    """Vectors that are compared by their Euclidean distance."""

    def __init__(self, places: NDArray[np.float32]) -> None:
        """
        Take over places.

        :param places: shape (N, V, D)
        """
        self._shape = places.shape
        self._rows = places.reshape(-1, places.shape[-1])
        self._squares = np.einsum('ij,ij->i', self._rows, self._rows)

    def search(self, queries: NDArray[np.float32]) -> Matches:
        """Return the distance to the nearest view of each place, and its heading."""
        num_places, num_views, _ = self._shape
        squares = np.einsum('ij,ij->i', queries, queries)[:, None] + self._squares
        squares -= 2 * (queries @ self._rows.T)
        distances = np.sqrt(np.maximum(squares, 0, out=squares), out=squares)
        return best_views(distances.reshape(-1, num_places, num_views))
