# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of ROS 2 (sqlite3 and MCAP) and of ROS 1, read without ROS."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import logging
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.interfaces import Connection
from ssd_ros.datasets.bags.cloud_topics import (
    CLOUD_DECODERS,
    CLOUD_TYPES,
    has_doppler,
    LIDARS,
)
from ssd_ros.datasets.bags.custom_data import origin_of_bag
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.bags.recorded_types import WrongDefinition
from ssd_ros.datasets.bags.spinning_topic import open_scans, Scans
from ssd_ros.datasets.pose_sieve import PoseSieve
from ssd_ros.datasets.poses import empty_trajectory, poses_at
from ssd_ros.lidar.messages import LIDAR_DECODERS
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan

POSES = (
    'nav_msgs/msg/Odometry',
    'geometry_msgs/msg/PoseStamped',
    'geometry_msgs/msg/PoseWithCovarianceStamped',
)
# Fields of the config that describe the drive; the others say what is wanted of it.
OPTIONS = (
    'points_topic',
    'scan_topic',
    'poses_topic',
    'lidar_source',
    'spinning_preset',
    'range_resolution_m',
)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rosbag2Config:
    """
    Which topics to read; one without a name is found if it is the only one of its type.

    Of several topics of clouds it is the only one with a Doppler field; beside scans of a
    spinning radar clouds without such a field are not taken unless they are named. Those of a
    LiDAR are read only if `lidar` is among the sensors: the only topic without Doppler.
    """

    sensors: tuple[str, ...] = ('4d', 'spinning')  # the others' messages are left alone
    needs_poses: bool = True  # False: of several topics of poses without a name none is read
    reads_poses: bool = True  # False: they come from elsewhere
    points_topic: str | None = None
    scan_topic: str | None = None
    poses_topic: str | None = None
    lidar_source: str | None = None  # topic of a recording, folder of Boreas: lidar or aeva
    spinning_preset: str | None = None  # one of spinning_preset.PRESETS; None: by the messages
    range_resolution_m: float | None = None  # of the scans; None: as recorded or of the preset
    decoder: DecoderConfig = field(default_factory=DecoderConfig)


class Rosbag2Sequence:
    """
    A drive recorded with rosbag2 (a directory, .db3 or .mcap) or with rosbag of ROS 1 (.bag).

    Its poses count for both radars: put static offsets into the recording if they matter. Stamps
    are those of the headers, or of the recorder where a driver leaves them zero.
    """

    def __init__(self, path: Path, config: Rosbag2Config | None = None) -> None:
        """
        Open the bag and list its messages; they are read when asked for.

        :raise ValueError: the bag is damaged, or a topic is not there or not the only one
        """
        self._config = config or Rosbag2Config()
        self.name = path.stem
        self.origin = origin_of_bag(path)
        self._reader = BagReader(path)
        self._scans = self._open_scans()
        lidar = self._lidar_connections()
        self._lidar = self._reader.index(lidar)
        self.lidar_stamps_ns = self._lidar.stamps_ns
        self._points = self._reader.index(self._cloud_connections(lidar))
        self.cloud_stamps_ns = self._points.stamps_ns
        self.scan_stamps_ns = (
            np.empty(0, np.int64) if self._scans is None else self._scans.stamps_ns
        )
        poses = self._read_poses()
        self.cloud_poses = poses_at(poses, self.cloud_stamps_ns)
        self.scan_poses = poses_at(poses, self.scan_stamps_ns)
        self.lidar_poses = poses_at(poses, self.lidar_stamps_ns)

    def cloud(self, index: int) -> RadarPointCloud:
        """
        Read one message of the 4D radar.

        :raise PointCloudError: it cannot be decoded
        """
        decode = CLOUD_DECODERS[self._points.connections[0].msgtype]
        cloud = decode(self._reader.message(self._points, index), self._config.decoder).cloud
        return replace(cloud, stamp_ns=int(self.cloud_stamps_ns[index]))

    def scan(self, index: int) -> SpinningRadarScan:
        """
        Read one turn of the spinning radar.

        :raise ValueError: it cannot be decoded
        """
        if self._scans is None:
            raise IndexError(f'{self.name} was opened without its spinning radar')
        return self._scans.scan(index)

    def lidar(self, index: int) -> LidarPointCloud:
        """
        Read one message of the LiDAR.

        :raise PointCloudError: it cannot be decoded
        """
        if not self._lidar.connections:
            raise IndexError(f'{self.name} was opened without its LiDAR')
        decode = LIDAR_DECODERS[self._lidar.connections[0].msgtype]
        cloud = decode(self._reader.message(self._lidar, index))
        return replace(cloud, stamp_ns=int(self.lidar_stamps_ns[index]))

    def close(self) -> None:
        """Close the bag's files."""
        self._reader.close()

    def _open_scans(self) -> Scans | None:
        config = self._config
        if 'spinning' not in config.sensors:
            return None
        return open_scans(
            self._reader, config.scan_topic, config.spinning_preset, config.range_resolution_m
        )

    def _lidar_connections(self) -> list[Connection]:
        if 'lidar' not in self._config.sensors:
            return []
        reader, name = self._reader, self._config.lidar_source
        if name is None:
            topics = [
                topic
                for topic in reader.topics_of(tuple(LIDAR_DECODERS))
                if topic != self._config.points_topic
                and not has_doppler(reader, topic, self._config.decoder)
            ]
            if not topics:
                return []
            if len(topics) > 1:
                raise ValueError(
                    f'{reader.path} has several topics of clouds without Doppler, {topics}: name '
                    'that of the LiDAR'
                )
            name = topics[0]
        return reader.connections(name, tuple(LIDAR_DECODERS))

    def _cloud_connections(self, lidar: list[Connection]) -> list[Connection]:
        if '4d' not in self._config.sensors:
            return []
        reader, name = self._reader, self._config.points_topic
        taken = {connection.topic for connection in lidar}
        topics = [topic for topic in reader.topics_of(CLOUD_TYPES) if topic not in taken]
        # Beside another sensor, clouds without Doppler are those of a LiDAR.
        has_scans = self._scans is not None and len(self._scans.stamps_ns) > 0
        if name is None and (len(topics) > 1 or has_scans or taken):
            with_doppler = [
                topic for topic in topics if has_doppler(reader, topic, self._config.decoder)
            ]
            if (has_scans or taken) and not with_doppler:
                return []
            name = with_doppler[0] if len(with_doppler) == 1 else None
        chosen = reader.connections(name, CLOUD_TYPES)
        if chosen and chosen[0].msgtype in LIDARS:
            _logger.warning(
                '%s: %s is of a LiDAR, without Doppler: each scan counts as that of a standing '
                'vehicle, so several of them in one window smear',
                reader.path,
                chosen[0].topic,
            )
        return chosen

    def _read_poses(self) -> Trajectory:
        if not self._config.reads_poses:
            return empty_trajectory()
        connections = self._pose_connections()
        if not connections:
            return empty_trajectory()
        sieve = PoseSieve(f'{self._reader.path}: {connections[0].topic}')
        for raw in self._reader.raw_messages(connections):
            try:
                pose = self._reader.deserialized(raw).pose
            except ValueError as error:
                if isinstance(error.__cause__, WrongDefinition):
                    raise
                sieve.leave_out('unreadable', raw.stamp_ns)
            else:
                sieve.add(raw.stamp_ns, pose_values(getattr(pose, 'pose', pose)))
        return sieve.trajectory()

    def _pose_connections(self) -> list[Connection]:
        try:
            return self._reader.connections(self._config.poses_topic, POSES)
        except ValueError:
            if self._config.needs_poses or self._config.poses_topic is not None:
                raise
            return []


def pose_values(pose: Any) -> list[float]:
    """Return x, y, z (m), qx, qy, qz, qw of a geometry_msgs/Pose."""
    p, q = pose.position, pose.orientation
    return [p.x, p.y, p.z, q.x, q.y, q.z, q.w]
