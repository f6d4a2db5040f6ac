# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A scan of a spinning radar from above, by which a person sees whether it is read rightly."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.pictures import write_figure
from ssd_ros.datasets.sequence import RadarSequence
from ssd_ros.radar.types import SpinningRadarScan

_NUM_TRIED = 10  # the first scans of a recording may be cut off
_SHOWN_RANGE_M = 100.0
_BRIGHTEST = 99.5  # percentile


def birds_eye(scan: SpinningRadarScan, reach_m: float, num_pixels: int) -> NDArray[np.uint8]:
    """
    Return the scan from above, forward up, shape (num_pixels, num_pixels).

    :param reach_m: from the radar to each edge
    """
    side = np.linspace(-reach_m, reach_m, num_pixels)
    right, forward = np.meshgrid(side, side[::-1])
    azimuth = np.mod(np.arctan2(right, forward), 2 * np.pi)
    num_bins, num_azimuths = scan.power.shape
    known = np.append(scan.azimuths_rad, scan.azimuths_rad[0] + 2 * np.pi)
    # Angles before the first azimuth lie behind the last one.
    azimuth = np.where(azimuth < known[0], azimuth + 2 * np.pi, azimuth)
    columns = np.rint(np.interp(azimuth, known, np.arange(num_azimuths + 1))).astype(int)
    range_m = np.hypot(right, forward) - scan.range_offset_m
    rows = np.floor(range_m / scan.range_resolution_m).astype(int)
    is_seen = (rows >= 0) & (rows < num_bins)
    return np.where(is_seen, scan.power[rows.clip(0, num_bins - 1), columns % num_azimuths], 0)


def write_first_scan(path: Path, drive: RadarSequence) -> bool:
    """
    Draw the first scan of a drive that can be read.

    :return: whether there was one; that most cannot be read is for the work itself to say
    """
    for index in range(min(_NUM_TRIED, len(drive.scan_stamps_ns))):
        try:
            scan = drive.scan(index)
        except (ValueError, OSError):
            continue
        write_figure(path, _picture(scan, f'{drive.name}, scan {index}'))
        return True
    return False


def _picture(scan: SpinningRadarScan, title: str) -> Figure:
    num_bins, num_azimuths = scan.power.shape
    reach_m = num_bins * scan.range_resolution_m + scan.range_offset_m
    shown_m = min(reach_m, _SHOWN_RANGE_M)
    figure = Figure(figsize=(7, 7), layout='constrained')
    axes = figure.subplots()
    brightest = max(1.0, float(np.percentile(scan.power[scan.power > 0], _BRIGHTEST)))
    axes.imshow(
        birds_eye(scan, shown_m, 700),
        cmap='gray',
        vmin=0,
        vmax=brightest,
        extent=(-shown_m, shown_m, -shown_m, shown_m),
    )
    axes.annotate(
        'forward',
        (0, 0.35 * shown_m),
        (0, 0),
        color='tab:red',
        ha='center',
        va='top',
        arrowprops={'color': 'tab:red', 'width': 1.5, 'headwidth': 8},
    )
    axes.set(
        title=f'{title}: {num_azimuths} azimuths x {num_bins} bins of '
        f'{scan.range_resolution_m:.4g} m, to {reach_m:.0f} m',
        xlabel='right of the radar (m)',
        ylabel='ahead of the radar (m)',
    )
    return figure
