# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The input of RingKey, RadVLAD and FFT-RadVLAD: power along range, one row for each azimuth.

As in Gadd and Newman, Open-RadVLAD (Radar 2024), and its released code, with the polar BEV in
place of the raw image. There a row without returns is divided by zero; here it stays zero, so
that what was released can run on a 4D radar at all.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from ssd_ros.baselines.polar_image import PolarImage
from ssd_ros.baselines.variants import Variant

NUM_BINS = 512
_NUM_AZIMUTHS = 400  # over the whole turn
_MIN_RANGE_M = 2.6  # 60 bins of the radar of the paper


def azimuth_rows(image: PolarImage, variant: Variant) -> NDArray[np.float32]:
    """
    Return 400 rows, of which a part of the turn has its share, or all if released.

    :return: shape (A, 512), power of 0 to 1; nothing is nearer than 2.6 m
    """
    cells = image.cells if variant == 'released' else image.seen_cells
    power = cells.T / np.float32(255)
    num_columns = len(power)
    num_near = math.ceil(_MIN_RANGE_M / image.grid.max_range_m * image.grid.num_ranges)
    power[:, :num_near] = 0
    num_rows = round(_NUM_AZIMUTHS * num_columns / image.grid.panorama_azimuths)
    resized = cv2.resize(power, (NUM_BINS, num_rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale every row to unit length; rows of zeros stay zero."""
    lengths = np.sqrt(np.einsum('ij,ij->i', rows, rows))[:, None]
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
