# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the air does to light: it weakens it, and what floats in it sends some back.

Extinction by the visibility of fog (WMO: 5 % contrast), in rain and wet snow by ITU-R P.1814;
what comes back is reconstructed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.config import Conditions

_NEPER_PER_DB_KM = np.log(10) / 10 / 1000
_VISIBILITY_EXTINCTION = 3.0  # -ln(0.05)
# How likely a beam meets something that outshines what is behind: per metre of extinction in
# fog; drops and flakes, few and large, shine brighter than as much fog.
_BACKSCATTER_M = 8.0
_RAIN_GAIN, _SNOW_GAIN = 1.0, 2.0
AIRBORNE_RANGE_M = 5.0  # beyond the first metre, the mean where the air is thin
WET_GROUND, WET_SURFACE = 0.4, 0.8  # share of the light that comes back from what is wet


class Air(NamedTuple):
    """
    The air of a session.

    :param extinction_per_m: one way
    :param airborne_share: of the beams that meet something in the air
    :param airborne_range_m: how far behind the first metre, on average
    """

    extinction_per_m: float
    airborne_share: float
    airborne_range_m: float


def air_of(conditions: Conditions) -> Air:
    """Return the air in the weather of a session."""
    visibility_m = conditions.fog_visibility_m
    fog = _VISIBILITY_EXTINCTION / visibility_m if visibility_m > 0 else 0.0
    rain = 1.076 * conditions.rain_mm_per_h**0.67 * _NEPER_PER_DB_KM
    snow = 3.88 * conditions.snow_mm_per_h**0.72 * _NEPER_PER_DB_KM
    extinction = fog + rain + snow
    share = 1 - np.exp(-_BACKSCATTER_M * (fog + _RAIN_GAIN * rain + _SNOW_GAIN * snow))
    range_m = AIRBORNE_RANGE_M / (1 + AIRBORNE_RANGE_M * 2 * extinction)
    return Air(float(extinction), float(share), float(range_m))


def wet_share(conditions: Conditions, is_ground: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return by how much water on surfaces weakens what they send back, shape as given."""
    if conditions.rain_mm_per_h == 0 and conditions.snow_mm_per_h == 0:
        return np.ones(is_ground.shape, np.float32)
    return np.where(is_ground, WET_GROUND, WET_SURFACE).astype(np.float32)
