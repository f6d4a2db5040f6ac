# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Polar bird's-eye-view (BEV) images: the one input format of every ssd_ros model.

Rows are range, row 0 nearest; columns are azimuth, running CLOCKWISE from far left; values are
uint8 in half-dB steps, 0 where there is no return. They count from a fixed origin, as in the
papers, or relative to the other returns of the image, see `contrast.py`. The node, the map builder
and the training code all call this module. Formulas and constants: SHeRLoc (arXiv 2506.15175) and
its released code, as collected in the project's method specification, sections 2.3 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.contrast import (
    check_normalisation,
    CONTENT,
    FIXED,
    pixels_about_median,
    standing_out,
)
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.records import check_limits, LATER, Limits

_GRID_LIMITS = {
    'num_ranges': Limits(1, 1 << 14),
    'num_azimuths': Limits(1, 1 << 14),
    'max_range_m': Limits(0, 1e5, is_above=True),
    'fov_deg': Limits(0.1, 360),
}
_CLOUD_LIMITS = {
    'rcs_offset_db': Limits(-1e3, 1e3),
    'pixels_per_db': Limits(-1e3, 1e3),
    'threshold': Limits(0, 255),
    'splat_radius': Limits(0, 64),
}
_SCAN_LIMITS = {
    'range_gain': Limits(-1e3, 1e3),
    'threshold': Limits(0, 255),
    'rcs_correction': Limits(-255, 255),
    'kept_share': Limits(0, 1, is_above=True),
    'floor_window_m': Limits(0, 1e5, is_above=True),
}


@dataclass(frozen=True, slots=True)
class PolarGrid:
    """Cells of the polar BEV that both radars share."""

    num_ranges: int = 384
    num_azimuths: int = 192
    max_range_m: float = 150.0
    fov_deg: float = 120.0  # whole angle, centred on +x

    def __post_init__(self) -> None:
        if self.num_ranges < 1 or self.num_azimuths < 1:
            raise ValueError(f'grid of {self.num_ranges} x {self.num_azimuths} cells is empty')
        check_limits(self, _GRID_LIMITS)
        if not math.isclose(self.panorama_azimuths * self.fov_deg, 360 * self.num_azimuths):
            raise ValueError(
                f'a column of {self.fov_deg} / {self.num_azimuths} deg does not divide 360 deg'
            )

    @property
    def panorama_azimuths(self) -> int:
        """Number of columns of the 360 degree image."""
        return round(self.num_azimuths * 360 / self.fov_deg)


@dataclass(frozen=True, slots=True)
class CloudBevConfig:
    """
    How 4D radar returns become pixels.

    :param normalisation: 'fixed': pixel = pixels_per_db * (rcs_offset_db + RCS), as the papers
        have it; 'content': pixel = 128 + pixels_per_db * (RCS - median RCS of the image), and
        rcs_offset_db and threshold mean nothing
    """

    rcs_offset_db: float = 75.0
    pixels_per_db: float = 2.0
    threshold: int = 123  # pixels up to this value become 0
    splat_radius: int = 1  # cells around each return that take its value
    normalisation: str = field(default=FIXED, metadata=LATER)

    def __post_init__(self) -> None:
        check_limits(self, _CLOUD_LIMITS)
        check_normalisation(self.normalisation)


@dataclass(frozen=True, slots=True)
class ScanBevConfig:
    """
    How spinning radar power becomes pixels.

    :param normalisation: 'fixed': pixel = power + gain by range, cut at the threshold, plus
        rcs_correction, as the papers have it; 'content': the cells that stand out most from what
        is around them, pixel = 128 + power + gain by range - median of these, and threshold and
        rcs_correction mean nothing
    """

    range_gain: float = 40.0  # pixels added per decade of range
    threshold: int = 123  # pixels up to this value become 0
    rcs_correction: float = 2.1025  # C_corr of the sensor pair, added to the pixels that remain
    normalisation: str = field(default=FIXED, metadata=LATER)
    # By content, reconstructed: how many of the cells are returns, and over how much range the
    # floor is taken, half on either side.
    kept_share: float = field(default=0.13, metadata=LATER)
    floor_window_m: float = field(default=50.0, metadata=LATER)

    def __post_init__(self) -> None:
        check_limits(self, _SCAN_LIMITS)
        check_normalisation(self.normalisation)


def polar_bev_from_points(
    xyz_m: NDArray[np.float32],
    rcs_dbsm: NDArray[np.float32],
    grid: PolarGrid,
    config: CloudBevConfig,
) -> NDArray[np.uint8]:
    """
    Rasterise 4D radar returns, keeping the strongest of each cell.

    :param xyz_m: shape (N, 3), sensor frame, x forward, y left
    :param rcs_dbsm: shape (N,)
    :return: shape (num_ranges, num_azimuths)
    """
    x, y = xyz_m[:, 0].astype(np.float64), xyz_m[:, 1].astype(np.float64)
    range_m = np.hypot(x, y)
    azimuth_deg = np.degrees(np.arctan2(y, x))
    half_fov_deg = grid.fov_deg / 2
    visible = (np.abs(azimuth_deg) <= half_fov_deg) & (range_m <= grid.max_range_m)
    row = (range_m[visible] / grid.max_range_m * grid.num_ranges).astype(np.int64)
    from_right = (azimuth_deg[visible] + half_fov_deg) / grid.fov_deg * grid.num_azimuths
    column = grid.num_azimuths - 1 - from_right.astype(np.int64)
    row = np.minimum(row, grid.num_ranges - 1)
    column = np.maximum(column, 0)

    image = np.zeros((grid.num_ranges, grid.num_azimuths), dtype=np.uint8)
    pixel = _pixels_of_rcs(rcs_dbsm[visible], config)
    np.maximum.at(image.reshape(-1), row * grid.num_azimuths + column, pixel)
    return _spread_maximum(image, config.splat_radius)


def _pixels_of_rcs(rcs_dbsm: NDArray[np.float32], config: CloudBevConfig) -> NDArray[np.uint8]:
    if config.normalisation == CONTENT:
        return pixels_about_median(config.pixels_per_db * rcs_dbsm)
    pixel = np.clip(config.pixels_per_db * (config.rcs_offset_db + rcs_dbsm), 0, 255)
    pixel = pixel.astype(np.uint8)
    return pixel * (pixel > config.threshold)


def _spread_maximum(image: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Return the maximum over a square of 2 radius + 1 cells around each cell."""
    for _ in range(radius):
        rows = image.copy()
        np.maximum(rows[1:], image[:-1], out=rows[1:])
        np.maximum(rows[:-1], image[1:], out=rows[:-1])
        image = rows.copy()
        np.maximum(image[:, 1:], rows[:, :-1], out=image[:, 1:])
        np.maximum(image[:, :-1], rows[:, 1:], out=image[:, :-1])
    return image


def panorama_from_scan(
    scan: SpinningRadarScan, grid: PolarGrid, config: ScanBevConfig
) -> NDArray[np.uint8]:
    """
    Convert a spinning radar scan into the 360 degree polar BEV.

    Averages by area along range, cropped or padded to max_range_m by the resolution of the scan,
    interpolates linearly along azimuth, undoes the decay with range, keeps what is a return.

    :return: shape (num_ranges, panorama_azimuths); the left edge of column 0 is forward
    """
    power = _resample_azimuths(_average_ranges(scan, grid), scan.azimuths_rad, grid)
    range_m = np.linspace(0.0, grid.max_range_m, grid.num_ranges)
    gain = config.range_gain * np.log10(np.maximum(range_m, 1.0))
    kept = _standing_out(power, scan, grid, config) if config.normalisation == CONTENT else None
    power += gain.astype(np.float32)[:, None]
    if kept is not None:
        image = np.zeros(power.shape, np.uint8)
        image[kept] = pixels_about_median(power[kept])
        return image
    kept = power > config.threshold
    power += np.float32(config.rcs_correction)
    np.rint(power, out=power)
    np.clip(power, 0, 255, out=power)
    power *= kept
    return power.astype(np.uint8)


def _standing_out(
    power: NDArray[np.float32], scan: SpinningRadarScan, grid: PolarGrid, config: ScanBevConfig
) -> NDArray[np.bool_]:
    """Return which cells are returns; rows beyond the scan are none and no floor of others."""
    row_m = grid.max_range_m / grid.num_ranges
    seen_m = len(scan.power) * scan.range_resolution_m + scan.range_offset_m
    num_seen = min(max(int(seen_m / row_m), 1), grid.num_ranges)
    kept = np.zeros(power.shape, np.bool_)
    window_rows = max(round(config.floor_window_m / row_m / 2), 1)
    kept[:num_seen] = standing_out(power[:num_seen], window_rows, config.kept_share)
    return kept


def _average_ranges(scan: SpinningRadarScan, grid: PolarGrid) -> NDArray[np.float32]:
    """Return the mean power of each row of the grid, shape (num_ranges, scan azimuths)."""
    num_bins = len(scan.power)
    edges_m = np.arange(grid.num_ranges + 1) * (grid.max_range_m / grid.num_ranges)
    edges = np.clip((edges_m - scan.range_offset_m) / scan.range_resolution_m, 0, num_bins)
    whole = np.minimum(edges.astype(np.int64), num_bins - 1)
    total = np.zeros((num_bins + 1, scan.power.shape[1]), dtype=np.int32)
    np.cumsum(scan.power, axis=0, dtype=np.int32, out=total[1:])
    below_edge = total[whole] + (edges - whole)[:, None] * scan.power[whole]
    bins_per_row = grid.max_range_m / grid.num_ranges / scan.range_resolution_m
    return (np.diff(below_edge, axis=0) / bins_per_row).astype(np.float32)


def _resample_azimuths(
    power: NDArray[np.float32], azimuths_rad: NDArray[np.float64], grid: PolarGrid
) -> NDArray[np.float32]:
    """Interpolate the columns at the azimuths of the panorama, around the full circle."""
    num_columns = grid.panorama_azimuths
    wanted_rad = (np.arange(num_columns) + 0.5) * (2 * math.pi / num_columns)
    right = np.searchsorted(azimuths_rad, wanted_rad)
    left = right - 1  # -1 is the last column, one turn back
    right = right % len(azimuths_rad)
    gap_rad = np.mod(azimuths_rad[right] - azimuths_rad[left], 2 * math.pi)
    gap_rad[gap_rad == 0] = 2 * math.pi  # a scan of one column
    share = np.mod(wanted_rad - azimuths_rad[left], 2 * math.pi) / gap_rad
    weight = share.astype(np.float32)
    return power[:, left] * (1 - weight) + power[:, right] * weight


def views_of_panorama(
    panorama: NDArray[np.uint8], grid: PolarGrid, num_views: int
) -> NDArray[np.uint8]:
    """
    Cut the overlapping fields of view that a 4D radar could have at this place.

    View j looks along clockwise azimuth j * 360 / num_views degrees; view 0 looks forward.

    :param panorama: shape (num_ranges, panorama_azimuths)
    :return: shape (num_views, num_ranges, num_azimuths), a copy
    """
    columns = columns_of_views(grid, num_views)
    return np.ascontiguousarray(panorama[:, columns].transpose(1, 0, 2))


def columns_of_views(grid: PolarGrid, num_views: int) -> NDArray[np.int64]:
    """
    Return the columns of a panorama that each view sees, shape (num_views, num_azimuths).

    :raise ValueError: the step between views is no whole number of columns
    """
    num_columns = grid.panorama_azimuths
    if num_views < 1 or num_columns % num_views:
        raise ValueError(f'{num_views} views do not divide the {num_columns} azimuth columns')
    step = num_columns // num_views
    first = np.arange(num_views) * step - grid.num_azimuths // 2
    return (first[:, None] + np.arange(grid.num_azimuths)) % num_columns


def view_yaws_rad(num_views: int) -> NDArray[np.float64]:
    """
    Return the heading of each view relative to the scan, counter-clockwise, in (-pi, pi].

    A 4D radar that sees view j stands turned by this angle from the mapping drive.
    """
    yaws = -np.arange(num_views) * (2 * math.pi / num_views)
    return np.where(yaws <= -math.pi, yaws + 2 * math.pi, yaws)
