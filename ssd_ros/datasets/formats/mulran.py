# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MulRan: Navtech CIR204-H, polar_oxford_form/<ns>.png or polar/<ns>.png, global_pose.csv."""

from __future__ import annotations

from pathlib import Path

from ssd_ros.datasets.formats.polar_sequence import PolarPngSequence
from ssd_ros.datasets.poses import empty_trajectory, poses_at, read_mulran_poses
from ssd_ros.datasets.spinning.polar_png import Layout
from ssd_ros.datasets.stamped_files import find_below, radar_paths

RANGE_RESOLUTION_M = 0.05952
OPTIONS = ('range_resolution_m',)


def open_mulran(root: Path, range_resolution_m: float | None = None) -> PolarPngSequence:
    """
    Open one drive, such as DCC01; a scan's stamp is the end of its sweep.

    :param range_resolution_m: for other radars in this layout; None = that of the data set
    :raise FileNotFoundError: there is no folder `polar_oxford_form` nor `polar`
    """
    found = find_below(root, {'polar_oxford_form', 'polar', 'global_pose.csv'})
    stamps_ns, paths = radar_paths(root, found, ['polar_oxford_form', 'polar'])
    path = found.get('global_pose.csv')
    poses = empty_trajectory() if path is None else read_mulran_poses(path)
    return PolarPngSequence(
        root.name,
        paths,
        stamps_ns,
        poses_at(poses, stamps_ns),
        range_resolution_m or RANGE_RESOLUTION_M,
        layout=Layout.EITHER,
    )
