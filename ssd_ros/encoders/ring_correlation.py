# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whole turns against whole turns: circular correlation of their rings of descriptors.

A panorama is encoded as a ring of views, each a unit descriptor, evenly around and clockwise from
forward. A turned radar sees the same ring, shifted: of two rings the mean cosine of the views that
meet, at every shift, tells how alike the places are and by which angle one scan is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import wrap_angle

_BLOCK = 256  # places compared at once, which bounds the memory of a query


@dataclass(frozen=True, slots=True)
class RingMatches:
    """
    How near N places are to a query, each at its best shift.

    :param distances: shape (N,) float32, root mean square of those between the views that meet,
        0 (same) to 2 (opposite): between unit vectors if each ring is taken for one
    :param shifts: shape (N,) int64, view 0 of the query meets this view of the place
    :param yaws_rad: shape (N,), heading of the query in the frame of the place, (-pi, pi], between
        the views by a parabola through the best shift and its neighbours
    """

    distances: NDArray[np.float32]
    shifts: NDArray[np.int64]
    yaws_rad: NDArray[np.float64]


def ring_correlation(
    query: NDArray[np.float32], places: NDArray[np.float32]
) -> NDArray[np.float32]:
    """
    Return the mean cosine of the views that meet, for each place and shift, shape (N, V).

    At shift s view j of the query meets view (j + s) % V of the place.

    :param query: shape (V, D), unit length
    :param places: shape (N, V, D), unit length
    :raise ValueError: the shapes do not fit
    """
    if query.ndim != 2 or places.ndim != 3 or query.shape != places.shape[1:]:
        raise ValueError(
            f'the query has shape {query.shape} and places {places.shape}, '
            'expected (V, D) and (N, V, D)'
        )
    num_views, size = query.shape
    views = np.arange(num_views)
    meets = (views[:, None] + views) % num_views  # of the place, by view of the query and shift
    result = np.empty((len(places), num_views), np.float32)
    for start in range(0, len(places), _BLOCK):
        block = places[start : start + _BLOCK]
        cosines = (query @ block.reshape(-1, size).T).reshape(num_views, -1, num_views)
        of_pairs = np.take_along_axis(cosines, meets[:, None], axis=2)
        result[start : start + len(block)] = of_pairs.mean(axis=0)
    return result


def match_rings(query: NDArray[np.float32], places: NDArray[np.float32]) -> RingMatches:
    """Return how near each place is at its best shift; shapes as for ring_correlation."""
    cosines = ring_correlation(query, places)
    num_views = len(query)
    rows, shifts = np.arange(len(cosines)), cosines.argmax(axis=1)
    best = cosines[rows, shifts]
    left = cosines[rows, shifts - 1].astype(np.float64)
    right = cosines[rows, (shifts + 1) % num_views].astype(np.float64)
    bend = 2 * best - left - right  # 0 where all three are equal, as of a single view
    between = (right - left) / np.where(bend > 0, 2 * bend, math.inf)
    yaws_rad = wrap_angle(-(shifts + between) * (2 * math.pi / num_views))
    return RingMatches(np.sqrt(np.maximum(2 - 2 * best, 0)), shifts, yaws_rad)
