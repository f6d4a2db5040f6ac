# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the page is told.

Text is JSON, an object with its `channel`; bytes are the image of a query. Each message replaces
the one before it in its channel, so the page can begin and miss messages at any time. However much
comes in, a message stays small: what is too many is thinned, what is too long is cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.recognition.candidates import decisions, Flag, planar_poses
from ssd_ros.records import json_text

MAX_PLACES = 20_000
MAX_CANDIDATES = 20
MAX_STATUSES, MAX_VALUES, MAX_TEXT = 40, 80, 300
MAX_MAPS = 20
MAX_PIXELS = 1 << 20
IMAGE = 'image'  # the one channel of bytes
_SIZES = struct.Struct('<HH')
# What keeps candidates from being accepted, or says how they were asked for.
_REMARKS = {
    Flag.STATIONARY: 'standing still',
    Flag.LOW_POINTS: 'few points',
    Flag.UNKNOWN_RADAR: 'radar unlike those of the calibration',
    Flag.SUBMAP: 'asked by a submap',
    Flag.PLACE_SERVER: 'of a place server',
}
_COPIED = ('keyframe_id', 'map_id', 'confidence', 'distance', 'ratio', 'support')
_OF_MAP = ('source', 'sensor', 'encoder', 'keyframes', 'origin', 'created')


class Status(NamedTuple):
    """
    One line of the diagnostics.

    :param level: 0 = good, 1 = warning, 2 = error, 3 = stale
    """

    name: str
    level: int
    message: str
    values: Mapping[str, object]


def places_text(positions_m: NDArray[np.float64], frame: str) -> str:
    """
    Say where the keyframes of the map are.

    :param positions_m: shape (N, 2) or (N, 3)
    """
    thinned = positions_m[:: 1 + len(positions_m) // MAX_PLACES, :2]
    return _text('places', frame=frame, total=len(positions_m), xy=_flat(thinned))


def maps_text(summary: Mapping[str, Any]) -> str:
    """
    Say which maps are in use.

    :param summary: content of `~/map_info`; what it lacks is left out
    """
    image, maps = summary.get('query_image'), summary.get('maps')
    image = image if isinstance(image, dict) else {}
    maps = [each for each in maps if isinstance(each, dict)] if isinstance(maps, list) else []
    return _text(
        'maps',
        maps=[{name: _short(each.get(name)) for name in _OF_MAP} for each in maps[:MAX_MAPS]],
        radar=_short(summary.get('radar')),
        image={name: _short(image.get(name)) for name in ('max_range_m', 'fov_deg')},
    )


def answer_text(stamp_ns: int, frame: str, rows: NDArray[np.void]) -> str:
    """
    Say what a query found.

    :param rows: of `~/candidates`, best first
    """
    shown = rows[:MAX_CANDIDATES]
    flags = int(np.bitwise_or.reduce(shown['flags'])) if len(shown) else 0
    found = [
        {
            **{name: row[name].item() for name in _COPIED},
            'place': [_cm(row['map_x']), _cm(row['map_y'])],
            'pose': [_cm(x_m), _cm(y_m), float(yaw_rad)],
            'decision': str(decision),
            'is_live': bool(int(row['flags']) & Flag.LIVE_SESSION),
        }
        for row, (x_m, y_m, yaw_rad), decision in zip(
            shown, planar_poses(shown), decisions(shown), strict=True
        )
    ]
    remarks = [text for flag, text in _REMARKS.items() if flags & flag]
    return _text('answer', stamp_s=stamp_ns / 1e9, frame=frame, candidates=found, remarks=remarks)


def pose_text(stamp_ns: int, xy_yaw: NDArray[np.float64], covariance: NDArray[np.float64]) -> str:
    """
    Say where the vehicle is.

    :param xy_yaw: shape (3,): metres and radians in the map
    :param covariance: shape (2, 2), of x and y (m^2)
    """
    x_m, y_m, yaw_rad = xy_yaw.tolist()
    xx, xy, yy = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    pose = [_cm(x_m), _cm(y_m), yaw_rad]
    return _text('pose', stamp_s=stamp_ns / 1e9, pose=pose, covariance=[xx, xy, yy])


def path_text(xy_m: NDArray[np.float64]) -> str:
    """
    Say where the vehicle was.

    :param xy_m: shape (N, 2), oldest first
    """
    return _text('path', xy=_flat(xy_m[-MAX_PLACES:]))


def health_text(statuses: Sequence[Status]) -> str:
    """Say how the node is."""
    return _text(
        'health',
        statuses=[
            {
                'name': _short(status.name),
                'level': status.level,
                'message': _short(status.message),
                'values': {
                    str(_short(key)): _short(str(value))
                    for key, value in list(status.values.items())[:MAX_VALUES]
                },
            }
            for status in statuses[:MAX_STATUSES]
        ],
    )


def image_bytes(image: NDArray[np.uint8]) -> bytes:
    """
    Return what the encoder saw: width and height as two uint16, little endian, and the pixels.

    :param image: shape (num_ranges, num_azimuths), near rows first
    :raise ValueError: it is larger than any encoder's
    """
    height, width = image.shape
    if image.size > MAX_PIXELS or max(height, width) > 0xFFFF:
        raise ValueError(f'an image of {height} x {width} is too large to be shown')
    return _SIZES.pack(width, height) + image.tobytes()


def _text(channel: str, **values: object) -> str:
    return json_text({'channel': channel, **values})


def _flat(xy_m: NDArray[np.float64]) -> list[float]:
    """Return x, y, x, y, ... in whole centimetres."""
    return np.round(np.asarray(xy_m, np.float64), 2).ravel().tolist()


def _cm(value_m: float) -> float:
    return round(float(value_m), 2)


def _short(value: Any) -> Any:
    """Return numbers as they are, all else as text that is not long."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:MAX_TEXT]
