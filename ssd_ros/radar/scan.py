# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode radar_msgs/RadarScan (Autoware): returns in spherical coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from ssd_ros.radar.columns import cloud_from_columns, DecodedCloud, empty_cloud, header_of
from ssd_ros.radar.fields import DecoderConfig, names_by_role

_FIELDS = ('range', 'azimuth', 'elevation', 'doppler_velocity', 'amplitude')


def decode_radar_scan(msg: Any, config: DecoderConfig | None = None) -> DecodedCloud:
    """Return the radar detections of a radar_msgs/RadarScan and what was dropped."""
    config = config or DecoderConfig()
    header = header_of(msg)
    if len(msg.returns) == 0:
        return empty_cloud(header)
    names = names_by_role(_FIELDS, config)
    columns = {
        role: np.array([getattr(echo, name) for echo in msg.returns], np.float32)
        for role, name in names.items()
    }
    return cloud_from_columns(header, columns, names, config)
