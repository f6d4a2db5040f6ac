# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""FMCW LiDAR thinned to 4D density in maps of a RAS6: all drives of Boreas-RT below a root."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.cli.common.drives import open_drive
from ssd_ros.cli.evaluate.drives import Place
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.lidar_as_radar import LidarAsRadar, Thinning
from ssd_ros.datasets.sequence import RadarSequence

_SAME_ROAD_M = 25.0
_SAME_ROUTE = 0.5  # share of a drive's places that lie on the road of the map's
_OPTIONS = DriveOptions(dataset='boreas', lidar_source='aeva')


def boreas_rt_places(root: Path, max_points: int) -> list[Place]:
    """
    Find the drives below a root and sort them into routes.

    Of each route the first drive by name is mapped by its spinning radar; the others ask with
    their Aeva, thinned; a route that was driven once asks in its own map.

    :param max_points: that are left of a scan
    :raise FileNotFoundError: no drive with both sensors is there
    """
    thinning = Thinning(max_points=max_points)
    routes: list[list[RadarSequence]] = []
    for folder in _drives(root):
        wanted = Rosbag2Config(sensors=('spinning', 'lidar'))
        drive = open_drive(folder, _OPTIONS, wanted)
        route = next((one for one in routes if _is_same_route(one[0], drive)), None)
        if route is None:
            routes.append([drive])
        else:
            route.append(drive)
    return [
        Place(route[0], tuple(LidarAsRadar(drive, thinning) for drive in route[1:] or route))
        for route in routes
    ]


def _drives(root: Path) -> list[Path]:
    """Return the folders below a root that have scans of both sensors, by name."""
    found = sorted(
        folder.parent for folder in root.glob('**/aeva') if (folder.parent / 'radar').is_dir()
    )
    if not found:
        raise FileNotFoundError(
            f'{root} has no drive of Boreas-RT with an Aeva: expected folders <drive>/radar and '
            '<drive>/aeva below it'
        )
    return found


def _is_same_route(first: RadarSequence, second: RadarSequence) -> bool:
    """Tell whether a drive is for the most part on the road of another."""
    road_m, other_m = (_thinned(drive) for drive in (first, second))
    if not len(road_m) or not len(other_m):
        return False
    gaps_m = np.hypot(*(other_m[:, None] - road_m[None]).transpose(2, 0, 1)).min(axis=1)
    return bool(np.mean(gaps_m < _SAME_ROAD_M) > _SAME_ROUTE)


def _thinned(drive: RadarSequence) -> NDArray[np.float64]:
    """Return up to a thousand positions of a drive, shape (N, 2)."""
    positions_m = drive.scan_poses.positions_m[:, :2]
    return positions_m[:: max(1, len(positions_m) // 1000)]
