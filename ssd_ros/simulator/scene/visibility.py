# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can hide something from a radar: occluders by the direction in which they appear."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.compiled import compiled

NUM_SECTORS = 1024
_STEPS_PER_M = 4  # occluders are sorted by their distance in these steps
_MARGIN = 1e-6  # of directions, and in metres: far above rounding, far below a sector


class Place(NamedTuple):
    """
    From where a radar looks.

    :param shift_m: how far from there it gets while it looks
    :param reach_m: how far it sees
    :param ahead_x: unit vector of its boresight if it does not look behind itself, else 0; so is y
    """

    x: float
    y: float
    shift_m: float
    reach_m: float
    ahead_x: float = 0.0
    ahead_y: float = 0.0


class Panorama(NamedTuple):
    """
    Occluders around a radar, those of each sector of directions nearest first.

    :param first: first entry of each sector in `members`, shape (NUM_SECTORS + 1,)
    :param members: rows of the other fields
    :param nearest_m: no sight line meets the occluder before, shape (N,)
    :param shapes: ax, ay, bx, by, z_low, z_high and transmission as in `Occluders`, shape (N, 7)
    :param is_disc: shape (N,); so are the owners
    """

    first: NDArray[np.int32]
    members: NDArray[np.int32]
    nearest_m: NDArray[np.float32]
    shapes: NDArray[np.float32]
    is_disc: NDArray[np.int32]
    owners: NDArray[np.int32]


@compiled(inline='always')
def direction(dx, dy):  # type: ignore[no-untyped-def]
    """Return a number in [0, 4) that grows with the angle, nowhere faster than it."""
    across = dy / (abs(dx) + abs(dy) + 1e-30)
    if dx < 0:
        return 2.0 - across
    return across if across >= 0 else 4.0 + across


@compiled()
def _distance(o, index, place):  # type: ignore[no-untyped-def]
    """Return the distance to an occluder: 0 within a cylinder, infinity behind the radar."""
    ax, ay = o.ax[index] - place.x, o.ay[index] - place.y
    ahead = place.ahead_x * ax + place.ahead_y * ay
    if o.is_disc[index] == 1:
        radius = o.bx[index]
        return math.inf if ahead < -radius else max(math.sqrt(ax * ax + ay * ay) - radius, 0.0)
    ex, ey = o.bx[index] - o.ax[index], o.by[index] - o.ay[index]
    if ahead < 0 and ahead + place.ahead_x * ex + place.ahead_y * ey < 0:
        return math.inf
    along = min(max(-(ax * ex + ay * ey) / (ex * ex + ey * ey + 1e-12), 0.0), 1.0)
    x, y = ax + along * ex, ay + along * ey
    return math.sqrt(x * x + y * y)


@compiled()
def _sectors(o, index, place, distance_m):  # type: ignore[no-untyped-def]
    """Return the first sector in which an occluder is seen from somewhere, and the last."""
    if distance_m <= place.shift_m + _MARGIN:
        return 0, NUM_SECTORS - 1
    ax, ay = o.ax[index] - place.x, o.ay[index] - place.y
    low, width = direction(ax, ay), 0.0
    margin = math.asin(place.shift_m / distance_m) + _MARGIN
    if o.is_disc[index] == 1:
        margin += math.asin(o.bx[index] / math.sqrt(ax * ax + ay * ay))
    else:
        width = (direction(o.bx[index] - place.x, o.by[index] - place.y) - low) % 4.0
        if width > 2:  # the other end comes first
            low, width = low + width, 4.0 - width
    per_direction = NUM_SECTORS / 4
    first = math.floor((low - margin) * per_direction)
    last = math.floor((low + width + margin) * per_direction)
    return first, min(last, first + NUM_SECTORS - 1)


@compiled()
def _nearest_first(o, place):  # type: ignore[no-untyped-def]
    """Return the occluders in reach by their distance, in steps, and the distances."""
    num, num_steps = len(o.ax), int(place.reach_m * _STEPS_PER_M) + 2
    distance_m, begin = np.empty(num), np.zeros(num_steps + 1, np.int64)
    for index in range(num):
        distance_m[index] = _distance(o, index, place)
        if distance_m[index] < place.reach_m:
            begin[int(distance_m[index] * _STEPS_PER_M) + 1] += 1
    begin = np.cumsum(begin)
    order = np.empty(begin[-1], np.int32)
    for index in range(num):
        if distance_m[index] < place.reach_m:
            step = int(distance_m[index] * _STEPS_PER_M)
            order[begin[step]] = index
            begin[step] += 1
    return order, distance_m


@compiled()
def panorama(o, place):  # type: ignore[no-untyped-def]
    """
    Sort what can hide something from a place into sectors of directions.

    :param o: Occluders
    """
    order, distance_m = _nearest_first(o, place)
    num = len(order)
    seen, begin = np.empty((num, 2), np.int64), np.zeros(NUM_SECTORS + 1, np.int32)
    nearest_m, shapes = np.empty(num, np.float32), np.empty((num, 7), np.float32)
    for row, index in enumerate(order):
        seen[row] = _sectors(o, index, place, distance_m[index])
        for sector in range(seen[row, 0], seen[row, 1] + 1):
            begin[sector % NUM_SECTORS + 1] += 1
        # Where a step begins, so that it never falls.
        step = int(distance_m[index] * _STEPS_PER_M)
        nearest_m[row] = step / _STEPS_PER_M - place.shift_m - _MARGIN
        shapes[row, 0], shapes[row, 1] = o.ax[index], o.ay[index]
        shapes[row, 2], shapes[row, 3] = o.bx[index], o.by[index]
        shapes[row, 4], shapes[row, 5] = o.z_low[index], o.z_high[index]
        shapes[row, 6] = o.transmission[index]
    first = np.cumsum(begin).astype(np.int32)
    members, fill = np.empty(first[-1], np.int32), first.copy()
    for row in range(num):
        for sector in range(seen[row, 0], seen[row, 1] + 1):
            members[fill[sector % NUM_SECTORS]] = row
            fill[sector % NUM_SECTORS] += 1
    return Panorama(first, members, nearest_m, shapes, o.is_disc[order], o.owner[order])


@compiled(inline='always')
def crossing(shapes, is_disc, row, x0, y0, dx, dy):  # type: ignore[no-untyped-def]
    """Return the fraction of the sight line at which it meets an occluder, or -1."""
    ax, ay, bx, by = shapes[row, 0] - x0, shapes[row, 1] - y0, shapes[row, 2], shapes[row, 3]
    if is_disc[row] == 1:
        square = dx * dx + dy * dy
        middle = ax * dx + ay * dy
        rest = middle * middle - square * (ax * ax + ay * ay - bx * bx)
        if rest < 0 or middle < 0:
            return -1.0
        return (middle - math.sqrt(rest)) / square
    ex, ey = bx - x0 - ax, by - y0 - ay
    determinant = dx * ey - dy * ex
    along_wall = ax * dy - ay * dx
    if determinant < 0:
        along_wall = -along_wall
    if along_wall < 0 or along_wall > abs(determinant) or determinant == 0:
        return -1.0
    return (ax * ey - ay * ex) / determinant
