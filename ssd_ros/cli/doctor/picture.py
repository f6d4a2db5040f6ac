# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was looked at as a picture: the course, what was seen on it, a scan and its polar BEV."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.polar_bev import PolarGrid
from ssd_ros.cli.doctor.scans import Scans, Shown

_MAX_POINTS = 40_000
_PANORAMA_DEG = 360.0


def picture_of(scans: Scans, grid: PolarGrid, name: str) -> Figure:
    """
    Draw a recording.

    :param grid: of the polar BEV
    """
    figure = Figure(figsize=(15, 5), layout='constrained')
    course, scan, bev = figure.subplots(1, 3)
    shown = _fullest(scans.shown)
    _draw_course(course, scans)
    _draw_scan(scan, shown, grid)
    _draw_bev(bev, shown, grid)
    figure.suptitle(f'{name}: {len(scans)} scans')
    return figure


def _fullest(shown: list[Shown]) -> Shown:
    """Return the scan with the most points, of those with a place if any has one."""
    placed = [each for each in shown if np.isfinite(each.planar).all()]
    return max(placed or shown, key=lambda each: len(each.points_m))


def _draw_course(axes: Axes, scans: Scans) -> None:
    known_m = scans.places_m[np.isfinite(scans.places_m[:, 0])]
    if not len(known_m):
        axes.text(0.5, 0.5, 'no odometry: the course is not known', ha='center', va='center')
        axes.set(title='course', xticks=[], yticks=[])
        return
    seen_m = _seen(scans.shown)
    axes.plot(*seen_m.T, ',', color='0.6', zorder=1)
    axes.plot(*known_m.T, color='tab:blue', linewidth=1.5, label='course')
    axes.plot(*known_m[0], 'o', color='tab:blue', label='begin')
    if scans.answers.places_m:
        places_m = np.array(scans.answers.places_m)
        label = f'accepted places ({len(places_m)})'
        axes.plot(*places_m.T, '.', color='tab:green', markersize=3, label=label)
    low, high = known_m.min(axis=0) - 60, known_m.max(axis=0) + 60
    axes.set(title='course, and what was seen', xlabel='x (m)', ylabel='y (m)', aspect='equal')
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.legend(fontsize='small', loc='best')


def _seen(shown: list[Shown]) -> NDArray[np.float64]:
    """Return the returns of all scans with a place where they lie, shape (P, 2)."""
    parts = []
    for planar, points_m, _ in shown:
        if np.isfinite(planar).all():
            cos, sin = np.cos(planar[2]), np.sin(planar[2])
            parts.append(points_m @ np.array([[cos, sin], [-sin, cos]]) + planar[:2])
    seen_m = np.concatenate([np.zeros((0, 2)), *parts])
    return seen_m[:: max(1, -(-len(seen_m) // _MAX_POINTS))]


def _draw_scan(axes: Axes, shown: Shown, grid: PolarGrid) -> None:
    x_m, y_m = shown.points_m.T
    axes.plot(-y_m, x_m, '.', color='tab:orange', markersize=3)
    axes.plot(0, 0, '^', color='tab:blue')
    reach_m = grid.max_range_m
    title = f'a scan from above: {len(shown.points_m)} returns that stand still'
    axes.set(title=title, xlabel='right (m)', ylabel='ahead (m)', aspect='equal')
    axes.set(xlim=(-reach_m, reach_m), ylim=(min(0.0, float(x_m.min(initial=0))), reach_m))


def _draw_bev(axes: Axes, shown: Shown, grid: PolarGrid) -> None:
    is_turn = shown.bev.shape[1] != grid.num_azimuths
    left_deg, right_deg = (
        (0.0, _PANORAMA_DEG) if is_turn else (-grid.fov_deg / 2, grid.fov_deg / 2)
    )
    extent = (left_deg, right_deg, 0.0, grid.max_range_m)
    axes.imshow(shown.bev, cmap='gray', origin='lower', aspect='auto', extent=extent)
    axes.set(title='what the encoder sees of it', ylabel='range (m)')
    axes.set(xlabel='azimuth, clockwise (degrees)')
