# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spinning radar scans in sensor_msgs/Image, as players and drivers send them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar import SpinningRadarScan, uniform_azimuths_rad

_NUM_AZIMUTHS = 400
_MAX_RANGE_M = 150.0  # HeRCULES
_ENCODINGS = ('mono8', '8UC1')


def scan_from_image(
    message: Any, stamp_ns: int, range_resolution_m: float | None
) -> SpinningRadarScan:
    """
    Return the scan in an 8-bit image, one side of which has 400 azimuths.

    :param message: sensor_msgs/Image, live or recorded
    :param range_resolution_m: None: the image reaches 150 m
    :raise ValueError: the encoding, the shape or the amount of data is another
    """
    height, width, step = int(message.height), int(message.width), int(message.step)
    if message.encoding not in _ENCODINGS:
        raise ValueError(
            f'radar image has encoding {message.encoding!r}, expected one of {_ENCODINGS}'
        )
    if (height == _NUM_AZIMUTHS) == (width == _NUM_AZIMUTHS) or min(height, width) == 0:
        raise ValueError(
            f'radar image has {height} rows x {width} columns, '
            f'expected {_NUM_AZIMUTHS} azimuths on one side'
        )
    image = _pixels(message, height, width, step)
    power = np.ascontiguousarray(image if width == _NUM_AZIMUTHS else image.T)
    if range_resolution_m is None:
        range_resolution_m = _MAX_RANGE_M / len(power)
    return SpinningRadarScan(
        stamp_ns, power, uniform_azimuths_rad(_NUM_AZIMUTHS), range_resolution_m
    )


def _pixels(message: Any, height: int, width: int, step: int) -> NDArray[np.uint8]:
    data = np.frombuffer(message.data, np.uint8)
    if step < width or len(data) < height * step:
        raise ValueError(
            f'radar image has {len(data)} bytes and step {step}, '
            f'expected {height} rows of at least {width} bytes'
        )
    rows = data[: height * step].reshape(height, step)
    # The HeRCULES player sends some frames with three equal channels but calls them mono8.
    return rows[:, ::3] if step == 3 * width else rows[:, :width]
