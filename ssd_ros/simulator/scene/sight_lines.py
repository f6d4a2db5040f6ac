# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which scatterers a radar sees how well.

Every sight line collects all occluders that it crosses (2.5-D: each occluder has a lower and an
upper edge), so partly transparent things weaken what lies behind and nothing is cut off.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.compiled import compiled
from ssd_ros.simulator.scene.visibility import crossing, direction, NUM_SECTORS

NUM_LINES = 2048  # of sight lines that are shared, .11 to .22 degrees apart


class Lines(NamedTuple):
    """
    What lies on the middle lines of NUM_LINES sectors.

    :param first: first hit of each line, shape (NUM_LINES + 1,); (0,) without shared lines
    :param row: of what is hit in Panorama, shape (N,)
    :param distance_m: how far off, shape (N,)
    """

    first: NDArray[np.int32]
    row: NDArray[np.int32]
    distance_m: NDArray[np.float32]


def line_directions() -> NDArray[np.float64]:
    """Return the vectors along the shared lines, shape (NUM_LINES, 2), none of unit length."""
    place = (np.arange(NUM_LINES) + 0.5) * (4 / NUM_LINES)
    # The inverse of `direction`.
    x = np.abs(2 - place) - 1
    y = np.where(place < 2, 1 - np.abs(1 - place), np.abs(3 - place) - 1)
    return np.column_stack([x, y])


@compiled()
def shared_lines(around, starts, directions, reach_m):  # type: ignore[no-untyped-def]
    """
    Follow the shared lines as far as a radar sees.

    :param around: Panorama
    :param starts: where the radar is when it looks along each, shape (NUM_LINES, 2), or (0, 2)
    :param directions: see `line_directions`
    """
    num_each = NUM_LINES // NUM_SECTORS
    first = np.zeros(len(starts) + min(len(starts), 1), np.int32)
    room = len(around.members) * num_each if len(starts) > 0 else 0
    rows, distance_m, num = np.empty(room, np.int32), np.empty(room, np.float32), 0
    for line in range(len(starts)):
        x0, y0 = starts[line]
        dx, dy = directions[line]
        length = math.sqrt(dx * dx + dy * dy)
        dx, dy = dx * reach_m / length, dy * reach_m / length
        sector = line // num_each
        for member in range(around.first[sector], around.first[sector + 1]):
            row = around.members[member]
            at = crossing(around.shapes, around.is_disc, row, x0, y0, dx, dy)
            if 0 <= at < 1:
                rows[num], distance_m[num] = row, at * reach_m
                num += 1
        first[line + 1] = num
    return Lines(first, rows[:num], distance_m[:num])


@compiled()
def _along_line(around, lines, start, end, owner, least):  # type: ignore[no-untyped-def]
    """Return the transmission of what the line nearest to a sight line meets before its end."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length_m = math.sqrt(dx * dx + dy * dy)
    climb = (end[2] - start[2]) / length_m
    line = int(direction(dx, dy) * (NUM_LINES / 4)) % NUM_LINES
    total = 1.0
    for hit in range(lines.first[line], lines.first[line + 1]):
        row, distance_m = lines.row[hit], lines.distance_m[hit]
        if distance_m >= length_m or (owner >= 0 and around.owners[row] == owner):
            continue
        z = start[2] + distance_m * climb
        if around.shapes[row, 4] <= z <= around.shapes[row, 5]:
            total *= around.shapes[row, 6]
            if total < least:
                return 0.0
    return total


@compiled()
def transmission(around, lines, start, end, owner, least):  # type: ignore[no-untyped-def]
    """
    Return the one-way power transmission of the straight line from start to end.

    :param around: Panorama of the place
    :param lines: Lines; where there are none, each sight line is followed by itself
    :param start: x, y, z of the radar
    :param end: x, y, z of the scatterer, whose own object does not hide it
    :param least: stop and return 0 as soon as the transmission falls below
    """
    if len(lines.first) > 0:
        return _along_line(around, lines, start, end, owner, least)
    x0, y0, z0 = start
    dx, dy, dz = end[0] - x0, end[1] - y0, end[2] - z0
    length_m = math.sqrt(dx * dx + dy * dy)
    sector = int(direction(dx, dy) * (NUM_SECTORS / 4)) % NUM_SECTORS
    total = 1.0
    for member in range(around.first[sector], around.first[sector + 1]):
        row = around.members[member]
        if around.nearest_m[row] > length_m:
            break
        if owner >= 0 and around.owners[row] == owner:
            continue
        at = crossing(around.shapes, around.is_disc, row, x0, y0, dx, dy)
        if 0 <= at < 1 and around.shapes[row, 4] <= z0 + at * dz <= around.shapes[row, 5]:
            total *= around.shapes[row, 6]
            if total < least:
                return 0.0
    return total
