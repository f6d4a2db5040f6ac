# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The search for a pose as compiled code, see PoseSearch.

What takes time is to read rows of cells at places without order and to add them up. A row fits
into a register of every processor, which the compiler does not find out by itself: it is told, and
that the sums stay in others meanwhile.
What is compiled is kept by the date of this file: one who changes constants of others touches it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import float32, types
from numba.extending import intrinsic
import numpy as np
from numpy.typing import NDArray
from ssd_ros.compiled import compiled
from ssd_ros.verification.likelihood import (
    AT_ONCE,
    COARSE_M,
    COARSE_STAMP,
    DRAWN_M,
    FINE_M,
    FINE_STAMP,
    HALF_M,
    KeyframeGrids,
    NUM_COARSE,
    NUM_FINE,
    ROW,
    SEARCH_M,
)
from ssd_ros.verification.pose_search import (
    CLOSER,
    CLOSER_STEP,
    FINE,
    FINE_POSES,
    FINE_YAWS_RAD,
    Fit,
    Headings,
    NUM_RIVALS,
    NUM_STARTS,
    RIVAL_M,
)
from ssd_ros.verification.returns import NO_RETURN

_OPTIONS = {'nogil': True, 'error_model': 'numpy'}
_BYTES, _SUMS = types.uint8[::1], types.uint32[::1]
_RETURNS = types.Array(types.int16, 2, 'C', readonly=True)
_POINTS = types.Array(types.float32, 2, 'C', readonly=True)
_TURNS = types.float32[:, ::1]
_STAMP_ROW = 8  # cells of a row of a stamp, filled up


def _filled(stamp: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(stamp, ((0, 0), (0, _STAMP_ROW - len(stamp)))).ravel()


_FINE_STAMP, _COARSE_STAMP = _filled(FINE_STAMP), _filled(COARSE_STAMP)


def _typed_raise(context: Any, own: Any, at: Any, other: Any, index: Any) -> Any:
    """Raise a row of bytes of an array to those of another, each from an index on; no check."""
    row = ir.VectorType(ir.IntType(8), _STAMP_ROW)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        places = []
        for array, index in ((0, 1), (2, 3)):
            data = context.make_array(signature.args[array])(context, builder, values[array]).data
            places.append(builder.bitcast(builder.gep(data, [values[index]]), row.as_pointer()))
        own, other = (builder.load(place, align=1) for place in places)
        greater = builder.select(builder.icmp_unsigned('>', own, other), own, other)
        builder.store(greater, places[0], align=1)
        return context.get_dummy_value()

    return types.void(own, types.intp, other, types.intp), generate


def _row_sums(num_rows: int) -> Any:
    """
    Return a function that adds up rows of a grid, below each other, over one cell or more.

    It gets where the sums go, the grid, the cells, how far from a cell its first row begins, and
    from one row to the next. The sums stay in registers meanwhile.
    """
    sums_of_row, byte_row = (ir.VectorType(ir.IntType(bits), ROW) for bits in (16, 8))

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], values, strict=False)
        ]
        found, grid, cells = (array.data for array in arrays)
        before, loop = builder.block, builder.append_basic_block('cells')
        after = builder.append_basic_block('after')
        end = builder.extract_value(arrays[2].shape, 0)
        builder.branch(loop)
        builder.position_at_end(loop)
        number = builder.phi(end.type)
        number.add_incoming(ir.Constant(end.type, 0), before)
        sums = [builder.phi(sums_of_row) for _ in range(num_rows)]
        place, totals = builder.add(builder.load(builder.gep(cells, [number])), values[3]), []
        for each in sums:
            each.add_incoming(ir.Constant(sums_of_row, None), before)
            data = builder.bitcast(builder.gep(grid, [place]), byte_row.as_pointer())
            totals.append(
                builder.add(each, builder.zext(builder.load(data, align=1), sums_of_row))
            )
            each.add_incoming(totals[-1], loop)
            place = builder.add(place, values[4])
        following = builder.add(number, ir.Constant(end.type, 1))
        number.add_incoming(following, loop)
        builder.cbranch(builder.icmp_signed('<', following, end), loop, after)
        builder.position_at_end(after)
        for row, total in enumerate(totals):
            data = builder.gep(found, [ir.Constant(end.type, row * ROW)])
            builder.store(total, builder.bitcast(data, sums_of_row.as_pointer()), align=2)
        return context.get_dummy_value()

    def typed(context: Any, found: Any, grid: Any, cells: Any, shift: Any, stride: Any) -> Any:
        return types.void(found, grid, cells, types.intp, types.intp), generate

    return intrinsic(typed)


_SIDES = 2 * SEARCH_M + 1, 2 * FINE + 1, 2 * CLOSER // CLOSER_STEP + 1
_sum_search, _sum_fine, _sum_closer = map(_row_sums, _SIDES)
_raise_row: Any = intrinsic(_typed_raise)


@compiled(**_OPTIONS)
def _stamp(x_m: Any, y_m: Any, per_m: Any, num: Any, stamp: Any, grid: Any) -> None:
    rows = len(stamp) // _STAMP_ROW
    column, row = int((x_m + HALF_M) * per_m), int((y_m + HALF_M) * per_m)
    first = (row - rows // 2) * num + column - rows // 2
    for number in range(rows):
        _raise_row(grid, first + number * num, stamp, number * _STAMP_ROW)


@compiled(types.intp(_RETURNS, _BYTES, _BYTES), **_OPTIONS)
def _draw(returns_cm: Any, fine: Any, coarse: Any) -> Any:
    fine[:] = 0
    coarse[:] = 0
    count = 0
    for number in range(len(returns_cm)):
        x_m, y_m = returns_cm[number, 0] / 100, returns_cm[number, 1] / 100
        is_used = returns_cm[number, 0] != NO_RETURN
        if is_used and abs(x_m) < DRAWN_M and abs(y_m) < DRAWN_M:
            count += 1
            _stamp(x_m, y_m, 1 / FINE_M, NUM_FINE, _FINE_STAMP, fine)
            _stamp(x_m, y_m, 1 / COARSE_M, NUM_COARSE, _COARSE_STAMP, coarse)
    return count


@compiled(**_OPTIONS)
def _place(
    points: Any, step: Any, cos: Any, sin: Any, x_m: Any, y_m: Any, cell_m: Any, cells: Any
) -> Any:
    """Fill in the cells in which every step-th point lies at a pose; return their number."""
    shift_x, shift_y, half = float32(x_m), float32(y_m), float32(HALF_M)
    per_m, num = float32(1 / cell_m), int(2 * HALF_M / cell_m)
    count = (len(points) + step - 1) // step
    for number in range(count):
        x, y = points[number * step, 0], points[number * step, 1]
        column = int((((cos * x - sin * y) + shift_x) + half) * per_m)
        row = int((((sin * x + cos * y) + shift_y) + half) * per_m)
        cells[number] = row * num + column
    return count


@compiled(**_OPTIONS)
def _window_sums(cells: Any, grid: Any, num: Any, reach: Any, step: Any, sums: Any) -> None:
    """Fill the sums over points for all shifts by cells, shape (along y, along x)."""
    side = len(sums)
    part = np.empty(side * ROW, np.uint16)
    sums[:] = 0
    for first in range(0, len(cells), AT_ONCE):
        some, shift, stride = cells[first : first + AT_ONCE], -reach * num - reach, step * num
        if side == _SIDES[0]:
            _sum_search(part, grid, some, shift, stride)
        elif side == _SIDES[1]:
            _sum_fine(part, grid, some, shift, stride)
        else:
            _sum_closer(part, grid, some, shift, stride)
        for row in range(side):
            for column in range(side):
                sums[row, column] += part[row * ROW + column * step]


@compiled(**_OPTIONS)
def _best_of(
    rough: Any, num: Any, points: Any, step: Any, cos: Any, sin: Any, fine: Any, cells: Any
) -> Any:
    """Return sum, turn, x and y of the best, looked at closely, of the num greatest sums."""
    values, places = np.full(num + 1, -1), np.zeros(num + 1, np.int64)
    for place, value in enumerate(rough.ravel()):
        if value > values[num - 1]:
            rank = num - 1
            while rank > 0 and value > values[rank - 1]:
                values[rank], places[rank] = values[rank - 1], places[rank - 1]
                rank -= 1
            values[rank], places[rank] = value, place
    side, closer_side = 2 * SEARCH_M + 1, 2 * CLOSER // CLOSER_STEP + 1
    closer = np.empty((closer_side, closer_side), np.int64)
    best = (-1, 0, 0.0, 0.0)
    for place in places[:num]:
        turn = place // side**2
        x_m, y_m = (
            (place % side - SEARCH_M) * COARSE_M,
            (place // side % side - SEARCH_M) * COARSE_M,
        )
        count = _place(points, step, cos[turn, 0], sin[turn, 0], x_m, y_m, FINE_M, cells)
        _window_sums(cells[:count], fine, NUM_FINE, CLOSER, CLOSER_STEP, closer)
        at = closer.argmax()
        if closer.ravel()[at] > best[0]:
            x_m += (at % closer_side * CLOSER_STEP - CLOSER) * FINE_M
            y_m += (at // closer_side * CLOSER_STEP - CLOSER) * FINE_M
            best = (closer.ravel()[at], turn, x_m, y_m)
    return best


@compiled(
    types.void(_POINTS, _TURNS, _TURNS, _BYTES, _BYTES, types.float64[::1], _SUMS, _BYTES),
    **_OPTIONS,
)
def _fit(
    points: Any,
    cos: Any,
    sin: Any,
    fine: Any,
    coarse: Any,
    found: Any,
    sums: Any,
    explained: Any,
) -> None:
    """Fill in turn, x, y and the greatest sum elsewhere; sums; how points are explained."""
    cells = np.empty(len(points), np.int64)
    num_shifts = 2 * SEARCH_M + 1
    rough = np.empty((len(cos), num_shifts, num_shifts), np.int64)
    for turn in range(len(cos)):
        half = _place(points, 2, cos[turn, 0], sin[turn, 0], 0.0, 0.0, COARSE_M, cells)
        _window_sums(cells[:half], coarse, NUM_COARSE, SEARCH_M, 1, rough[turn])
    _, turn, x_m, y_m = _best_of(rough, NUM_STARTS, points, 2, cos, sin, fine, cells)
    for row in range(num_shifts):
        for column in range(num_shifts):
            apart_x, apart_y = column - SEARCH_M - x_m, row - SEARCH_M - y_m
            if apart_x * apart_x + apart_y * apart_y <= RIVAL_M * RIVAL_M:
                rough[:, row, column] = -1
    elsewhere = _best_of(rough, NUM_RIVALS, points, 1, cos, sin, fine, cells)[0]
    side = 2 * FINE + 1
    near = np.empty((len(FINE_YAWS_RAD), side, side), np.int64)
    for yaw in range(len(near)):
        _place(points, 1, cos[turn, 1 + yaw], sin[turn, 1 + yaw], x_m, y_m, FINE_M, cells)
        _window_sums(cells, fine, NUM_FINE, FINE, 1, near[yaw])
    sums[:] = near.ravel()
    best = near.argmax()
    yaw, row, column = best // side**2, best // side % side, best % side
    x, y = x_m + (column - FINE) * FINE_M, y_m + (row - FINE) * FINE_M
    _place(points, 1, cos[turn, 1 + yaw], sin[turn, 1 + yaw], x, y, FINE_M, cells)
    for number in range(len(points)):
        explained[number] = fine[cells[number]]
    found[0], found[1], found[2], found[3] = turn, x_m, y_m, elsewhere


def draw(returns_cm: NDArray[np.int16], grids: KeyframeGrids) -> None:
    """Draw a keyframe, see PoseSearch."""
    grids.num_returns = _draw(np.ascontiguousarray(returns_cm), grids.fine, grids.coarse)


def fit(points_m: NDArray[np.float32], headings: Headings, grids: KeyframeGrids) -> Fit:
    """Find a pose, see PoseSearch."""
    found, sums = np.empty(4), np.empty(len(FINE_POSES), np.uint32)
    explained = np.empty(len(points_m), np.uint8)
    _, cos, sin = headings
    _fit(points_m, cos, sin, grids.fine, grids.coarse, found, sums, explained)
    turn, x_m, y_m, elsewhere = found.tolist()
    return Fit(int(turn), x_m, y_m, int(elsewhere), sums, explained)
