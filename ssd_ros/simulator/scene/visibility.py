# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which scatterers a radar sees how well: a uniform grid of occluders, walked cell by cell.

Every sight line collects all occluders that it crosses (2.5-D: each occluder has a lower and an
upper edge), so partly transparent things weaken what lies behind and nothing is cut off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.compiled import compiled
from ssd_ros.simulator.scene.elements import Occluders

CELL_M = 5.0


class OccluderGrid(NamedTuple):
    """
    Occluders sorted into square cells.

    :param first: first entry of each cell in `members`, shape (num_x * num_y + 1,)
    :param members: indices of occluders
    """

    origin_x: float
    origin_y: float
    num_x: int
    num_y: int
    first: NDArray[np.int32]
    members: NDArray[np.int32]


def occluder_grid(occluders: Occluders) -> OccluderGrid:
    """Sort occluders into cells by their bounding boxes."""
    is_disc = occluders.is_disc == 1
    radius = np.where(is_disc, occluders.bx, 0.0)
    far_x = np.where(is_disc, occluders.ax, occluders.bx)
    far_y = np.where(is_disc, occluders.ay, occluders.by)
    low_x, high_x = np.minimum(occluders.ax, far_x) - radius, np.maximum(occluders.ax, far_x)
    low_y, high_y = np.minimum(occluders.ay, far_y) - radius, np.maximum(occluders.ay, far_y)
    boxes = np.column_stack([low_x, low_y, high_x + radius, high_y + radius])
    origin = boxes[:, :2].min(axis=0) - CELL_M if len(boxes) else np.zeros(2)
    cells = ((boxes - np.tile(origin, 2)) / CELL_M).astype(np.int32)
    num_x, num_y = (cells[:, 2:].max(axis=0) + 2).tolist() if len(boxes) else (1, 1)
    first, members = _fill_cells(cells, num_x, num_y)
    return OccluderGrid(float(origin[0]), float(origin[1]), num_x, num_y, first, members)


@compiled()
def _fill_cells(cells, num_x, num_y):  # type: ignore[no-untyped-def]
    first = np.zeros(num_x * num_y + 1, np.int32)
    for index in range(len(cells)):
        for y in range(cells[index, 1], cells[index, 3] + 1):
            for x in range(cells[index, 0], cells[index, 2] + 1):
                first[y * num_x + x + 1] += 1
    first = np.cumsum(first).astype(np.int32)
    fill = first[:-1].copy()
    members = np.empty(first[-1], np.int32)
    for index in range(len(cells)):
        for y in range(cells[index, 1], cells[index, 3] + 1):
            for x in range(cells[index, 0], cells[index, 2] + 1):
                cell = y * num_x + x
                members[fill[cell]] = index
                fill[cell] += 1
    return first, members


@compiled(inline='always')
def _crossing(occluders, index, x0, y0, dx, dy):  # type: ignore[no-untyped-def]
    """Return the fraction of the sight line at which it meets an occluder, or -1."""
    ax, ay = occluders.ax[index] - x0, occluders.ay[index] - y0
    bx, by = occluders.bx[index], occluders.by[index]
    if occluders.is_disc[index] == 1:
        square = dx * dx + dy * dy
        middle = ax * dx + ay * dy
        rest = middle * middle - square * (ax * ax + ay * ay - bx * bx)
        if rest < 0 or middle < 0:
            return -1.0
        return (middle - np.sqrt(rest)) / square
    ex, ey = bx - x0 - ax, by - y0 - ay
    determinant = dx * ey - dy * ex
    if determinant == 0:
        return -1.0
    along_wall = (ax * dy - ay * dx) / determinant
    if along_wall < 0 or along_wall > 1:
        return -1.0
    return (ax * ey - ay * ex) / determinant


@compiled()
def transmission(occluders, grid, start, end, owner, least):  # type: ignore[no-untyped-def]
    """
    Return the one-way power transmission of the straight line from start to end.

    :param start: x, y, z of the radar
    :param end: x, y, z of the scatterer, whose own object does not hide it
    :param least: stop and return 0 as soon as the transmission falls below
    """
    x0, y0, z0 = start
    dx, dy, dz = end[0] - x0, end[1] - y0, end[2] - z0
    cell_x, cell_y = (x0 - grid.origin_x) / CELL_M, (y0 - grid.origin_y) / CELL_M
    x, y = int(np.floor(cell_x)), int(np.floor(cell_y))
    step_x, step_y = (1 if dx > 0 else -1), (1 if dy > 0 else -1)
    per_cell_x = CELL_M / abs(dx) if dx != 0 else 1e9
    per_cell_y = CELL_M / abs(dy) if dy != 0 else 1e9
    next_x = per_cell_x * ((x + 1 - cell_x) if dx > 0 else (cell_x - x))
    next_y = per_cell_y * ((y + 1 - cell_y) if dy > 0 else (cell_y - y))
    total, entry = 1.0, 0.0
    while entry < 1.0:
        leave = min(next_x, next_y, 1.0)
        if 0 <= x < grid.num_x and 0 <= y < grid.num_y:
            cell = y * grid.num_x + x
            for member in range(grid.first[cell], grid.first[cell + 1]):
                index = grid.members[member]
                if owner >= 0 and occluders.owner[index] == owner:
                    continue
                at = _crossing(occluders, index, x0, y0, dx, dy)
                # An occluder lies in several cells and counts in that of its crossing.
                if at < entry or at >= leave:
                    continue
                z = z0 + at * dz
                if occluders.z_low[index] <= z <= occluders.z_high[index]:
                    total *= occluders.transmission[index]
                    if total < least:
                        return 0.0
        entry = leave
        if next_x < next_y:
            next_x += per_cell_x
            x += step_x
        else:
            next_y += per_cell_y
            y += step_y
    return total


@compiled()
def transmission_through_movers(  # type: ignore[no-untyped-def]
    occluders, discs, start, end, owner
):
    """
    Return the one-way power transmission past moving vehicles.

    :param occluders: four sides for each vehicle
    :param discs: x, y and radius of a circle around each vehicle, shape (N, 3)
    """
    x0, y0, z0 = start
    dx, dy, dz = end[0] - x0, end[1] - y0, end[2] - z0
    square = dx * dx + dy * dy + 1e-12
    total = 1.0
    for vehicle in range(len(discs)):
        cx, cy = discs[vehicle, 0] - x0, discs[vehicle, 1] - y0
        nearest = min(max((cx * dx + cy * dy) / square, 0.0), 1.0)
        gap_x, gap_y = cx - nearest * dx, cy - nearest * dy
        if gap_x * gap_x + gap_y * gap_y > discs[vehicle, 2] ** 2:
            continue
        for index in range(4 * vehicle, 4 * vehicle + 4):
            if occluders.owner[index] == owner:
                continue
            at = _crossing(occluders, index, x0, y0, dx, dy)
            z = z0 + at * dz
            if 0 <= at < 1 and occluders.z_low[index] <= z <= occluders.z_high[index]:
                total *= occluders.transmission[index]
    return total
