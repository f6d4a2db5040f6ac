# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode sensor_msgs/PointCloud, the first version: points and named channels (Oculii)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.columns import cloud_from_columns, DecodedCloud, empty_cloud, header_of
from ssd_ros.radar.fields import CARTESIAN, DecoderConfig, names_by_role, PointCloudError


def decode_point_cloud(msg: Any, config: DecoderConfig | None = None) -> DecodedCloud:
    """
    Return the radar detections of a sensor_msgs/PointCloud and what was dropped.

    :raise PointCloudError: a channel is missing or has another length than the points
    """
    config = config or DecoderConfig()
    header = header_of(msg)
    if len(msg.points) == 0:
        return empty_cloud(header)
    channels: dict[str, Any] = {}
    for channel in msg.channels:
        channels.setdefault(channel.name, channel)
    names = names_by_role(['x', 'y', 'z', *channels], config)
    columns = {role: _column(msg.points, channels, name) for role, name in names.items()}
    return cloud_from_columns(header, columns, names, config)


def _column(points: Sequence[Any], channels: Mapping[str, Any], name: str) -> NDArray[np.float32]:
    if name in CARTESIAN:
        return np.array([getattr(point, name) for point in points], np.float32)
    values = np.asarray(channels[name].values, np.float32)
    if len(values) != len(points):
        raise PointCloudError(
            'short_data',
            f'channel {name!r} has {len(values)} values, expected {len(points)}, one a point',
        )
    return values
