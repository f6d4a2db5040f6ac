# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The LiDARs of Boreas and Boreas-RT: lidar/<us>.bin (Velodyne), aeva/<us>.bin (Aeva, with Doppler).

Both are turned to the vehicle as `calib` says: the Velodyne by about 45 degrees. Scans are not
freed from the distortion by the motion during 0.1 s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ssd_ros.datasets.poses import empty_trajectory, Pose, quaternion_from_matrix, read_table
from ssd_ros.datasets.stamped_files import paths_by_stamp, records_of, stamp_ns_from_digits
from ssd_ros.lidar.aeva import BOREAS_DTYPE, cloud_from_aeva_records
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.reading import read_text

VELODYNE_DTYPE = np.dtype([(name, '<f4') for name in ('x', 'y', 'z', 'intensity', 'ring', 'time')])
# Folder of each LiDAR, and the calibrations whose product turns it into the Applanix frame.
SOURCES = ('lidar', 'aeva')
FILES = {
    *SOURCES,
    *(f'{source}_poses.csv' for source in SOURCES),
    't_applanix_lidar.txt',
    't_aeva_lidar.txt',
}
_MAX_NUM_POINTS = 1_000_000  # a Velodyne sends 220 000 a scan
VEHICLE_APPLANIX = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # whose y points ahead


@dataclass(frozen=True, slots=True)
class BoreasLidar:
    """
    One LiDAR of a drive.

    :param poses: of a frame in its place that looks ahead
    :param vehicle_sensor: rotation vehicle <- sensor, shape (3, 3)
    """

    source: str
    stamps_ns: NDArray[np.int64]
    paths: list[Path]
    poses: Trajectory
    vehicle_sensor: NDArray[np.float64]

    def scan(self, index: int) -> LidarPointCloud:
        """Read one scan, x ahead."""
        stamp_ns, path = int(self.stamps_ns[index]), self.paths[index]
        if self.source == 'aeva':
            records = records_of(path, BOREAS_DTYPE, _MAX_NUM_POINTS)
            cloud = cloud_from_aeva_records(records, stamp_ns)
        else:
            records = records_of(path, VELODYNE_DTYPE, _MAX_NUM_POINTS)
            xyz_m = np.stack([records['x'], records['y'], records['z']], axis=1)
            cloud = LidarPointCloud(
                stamp_ns, xyz_m, records['intensity'].copy(), None, 'velodyne'
            ).measured()
        turned_m = cloud.xyz_m @ self.vehicle_sensor.T.astype(np.float32)
        return LidarPointCloud(
            stamp_ns, turned_m, cloud.intensity, cloud.radial_velocity_mps, cloud.frame_id
        )


def open_lidar(
    root: Path, found: Mapping[str, Path], source: str | None = None
) -> BoreasLidar | None:
    """
    Open the LiDAR of a drive.

    :param found: of FILES below the root, by name in lower case
    :param source: one of SOURCES; None = the first that is there and whose mounting is known
    :return: None if there is none
    :raise ValueError: the source is not there, or it is not known how it is turned
    """
    if source is not None and source not in SOURCES:
        raise ValueError(f'no LiDAR {source!r} in Boreas; choose from {", ".join(SOURCES)}')
    for name in SOURCES if source is None else (source,):
        calibrations = ['t_applanix_lidar.txt', *(['t_aeva_lidar.txt'] if name == 'aeva' else [])]
        lacking = [file for file in (name, *calibrations) if file not in found]
        if not lacking:
            return _opened(found, name)
        if source is not None:
            raise ValueError(
                f'{root} has no {" and no ".join(lacking)}: the folder {name} has the scans, '
                f'calib/{" and calib/".join(calibrations)} say how the LiDAR is turned'
            )
    return None


def _opened(found: Mapping[str, Path], name: str) -> BoreasLidar:
    turn = _rotation(found['t_applanix_lidar.txt'])
    if name == 'aeva':
        turn = turn @ _rotation(found['t_aeva_lidar.txt']).T
    vehicle_sensor = VEHICLE_APPLANIX @ turn
    stamps, paths = paths_by_stamp(found[name], '.bin')
    stamps_ns = np.array([stamp_ns_from_digits(stamp) for stamp in stamps.tolist()], np.int64)
    file = found.get(f'{name}_poses.csv')
    poses = empty_trajectory()
    if file is not None:
        columns = ['GPSTime', 'easting', 'northing', 'altitude', 'roll', 'pitch', 'heading']
        poses = read_table(file, columns, _pose_of(vehicle_sensor))
    return BoreasLidar(name, stamps_ns, paths, poses, vehicle_sensor)


def _rotation(path: Path) -> NDArray[np.float64]:
    """Read the rotation of a file with a 4x4 matrix."""
    try:
        numbers = np.array(read_text(path, 1 << 16, 'a calibration').split(), np.float64)
        rotation: NDArray[np.float64] = numbers.reshape(4, 4)[:3, :3]
    except ValueError as error:
        raise ValueError(f'{path} does not hold a 4x4 matrix: {error}') from error
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=5e-3):
        raise ValueError(f'{path} does not hold a rotation: {rotation.tolist()}')
    return rotation


def _pose_of(vehicle_sensor: NDArray[np.float64]) -> Callable[[list[str]], Pose]:
    """
    Return what makes a pose of a line of <sensor>_poses.csv.

    Their rotation map <- sensor is the product of the passive rotations by roll, pitch and
    heading, in this order.
    """

    def pose(words: list[str]) -> Pose:
        stamp, *values = int(words[0]), *map(float, words[1:])
        roll, pitch, heading = values[3:]
        (cr, sr), (cp, sp), (ch, sh) = (
            (math.cos(angle), math.sin(angle)) for angle in (roll, pitch, heading)
        )
        map_sensor = (
            np.array([[1, 0, 0], [0, cr, sr], [0, -sr, cr]])
            @ np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
            @ np.array([[ch, sh, 0], [-sh, ch, 0], [0, 0, 1]])
        )
        return stamp, [*values[:3], *quaternion_from_matrix(map_sensor @ vehicle_sensor.T)]

    return pose
