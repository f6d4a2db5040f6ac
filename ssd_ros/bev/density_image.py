# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Density images: how many returns stand above each cell of the square ahead of the sensor.

Radar and LiDAR look alike in them, for they heed neither RCS nor reflectivity. Row 0 is farthest
ahead, the last row at the sensor; column 0 is farthest left. After 4DRaL (arXiv 2603.26206), which
names the region and "point density"; axes, voxels and the value of a pixel are reconstructed (the
project's specification of it, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.records import check_limits, Limits

CAPPED, IMAGE_MAX, QUANTILE = 'capped', 'image_max', 'quantile'
DENSITIES = (CAPPED, IMAGE_MAX, QUANTILE)
_IMAGE_CAP = 10  # of image_max: BEVPlace
_MAX_HEIGHT_M = 1e4  # beyond is no measurement, but must not overflow
_LIMITS = {
    'side_m': Limits(0, 1e4, is_above=True),
    'num_cells': Limits(16, 2048),
    'cloud_cap': Limits(1, 1000),
    'lidar_cap': Limits(1, 1000),
    'quantile': Limits(0, 1, is_above=True),
    'outlier_radius_m': Limits(0, 100),
    'outlier_neighbours': Limits(0, 100),
}


@dataclass(frozen=True, slots=True)
class DensityConfig:
    """
    How points become a density image.

    :param side_m: of the square: x from 0 to side_m, y from half of it left to half of it right
    :param density: what a pixel says of the n voxels above its cell that hold a point. 'capped':
        min(n, cap) / cap; 'image_max': min(n, 10) over the largest of the image, as BEVPlace has
        it; 'quantile': min(n, q) / q, q that quantile of the cells with points
    :param cloud_cap: of 4D radar
    :param lidar_cap: of LiDAR
    :param outlier_radius_m: a point of 4D radar stays if so near to it, in three dimensions, lie
    :param outlier_neighbours: at least so many others; 0 keeps all
    :param lidar_min_z_m: LiDAR points must lie above it, frame of the sensor; None keeps all
    """

    side_m: float = 80.0
    num_cells: int = 200  # along a side
    density: str = CAPPED
    cloud_cap: int = 3
    lidar_cap: int = 10
    quantile: float = 0.99
    outlier_radius_m: float = 0.5
    outlier_neighbours: int = 1
    lidar_min_z_m: float | None = None

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        if self.density not in DENSITIES:
            raise ValueError(
                f'density is {self.density[:80]!r}; choose from {", ".join(DENSITIES)}'
            )

    @property
    def cell_m(self) -> float:
        """Side of a cell and of a voxel."""
        return self.side_m / self.num_cells


def density_image_of_cloud(xyz_m: NDArray[np.float32], config: DensityConfig) -> NDArray[np.uint8]:
    """
    Return the image of 4D radar returns, those that stand alone left out.

    :param xyz_m: shape (N, 3), x forward, y left, z up
    :return: shape (num_cells, num_cells)
    """
    # SciPy is loaded only where there is such an image to make.
    from ssd_ros.bev.outliers import has_neighbours

    inside = xyz_m[in_region(xyz_m, config)]
    kept = has_neighbours(inside, config.outlier_radius_m, config.outlier_neighbours)
    return _pixels(voxel_counts(inside[kept], config), config.cloud_cap, config)


def density_image_of_lidar(xyz_m: NDArray[np.float32], config: DensityConfig) -> NDArray[np.uint8]:
    """
    Return the image of LiDAR points.

    :param xyz_m: shape (N, 3), x forward, y left, z up
    :return: shape (num_cells, num_cells)
    """
    inside = xyz_m[in_region(xyz_m, config)]
    if config.lidar_min_z_m is not None:
        inside = inside[inside[:, 2] > config.lidar_min_z_m]
    return _pixels(voxel_counts(inside, config), config.lidar_cap, config)


def in_region(xyz_m: NDArray[np.float32], config: DensityConfig) -> NDArray[np.bool_]:
    """Return which points the image can show, shape (N,); none that is not finite."""
    x_m, y_m, z_m = xyz_m.T
    half_m = config.side_m / 2
    return (x_m >= 0) & (x_m <= config.side_m) & (np.abs(y_m) <= half_m) & np.isfinite(z_m)


def cells_of(xy_m: NDArray[np.floating], config: DensityConfig) -> NDArray[np.int64]:
    """
    Return row and column of points within the region, shape (N, 2).

    :param xy_m: shape (N, 2)
    """
    x_m, y_m = xy_m.astype(np.float64).T
    along = np.floor(x_m / config.cell_m)
    across = np.floor((config.side_m / 2 - y_m) / config.cell_m)
    last = config.num_cells - 1
    rows = np.clip(last - along, 0, last)
    return np.column_stack([rows, np.clip(across, 0, last)]).astype(np.int64)


def voxel_counts(xyz_m: NDArray[np.float32], config: DensityConfig) -> NDArray[np.int64]:
    """
    Count the voxels above each cell that hold a point, shape (num_cells, num_cells).

    :param xyz_m: shape (N, 3), within the region
    """
    num = config.num_cells
    row, column = cells_of(xyz_m[:, :2], config).T
    height_m = np.clip(xyz_m[:, 2].astype(np.float64), -_MAX_HEIGHT_M, _MAX_HEIGHT_M)
    levels = np.floor(height_m / config.cell_m).astype(np.int64)
    num_levels = 2 * int(_MAX_HEIGHT_M / config.cell_m) + 3
    voxels = np.unique((row * num + column) * num_levels + (levels + num_levels // 2))
    return np.bincount(voxels // num_levels, minlength=num * num).reshape(num, num)


def _pixels(counts: NDArray[np.int64], cap: int, config: DensityConfig) -> NDArray[np.uint8]:
    """Return what the pixels of an image say, 0 ... 255."""
    full: float = cap
    if config.density != CAPPED and not counts.any():
        return np.zeros(counts.shape, np.uint8)
    if config.density == IMAGE_MAX:
        full = min(int(counts.max()), _IMAGE_CAP)
    elif config.density == QUANTILE:
        full = float(np.quantile(counts[counts > 0], config.quantile))
    return np.rint(255 * np.minimum(counts, full) / full).astype(np.uint8)
