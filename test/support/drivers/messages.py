# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages as radar drivers send them, byte by byte, for tests without ROS."""

from __future__ import annotations

import array
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

DATATYPES = {'i1': 1, 'u1': 2, 'i2': 3, 'u2': 4, 'i4': 5, 'u4': 6, 'f4': 7, 'f8': 8}

# A driver's layout: name, offset, type.
Layout = Sequence[tuple[str, int, str]]


def message(
    layout: Layout, step: int, columns: dict[str, Any], order: str = '<', count: int = 1
) -> Any:
    """Return a PointCloud2 with one row; fields without a column hold zeros."""
    width = len(next(iter(columns.values())))
    names = [name for name, _, _ in layout]
    formats = [order + kind for _, _, kind in layout]
    offsets = [offset for _, offset, _ in layout]
    dtype = np.dtype({'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': step})
    points = np.zeros(width, dtype)
    for name in names:
        if name in columns:
            points[name] = columns[name]
    fields = [
        SimpleNamespace(name=name, offset=offset, datatype=DATATYPES[kind], count=count)
        for name, offset, kind in layout
    ]
    return SimpleNamespace(
        header=header(),
        height=1,
        width=width,
        fields=fields,
        is_bigendian=order == '>',
        point_step=step,
        row_step=width * step,
        data=array.array('B', points.tobytes()),
        is_dense=True,
    )


def header() -> SimpleNamespace:
    """Return a header of frame `radar`."""
    return SimpleNamespace(stamp=SimpleNamespace(sec=12, nanosec=34), frame_id='radar')


def message_v1(columns: dict[str, Any]) -> Any:
    """Return a sensor_msgs/PointCloud; what is not x, y, z is a channel."""
    points = [
        SimpleNamespace(x=x, y=y, z=z)
        for x, y, z in zip(columns['x'], columns['y'], columns['z'], strict=True)
    ]
    channels = [
        SimpleNamespace(name=name, values=array.array('f', values))
        for name, values in columns.items()
        if name not in ('x', 'y', 'z')
    ]
    return SimpleNamespace(header=header(), points=points, channels=channels)


def radar_scan(columns: dict[str, Any]) -> Any:
    """Return a radar_msgs/RadarScan."""
    rows = zip(*columns.values(), strict=True)
    returns = [SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in rows]
    return SimpleNamespace(header=header(), returns=returns)
