# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A scan of a tilted radar in level axes: of one upside down, on its side, looking up or down.

Everything after it takes z for up: the gates of the ego-velocity, the image, verification.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.types import RadarPointCloud


def levelled(cloud: RadarPointCloud, level_radar: NDArray[np.float64]) -> RadarPointCloud:
    """
    Return the scan in axes of which x points where the radar's x does over the ground, z up.

    A radar that does not measure elevation has z = 0 in all points. They stay on the level, at
    their range: turned out of it, those far away would end up under the ground.

    :param level_radar: shape (3, 3), rotation level <- radar
    """
    xyz_m = cloud.xyz_m.astype(np.float64) @ level_radar.T
    if not cloud.xyz_m[:, 2].any():
        flat_m = np.hypot(xyz_m[:, 0], xyz_m[:, 1])
        range_m = np.hypot(flat_m, xyz_m[:, 2])
        xyz_m *= (range_m / np.maximum(flat_m, np.finfo(np.float64).tiny))[:, None]
        xyz_m[:, 2] = 0
    return replace(cloud, xyz_m=xyz_m.astype(np.float32))
