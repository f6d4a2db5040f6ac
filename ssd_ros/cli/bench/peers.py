# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The plain ways to do what the stages of a query do; they give the same results."""

from __future__ import annotations

from collections.abc import Sequence
import importlib.util
import json
import math
from pathlib import Path
from statistics import median
import struct
import subprocess
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.contrast import CONTENT, MEDIAN_PIXEL
from ssd_ros.bev.polar_bev import CloudBevConfig, PolarGrid
from ssd_ros.radar.types import RadarPointCloud

_ARS548_RECORD = struct.Struct('<5fb2f')


def decode_point_by_point(message: Any) -> NDArray[np.float32]:
    """Unpack ARS548 records one at a time; return x, y, z, RCS and velocity, shape (N, 5)."""
    rows = []
    for index in range(message.width):
        x, y, z, velocity, _, rcs, _, _ = _ARS548_RECORD.unpack_from(
            message.data, index * message.point_step
        )
        rows.append((x, y, z, rcs, velocity))
    return np.array(rows, dtype=np.float32)


def rasterise_point_by_point(
    cloud: RadarPointCloud, grid: PolarGrid, config: CloudBevConfig
) -> NDArray[np.uint8]:
    """Spread every return over its cells, one at a time."""
    image = np.zeros((grid.num_ranges, grid.num_azimuths), dtype=np.uint8)
    half_fov_deg = grid.fov_deg / 2
    shown = []
    for (x, y, _), rcs_dbsm in zip(cloud.xyz_m.tolist(), cloud.rcs_dbsm.tolist(), strict=True):
        range_m, azimuth_deg = math.hypot(x, y), math.degrees(math.atan2(y, x))
        if range_m <= grid.max_range_m and abs(azimuth_deg) <= half_fov_deg:
            shown.append((range_m, azimuth_deg, config.pixels_per_db * rcs_dbsm))
    pixels = _pixels_one_by_one([level for _, _, level in shown], config)
    for (range_m, azimuth_deg, _), pixel in zip(shown, pixels, strict=True):
        row = min(int(range_m / grid.max_range_m * grid.num_ranges), grid.num_ranges - 1)
        from_right = int((azimuth_deg + half_fov_deg) / grid.fov_deg * grid.num_azimuths)
        column = max(grid.num_azimuths - 1 - from_right, 0)
        radius = config.splat_radius
        for r in range(max(row - radius, 0), min(row + radius + 1, grid.num_ranges)):
            for c in range(max(column - radius, 0), min(column + radius + 1, grid.num_azimuths)):
                if image[r, c] < pixel:
                    image[r, c] = pixel
    return image


def _pixels_one_by_one(levels_px: Sequence[float], config: CloudBevConfig) -> list[int]:
    if config.normalisation == CONTENT:
        middle = median(levels_px)
        return [round(min(max(level - middle + MEDIAN_PIXEL, 1), 255)) for level in levels_px]
    offset = config.pixels_per_db * config.rcs_offset_db
    pixels = [int(min(max(level + offset, 0), 255)) for level in levels_px]
    return [pixel if pixel > config.threshold else 0 for pixel in pixels]


def search_rows(
    descriptors: NDArray[np.float32], query: NDArray[np.float32], num_rows: int
) -> NDArray[np.int64]:
    """Return the nearest rows by one matrix product and a partial sort, nearest first."""
    products = descriptors @ query
    nearest = np.argpartition(-products, num_rows - 1)[:num_rows]
    return np.asarray(nearest[np.argsort(-products[nearest])], dtype=np.int64)


def has_training() -> bool:
    """Return whether what only training needs is installed: PyTorch and ONNX."""
    return all(importlib.util.find_spec(name) is not None for name in ('torch', 'onnx'))


def torch_times_ms(grid: PolarGrid) -> list[float]:
    """Return the milliseconds of eager PyTorch for one image, measured in its own process."""
    output = _run_training('peer', grid.num_ranges, grid.num_azimuths)
    times: list[float] = json.loads(output)
    return times


def write_peer_models(student: Path, directory: Path) -> None:
    """Write sherloc.onnx, r2r.onnx and r2l.onnx, of the papers' sizes, and the student in int8."""
    _run_training('models', student, directory)


def loading_times_ms() -> list[list[float]]:
    """Return the milliseconds that training steps wait for data, and that they take in all."""
    times: list[list[float]] = json.loads(_run_training('loading'))
    return times


def _run_training(module: str, *arguments: object) -> str:
    command = [sys.executable, '-m', f'ssd_ros.training.bench.{module}', *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        error = result.stderr.strip().rpartition('\n')[2]
        raise ValueError(f'training.bench.{module} failed: {error}')
    return result.stdout
