# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses that are none: what a lost odometry and a broken file send instead of one."""

from __future__ import annotations

from collections.abc import Sequence
import math

# Farther than any map frame reaches: UTM ends at 1e7 m, and the Earth at 6.4e6 m.
MAX_POSITION_M = 1e8
_MIN_NORM = 0.5  # of a quaternion: shorter ones are no rounding of a rotation


def fault_of_pose(values: Sequence[float]) -> str | None:
    """
    Return in a few words why a pose is none, None if it is one.

    :param values: x, y, z (m), qx, qy, qz, qw; the quaternion of any length from 0.5
    """
    norm = math.hypot(*values[3:7])
    if not (all(map(math.isfinite, values)) and math.isfinite(norm)):
        return 'not finite'
    if norm < _MIN_NORM:
        return 'null (quaternion 0)'
    if max(map(abs, values[:3])) > MAX_POSITION_M:
        return f'beyond {MAX_POSITION_M:g} m'
    return None
