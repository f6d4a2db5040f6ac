# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a drive as rosbag2, so that it can be played like a recording of real sensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
import sqlite3
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores
from ssd_ros.data_origin import Origin, origin_text
from ssd_ros.datasets.bags.custom_data import ORIGIN_KEY
from ssd_ros.datasets.sequence import origin_of, RadarSequence
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.radar.point_cloud2 import encode_point_cloud2
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan
from ssd_ros.reading import MAX_YAML_BYTES, read_whole
from ssd_ros.targets import folder_written, FolderKind, GENERATOR
import yaml

POINTS_TOPIC = '/radar/points'
SCAN_TOPIC = '/radar/polar'
POSES_TOPIC = '/ground_truth/odom'
ODOMETRY_TOPIC = '/odom'
STORAGES = {'sqlite3': StoragePlugin.SQLITE3, 'mcap': StoragePlugin.MCAP}

_STORE = get_typestore(Stores.ROS2_JAZZY)
_TYPES = {
    POINTS_TOPIC: 'sensor_msgs/msg/PointCloud2',
    SCAN_TOPIC: 'sensor_msgs/msg/Image',
    POSES_TOPIC: 'nav_msgs/msg/Odometry',
    ODOMETRY_TOPIC: 'nav_msgs/msg/Odometry',
}

_GENERATOR = 'made by ssd_ros '


def drive_of_bag(path: Path) -> str:
    """
    Return the name of the drive that a bag was written of.

    :raise ValueError: the bag was not written here
    :raise OSError: there is none
    """
    return str(_our_data(_metadata(path))['drive'])


def _metadata(path: Path) -> dict[str, Any]:
    file = path / 'metadata.yaml'
    try:
        content = yaml.safe_load(read_whole(file, MAX_YAML_BYTES, 'the description of a bag'))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f'{file} is not YAML: {error}') from error
    found = content.get('rosbag2_bagfile_information') if isinstance(content, dict) else None
    return found if isinstance(found, dict) else {}


def _our_data(metadata: dict[str, Any]) -> dict[str, Any]:
    data = metadata.get('custom_data')
    if not isinstance(data, dict) or not str(data.get('generator')).startswith(_GENERATOR):
        raise ValueError('its metadata.yaml does not say that ssd_ros wrote it')
    return {'drive': '', **data}


def _own_files(path: Path) -> list[str]:
    metadata = _metadata(path)
    _our_data(metadata)
    names = metadata.get('relative_file_paths')
    return ['metadata.yaml', *map(str, names if isinstance(names, list) else [])]


BAG_FOLDER = FolderKind('a bag written by ssd_ros', _own_files)


def write_rosbag2(
    path: Path,
    sequence: RadarSequence,
    storage: str = 'sqlite3',
    with_scans: bool = True,
    progress: Callable[[int], None] | None = None,
    odometry: Trajectory | None = None,
) -> Path:
    """
    Write clouds, scans and poses in order of time, each message logged at its own stamp.

    The poses are those of the 4D radar, or of the spinning radar where there is no cloud.

    :param path: directory of the bag, which appears only once it is complete
    :param storage: one of STORAGES
    :param progress: called after every message with the number of messages written so far
    :param odometry: T_odom_base, a topic of its own: the poses are the truth
    :raise OSError: the disk is full, among others
    """
    if storage not in STORAGES:
        raise ValueError(f'unknown storage {storage!r}; choose from {", ".join(STORAGES)}')
    poses = sequence.cloud_poses if len(sequence.cloud_stamps_ns) else sequence.scan_poses
    topics: dict[str, tuple[NDArray[np.int64], Callable[[int], Any]]] = {
        POINTS_TOPIC: (sequence.cloud_stamps_ns, lambda at: _point_cloud2(sequence.cloud(at))),
        POSES_TOPIC: (poses.stamps_ns, lambda at: _odometry(poses, at, 'map', 'radar')),
    }
    if with_scans:
        topics[SCAN_TOPIC] = sequence.scan_stamps_ns, lambda at: _image(sequence.scan(at))
    if odometry is not None:
        message_at = partial(_odometry, odometry, frame_id='odom', child_frame_id='base_link')
        topics[ODOMETRY_TOPIC] = odometry.stamps_ns, message_at
    events = sorted(
        (stamp_ns, topic, index)
        for topic, (stamps_ns, _) in topics.items()
        for index, stamp_ns in enumerate(stamps_ns.tolist())
    )
    with bag_written(path, storage, sequence.name, origin_of(sequence)) as writer:
        connections = {
            topic: writer.add_connection(topic, _TYPES[topic], typestore=_STORE)
            for topic, (stamps_ns, _) in topics.items()
            if len(stamps_ns)
        }
        for number, (stamp_ns, topic, index) in enumerate(events, start=1):
            data = _STORE.serialize_cdr(topics[topic][1](index), _TYPES[topic])
            writer.write(connections[topic], stamp_ns, data)
            if progress is not None:
                progress(number)
    return path


@contextmanager
def bag_written(path: Path, storage: str, drive: str, origin: Origin) -> Iterator[Writer]:
    """
    Yield the writer of a bag that appears only once the block is done.

    :param path: directory of the bag
    :param storage: one of STORAGES
    :param drive: name that the bag says it has
    :raise OSError: the disk is full, among others
    """
    with folder_written(path, BAG_FOLDER) as folder, _as_os_errors(path):
        # rosbags names the storage file after a directory that it makes itself.
        bag = folder / path.name
        # Version 8 is what any ROS 2 since Humble reads.
        writer = Writer(bag, version=8, storage_plugin=STORAGES[storage])
        writer.set_custom_data('generator', GENERATOR)
        writer.set_custom_data('drive', drive)
        writer.set_custom_data(ORIGIN_KEY, origin_text(origin))
        with writer:
            yield writer
        for file in list(bag.iterdir()):
            file.rename(folder / file.name)
        bag.rmdir()


@contextmanager
def _as_os_errors(path: Path) -> Iterator[None]:
    """Say what SQLite met as the operating system does."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f'{path} cannot be written: {error}') from error


def _point_cloud2(cloud: RadarPointCloud) -> Any:
    attributes = encode_point_cloud2(cloud)
    field_type = _STORE.types['sensor_msgs/msg/PointField']
    attributes['fields'] = [
        field_type(name=field.name, offset=field.offset, datatype=field.datatype, count=1)
        for field in attributes['fields']
    ]
    attributes['data'] = np.frombuffer(attributes['data'], np.uint8)
    header = _header(cloud.stamp_ns, cloud.frame_id or 'radar')
    return _STORE.types[_TYPES[POINTS_TOPIC]](header=header, **attributes)


def _image(scan: SpinningRadarScan) -> Any:
    height, width = scan.power.shape
    return _STORE.types[_TYPES[SCAN_TOPIC]](
        header=_header(scan.stamp_ns, 'navtech'),
        height=height,
        width=width,
        encoding='mono8',
        is_bigendian=0,
        step=width,
        data=scan.power.ravel(),
    )


def _odometry(poses: Trajectory, index: int, frame_id: str, child_frame_id: str) -> Any:
    types = _STORE.types
    x, y, z = poses.positions_m[index].tolist()
    qx, qy, qz, qw = poses.quaternions_xyzw[index].tolist()
    pose = types['geometry_msgs/msg/Pose'](
        position=types['geometry_msgs/msg/Point'](x=x, y=y, z=z),
        orientation=types['geometry_msgs/msg/Quaternion'](x=qx, y=qy, z=qz, w=qw),
    )
    zero = types['geometry_msgs/msg/Vector3'](x=0.0, y=0.0, z=0.0)
    no_covariance = np.zeros(36)
    return types[_TYPES[POSES_TOPIC]](
        header=_header(int(poses.stamps_ns[index]), frame_id),
        child_frame_id=child_frame_id,
        pose=types['geometry_msgs/msg/PoseWithCovariance'](pose=pose, covariance=no_covariance),
        twist=types['geometry_msgs/msg/TwistWithCovariance'](
            twist=types['geometry_msgs/msg/Twist'](linear=zero, angular=zero),
            covariance=no_covariance,
        ),
    )


def _header(stamp_ns: int, frame_id: str) -> Any:
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    stamp = _STORE.types['builtin_interfaces/msg/Time'](sec=sec, nanosec=nanosec)
    return _STORE.types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)
