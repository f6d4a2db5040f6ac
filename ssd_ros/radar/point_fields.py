# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The bytes of a sensor_msgs/PointCloud2: checked for size and viewed as records, never copied.

A driver may place fields anywhere, pad points and rows, and lie about all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.fields import PointCloudError

# Keys are the constants of sensor_msgs/PointField.
FORMATS = {1: 'i1', 2: 'u1', 3: 'i2', 4: 'u2', 5: 'i4', 6: 'u4', 7: 'f4', 8: 'f8'}
DATATYPES = {name: datatype for datatype, name in FORMATS.items()}


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """The attributes of sensor_msgs/PointField."""

    name: str
    offset: int
    datatype: int
    count: int


def checked_bytes(msg: Any) -> NDArray[np.uint8]:
    """Return the bytes of a message once they are known to hold all of its points."""
    raw = np.frombuffer(msg.data, np.uint8)
    width, height, step = int(msg.width), int(msg.height), int(msg.point_step)
    row = _row_step(msg)
    if width < 0 or height < 0 or step < 1 or row < width * step:
        raise PointCloudError(
            'bad_layout',
            f'impossible layout: {height} rows of {width} points, point_step {step}, '
            f'row_step {msg.row_step}; expected row_step >= width * point_step',
        )
    needed = (height - 1) * row + width * step
    if len(raw) < needed:
        raise PointCloudError(
            'short_data',
            f'point cloud has {len(raw)} bytes, expected {needed} for {height} x {width} points '
            f'of {step} bytes',
        )
    return raw


def _row_step(msg: Any) -> int:
    # With one row its step means nothing, and drivers leave 0 or nonsense there.
    return int(msg.width) * int(msg.point_step) if msg.height == 1 else int(msg.row_step)


def view_of_points(
    msg: Any, raw: NDArray[np.uint8], fields: Mapping[str, Any]
) -> NDArray[np.void]:
    """View the bytes as records, shape (height, width), named by role; nothing is copied."""
    step = int(msg.point_step)
    order = '>' if msg.is_bigendian else '<'
    formats = []
    for point_field in fields.values():
        if point_field.datatype not in FORMATS:
            raise PointCloudError(
                'bad_layout',
                f'field {point_field.name!r} has datatype {point_field.datatype}, expected 1 .. 8',
            )
        formats.append(np.dtype(order + FORMATS[point_field.datatype]))
        end = point_field.offset + formats[-1].itemsize
        if point_field.offset < 0 or end > step:
            raise PointCloudError(
                'bad_layout',
                f'field {point_field.name!r} ends at byte {end} of a point of {step} bytes',
            )
    # `count` is not used: a radar's fields are scalars, and Navtech writes the cloud's size there.
    dtype = np.dtype(
        {
            'names': list(fields),
            'formats': formats,
            'offsets': [point_field.offset for point_field in fields.values()],
            'itemsize': step,
        }
    )
    shape = (int(msg.height), int(msg.width))
    # Strides, not reshape: a driver may pad the end of each row.
    return np.ndarray(shape, dtype, buffer=raw, strides=(_row_step(msg), step))


def last_point_is_repeated(msg: Any, raw: NDArray[np.uint8]) -> bool:
    width, step = int(msg.width), int(msg.point_step)
    if msg.height != 1 or width < 2:
        return False
    last = (width - 1) * step
    previous, end = last - step, last + step
    return raw[previous:last].tobytes() == raw[last:end].tobytes()
