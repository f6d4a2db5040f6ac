# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turns of a spinning radar in the place of the running localizer's map."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
from ssd_ros.radar.types import SpinningRadarScan
from std_msgs.msg import Header
from support.localizer import DRIVE


def turn(place: int, turned_deg: float) -> SpinningRadarScan:
    """Return the turn of a radar at a keyframe that looks elsewhere."""
    pose = np.array([[10.0 * place, 0.0, math.radians(turned_deg)]])
    return replace(DRIVE, xy_yaw=pose).scan(0)


def header(stamp_ns: int) -> Header:
    result = Header(frame_id='navtech')
    result.stamp.sec, result.stamp.nanosec = divmod(stamp_ns, 10**9)
    return result
