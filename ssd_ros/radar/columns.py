# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From the columns of a radar message to a cloud: units, levels, and what is no measurement.

Every kind of message (PointCloud2, PointCloud, RadarScan) ends here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.fields import CARTESIAN, DecoderConfig, intensity_kind_of
from ssd_ros.radar.types import RadarPointCloud

# Ten-percent quantiles of RCS in a real ARS548 list (308 detections), in dBsm: what the ranks of
# an intensity of unknown unit are mapped to. Reconstructed: no such sensor has been measured.
_RCS_QUANTILES = (-20, -13, -8, -4, -1, 2, 5, 7, 10, 16, 34)
_RELATIVE_KINDS = ('snr_db', 'power_db')
# No sensor means a level or a speed like this, and its square overflows.
_ABSURD = 1e12


@dataclass(frozen=True, slots=True)
class DecodeStats:
    """What one message held and how many points were dropped for which reason."""

    num_received: int
    num_zero: int = 0  # x = y = z = 0: padding
    num_not_finite: int = 0
    num_too_far: int = 0
    num_too_near: int = 0
    num_repeated: int = 0  # a last point that copies the one before: a known player's fault
    has_doppler: bool = True
    intensity_kind: str = 'rcs_dbsm'

    @property
    def num_dropped(self) -> int:
        """Points of the message that are not in the cloud."""
        return (
            self.num_zero
            + self.num_not_finite
            + self.num_too_far
            + self.num_too_near
            + self.num_repeated
        )


class DecodedCloud(NamedTuple):
    """A cloud and what was left out of it."""

    cloud: RadarPointCloud
    stats: DecodeStats


def header_of(msg: Any) -> tuple[int, str]:
    """Return stamp in nanoseconds and frame; a zero stamp and an empty frame stay so."""
    stamp = msg.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec), str(msg.header.frame_id)


def empty_cloud(header: tuple[int, str]) -> DecodedCloud:
    """Return a cloud of no point."""
    none = np.empty(0, np.float32)
    cloud = RadarPointCloud(header[0], np.empty((0, 3), np.float32), none, none, header[1])
    return DecodedCloud(cloud, DecodeStats(0))


def cloud_from_columns(
    header: tuple[int, str],
    columns: Mapping[str, NDArray[Any]],
    names: Mapping[str, str],
    config: DecoderConfig,
    last_is_repeated: bool = False,
) -> DecodedCloud:
    """
    Make a cloud of the columns of a message.

    :param columns: role -> shape (N,), any type
    :param names: role -> name of its field
    :param last_is_repeated: the last point is a copy of the one before
    """
    num_points = len(columns['intensity'])
    # Absurd bytes give absurd floats: what overflows is dropped below, not warned about.
    with np.errstate(all='ignore'):
        velocity_mps = np.zeros(num_points, np.float32)
        if 'doppler' in columns:
            velocity_mps[:] = columns['doppler']
            velocity_mps *= np.float32(config.doppler_sign)
        is_int8 = columns['intensity'].dtype == np.int8
        kind = intensity_kind_of(names['intensity'], is_int8, config)
        level = _level_of(columns['intensity'], kind)
        xyz_m = _xyz_of(columns, names, config)
        cloud = RadarPointCloud(header[0], xyz_m, level, velocity_mps, header[1])
        keep, dropped = _judge(cloud, config, last_is_repeated)
    if not keep.all():
        cloud = cloud.select(keep)
    if len(cloud):
        _put_on_rcs_scale(cloud.rcs_dbsm, kind, config)
    return DecodedCloud(cloud, DecodeStats(num_points, *dropped, 'doppler' in columns, kind))


def _xyz_of(
    columns: Mapping[str, NDArray[Any]], names: Mapping[str, str], config: DecoderConfig
) -> NDArray[np.float32]:
    first = columns['x' if 'x' in columns else 'range']
    xyz_m = np.empty((len(first), 3), np.float32)
    if columns.keys() >= CARTESIAN:
        for column, name in enumerate(('x', 'y', 'z')):
            xyz_m[:, column] = columns[name]
        return xyz_m
    range_m = columns['range'].astype(np.float64)
    azimuth_rad = columns['azimuth'].astype(np.float64)
    elevation_rad: NDArray[np.float64] = np.zeros(len(first))
    if 'elevation' in columns:
        elevation_rad[:] = columns['elevation']
    unit = config.angle_unit
    if unit == 'auto':
        largest = np.max(np.abs(azimuth_rad), where=np.isfinite(azimuth_rad), initial=0.0)
        in_degrees = names['azimuth'].lower() == 'bearing' or largest > 2 * math.pi
        unit = 'deg' if in_degrees else 'rad'
    if unit == 'deg':
        np.deg2rad(azimuth_rad, out=azimuth_rad)
        np.deg2rad(elevation_rad, out=elevation_rad)
    flat_m = range_m * np.cos(elevation_rad)
    xyz_m[:, 0] = flat_m * np.cos(azimuth_rad)
    xyz_m[:, 1] = flat_m * np.sin(azimuth_rad)
    xyz_m[:, 2] = range_m * np.sin(elevation_rad)
    return xyz_m


def _level_of(intensity: NDArray[Any], kind: str) -> NDArray[np.float32]:
    values = intensity.astype(np.float32)
    # No echo (0 m^2) has no level in dB: it becomes -inf and is dropped as not finite.
    if kind == 'rcs_linear':
        np.log10(values, out=values)
        values *= 10
    return values


def _put_on_rcs_scale(levels: NDArray[np.float32], kind: str, config: DecoderConfig) -> None:
    """Change in place what is no RCS into what the model takes for one, scan by scan."""
    if kind in _RELATIVE_KINDS:
        levels += np.float32(config.relative_median_dbsm) - np.median(levels)
    elif kind == 'raw':
        ordered = np.sort(levels)
        # The middle of those that are equal, so that a constant becomes the median.
        rank = np.searchsorted(ordered, levels) + np.searchsorted(ordered, levels, 'right')
        share = np.linspace(0, 1, len(_RCS_QUANTILES))
        levels[:] = np.interp(rank / (2 * len(levels)), share, _RCS_QUANTILES)


def _judge(
    cloud: RadarPointCloud, config: DecoderConfig, last_is_repeated: bool
) -> tuple[NDArray[np.bool_], tuple[int, int, int, int, int]]:
    """
    Decide which points are measurements.

    :return: points to keep, shape (N,); numbers of zero, not finite, far, near, repeated ones
    """
    x, y, z = cloud.xyz_m.T
    squared_range = x * x + y * y + z * z
    # A sum is finite only if all its parts are.
    finite = np.isfinite(x + y + z + cloud.rcs_dbsm + cloud.radial_velocity_mps)
    largest = np.maximum(np.abs(cloud.rcs_dbsm), np.abs(cloud.radial_velocity_mps))
    finite &= largest < _ABSURD
    zero = squared_range == 0
    near = squared_range < config.min_range_m**2
    # Not `>`: the square of a huge coordinate overflows to infinity, that of NaN is NaN.
    far = ~(squared_range <= config.max_range_m**2)
    keep = finite & ~(zero | near | far)
    num_repeated = int(last_is_repeated and bool(keep[-1]))
    if num_repeated:
        keep[-1] = False
    elif keep.all():
        return keep, (0, 0, 0, 0, 0)
    counts = [zero, ~finite & ~zero, finite & far, finite & near & ~zero]
    num_zero, num_not_finite, num_far, num_near = map(int, map(np.count_nonzero, counts))
    return keep, (num_zero, num_not_finite, num_far, num_near, num_repeated)
