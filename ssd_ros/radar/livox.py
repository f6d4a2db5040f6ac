# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode CustomMsg of livox_ros_driver and livox_ros_driver2: a LiDAR, so without Doppler."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from ssd_ros.radar.columns import cloud_from_columns, DecodedCloud, empty_cloud, header_of
from ssd_ros.radar.fields import DecoderConfig, names_by_role

_FIELDS = ('x', 'y', 'z', 'reflectivity')


def decode_livox(msg: Any, config: DecoderConfig | None = None) -> DecodedCloud:
    """
    Return the points of a CustomMsg and what was dropped; their velocity is 0.

    Doppler is not asked for, whatever the configuration says: there is no other CustomMsg.
    """
    config = replace(config or DecoderConfig(), require_doppler=False)
    header = header_of(msg)
    if len(msg.points) == 0:
        return empty_cloud(header)
    names = names_by_role(_FIELDS, config)
    columns = {
        role: np.array([getattr(point, name) for point in msg.points], np.float32)
        for role, name in names.items()
    }
    return cloud_from_columns(header, columns, names, config)
