# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Variations of polar BEV images that a radar could have seen as well."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.training.config import AugmentationConfig

_BLOCK = 4  # cells on a side that are dropped together, about one return


def augmented(
    image: NDArray[np.uint8],
    config: AugmentationConfig,
    rng: np.random.Generator,
    max_dropout: float,
) -> NDArray[np.uint8]:
    """
    Return the image brighter or darker, with some of its returns missing.

    :param image: shape (num_ranges, num_azimuths)
    :param max_dropout: upper bound of the share of blocks to drop, drawn for each image
    """
    rows, columns = image.shape
    offset = round(config.brightness_px * rng.standard_normal())
    table = np.clip(np.arange(256) + offset, 1, 255).astype(np.uint8)
    table[0] = 0
    varied = table[image]
    if max_dropout > 0:
        shape = (-(-rows // _BLOCK), -(-columns // _BLOCK))
        kept = rng.random(shape, np.float32) >= max_dropout * rng.random()
        cells = kept.repeat(_BLOCK, axis=0)[:rows].repeat(_BLOCK, axis=1)[:, :columns]
        varied *= cells
    return varied


def occluded(
    image: NDArray[np.uint8],
    grid: PolarGrid,
    config: AugmentationConfig,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the image, sometimes without what lies behind an obstacle at some azimuth."""
    if rng.random() >= config.sector_probability:
        return image
    width = round(rng.uniform(0, config.max_sector_deg) / grid.fov_deg * grid.num_azimuths)
    first = int(rng.integers(1 - width, grid.num_azimuths)) if width else 0
    range_m = rng.uniform(config.min_sector_range_m, config.max_sector_range_m)
    nearest_row = int(range_m / grid.max_range_m * grid.num_ranges)
    hidden = image.copy()
    hidden[nearest_row:, max(first, 0) : first + width] = 0
    return hidden


def thinned(image: NDArray[np.uint8], max_returns: int) -> NDArray[np.uint8]:
    """
    Return the image with so many of its blocks that have returns, the same ones each time.

    :param image: shape (num_ranges, num_azimuths)
    :param max_returns: 0 keeps all
    """
    corners = image[: len(image) // _BLOCK * _BLOCK, : image.shape[1] // _BLOCK * _BLOCK]
    blocks = corners.reshape(len(image) // _BLOCK, _BLOCK, -1, _BLOCK).any(axis=(1, 3))
    places = np.argwhere(blocks)
    if max_returns == 0 or len(places) <= max_returns:
        return image
    rng = np.random.default_rng(zlib.crc32(image.tobytes()))
    kept = np.zeros(blocks.shape, bool)
    kept[tuple(rng.permutation(places)[:max_returns].T)] = True
    result = np.zeros_like(image)
    cells = kept.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)
    result[: cells.shape[0], : cells.shape[1]] = corners * cells
    return result
