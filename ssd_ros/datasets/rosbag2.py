# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2 recordings (sqlite3 and MCAP), read and written without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import get_typestore, Stores
from ssd_ros.datasets.poses import empty_trajectory, poses_at, read_hercules_poses
from ssd_ros.datasets.ros_image import scan_from_image
from ssd_ros.point_cloud2 import decode_point_cloud2, DecoderConfig
from ssd_ros.radar import RadarPointCloud, SpinningRadarScan
from ssd_ros.trajectory import Trajectory

_POINTS = ('sensor_msgs/msg/PointCloud2',)
_IMAGES = ('sensor_msgs/msg/Image',)
_POSE_STAMPED = 'geometry_msgs/msg/PoseStamped'
_POSES = (
    'nav_msgs/msg/Odometry',
    _POSE_STAMPED,
    'geometry_msgs/msg/PoseWithCovarianceStamped',
)


@dataclass(frozen=True, slots=True)
class Rosbag2Config:
    """Which topics to read; one without a name is found if it is the only one of its type."""

    points_topic: str | None = None
    scan_topic: str | None = None
    poses_topic: str | None = None
    poses_file: Path | None = None  # lines `stamp_ns x y z qx qy qz qw`, instead of a topic
    range_resolution_m: float | None = None  # of the scans; None: 150 m over all rows (HeRCULES)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)


@dataclass(frozen=True, slots=True)
class _Topic:
    """
    Where the messages of one topic are.

    :param stamps_ns: of the headers, shape (N,), strictly ascending
    :param log_times_ns: by which the bag finds the messages, shape (N,)
    """

    connections: list[Connection]
    stamps_ns: NDArray[np.int64]
    log_times_ns: NDArray[np.int64]


class Rosbag2Sequence:
    """
    A drive recorded with rosbag2: a directory with metadata.yaml, or one .db3 or .mcap file.

    Its poses count for both radars: put static offsets into the recording if they matter. Stamps
    are those of the headers, or of the recorder where a driver leaves them zero.
    """

    def __init__(self, path: Path, config: Rosbag2Config | None = None) -> None:
        """
        Open the bag and list its messages; they are read when asked for.

        :raise ValueError: the bag is damaged, or a topic is not there or not the only one
        """
        self._path = path
        self._config = config or Rosbag2Config()
        self.name = path.stem
        with _damage_named(path):
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
        self._points = self._index(self._config.points_topic, _POINTS)
        self._images = self._index(self._config.scan_topic, _IMAGES)
        self.cloud_stamps_ns = self._points.stamps_ns
        self.scan_stamps_ns = self._images.stamps_ns
        poses = self._read_poses()
        self.cloud_poses = poses_at(poses, self.cloud_stamps_ns)
        self.scan_poses = poses_at(poses, self.scan_stamps_ns)

    def cloud(self, index: int) -> RadarPointCloud:
        """
        Read one message of the 4D radar.

        :raise PointCloudError: it cannot be decoded
        """
        cloud = decode_point_cloud2(self._message(self._points, index), self._config.decoder).cloud
        stamp_ns = int(self.cloud_stamps_ns[index])
        return RadarPointCloud(
            stamp_ns, cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, cloud.frame_id
        )

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one image of the spinning radar."""
        stamp_ns = int(self.scan_stamps_ns[index])
        message = self._message(self._images, index)
        return scan_from_image(message, stamp_ns, self._config.range_resolution_m)

    def close(self) -> None:
        """Close the bag's files."""
        self._reader.close()

    def _index(self, name: str | None, types: tuple[str, ...]) -> _Topic:
        connections = self._connections(name, types)
        stamps: dict[int, int] = {}
        for stamp_ns, log_time_ns, _ in self._raw_messages(connections):
            stamps.setdefault(stamp_ns, log_time_ns)
        ordered = sorted(stamps.items())
        columns = np.array(ordered, np.int64).reshape(-1, 2)
        return _Topic(connections, columns[:, 0].copy(), columns[:, 1].copy())

    def _connections(self, name: str | None, types: tuple[str, ...]) -> list[Connection]:
        """Return the connections of a topic: the named one, or the only one of the types."""
        candidates = [c for c in self._reader.connections if c.msgtype in types]
        topics = sorted({connection.topic for connection in candidates})
        if name is None and len(topics) > 1:
            raise ValueError(f'{self._path} has several topics of {types}: choose from {topics}')
        if name is not None and name not in topics:
            found = sorted({f'{c.topic} ({c.msgtype})' for c in self._reader.connections})
            raise ValueError(f'{self._path} has no topic {name!r} of {types}; it has {found}')
        return [c for c in candidates if c.topic == (name or c.topic)]

    def _raw_messages(
        self, connections: list[Connection], log_time_ns: int | None = None
    ) -> Iterator[tuple[int, int, bytes]]:
        """Yield stamp, log time and content of the messages, or of those logged at one time."""
        if not connections:  # to rosbags, none means all
            return
        start, stop = (None, None) if log_time_ns is None else (log_time_ns, log_time_ns + 1)
        with _damage_named(self._path):
            for _, time_ns, data in self._reader.messages(connections, start, stop):
                yield _header_stamp_ns(data) or time_ns, time_ns, data

    def _message(self, topic: _Topic, index: int) -> Any:
        stamp_ns, log_time_ns = int(topic.stamps_ns[index]), int(topic.log_times_ns[index])
        for found_ns, _, data in self._raw_messages(topic.connections, log_time_ns):
            if found_ns == stamp_ns:
                return self._deserialized(data, topic.connections[0].msgtype)
        raise ValueError(f'{self._path} no longer has the message at {stamp_ns} ns')

    def _deserialized(self, data: bytes, msgtype: str) -> Any:
        with _damage_named(self._path):
            return self._reader.deserialize(data, msgtype)

    def _read_poses(self) -> Trajectory:
        if self._config.poses_file is not None:
            return read_hercules_poses(self._config.poses_file)
        connections = self._connections(self._config.poses_topic, _POSES)
        poses: dict[int, list[float]] = {}
        for stamp_ns, _, data in self._raw_messages(connections):
            message = self._deserialized(data, connections[0].msgtype)
            pose = message.pose if connections[0].msgtype == _POSE_STAMPED else message.pose.pose
            poses.setdefault(stamp_ns, _pose_values(pose))
        if not poses:
            return empty_trajectory()
        values = np.array([poses[stamp_ns] for stamp_ns in sorted(poses)])
        norms = np.linalg.norm(values[:, 3:], axis=1, keepdims=True)
        if not (np.isfinite(values).all() and (norms > 0.5).all()):
            raise ValueError(f'{self._path}: {connections[0].topic} holds poses that are none')
        stamps_ns = np.array(sorted(poses), np.int64)
        return Trajectory(stamps_ns, values[:, :3], values[:, 3:] / norms)


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        # Damaged bytes lead rosbags into any error: of text, keys, memory, its own, SQLite's.
        raise ValueError(
            f'{path} is not a rosbag2 that can be read: {type(error).__name__}: {error}'
        ) from error


def _header_stamp_ns(data: bytes) -> int:
    """Return the stamp of a serialised message that begins with a std_msgs/Header."""
    if len(data) < 12:
        raise ValueError(f'message has {len(data)} bytes, expected a header')
    # CDR: four bytes of encapsulation, whose second tells the byte order, then sec and nanosec.
    sec, nanosec = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return int(sec * 1_000_000_000 + nanosec)


def _pose_values(pose: Any) -> list[float]:
    p, q = pose.position, pose.orientation
    return [p.x, p.y, p.z, q.x, q.y, q.z, q.w]
