# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Where the beams of a LiDAR end: every column of beams is followed once, each beam along it.

The kernel is compiled; randomness comes in as arrays, so that it stays reproducible.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.compiled import compiled
from ssd_ros.simulator.lidar.surfaces import GROUND_REFLECTANCE, LEAVES, VEHICLE
from ssd_ros.simulator.scene.visibility import crossing, direction, NUM_SECTORS

NOTHING, GROUND = -2, -1  # instead of the number of a surface
_MAX_CROSSINGS = 512
_GOLDEN = 0.6180339887  # a second number that has little to do with the first
_ROUGHNESS = 0.1  # the least cosine: nothing is so smooth that it sends no light back


class Columns(NamedTuple):
    """
    Where each column of beams starts and which way it looks, world frame.

    :param starts_m: shape (C, 2)
    :param directions: unit length, shape (C, 2)
    """

    starts_m: NDArray[np.float64]
    directions: NDArray[np.float64]


@compiled(inline='always')
def _cosine(around, row, x, y, dx, dy):  # type: ignore[no-untyped-def]
    """Return the cosine of incidence of a horizontal beam that meets a surface at x, y."""
    shapes = around.shapes
    if around.is_disc[row] == 1:
        nx, ny = x - shapes[row, 0], y - shapes[row, 1]
    else:
        nx, ny = shapes[row, 1] - shapes[row, 3], shapes[row, 2] - shapes[row, 0]
    return abs(nx * dx + ny * dy) / (math.sqrt(nx * nx + ny * ny) + 1e-9)


@compiled(inline='always')
def _is_leaving(shapes, row, dx, dy):  # type: ignore[no-untyped-def]
    """Tell whether a beam comes out of a vehicle, whose sides run clockwise."""
    ex, ey = shapes[row, 2] - shapes[row, 0], shapes[row, 3] - shapes[row, 1]
    return ex * dy - ey * dx > 0


@compiled()
def _crossings(around, start, ahead, reach_m, found, distance_m):  # type: ignore[no-untyped-def]
    """Collect what the line of a column crosses, nearest first; return how much."""
    sector = int(direction(ahead[0], ahead[1]) * (NUM_SECTORS / 4)) % NUM_SECTORS
    dx, dy = ahead[0] * reach_m, ahead[1] * reach_m
    num = 0
    for member in range(around.first[sector], around.first[sector + 1]):
        row = around.members[member]
        at = crossing(around.shapes, around.is_disc, row, start[0], start[1], dx, dy)
        if at < 0 or at >= 1 or num == len(found):
            continue
        place = num
        while place > 0 and distance_m[place - 1] > at * reach_m:
            found[place], distance_m[place] = found[place - 1], distance_m[place - 1]
            place -= 1
        found[place], distance_m[place] = row, at * reach_m
        num += 1
    return num


@compiled()
def cast(  # type: ignore[no-untyped-def]
    around, reflectance, matter, columns, tangents, height_m, reach_m, uniform
):
    """
    Follow every beam to the first surface that stops it.

    :param around: Panorama of the surfaces
    :param reflectance: of each surface, shape (N,); so is its matter
    :param columns: Columns
    :param tangents: of the elevation of each ring, shape (R,)
    :param uniform: random in [0, 1), shape (C, R)
    :return: horizontal distance, reflectance times the cosine of incidence, number of the
        surface, NOTHING or GROUND; all of shape (C, R)
    """
    num_columns, num_rings = uniform.shape
    ranges = np.zeros((num_columns, num_rings), np.float32)
    strengths = np.zeros((num_columns, num_rings), np.float32)
    rows = np.full((num_columns, num_rings), NOTHING, np.int32)
    found, distance_m = np.empty(_MAX_CROSSINGS, np.int32), np.empty(_MAX_CROSSINGS)
    for column in range(num_columns):
        start, ahead = columns.starts_m[column], columns.directions[column]
        num = _crossings(around, start, ahead, reach_m, found, distance_m)
        for ring in range(num_rings):
            tangent, draw = tangents[ring], uniform[column, ring]
            cos_elevation = 1 / math.sqrt(1 + tangent * tangent)
            ground_m = -height_m / tangent if tangent < 0 else math.inf
            for hit in range(num):
                row, at_m = around.owners[found[hit]], distance_m[hit]
                if at_m >= ground_m:
                    break
                z = height_m + at_m * tangent
                low, high = around.shapes[found[hit], 4], around.shapes[found[hit], 5]
                if not low <= z <= high:
                    continue
                draw = (draw + _GOLDEN) % 1.0
                if draw < around.shapes[found[hit], 6]:
                    continue
                x, y = start[0] + at_m * ahead[0], start[1] + at_m * ahead[1]
                cosine = cos_elevation * _cosine(around, found[hit], x, y, ahead[0], ahead[1])
                if matter[row] == LEAVES:
                    # Somewhere inside, and never a smooth surface.
                    deep = (draw * 7919.0) % 1.0
                    at_m += deep * around.shapes[found[hit], 2]
                    cosine = 0.3 + 0.5 * deep
                elif (
                    matter[row] == VEHICLE
                    and tangent < 0
                    and _is_leaving(around.shapes, found[hit], ahead[0], ahead[1])
                ):
                    # In over the near side, so through the roof.
                    at_m, cosine = (high - height_m) / tangent, -tangent * cos_elevation
                ranges[column, ring] = at_m
                strengths[column, ring] = reflectance[row] * max(cosine, _ROUGHNESS)
                rows[column, ring] = row
                break
            if rows[column, ring] == NOTHING and ground_m < reach_m:
                ranges[column, ring] = ground_m
                cosine = max(-tangent * cos_elevation, _ROUGHNESS)
                strengths[column, ring] = GROUND_REFLECTANCE * cosine
                rows[column, ring] = GROUND
    return ranges, strengths, rows
