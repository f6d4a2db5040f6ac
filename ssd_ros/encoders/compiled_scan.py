# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Distances to rows of bytes, compiled."""

from __future__ import annotations

from typing import Any

from numba import int32, types
from ssd_ros.compiled import compiled

_ROWS, _ROW = (types.Array(types.uint8, dimensions, 'C', readonly=True) for dimensions in (2, 1))


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
