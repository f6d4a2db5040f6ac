# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One scan of a 4D radar as a table: CSV with a line for each detection.

The columns are those of the Continental ARS548's list in the driver nebula, with units; further
ones are passed over.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.reading import read_text

COLUMNS = ('range_m', 'azimuth_rad', 'elevation_rad', 'range_rate_mps', 'rcs_dbsm')
_MAX_BYTES = 1 << 24


def read_detections(path: Path) -> RadarPointCloud:
    """
    Read the detections; their cloud has the stamp 0.

    :raise ValueError: a column is absent, a value is no finite number, or there is no line
    """
    rows = csv.DictReader(read_text(path, _MAX_BYTES, 'a list of detections').splitlines())
    if lacking := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise ValueError(f'{path} has no column {lacking[0]}, expected {", ".join(COLUMNS)}')
    try:
        table = np.array([[float(row[name]) for name in COLUMNS] for row in rows])
    except (TypeError, ValueError) as error:
        raise ValueError(f'{path}, line {rows.line_num}: {error}') from error
    if not len(table) or not np.isfinite(table).all():
        raise ValueError(f'{path} has {len(table)} lines, expected some, of finite numbers')
    range_m, azimuth, elevation, velocity_mps, rcs_dbsm = table.T
    flat_m = range_m * np.cos(elevation)
    xyz_m = (flat_m * np.cos(azimuth), flat_m * np.sin(azimuth), range_m * np.sin(elevation))
    return RadarPointCloud(
        0,
        np.column_stack(xyz_m).astype(np.float32),
        rcs_dbsm.astype(np.float32),
        velocity_mps.astype(np.float32),
    )
