# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether a scan can be one of a spinning radar, or was read as what it is not.

A wrong layout gives an image, too: its range taken for azimuth, its pixels for encoder counts. All
readers of spinning radar pass their scans through here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.types import SpinningRadarScan

USUAL_AZIMUTHS = 400  # of every Navtech radar
_NUM_AZIMUTHS = (200, 1000)
_REACH_M = (5.0, 1000.0)  # an image of the few nearest points is short
_MAX_GAP_RAD = math.radians(45)
_FULL = 255
_MAX_FULL_SHARE = 0.2
_MIN_ORDERED_SHARE = 0.9  # some recordings lose or swap a few azimuths
_OTHER_LAYOUT = 'is the layout another (--dataset, --spinning-preset)?'


def plausible(scan: SpinningRadarScan) -> SpinningRadarScan:
    """
    Return the scan.

    :raise ValueError: it cannot be one, what was seen, and what may be the matter
    """
    num_bins, num_azimuths = scan.power.shape
    seen = f'scan of {num_azimuths} azimuths x {num_bins} bins'
    if num_bins == USUAL_AZIMUTHS != num_azimuths:
        raise ValueError(f'{seen} looks transposed: {_OTHER_LAYOUT}')
    if not _NUM_AZIMUTHS[0] <= num_azimuths <= _NUM_AZIMUTHS[1]:
        raise ValueError(f'{seen}, expected about {USUAL_AZIMUTHS} azimuths: {_OTHER_LAYOUT}')
    around = np.append(scan.azimuths_rad, scan.azimuths_rad[0] + 2 * math.pi)
    if (gap_rad := float(np.diff(around).max())) > _MAX_GAP_RAD:
        raise ValueError(
            f'{seen} lacks {math.degrees(gap_rad):.0f} degrees of the turn: are messages lost, or '
            'is the encoder another (--spinning-preset)?'
        )
    if (scan.power == scan.power[0, 0]).all():
        raise ValueError(f'{seen} is blank: all pixels are {scan.power[0, 0]}')
    if (share := float(np.mean(scan.power == _FULL))) > _MAX_FULL_SHARE:
        raise ValueError(
            f'{seen} is saturated: {share:.0%} of its pixels are {_FULL}; are they 8 bits of half '
            'decibels?'
        )
    reach_m = num_bins * scan.range_resolution_m + scan.range_offset_m
    if not _REACH_M[0] <= reach_m <= _REACH_M[1]:
        raise ValueError(
            f'{seen} of {scan.range_resolution_m:g} m reaches {reach_m:.1f} m, expected '
            f'{_REACH_M[0]:g} to {_REACH_M[1]:g} m: {_OTHER_LAYOUT} Is --range-resolution right?'
        )
    return scan


def is_ordered(numbers: NDArray[Any], per_turn: int) -> bool:
    """
    Return whether numbers grow, or fall, nearly throughout.

    :param numbers: shape (N,), of which each turn begins anew
    """
    return max(_shares(numbers, per_turn)) >= _MIN_ORDERED_SHARE


def require_ordered(counts: NDArray[Any], counts_per_turn: int) -> None:
    """
    Refuse encoder counts that are none.

    :param counts: shape (num_azimuths,), in the order of the recording, below counts_per_turn
    :raise ValueError: the antenna would turn back and forth
    """
    if not is_ordered(counts, counts_per_turn):
        forward, backward = _shares(counts, counts_per_turn)
        raise ValueError(
            f'encoder counts that rise in {forward:.0%} of the steps and fall in {backward:.0%}, '
            f'expected one direction: {_OTHER_LAYOUT}'
        )


def _shares(numbers: NDArray[Any], per_turn: int) -> tuple[float, float]:
    """Return in which shares of the steps the numbers grow and fall."""
    steps = np.mod(np.diff(numbers.astype(np.int64)), per_turn)
    forward = float(np.mean((steps > 0) & (steps < per_turn / 2)))
    return forward, float(np.mean(steps > per_turn / 2))
