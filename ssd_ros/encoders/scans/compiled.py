# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distances to rows of bytes, and bounds of them, compiled."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import int32, types
from numba.extending import intrinsic
from ssd_ros.compiled import compiled
from ssd_ros.encoders.scans.bounded import HEAD  # known, it halves the time of the loop

_ROWS, _ROW = (types.Array(types.uint8, dimensions, 'C', readonly=True) for dimensions in (2, 1))
_LINE, _AHEAD = 64, 8  # bytes that are read at once, and rows ahead: their places have no order
_CHOSEN = types.Array(types.int64, 1, 'C', readonly=True)


@compiled(types.void(_ROWS, _ROW, types.int32[::1]), nogil=True, error_model='numpy')
def squares(rows: Any, query: Any, found: Any) -> None:
    """
    Fill in the squared distance to each row.

    :param rows: shape (N, D) uint8
    :param query: shape (D,) uint8
    :param found: shape (N,) int32
    """
    for number in range(len(rows)):
        total = int32(0)
        for column in range(len(query)):
            apart = int32(rows[number, column]) - int32(query[column])
            total += apart * apart
        found[number] = total


def _typed_fetch(context: Any, row: Any) -> Any:
    """Have the processor read what stands at the beginning of an array, without waiting."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = context.make_array(signature.args[0])(context, builder, values[0]).data
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        fetch = builder.module.declare_intrinsic('llvm.prefetch', [place.type], kind)
        builder.call(fetch, [place, *(ir.Constant(number, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(row), generate


_fetch: Any = intrinsic(_typed_fetch)


@compiled(types.void(_ROWS, _CHOSEN, _ROW, types.int32[::1]), nogil=True, error_model='numpy')
def squares_of(rows: Any, chosen: Any, query: Any, found: Any) -> None:
    """
    Fill in the squared distances to some rows.

    :param rows: shape (N, D) uint8
    :param chosen: shape (K,) int64, which of them
    :param query: shape (D,) uint8
    :param found: shape (K,) int32
    """
    for number in range(len(chosen)):
        if number + _AHEAD < len(chosen):
            for column in range(0, len(query), _LINE):
                _fetch(rows[chosen[number + _AHEAD], column:])
        row, total = chosen[number], int32(0)
        for column in range(len(query)):
            apart = int32(rows[row, column]) - int32(query[column])
            total += apart * apart
        found[number] = total


@compiled(
    types.void(
        types.int8[:, ::1], types.int16[::1], _ROW, types.int32, types.int32, types.int32[::1]
    ),
    nogil=True,
    error_model='numpy',
)
def bounds(heads: Any, key: Any, tails: Any, weight: Any, offset: Any, found: Any) -> None:
    """
    Fill in the products of heads with a key, with what tails add to them.

    :param heads: shape (N, HEAD) int8
    :param key: shape (HEAD,) int16
    :param tails: shape (N,) uint8
    :param weight: of the tails
    :param offset: added to all
    :param found: shape (N,) int32
    """
    for number in range(len(heads)):
        total = int32(0)
        for column in range(HEAD):
            total += int32(heads[number, column]) * int32(key[column])
        found[number] = total + weight * int32(tails[number]) + offset
