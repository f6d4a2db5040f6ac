# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives in the layout of Boreas-RT: a spinning radar and a LiDAR, with poses and calibration."""

from __future__ import annotations

from collections.abc import Callable
import math
from pathlib import Path
import re

import cv2
import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import ORIGIN_FILE, origin_text
from ssd_ros.datasets.formats.boreas import LATE_RANGE_RESOLUTION_M, RANGE_OFFSET_M
from ssd_ros.datasets.formats.boreas_lidar import (
    VEHICLE_APPLANIX,
    VELODYNE_DTYPE,
)
from ssd_ros.datasets.formats.hercules import GENERATOR_FILE, SIMULATION_FILE
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.lidar.aeva import aeva_records, BOREAS_DTYPE
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.targets import folder_written, FolderKind, GENERATOR, MARK

_ENCODER_COUNTS_PER_TURN = 5600
_HEADER = (
    'GPSTime,easting,northing,altitude,vel_east,vel_north,vel_up,roll,pitch,heading,'
    'angvel_z,angvel_y,angvel_x'
)
_NAMES = re.compile(
    rf'{SIMULATION_FILE}|{GENERATOR_FILE}|{ORIGIN_FILE}|radar/\d+\.png|(aeva|lidar)/\d+\.bin'
    r'|applanix/(radar|aeva|lidar)_poses\.csv|calib/T_(applanix|aeva|radar)_lidar\.txt'
)


def _own_files(path: Path) -> list[str]:
    """Return the files of a drive that was written here."""
    generator = path / GENERATOR_FILE
    if not (generator.is_file() and re.match(MARK, generator.read_bytes())):
        raise ValueError(f'no {GENERATOR_FILE} says that we wrote it')
    names = (file.relative_to(path).as_posix() for file in path.rglob('*'))
    return [name for name in names if _NAMES.fullmatch(name)]


BOREAS_FOLDER = FolderKind('a drive written by ssd_ros', _own_files)


def write_boreas(
    path: Path,
    sequence: RadarSequence,
    progress: Callable[[], None] = lambda: None,
    simulation: str = '',
) -> Path:
    """
    Write scans of the spinning radar and of the LiDAR; clouds of a 4D radar have no place there.

    Times are cut to microseconds. A LiDAR with Doppler is an Aeva, another a Velodyne; both look
    ahead.

    :param progress: called after every file
    :param simulation: what it was simulated with, as JSON; empty = it was not
    :return: the directory of the drive
    """
    with folder_written(path, BOREAS_FOLDER) as folder:
        (folder / 'applanix').mkdir(parents=True)
        if len(sequence.scan_stamps_ns):
            (folder / 'radar').mkdir()
        for index, stamp_ns in enumerate(sequence.scan_stamps_ns.tolist()):
            image = _oxford_image(sequence.scan(index))
            _, encoded = cv2.imencode('.png', image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            (folder / f'radar/{stamp_ns // 1000}.png').write_bytes(encoded.tobytes())
            progress()
        _write_poses(folder / 'applanix/radar_poses.csv', sequence.scan_poses, is_upside_down=True)
        if len(sequence.lidar_stamps_ns):
            _write_lidar(folder, sequence, progress)
        (folder / ORIGIN_FILE).write_text(origin_text(origin_of(sequence)) + '\n')
        (folder / GENERATOR_FILE).write_text(f'{GENERATOR}\n')
        if simulation:
            (folder / SIMULATION_FILE).write_text(simulation)
    return path


def _write_lidar(folder: Path, sequence: RadarSequence, progress: Callable[[], None]) -> None:
    name = ''
    for index, stamp_ns in enumerate(sequence.lidar_stamps_ns.tolist()):
        cloud = sequence.lidar(index)
        if not name:
            name = 'lidar' if cloud.radial_velocity_mps is None else 'aeva'
            (folder / name).mkdir()
        if name == 'aeva':
            records = aeva_records(cloud, BOREAS_DTYPE)
        else:
            records = np.zeros(len(cloud), VELODYNE_DTYPE)
            records['x'], records['y'], records['z'] = cloud.xyz_m.T
            records['intensity'] = np.nan_to_num(cloud.intensity)
        records.tofile(folder / f'{name}/{stamp_ns // 1000}.bin')
        progress()
    _write_poses(folder / f'applanix/{name}_poses.csv', sequence.lidar_poses)
    (folder / 'calib').mkdir()
    _write_matrix(folder / 'calib/T_applanix_lidar.txt', VEHICLE_APPLANIX.T)
    _write_matrix(folder / 'calib/T_aeva_lidar.txt', np.eye(3))


def _oxford_image(scan: SpinningRadarScan) -> NDArray[np.uint8]:
    """Return azimuths as rows behind their metadata, ranges as the sensor counts them."""
    num_azimuths = len(scan.azimuths_rad)
    last_m = scan.range_offset_m + len(scan.power) * scan.range_resolution_m
    num_bins = int((last_m - RANGE_OFFSET_M) / LATE_RANGE_RESOLUTION_M)
    middle_m = (np.arange(num_bins) + 0.5) * LATE_RANGE_RESOLUTION_M + RANGE_OFFSET_M
    bins = np.floor((middle_m - scan.range_offset_m) / scan.range_resolution_m).astype(np.int64)
    rows = np.where(bins[:, None] >= 0, scan.power[np.maximum(bins, 0)], 0).T
    metadata = np.zeros(num_azimuths, [('time', '<i8'), ('count', '<u2'), ('chirp', 'u1')])
    shares = scan.azimuths_rad / (2 * math.pi)
    metadata['time'] = scan.stamp_ns // 1000 + np.rint((shares - 0.5) * 250_000)
    metadata['count'] = np.rint(shares * _ENCODER_COUNTS_PER_TURN)
    metadata['chirp'] = 255
    head = metadata.view(np.uint8).reshape(num_azimuths, -1)
    return np.hstack([head, rows.astype(np.uint8)])


def _write_poses(path: Path, poses: Trajectory, is_upside_down: bool = False) -> None:
    """Write level poses: roll pi and the yaw of a radar, whose z points down, else 0 and -yaw."""
    roll, sign = (math.pi, 1) if is_upside_down else (0.0, -1)
    lines = [_HEADER]
    for stamp_ns, position, yaw in zip(
        poses.stamps_ns.tolist(), poses.positions_m.tolist(), poses.yaws_rad.tolist(), strict=True
    ):
        values = [*position, 0.0, 0.0, 0.0, roll, 0.0, sign * yaw, 0.0, 0.0, 0.0]
        lines.append(f'{stamp_ns // 1000},{",".join(map(repr, values))}')
    path.write_text('\n'.join([*lines, '']))


def _write_matrix(path: Path, rotation: NDArray[np.float64]) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    path.write_text(''.join(' '.join(map(repr, row)) + '\n' for row in matrix.tolist()))
