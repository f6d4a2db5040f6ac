# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From one turn of a spinning radar, in whatever message, to a scan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.spinning.plausibility import plausible, require_ordered
from ssd_ros.datasets.spinning.preset import SpinningPreset
from ssd_ros.datasets.spinning.ros_image import pixels_of_image
from ssd_ros.radar.point_fields import checked_bytes, view_of_points
from ssd_ros.radar.types import SpinningRadarScan, uniform_azimuths_rad

_NUM_AZIMUTHS = 400
_MAX_RANGE_M = 150.0  # HeRCULES
_MAX_NUM_BINS = 20_000  # the longest known sweep has 6,848
_ENCODER_BYTES = slice(8, 10)


def scan_from_image(message: Any, stamp_ns: int, preset: SpinningPreset) -> SpinningRadarScan:
    """
    Return the scan in an image.

    :param message: sensor_msgs/Image, live or recorded
    :raise ValueError: the encoding, the shape or the amount of data is another
    """
    rows = _azimuth_rows(pixels_of_image(message), preset)
    if not preset.num_metadata_bytes:
        return _scan(rows, None, stamp_ns, preset)
    if rows.shape[1] <= preset.num_metadata_bytes:
        raise ValueError(
            f'radar image has {rows.shape[1]} bytes an azimuth, expected more than '
            f'{preset.num_metadata_bytes} bytes of metadata'
        )
    counts = np.ascontiguousarray(rows[:, _ENCODER_BYTES]).view('<u2').ravel()
    return _scan(rows[:, preset.num_metadata_bytes :], counts, stamp_ns, preset)


def scan_from_b_scan(message: Any, stamp_ns: int, preset: SpinningPreset) -> SpinningRadarScan:
    """
    Return the scan in a navtech_msgs/RadarBScanMsg.

    :raise ValueError: the image is none, or has not one encoder value a row
    """
    rows = _azimuth_rows(pixels_of_image(message.b_scan_img), preset)
    counts = np.asarray(message.encoder_values, np.uint16)
    if len(counts) != len(rows):
        raise ValueError(f'b-scan has {len(counts)} encoder values for {len(rows)} azimuths')
    return _scan(rows, counts, stamp_ns, preset)


def scan_from_sweeps(
    counts: NDArray[np.uint16],
    sweeps: list[NDArray[np.uint8]],
    stamp_ns: int,
    preset: SpinningPreset,
) -> SpinningRadarScan:
    """
    Return the scan of one message an azimuth.

    :param counts: shape (num_azimuths,), of the encoder
    :param sweeps: power of each azimuth, shape (num_bins,)
    :raise ValueError: there are none, or some are longer than others
    """
    lengths = {len(sweep) for sweep in sweeps}
    if len(lengths) != 1:
        raise ValueError(f'sweeps of one turn have {sorted(lengths)} bins, expected one number')
    return _scan(np.stack(sweeps), counts, stamp_ns, preset)


def scan_from_points(message: Any, stamp_ns: int, preset: SpinningPreset) -> SpinningRadarScan:
    """
    Return the scan whose cells above a threshold are the points of a PointCloud2.

    :raise PointCloudError: x, y or intensity are not where the message says
    """
    resolution_m = preset.range_resolution_m
    if resolution_m is None:
        raise ValueError('points of a spinning radar need a range resolution')
    by_name = {field.name: field for field in message.fields}
    if missing := {'x', 'y', 'intensity'} - by_name.keys():
        raise ValueError(f'radar points have no field {sorted(missing)}, only {list(by_name)}')
    fields = {name: by_name[name] for name in ('x', 'y', 'intensity')}
    points = view_of_points(message, checked_bytes(message), fields).reshape(-1)
    x, y = points['x'].astype(np.float64), points['y'].astype(np.float64)
    with np.errstate(all='ignore'):
        bins = np.rint(np.hypot(x, y) / resolution_m)
        power = np.clip(np.nan_to_num(points['intensity'].astype(np.float64)), 0, 255)
    usable = bins < _MAX_NUM_BINS  # not of NaN
    bins = bins[usable].astype(np.int64)
    steps = np.rint(np.arctan2(y, x)[usable] / (2 * math.pi / _NUM_AZIMUTHS)).astype(np.int64)
    rows = np.zeros((_NUM_AZIMUTHS, int(bins.max(initial=0)) + 1), np.uint8)
    np.maximum.at(rows, (steps % _NUM_AZIMUTHS, bins), power[usable].astype(np.uint8))
    return _scan(rows, None, stamp_ns, preset)


def azimuths_of_counts(
    counts: NDArray[np.uint16], encoder_size: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """
    Return ascending angles from the encoder counts, and the rows that have them.

    Without counts (some recordings hold one number throughout) the rows are evenly spaced.

    :raise ValueError: a count is none of this encoder, or they have no order
    """
    if (counts == counts[0]).all():
        return uniform_azimuths_rad(len(counts)), np.arange(len(counts))
    if counts.max() >= encoder_size:
        raise ValueError(f'encoder count {counts.max()}, expected below {encoder_size}')
    require_ordered(counts, encoder_size)
    different, order = np.unique(counts, return_index=True)
    return different.astype(np.float64) * (2 * math.pi / encoder_size), order.astype(np.int64)


def _azimuth_rows(image: NDArray[np.uint8], preset: SpinningPreset) -> NDArray[np.uint8]:
    """Return the image with one azimuth a row."""
    height, width = image.shape
    if preset.rows_are == 'auto':
        if (height == _NUM_AZIMUTHS) == (width == _NUM_AZIMUTHS):
            raise ValueError(
                f'radar image has {height} rows x {width} columns, '
                f'expected {_NUM_AZIMUTHS} azimuths on one side'
            )
        return image if height == _NUM_AZIMUTHS else image.T
    return image if preset.rows_are == 'azimuth' else image.T


def _scan(
    rows: NDArray[np.uint8],
    counts: NDArray[np.uint16] | None,
    stamp_ns: int,
    preset: SpinningPreset,
) -> SpinningRadarScan:
    """
    Sort the azimuths into clockwise order from forward.

    :param rows: shape (num_azimuths, num_bins)
    """
    if counts is None:
        counts = np.zeros(len(rows), np.uint16)  # as where the encoder is not recorded
    azimuths_rad, chosen = azimuths_of_counts(counts, preset.encoder_size)
    power = np.ascontiguousarray(rows[chosen].T)
    resolution_m = preset.range_resolution_m or _MAX_RANGE_M / len(power)
    return plausible(SpinningRadarScan(stamp_ns, power, azimuths_rad, resolution_m))
