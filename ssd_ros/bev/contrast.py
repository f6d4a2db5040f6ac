# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What stands out in a radar image, whatever the gain of the radar: normalisation by content.

A gain moves all powers alike, in decibels. So only differences within one image count here: a cell
against its surroundings says whether it shows a return, a return against the median of all returns
says how bright it is. Reconstructed: the papers have a fixed threshold and one correction for a
pair of sensors. Constants were chosen on a simulated validation world and one scan of a real RAS6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIXED, CONTENT = 'fixed', 'content'
NORMALISATIONS = (FIXED, CONTENT)
MEDIAN_PIXEL = 128  # of the returns of every image normalised by content
_LEAST_PIXEL, _MOST_PIXEL = 1, 255  # 0 is no return


def check_normalisation(name: str) -> None:
    """
    Refuse what is no kind of normalisation.

    :raise ValueError: it is none
    """
    if name not in NORMALISATIONS:
        raise ValueError(
            f'normalisation is {name[:80]!r}; choose from {", ".join(NORMALISATIONS)}'
        )


def pixels_about_median(levels_px: NDArray[np.float32]) -> NDArray[np.uint8]:
    """
    Return the pixels of returns, the middle one MEDIAN_PIXEL.

    The median and not the rank: it keeps how much stronger one return is than another, and a
    handful of returns more or less moves all others alike instead of spreading them anew.

    :param levels_px: any shape, in steps of a pixel, from any origin
    :return: of the same shape, 1 ... 255
    """
    if not levels_px.size:
        return levels_px.astype(np.uint8)
    pixels = levels_px - np.float32(np.median(levels_px) - MEDIAN_PIXEL)
    return np.clip(np.rint(pixels), _LEAST_PIXEL, _MOST_PIXEL).astype(np.uint8)


def standing_out(power: NDArray[np.float32], window_rows: int, share: float) -> NDArray[np.bool_]:
    """
    Return the given share of cells that stand out most from their surroundings along range.

    The floor of a cell is the mean over a window around it at the same azimuth, of logarithms (a
    CFAR detector of log-normal clutter), for the floor of real scans differs from azimuth to
    azimuth by 30 dB, behind what stands near the antenna, and falls along range.

    :param power: shape (num_ranges, num_azimuths), in decibels of any step and origin
    :param window_rows: cells on either side
    :return: of the same shape; fewer than the share where all else is of the lowest power, as in a
        scan that is too dark
    """
    num_rows = len(power)
    total = np.zeros((num_rows + 1, power.shape[1]))
    np.cumsum(power, axis=0, dtype=np.float64, out=total[1:])
    middle = np.arange(num_rows)
    first = np.maximum(middle - window_rows, 0)
    end = np.minimum(middle + window_rows + 1, num_rows)
    excess = power - ((total[end] - total[first]) / (end - first)[:, None]).astype(np.float32)
    excess[power <= power.min()] = -np.inf
    num_left = power.size - int(share * power.size)
    limit = np.partition(excess, num_left - 1, axis=None)[num_left - 1]
    return np.asarray(excess > limit)
