# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of messages in which 4D radars send their detections, and how each is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ssd_ros.radar.columns import DecodedCloud
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.radar.point_cloud1 import decode_point_cloud
from ssd_ros.radar.point_cloud2 import decode_point_cloud2
from ssd_ros.radar.scan import decode_radar_scan

Decoder = Callable[[Any, DecoderConfig | None], DecodedCloud]

# As in the parameter input_type, most common first.
MESSAGE_TYPES: Mapping[str, str] = {
    'pointcloud2': 'sensor_msgs/msg/PointCloud2',
    'pointcloud': 'sensor_msgs/msg/PointCloud',
    'radar_scan': 'radar_msgs/msg/RadarScan',
}
DECODERS: Mapping[str, Decoder] = {
    'pointcloud2': decode_point_cloud2,
    'pointcloud': decode_point_cloud,
    'radar_scan': decode_radar_scan,
}
