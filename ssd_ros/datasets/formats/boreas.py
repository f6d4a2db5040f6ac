# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Boreas and Boreas-RT: Navtech CIR304-H and RAS6, radar/<us>.png, applanix/radar_poses.csv."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.datasets.formats.polar_sequence import PolarPngSequence
from ssd_ros.datasets.poses import empty_trajectory, read_boreas_poses
from ssd_ros.datasets.stamped_files import find_below, radar_paths

RANGE_OFFSET_M = -0.31
EARLY_RANGE_RESOLUTION_M = 0.0596
LATE_RANGE_RESOLUTION_M = 0.04381
OPTIONS = ('range_resolution_m',)
_NEW_FIRMWARE_NS = 1_632_182_400_000_000_000  # 2021-09-21


def open_boreas(root: Path, range_resolution_m: float | None = None) -> PolarPngSequence:
    """
    Open one drive; a scan's stamp is the middle of its sweep, and the poses are at these stamps.

    :param range_resolution_m: None = that of the firmware on the day of the drive
    :raise FileNotFoundError: there is no folder `radar`
    """
    found = find_below(root, {'radar', 'radar_poses.csv'})
    stamps_ns, paths = radar_paths(root, found, ['radar'])
    path = found.get('radar_poses.csv')
    poses = empty_trajectory() if path is None else read_boreas_poses(path)
    is_early = len(stamps_ns) > 0 and stamps_ns[0] < _NEW_FIRMWARE_NS
    usual_m = EARLY_RANGE_RESOLUTION_M if is_early else LATE_RANGE_RESOLUTION_M
    return PolarPngSequence(
        root.name, paths, stamps_ns, poses, range_resolution_m or usual_m, RANGE_OFFSET_M
    )
