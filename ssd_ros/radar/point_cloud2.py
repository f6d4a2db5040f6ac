# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Decode and encode sensor_msgs/PointCloud2 of 4D radars without importing ROS.

Live messages (rclpy) and recorded ones (rosbags) have the same attributes, so both work. The
bytes of the message are viewed in place: what is copied is each column that is used, once.
"""

from __future__ import annotations

from typing import Any

from ssd_ros.radar.ars548 import ARS548_DTYPE, ars548_records
from ssd_ros.radar.columns import cloud_from_columns, DecodedCloud, empty_cloud, header_of
from ssd_ros.radar.columns import DecodeStats as DecodeStats
from ssd_ros.radar.fields import DecoderConfig as DecoderConfig
from ssd_ros.radar.fields import names_by_role
from ssd_ros.radar.fields import PointCloudError as PointCloudError
from ssd_ros.radar.point_fields import (
    checked_bytes,
    DATATYPES,
    FieldLayout,
    last_point_is_repeated,
    view_of_points,
)
from ssd_ros.radar.types import RadarPointCloud

ARS548_FIELDS = tuple(
    FieldLayout(name, int(offset), DATATYPES[dtype.str[1:]], 1)
    for name, (dtype, offset, *_) in (ARS548_DTYPE.fields or {}).items()
)


def decode_point_cloud2(msg: Any, config: DecoderConfig | None = None) -> DecodedCloud:
    """
    Return the radar detections of a sensor_msgs/PointCloud2 and what was dropped.

    A zero stamp and an empty frame_id are passed on as they are.

    :raise PointCloudError: the data are short, the layout is impossible or a field is missing
    """
    config = config or DecoderConfig()
    header = header_of(msg)
    if int(msg.width) * int(msg.height) == 0:
        return empty_cloud(header)
    raw = checked_bytes(msg)
    by_name: dict[str, Any] = {}
    for point_field in msg.fields:
        by_name.setdefault(point_field.name, point_field)
    names = names_by_role(list(by_name), config)
    points = view_of_points(msg, raw, {role: by_name[name] for role, name in names.items()})
    # Not ravel, which would copy a column that is nothing but a view yet.
    columns = {role: points[role].reshape(-1) for role in names}
    return cloud_from_columns(header, columns, names, config, last_point_is_repeated(msg, raw))


def encode_point_cloud2(cloud: RadarPointCloud) -> dict[str, Any]:
    """
    Return the attributes of a PointCloud2 with the ARS548 layout, all but the header.

    `fields` are FieldLayout and `data` is bytes: the caller turns both into the types of its
    message (rclpy is fast with array.array('B', data), rosbags wants a uint8 array).
    """
    data = ars548_records(cloud).tobytes()
    return {
        'height': 1,
        'width': len(cloud),
        'fields': ARS548_FIELDS,
        'is_bigendian': False,
        'point_step': ARS548_DTYPE.itemsize,
        'row_step': len(data),
        'data': data,
        'is_dense': True,
    }
