# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Oxford Radar RobotCar: Navtech CTS350-X, radar/<us>.png and gps/ins.csv."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.datasets.formats.polar_sequence import PolarPngSequence
from ssd_ros.datasets.poses import empty_trajectory, poses_at, read_oxford_poses
from ssd_ros.datasets.stamped_files import find_below, radar_paths

# As in the data set's kit; its paper says 0.0438.
RANGE_RESOLUTION_M = 0.0432
OPTIONS = ('range_resolution_m',)


def open_oxford(root: Path, range_resolution_m: float | None = None) -> PolarPngSequence:
    """
    Open one traversal; a scan's stamp is the start of its sweep.

    :param range_resolution_m: for other radars in this layout; None = that of the data set
    :raise FileNotFoundError: there is no folder `radar`
    """
    found = find_below(root, {'radar', 'ins.csv'})
    stamps_ns, paths = radar_paths(root, found, ['radar'])
    poses = read_oxford_poses(found['ins.csv']) if 'ins.csv' in found else empty_trajectory()
    return PolarPngSequence(
        root.name,
        paths,
        stamps_ns,
        poses_at(poses, stamps_ns),
        range_resolution_m or RANGE_RESOLUTION_M,
    )
