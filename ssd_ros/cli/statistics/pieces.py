# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What is measured of each piece of a scan: a sector of a turn, or of the view of a 4D radar.

No statistic depends on the depth of range bins, which sensors differ in by choice: ranges and lags
are in metres. All bands and lags are reconstructed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.contrast import CONTENT
from ssd_ros.bev.polar_bev import panorama_from_scan, PolarGrid, ScanBevConfig
from ssd_ros.radar.ego_velocity import EgoVelocityConfig, estimate_ego_velocity
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan

NUM_SECTORS_OF_SCAN = 20
NUM_SECTORS_OF_CLOUD, CLOUD_FOV_DEG = 6, 120.0
MAX_RANGE_M = 150.0
BANDS_M = ((5, 20), (20, 60), (60, 150))
# What the statistics of a piece are, by the beginning of a name.
LEVEL = 'level: '  # changes with the gain of the radar or of its receiver
SHAPE = 'shape: '  # does not
IMAGE = 'image: '  # of the polar BEV that does not depend on gain, see ssd_ros.bev.contrast
_RANGE_LAGS_M, _AZIMUTH_LAGS_DEG = (0.5, 1.0, 2.0), (0.9, 1.8)
_MIN_DETECTIONS = 8  # in a sector; with fewer its percentiles mean nothing
_GRID, _IMAGE = PolarGrid(), ScanBevConfig(normalisation=CONTENT)

Values = dict[str, float]


class Piece(NamedTuple):
    """
    One sector of one scan.

    :param values: by the name of the statistic, the same names for all sectors of a kind of radar
    """

    sector: int
    values: Values


def pieces_of_scan(scan: SpinningRadarScan) -> list[Piece]:
    """Return the sectors of a turn, from forward clockwise."""
    bins = np.arange(len(scan.power), dtype=np.float64) + 0.5
    range_m = bins * scan.range_resolution_m + scan.range_offset_m
    power = scan.power.astype(np.float64)
    sectors = (scan.azimuths_rad / (2 * np.pi) * NUM_SECTORS_OF_SCAN).astype(int)
    panorama = panorama_from_scan(scan, _GRID, _IMAGE)
    step = panorama.shape[1] // NUM_SECTORS_OF_SCAN
    step_deg = 360 / len(scan.azimuths_rad)
    return [
        Piece(
            number,
            _power_values(power[:, sectors == number], range_m, step_deg)
            | _image_values(panorama[:, number * step : (number + 1) * step]),
        )
        for number in range(NUM_SECTORS_OF_SCAN)
    ]


def pieces_of_cloud(cloud: RadarPointCloud) -> list[Piece]:
    """Return the sectors of a 4D scan that hold enough detections, from right to left."""
    ego = estimate_ego_velocity(
        cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, EgoVelocityConfig()
    )
    xyz_m = cloud.xyz_m.astype(np.float64)
    range_m = np.linalg.norm(xyz_m, axis=1)
    direction = xyz_m / np.maximum(range_m, 1e-6)[:, None]
    residual_mps = np.abs(cloud.radial_velocity_mps + direction @ ego.velocity_mps)
    azimuth_deg = np.degrees(np.arctan2(xyz_m[:, 1], xyz_m[:, 0]))
    width_deg = CLOUD_FOV_DEG / NUM_SECTORS_OF_CLOUD
    sector = np.floor((azimuth_deg + CLOUD_FOV_DEG / 2) / width_deg).astype(int)
    pieces = []
    for number in range(NUM_SECTORS_OF_CLOUD):
        chosen = (sector == number) & (range_m <= MAX_RANGE_M)
        if np.count_nonzero(chosen) >= _MIN_DETECTIONS:
            still = residual_mps[chosen & ego.usable]
            values = _detection_values(xyz_m[chosen], cloud.rcs_dbsm[chosen].astype(float))
            values[f'{SHAPE}share that stands still'] = len(still) / np.count_nonzero(chosen)
            spread_mps = 1.4826 * float(np.median(still)) if len(still) else np.nan
            values[f'{SHAPE}spread of Doppler of these [m/s]'] = spread_mps
            pieces.append(Piece(number, values))
    return pieces


def _power_values(
    power: NDArray[np.float64], range_m: NDArray[np.float64], step_deg: float
) -> Values:
    """
    Return statistics of pixels in half-decibels.

    :param power: shape (num_bins, num_azimuths)
    :param step_deg: from azimuth to azimuth
    """
    values: Values = {}
    for near_m, far_m in BANDS_M:
        band = power[(range_m >= near_m) & (range_m < far_m)]
        where = f'at {near_m}-{far_m} m'
        p25, p50, p75, p95, p99 = np.percentile(band, [25, 50, 75, 95, 99])
        values[f'{LEVEL}median {where}'] = p50
        values[f'{SHAPE}p75 - p25 {where}'] = p75 - p25
        values[f'{SHAPE}p95 - median {where}'] = p95 - p50
        values[f'{SHAPE}p99 - median {where}'] = p99 - p50
    values[f'{LEVEL}brightest pixel'] = float(power.max())
    middle = power[(range_m >= BANDS_M[1][0]) & (range_m < BANDS_M[1][1])]
    for lag_m in _RANGE_LAGS_M:
        lag = max(1, round(lag_m / (range_m[1] - range_m[0])))
        correlation = _correlation(middle[:-lag], middle[lag:])
        values[f'{SHAPE}correlation over {lag_m:g} m'] = correlation
    for lag_deg in _AZIMUTH_LAGS_DEG:
        lag = max(1, round(lag_deg / step_deg))
        correlation = _correlation(middle[:, :-lag], middle[:, lag:])
        values[f'{SHAPE}correlation over {lag_deg:g} deg'] = correlation
    return values


def _image_values(image: NDArray[np.uint8]) -> Values:
    """Return statistics of a part of the polar BEV of a turn, shape (num_ranges, num_azimuths)."""
    values: Values = {}
    range_m = (np.arange(len(image)) + 0.5) * _GRID.max_range_m / len(image)
    for near_m, far_m in BANDS_M:
        band = image[(range_m >= near_m) & (range_m < far_m)]
        values[f'{IMAGE}share of returns at {near_m}-{far_m} m'] = float((band > 0).mean())
    kept = image[image > 0]
    p5, p50, p95 = np.percentile(kept, [5, 50, 95]) if len(kept) else (np.nan,) * 3
    values[f'{IMAGE}p95 - median of returns'] = p95 - p50
    values[f'{IMAGE}median - p5 of returns'] = p50 - p5
    for axis, name in enumerate(('range', 'azimuth')):
        values[f'{IMAGE}cells of a return in {name}'] = _mean_run(image > 0, axis)
    return values


def _detection_values(xyz_m: NDArray[np.float64], rcs_dbsm: NDArray[np.float64]) -> Values:
    """Return statistics of places and RCS of detections, shapes (N, 3) and (N,)."""
    range_m = np.linalg.norm(xyz_m, axis=1)
    elevation_deg = np.degrees(np.arctan2(xyz_m[:, 2], np.hypot(xyz_m[:, 0], xyz_m[:, 1])))
    p5, p50, p95 = np.percentile(rcs_dbsm, [5, 50, 95])
    apart_m = np.linalg.norm(xyz_m[:, None] - xyz_m[None], axis=2)
    np.fill_diagonal(apart_m, np.inf)
    return {
        f'{LEVEL}median RCS [dBsm]': p50,
        f'{SHAPE}p95 - median of RCS [dB]': p95 - p50,
        f'{SHAPE}median - p5 of RCS [dB]': p50 - p5,
        f'{SHAPE}RCS by range [dB a decade]': _slope(np.log10(range_m), rcs_dbsm),
        f'{SHAPE}detections': float(len(range_m)),
        f'{SHAPE}median range [m]': float(np.median(range_m)),
        f'{SHAPE}p90 of range [m]': float(np.percentile(range_m, 90)),
        f'{SHAPE}spread of elevation [deg]': float(elevation_deg.std()),
        f'{SHAPE}to the nearest other [m]': float(np.median(apart_m.min(axis=1))),
    }


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / scale) if scale > 0 else np.nan


def _mean_run(is_set: NDArray[np.bool_], axis: int) -> float:
    """Return the mean length of the runs of set cells along an axis."""
    along = np.moveaxis(is_set, axis, 0)
    begins = along[0].sum() + (along[1:] & ~along[:-1]).sum()
    return float(along.sum() / begins) if begins else np.nan


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    x = x - x.mean()
    return float(x @ y / (x @ x)) if x @ x > 1e-9 else np.nan
