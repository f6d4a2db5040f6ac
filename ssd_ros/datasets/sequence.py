# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one view of a drive that map building, training and evaluation need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import Origin
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.types import RadarPointCloud, RADARS, SpinningRadarScan

SENSORS = {**RADARS, 'lidar': 'LiDAR'}  # by what is called sensor


@runtime_checkable
class RadarSequence(Protocol):
    """
    One drive with radars, a LiDAR or all; every reader and the simulator satisfy it.

    A sequence without one of the sensors has an empty stamp array for it. Index i of `cloud`
    (`scan`, `lidar`) is the scan at `cloud_stamps_ns[i]` (`scan_stamps_ns[i]`,
    `lidar_stamps_ns[i]`); data are read when asked for. The poses are those of the sensor itself,
    in one map frame for all drives of a place. It may have an `origin`, where its data come from:
    `origin_of` asks for it.
    """

    @property
    def name(self) -> str:
        """Place and number, such as `Library/01`."""
        ...

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the 4D radar scans, shape (N,), ascending."""
        ...

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the spinning radar scans, shape (M,), ascending."""
        ...

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the LiDAR's scans, shape (K,), ascending."""
        ...

    @property
    def cloud_poses(self) -> Trajectory:
        """Poses of the 4D radar; not every scan needs one."""
        ...

    @property
    def scan_poses(self) -> Trajectory:
        """Poses of the spinning radar; not every scan needs one."""
        ...

    @property
    def lidar_poses(self) -> Trajectory:
        """Poses of the LiDAR; not every scan needs one."""
        ...

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one 4D radar scan."""
        ...

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one spinning radar scan."""
        ...

    def lidar(self, index: int) -> LidarPointCloud:
        """Read one scan of the LiDAR: x forward, y left, z up."""
        ...


class WithoutLidar:
    """What a drive without a LiDAR has of a RadarSequence; its name comes from the drive."""

    __slots__ = ()

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """None, shape (0,)."""
        return np.empty(0, np.int64)

    @property
    def lidar_poses(self) -> Trajectory:
        """None."""
        return Trajectory(self.lidar_stamps_ns, np.empty((0, 3)), np.empty((0, 4)))

    def lidar(self, index: int) -> LidarPointCloud:
        """Refuse: there is no LiDAR."""
        raise IndexError(f'{getattr(self, "name", "the drive")} has no LiDAR, so no scan {index}')


class DelegatingDrive:
    """What a drive has, for one that changes a part of it; satisfies RadarSequence."""

    def __init__(self, drive: RadarSequence) -> None:
        self._drive = drive

    @property
    def name(self) -> str:
        """That of the drive."""
        return self._drive.name

    @property
    def origin(self) -> Origin:
        """That of the drive."""
        return origin_of(self._drive)

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the 4D radar scans."""
        return self._drive.cloud_stamps_ns

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the spinning radar scans."""
        return self._drive.scan_stamps_ns

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the LiDAR's scans."""
        return self._drive.lidar_stamps_ns

    @property
    def cloud_poses(self) -> Trajectory:
        """Poses of the 4D radar."""
        return self._drive.cloud_poses

    @property
    def scan_poses(self) -> Trajectory:
        """Poses of the spinning radar."""
        return self._drive.scan_poses

    @property
    def lidar_poses(self) -> Trajectory:
        """Poses of the LiDAR."""
        return self._drive.lidar_poses

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one 4D radar scan."""
        return self._drive.cloud(index)

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one spinning radar scan."""
        return self._drive.scan(index)

    def lidar(self, index: int) -> LidarPointCloud:
        """Read one scan of the LiDAR."""
        return self._drive.lidar(index)


@dataclass(frozen=True, slots=True)
class SensorScans:
    """
    The scans of one sensor of a drive.

    :param stamps_ns: shape (N,), ascending
    :param poses: of the sensor; not every scan needs one
    :param read: returns one scan by its number
    """

    stamps_ns: NDArray[np.int64]
    poses: Trajectory
    read: Callable[[int], Any]

    def __len__(self) -> int:
        return len(self.stamps_ns)


def sensor_scans(sequence: RadarSequence, sensor: str) -> SensorScans:
    """
    Return the scans of a sensor of a drive.

    :param sensor: one of SENSORS
    """
    if sensor == 'spinning':
        return SensorScans(sequence.scan_stamps_ns, sequence.scan_poses, sequence.scan)
    if sensor == 'lidar':
        return SensorScans(sequence.lidar_stamps_ns, sequence.lidar_poses, sequence.lidar)
    return SensorScans(sequence.cloud_stamps_ns, sequence.cloud_poses, sequence.cloud)


def origin_of(sequence: RadarSequence) -> Origin:
    """Return where the data of a drive come from; unknown if it does not tell."""
    origin = getattr(sequence, 'origin', None)
    return origin if isinstance(origin, Origin) else Origin()
