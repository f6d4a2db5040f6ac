# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The benchmark of TransLoc4D: gps.csv and pointclouds/<timestamp>.npy or .bin, one half of a subset.

Its pickles are never read: what they hold follows from gps.csv, by distances. Of a .npy file the
columns are x, y, z, velocity and intensity, of a .bin file (float64) x, y and z alone, which is
taken for the cloud of a LiDAR.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.formats.cloud_sequence import CloudFiles, CloudSequence
from ssd_ros.datasets.stamped_files import find_below
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.npy_files import array_of
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.reading import read_text, read_whole

OPTIONS = ()
_COLUMNS = ('timestamp', 'northing', 'easting')
_MAX_CLOUD_BYTES = 1 << 28
_NORMALISED_M = 1.5  # clouds scaled to a unit cube end before
_LEAST_STEP_M = 0.05  # of which the course can be told
_SUFFIXES = ('.npy', '.bin')
_UNITS_NS = {10: 10**9, 13: 10**6, 16: 10**3, 19: 1}  # by the digits before the point


def open_transloc4d(root: Path) -> CloudSequence:
    """
    Open one half of a subset, `query` or `database`; the heading is the course between its rows.

    :raise FileNotFoundError: it has no gps.csv or no clouds
    :raise ValueError: a row has no cloud, or both halves lie below the root
    """
    found = find_below(root, {'gps.csv', 'pointclouds'}, max_depth=1)
    if lacking := {'gps.csv', 'pointclouds'} - found.keys():
        raise FileNotFoundError(
            f'{root} has no {" and no ".join(sorted(lacking))}: give one half of a subset, such '
            'as ntu-rsvi/val/query'
        )
    stamps, places_m = _rows(found['gps.csv'])
    # By value: who wrote the names may have cut zeros that the table has.
    files = {
        _number(path.stem): path
        for path in found['pointclouds'].iterdir()
        if path.suffix in _SUFFIXES
    }
    if missing := [stamp for stamp in stamps if _number(stamp) not in files]:
        raise ValueError(
            f'{found["gps.csv"]} has {len(missing)} rows without a cloud, the first {missing[0]}'
        )
    stamps_ns = np.array([_nanoseconds(stamp) for stamp in stamps], np.int64)
    order = np.argsort(stamps_ns, kind='stable')
    stamps_ns, places_m = stamps_ns[order], places_m[order]
    if (np.diff(stamps_ns) <= 0).any():
        raise ValueError(f'{found["gps.csv"]} has two rows of one time')
    paths = [files[_number(stamps[number])] for number in order]
    name = '/'.join(root.resolve().parts[-3:])
    if len(kinds := {path.suffix for path in paths}) > 1:
        raise ValueError(f'{found["pointclouds"]} holds clouds of several kinds, {sorted(kinds)}')
    poses = _poses(stamps_ns, places_m)
    if kinds == {'.bin'}:
        return CloudSequence(name, own_lidar=CloudFiles(stamps_ns, paths, _read_bin, poses))
    return CloudSequence(name, CloudFiles(stamps_ns, paths, _read_npy, poses))


def _rows(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Return the times as written and the positions, x east, y north, shape (N, 2)."""
    lines = [line.split(',') for line in read_text(path, 1 << 28, 'a table').split('\n')]
    names = [name.strip() for name in lines[0]]
    if missing := [name for name in _COLUMNS if name not in names]:
        raise ValueError(f'{path} has no column {missing}: its header is {names}')
    at, north, east = (names.index(name) for name in _COLUMNS)
    rows = [line for line in lines[1:] if line != ['']]
    try:
        places_m = [(float(row[east]), float(row[north])) for row in rows]
        stamps = [row[at].strip() for row in rows]
    except (IndexError, ValueError) as error:
        raise ValueError(f'{path} has a broken row: {error}') from error
    array = np.array(places_m, np.float64).reshape(-1, 2)
    if not np.isfinite(array).all():
        raise ValueError(f'{path} has a position that is not finite')
    return stamps, array


def _nanoseconds(stamp: str) -> int:
    """Return a time in seconds, milli-, micro- or nanoseconds, told by its digits."""
    number = _number(stamp)
    scale = _UNITS_NS.get(number.adjusted() + 1) if number is not None and number > 0 else None
    if number is None or scale is None:
        raise ValueError(
            f'the time {stamp[:40]!r} is none since 1970: expected {sorted(_UNITS_NS)} digits'
        )
    return round(number * scale)


def _number(word: str) -> Decimal | None:
    """Return a number to its last digit, None if it is none."""
    try:
        number = Decimal(word)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _poses(stamps_ns: NDArray[np.int64], places_m: NDArray[np.float64]) -> Trajectory:
    """Return positions with the course between their neighbours as heading."""
    padded = np.pad(places_m, ((1, 1), (0, 0)), mode='edge')
    step_m = padded[2:] - padded[:-2]
    yaws_rad = np.arctan2(step_m[:, 1], step_m[:, 0])
    # Who stands keeps the last heading that is known.
    known = np.flatnonzero(np.hypot(*step_m.T) > _LEAST_STEP_M)
    if len(known):
        last = np.maximum(np.searchsorted(known, np.arange(len(yaws_rad)), 'right') - 1, 0)
        yaws_rad = yaws_rad[known[last]]
    positions_m = np.column_stack([places_m, np.zeros(len(places_m))])
    return Trajectory(stamps_ns, positions_m, quaternion_from_yaw(yaws_rad))


def _read_npy(path: Path, stamp_ns: int) -> RadarPointCloud:
    try:
        table = array_of(read_whole(path, _MAX_CLOUD_BYTES, 'a cloud'))
    except ValueError as error:
        raise ValueError(f'{path} is not a cloud: {error}') from error
    if table.ndim != 2 or table.shape[1] != 5 or table.dtype.kind != 'f':
        raise ValueError(
            f'{path} holds {table.shape} of {table.dtype}, expected N x 5: x, y, z, velocity and '
            'intensity'
        )
    table = table[np.isfinite(table).all(axis=1)].astype(np.float32)
    _require_metres(path, table[:, :3])
    return RadarPointCloud(
        stamp_ns, table[:, :3].copy(), table[:, 4].copy(), table[:, 3].copy(), 'oculii'
    )


def _read_bin(path: Path, stamp_ns: int) -> LidarPointCloud:
    content = read_whole(path, _MAX_CLOUD_BYTES, 'a cloud')
    if len(content) % 24:
        raise ValueError(f'{path} has {len(content)} bytes, expected 24 for each point')
    xyz_m = np.frombuffer(content, '<f8').reshape(-1, 3).astype(np.float32)
    _require_metres(path, xyz_m[np.isfinite(xyz_m).all(axis=1)])
    nothing = np.full(len(xyz_m), np.nan, np.float32)
    return LidarPointCloud(stamp_ns, xyz_m, nothing).measured()


def _require_metres(path: Path, xyz_m: NDArray[np.float32]) -> None:
    if len(xyz_m) and np.abs(xyz_m).max() <= _NORMALISED_M:
        raise ValueError(
            f'{path} reaches {np.abs(xyz_m).max():.2f} m: its cloud is normalised, so of no '
            'scale; of the benchmark only ntu-rsvi and sjtu-rsvi have metres'
        )
