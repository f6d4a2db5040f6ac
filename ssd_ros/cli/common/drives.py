# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drives for the commands: recorded ones, with other poses if asked, and simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
import sys

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.drive_options import DriveOptions
from ssd_ros.data_origin import Origin
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.formats.pcd_tiles import PcdTiles
from ssd_ros.datasets.pose_check import check_poses
from ssd_ros.datasets.pose_files import read_poses
from ssd_ros.datasets.poses import poses_at
from ssd_ros.datasets.sequence import origin_of, RadarSequence, SENSORS
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import mounted, quaternion_from_yaw, Trajectory
from ssd_ros.radar.levelling import levelled
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.ros.inputs.mounting import mounting_of
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)


@dataclass(frozen=True, slots=True)
class DriveWithPoses:
    """A drive under a given name and with given poses; satisfies RadarSequence."""

    drive: RadarSequence
    name: str
    cloud_poses: Trajectory
    scan_poses: Trajectory
    lidar_poses: Trajectory

    @property
    def cloud_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the 4D radar scans."""
        return self.drive.cloud_stamps_ns

    @property
    def scan_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the spinning radar scans."""
        return self.drive.scan_stamps_ns

    @property
    def lidar_stamps_ns(self) -> NDArray[np.int64]:
        """Stamps of the LiDAR's scans."""
        return self.drive.lidar_stamps_ns

    @property
    def origin(self) -> Origin:
        """Where the data come from."""
        return origin_of(self.drive)

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one 4D radar scan."""
        return self.drive.cloud(index)

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one spinning radar scan."""
        return self.drive.scan(index)

    def lidar(self, index: int) -> LidarPointCloud:
        """Read one scan of the LiDAR."""
        return self.drive.lidar(index)


@dataclass(frozen=True, slots=True)
class LevelDrive(DriveWithPoses):
    """
    A drive of a tilted 4D radar as a level one in its place would have recorded it.

    :param level_radar: shape (3, 3), rotation level <- radar
    """

    level_radar: NDArray[np.float64]

    def cloud(self, index: int) -> RadarPointCloud:
        """Read one 4D radar scan."""
        return levelled(self.drive.cloud(index), self.level_radar)


def level_drive(drive: RadarSequence, level_radar: NDArray[np.float64]) -> RadarSequence:
    """
    Take the tilt out of the clouds of a drive, and out of the poses of its 4D radar.

    The heading of the radar's x axis stays, whether the recorded poses have the tilt or not.

    :param level_radar: shape (3, 3), rotation level <- radar
    """
    poses = drive.cloud_poses
    headings = quaternion_from_yaw(poses.yaws_rad)
    level_poses = Trajectory(poses.stamps_ns, poses.positions_m, headings)
    return LevelDrive(
        drive, drive.name, level_poses, drive.scan_poses, drive.lidar_poses, level_radar
    )


def without_pose(stamps_ns: NDArray[np.int64], poses: Trajectory) -> str:
    """
    Return how many scans have no pose and what the poses cover; empty if none or all have none.

    :param stamps_ns: of the scans, shape (N,), ascending
    """
    num_lacking = len(stamps_ns) - len(poses.at(stamps_ns)[0])
    if not num_lacking or not len(poses):
        return ''
    first_s, last_s = ((poses.stamps_ns[[0, -1]] - stamps_ns[0]) / 1e9).tolist()
    return (
        f'{num_lacking} of {len(stamps_ns)} scans have no pose: the poses run from {first_s:.0f} '
        f'to {last_s:.0f} s of {(stamps_ns[-1] - stamps_ns[0]) / 1e9:.0f} s'
    )


@dataclass(frozen=True, slots=True)
class CheckedDrive(DriveWithPoses):
    """
    A drive whose poses are those of its radars, and fit for use.

    :param notes: on the poses of each sensor, '4d', 'spinning' or 'lidar', what became of them
    """

    notes: Mapping[str, str]


def open_drive(
    path: Path,
    options: DriveOptions | None = None,
    wanted: Rosbag2Config | None = None,
    heading: str | None = 'auto',
    say: Callable[[str], None] = _to_stderr,
) -> CheckedDrive:
    """
    Open a recorded drive.

    :param options: what the command line says about it
    :param wanted: what the command reads of it
    :param heading: see `check_poses`, where the command line says nothing; None = the poses are
        odometry and are not checked
    :param say: takes a line on the poses of each sensor
    :raise ValueError: it is not a drive, or its poses cannot be used
    """
    options, wanted = options or DriveOptions(), wanted or Rosbag2Config()
    drive = _opened(path, options, wanted, say)
    poses, notes = {}, {}
    stamps_of = {
        '4d': drive.cloud_stamps_ns,
        'spinning': drive.scan_stamps_ns,
        'lidar': drive.lidar_stamps_ns,
    }
    recorded_of = {
        '4d': drive.cloud_poses,
        'spinning': drive.scan_poses,
        'lidar': drive.lidar_poses,
    }
    for sensor, recorded in recorded_of.items():
        poses[sensor] = recorded
        how = options.heading or heading
        if how and len(recorded) and sensor in wanted.sensors:
            name = f'{drive.name}, {SENSORS[sensor]}'
            checked = check_poses(recorded, name, how)
            poses[sensor], notes[sensor] = checked.poses, checked.note
            say(f'{name}: {checked.note}')
        if (extrinsics := options.extrinsics_of(sensor)) is not None:
            mounting = mounting_of(pose_from_xyzrpy(extrinsics))
            level = mounting.base_level
            poses[sensor] = mounted(poses[sensor], level.position_m, level.quaternion_xyzw)
            if sensor == '4d' and mounting.level_radar is not None:
                drive = level_drive(drive, mounting.level_radar)
        if sensor in wanted.sensors and (lacking := without_pose(stamps_of[sensor], recorded)):
            notes[sensor] = '; '.join(filter(None, [notes.get(sensor), lacking]))
            say(f'{drive.name}, {SENSORS[sensor]}: {lacking}')
    return CheckedDrive(drive, drive.name, poses['4d'], poses['spinning'], poses['lidar'], notes)


def _opened(
    path: Path, options: DriveOptions, wanted: Rosbag2Config, say: Callable[[str], None]
) -> RadarSequence:
    if options.poses and options.poses_topic:
        raise ValueError(f'--poses and --poses-topic for {path}: give one or the other')
    config = replace(wanted, reads_poses=options.poses is None, poses_topic=options.poses_topic)
    # One value for all drives of a command is no matter of those whose other radar is read.
    if '4d' in wanted.sensors:
        config = replace(config, points_topic=options.points_topic)
    if 'spinning' in wanted.sensors:
        config = replace(
            config,
            scan_topic=options.scan_topic,
            spinning_preset=options.spinning_preset,
            range_resolution_m=options.range_resolution,
        )
    if 'lidar' in wanted.sensors:
        config = replace(config, lidar_source=options.lidar_source)
    drive = open_sequence(path, options.dataset or 'auto', config)
    if isinstance(drive, PcdTiles):
        return _along(drive, path, options, say)
    if options.poses is None:
        return drive
    file = read_poses(
        options.poses, drive.cloud_stamps_ns, drive.scan_stamps_ns, drive.lidar_stamps_ns
    )
    poses = file.poses
    say(f'{options.poses}: {len(poses)} poses, read as {file.form}')
    return DriveWithPoses(
        drive,
        drive.name,
        poses_at(poses, drive.cloud_stamps_ns),
        poses_at(poses, drive.scan_stamps_ns),
        poses_at(poses, drive.lidar_stamps_ns),
    )


def _along(
    tiles: PcdTiles, path: Path, options: DriveOptions, say: Callable[[str], None]
) -> RadarSequence:
    """Return a map of points as it is seen on the way of the poses."""
    if options.poses is None:
        raise ValueError(f'{path} is a map of points: give the way through it with --poses FILE')
    file = read_poses(options.poses)
    say(f'{options.poses}: {len(file.poses)} poses, read as {file.form}')
    return tiles.along(file.poses)
