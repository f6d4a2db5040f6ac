# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scans of the 4D radar on disk, and the drives of other radars that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.data_origin import Origin, origin_from, origin_text
from ssd_ros.datasets.sequence import origin_of, RadarSequence, WithoutLidar
from ssd_ros.motion.trajectory import mounted, Trajectory
from ssd_ros.npy_files import MAX_ARCHIVE_BYTES, read_archive
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.records import check_limits, Limits
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.shift.clouds import CloudChange
from ssd_ros.targets import file_written

_ARRAYS: dict[str, tuple[type, int]] = {  # type and columns, 0 = none
    'stamps_ns': (np.int64, 0),
    'positions_m': (np.float64, 3),
    'quaternions_xyzw': (np.float64, 4),
    'first_points': (np.int64, 0),
    'xyz_m': (np.float32, 3),
    'rcs_dbsm': (np.float32, 0),
    'radial_velocity_mps': (np.float32, 0),
}
_PER_SCAN = ('stamps_ns', 'positions_m', 'quaternions_xyzw')


@dataclass(frozen=True, slots=True)
class Clouds(WithoutLidar):
    """
    A drive of the 4D radar alone, all its scans in memory; satisfies RadarSequence.

    :param cloud_poses: one for each scan, under its stamp
    :param first_points: shape (N + 1,), where those of each scan begin
    :param xyz_m: shape (P, 3), with RCS and Doppler of the points of all scans
    """

    name: str
    origin: Origin
    cloud_poses: Trajectory
    first_points: NDArray[np.int64]
    xyz_m: NDArray[np.float32]
    rcs_dbsm: NDArray[np.float32]
    radial_velocity_mps: NDArray[np.float32]

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the scans, shape (N,)."""
        return self.cloud_poses.stamps_ns

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """None."""
        return np.zeros(0, np.int64)

    @property
    def scan_poses(self) -> Trajectory:
        """None."""
        return self.cloud_poses.select(np.zeros(0, np.int64))

    def cloud(self, index: int) -> RadarPointCloud:
        """Return one scan."""
        first, last = self.first_points[index : index + 2]
        return RadarPointCloud(
            int(self.cloud_stamps_ns[index]),
            self.xyz_m[first:last],
            self.rcs_dbsm[first:last],
            self.radial_velocity_mps[first:last],
        )

    def scan(self, index: int) -> SpinningRadarScan:
        """Refuse: there is no spinning radar."""
        raise IndexError(f'{self.name} has no spinning radar scan {index}')

    @classmethod
    def of(cls, drive: RadarSequence, report: Callable[[int, int], None]) -> Clouds:
        """
        Read, or simulate, all scans of a drive.

        :param report: takes the number of new scans and of all, first with 0 new ones
        """
        report(0, len(drive.cloud_stamps_ns))
        clouds = []
        for index in range(len(drive.cloud_stamps_ns)):
            clouds.append(drive.cloud(index))
            report(1, len(drive.cloud_stamps_ns))
        return cls(
            drive.name,
            origin_of(drive),
            drive.cloud_poses,
            np.cumsum([0, *map(len, clouds)]),
            *(
                np.concatenate([getattr(cloud, name) for cloud in clouds])
                for name in ('xyz_m', 'rcs_dbsm', 'radial_velocity_mps')
            ),
        )

    def save(self, path: Path) -> None:
        """Write the scans, whole or not at all."""
        arrays: dict[str, Any] = {
            name: getattr(self.cloud_poses if name in _PER_SCAN else self, name)
            for name in _ARRAYS
        }
        name, origin = np.array(self.name), np.array(origin_text(self.origin))
        with file_written(path, rb'name\.npy') as file:
            np.savez_compressed(file, name=name, origin=origin, **arrays)

    @classmethod
    def load(cls, path: Path) -> Clouds:
        """
        Read what `save` wrote.

        :raise ValueError: it holds something else
        """
        found = read_archive(path, MAX_ARCHIVE_BYTES, 'scans of a drive')
        try:
            _check_arrays(found)
            points = {name: found[name] for name in _ARRAYS if name not in _PER_SCAN}
            return cls(
                str(found['name']),
                origin_from(json.loads(str(found['origin']))),
                Trajectory(*(found[name] for name in _PER_SCAN)),
                **points,
            )
        except (KeyError, RecursionError, ValueError) as error:
            raise ValueError(f'{path} does not hold the scans of a drive: {error}') from error


def _check_arrays(arrays: dict[str, NDArray[Any]]) -> None:
    num_scans, num_points = len(arrays['stamps_ns']), len(arrays['xyz_m'])
    for name, (kind, columns) in _ARRAYS.items():
        rows = num_scans if name in _PER_SCAN else num_points
        rows = num_scans + 1 if name == 'first_points' else rows
        wanted = (rows, columns) if columns else (rows,)
        if arrays[name].shape != wanted or arrays[name].dtype != kind:
            raise ValueError(
                f'{name} has shape {arrays[name].shape} of {arrays[name].dtype}, expected {wanted}'
            )
    first = arrays['first_points']
    if first[0] != 0 or first[-1] != num_points or (np.diff(first) < 0).any():
        raise ValueError(f'first_points do not ascend from 0 to {num_points}')


@dataclass(frozen=True, slots=True)
class DriveChange:
    """
    How a drive differs from the one that it is made of.

    :param cloud: what becomes of each scan
    :param rate_hz: of the scans; None = all of them
    :param offset_m: ahead and to the left of where its extrinsics say that the radar is
    :param is_reversed: driven backwards, the last scan first
    """

    cloud: CloudChange = field(default_factory=CloudChange)
    rate_hz: float | None = None
    offset_m: tuple[float, ...] = (0.0, 0.0)
    is_reversed: bool = False

    def __post_init__(self) -> None:
        if len(self.offset_m) != 2 or not all(abs(offset) <= 100 for offset in self.offset_m):
            raise ValueError(f'offset_m is {self.offset_m}, expected two lengths up to 100 m')
        if self.rate_hz is not None:
            check_limits(self, {'rate_hz': Limits(0.1, 1000)})


class ChangedDrive(WithoutLidar):
    """
    A drive as another radar would have recorded it; satisfies RadarSequence.

    The poses are those that the extrinsics give: what they do not know of is an error of the
    poses.

    :param key: what it draws random numbers for, such as the name of the sensor
    """

    def __init__(self, drive: RadarSequence, change: DriveChange, key: str) -> None:
        self._drive, self._change, self._key = drive, change, key
        stamps_ns = drive.cloud_stamps_ns
        chosen = _at_rate(stamps_ns, change.rate_hz)
        poses = drive.cloud_poses.select(chosen)
        if change.is_reversed:
            chosen = chosen[::-1]
            mirrored_ns = stamps_ns[0] + stamps_ns[-1] - poses.stamps_ns[::-1]
            poses = Trajectory(mirrored_ns, poses.positions_m[::-1], poses.quaternions_xyzw[::-1])
        self._chosen = chosen
        # Where it is meant to be, seen from where it is.
        back_m = np.array([*change.offset_m, 0.0]) * -1.0
        self.cloud_poses = mounted(poses, back_m, np.array([0.0, 0.0, 0.0, 1.0]))
        self.scan_poses, self.scan_stamps_ns = drive.scan_poses, drive.scan_stamps_ns
        self.name, self.origin = drive.name, origin_of(drive)

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the scans, shape (N,)."""
        return self.cloud_poses.stamps_ns

    def cloud(self, index: int) -> RadarPointCloud:
        """Return one scan."""
        number = int(self._chosen[index])
        cloud = self._drive.cloud(number)
        sign = np.float32(-1 if self._change.is_reversed else 1)
        cloud = replace(
            cloud,
            stamp_ns=int(self.cloud_stamps_ns[index]),
            radial_velocity_mps=sign * cloud.radial_velocity_mps,
        )
        rng = stream(self.origin.seed or 0, f'shift/{self._key}', frame=number)
        return self._change.cloud.of(cloud, rng)

    def scan(self, index: int) -> SpinningRadarScan:
        """Return one scan of the spinning radar, which is the same."""
        return self._drive.scan(index)


def _at_rate(stamps_ns: NDArray[np.int64], rate_hz: float | None) -> NDArray[np.int64]:
    """Return the numbers of the first scan in each period."""
    if rate_hz is None or len(stamps_ns) < 2:
        return np.arange(len(stamps_ns))
    step_ns = float(np.median(np.diff(stamps_ns)))
    period = max(1e9 / rate_hz / step_ns, 1.0)
    periods = np.rint((stamps_ns - stamps_ns[0]) / step_ns) / period
    return np.flatnonzero(np.append(True, np.diff(np.floor(periods + 1e-9)) > 0))
