# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pixels of sensor_msgs/Image, as players and drivers of spinning radars send them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Encoding -> type of a pixel without its byte order.
_ENCODINGS = {'mono8': 'u1', '8UC1': 'u1', 'mono16': 'u2', '16UC1': 'u2'}


def pixels_of_image(message: Any) -> NDArray[np.uint8]:
    """
    Return the pixels, shape (height, width); a view of the message where it has 8 bits.

    16 bits are taken for the same half-dB steps and clipped at 255 (reconstructed: no recording
    of such a radar was at hand).

    :raise ValueError: the encoding, the shape or the amount of data is another
    """
    height, width, step = int(message.height), int(message.width), int(message.step)
    if message.encoding not in _ENCODINGS:
        raise ValueError(
            f'radar image has encoding {message.encoding!r}, expected one of {list(_ENCODINGS)}'
        )
    if min(height, width) < 1:
        raise ValueError(f'radar image has {height} rows x {width} columns: it is empty')
    pixel = np.dtype(_ENCODINGS[message.encoding]).newbyteorder(
        '>' if message.is_bigendian else '<'
    )
    row_bytes = width * pixel.itemsize
    data = np.frombuffer(message.data, np.uint8)
    if step < row_bytes or len(data) < height * step:
        raise ValueError(
            f'radar image has {len(data)} bytes and step {step}, '
            f'expected {height} rows of at least {row_bytes} bytes'
        )
    rows = data[: height * step].reshape(height, step)
    if pixel.itemsize == 2:
        wide = np.ascontiguousarray(rows[:, :row_bytes]).view(pixel)
        return np.minimum(wide, 255).astype(np.uint8)
    # The HeRCULES player sends some frames with three equal channels but calls them mono8.
    return rows[:, ::3] if step == 3 * width else rows[:, :width]
