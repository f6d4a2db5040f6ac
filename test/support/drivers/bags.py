# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drive past posts as each driver of a 4D radar would have recorded it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.types import RadarPointCloud
from support.drivers.layouts import (
    CLOUDS,
    DOPPLER_MPS,
    Driver,
    OCULII_CHANNELS,
    POWER_DB,
    RCS_DBSM,
    SRR520,
)
from support.drivers.messages import message, message_v1, radar_scan
from support.posts import MovingDrive
from support.recordings import ROS2, write_ros2

_NS = 1_000_000_000
_FLAT = Driver(SRR520, 44, {'range_rate': DOPPLER_MPS, 'rcs': RCS_DBSM})
PLAIN = {**CLOUDS, 'srr520_nebula': _FLAT}


def new(msgtype: str, **attributes: Any) -> Any:
    return ROS2.types[msgtype](**attributes)


def header(stamp_ns: int, frame: str) -> Any:
    sec, nanosec = divmod(stamp_ns, _NS)
    stamp = new('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)
    return new('std_msgs/msg/Header', stamp=stamp, frame_id=frame)


def pose(position_m: NDArray[np.float64], yaw_rad: float = 0.0) -> Any:
    x, y, z = position_m.tolist()
    half_rad = yaw_rad / 2
    turned = {'x': 0.0, 'y': 0.0, 'z': float(np.sin(half_rad)), 'w': float(np.cos(half_rad))}
    return new(
        'geometry_msgs/msg/Pose',
        position=new('geometry_msgs/msg/Point', x=x, y=y, z=z),
        orientation=new('geometry_msgs/msg/Quaternion', **turned),
    )


def odometry(stamp_ns: int, x_m: float, frame: str = 'odom', child: str = 'base_link') -> Any:
    """Return a pose on the x axis."""
    zero = new('geometry_msgs/msg/Vector3', x=0.0, y=0.0, z=0.0)
    twist = new('geometry_msgs/msg/Twist', linear=zero, angular=zero)
    return new(
        'nav_msgs/msg/Odometry',
        header=header(stamp_ns, frame),
        child_frame_id=child,
        pose=new(
            'geometry_msgs/msg/PoseWithCovariance',
            pose=pose(np.array([x_m, 0.0, 0.0])),
            covariance=np.zeros(36),
        ),
        twist=new('geometry_msgs/msg/TwistWithCovariance', twist=twist, covariance=np.zeros(36)),
    )


def transform(frame: str, child: str, xyz_m: tuple[float, float, float], yaw_rad: float) -> Any:
    """Return a message of TF."""
    placed = pose(np.array(xyz_m), yaw_rad)
    shift = {name: getattr(placed.position, name) for name in 'xyz'}
    transforms = [
        new(
            'geometry_msgs/msg/TransformStamped',
            header=header(1, frame),
            child_frame_id=child,
            transform=new(
                'geometry_msgs/msg/Transform',
                translation=new('geometry_msgs/msg/Vector3', **shift),
                rotation=placed.orientation,
            ),
        )
    ]
    return new('tf2_msgs/msg/TFMessage', transforms=transforms)


def _columns(cloud: RadarPointCloud, values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return what a driver's columns hold of a cloud; angles of its own stay zero."""
    x, y, z = cloud.xyz_m.T
    range_m = np.linalg.norm(cloud.xyz_m, axis=1)
    columns = {'x': x, 'y': y, 'z': z, 'range': range_m, 'azimuth': np.arctan2(y, x)}
    columns |= {'Range': range_m, 'r': range_m}
    # Of one level all; in square metres, so much.
    levels = {str(RCS_DBSM): cloud.rcs_dbsm, str(POWER_DB): cloud.rcs_dbsm}
    levels[str([0.01, 1000])] = 10 ** (cloud.rcs_dbsm / 10)
    for name, value in values.items():
        if str(value) == str(DOPPLER_MPS):
            columns[name] = cloud.radial_velocity_mps
        elif str(value) in levels:
            columns[name] = levels[str(value)]
    return columns


def cloud_message(preset: str, cloud: RadarPointCloud, frame: str = 'radar') -> Any:
    """Return a cloud as a driver sends it, as a message of rosbags."""
    if preset == 'autoware_radar_scan':
        return _radar_scan(cloud, frame)
    if preset == 'oculii_v1':
        return _cloud_v1(cloud, frame)
    driver = PLAIN[preset]
    plain = message(driver.layout, driver.step, _columns(cloud, driver.values))
    fields = [new('sensor_msgs/msg/PointField', **vars(field)) for field in plain.fields]
    rest = ('height', 'width', 'is_bigendian', 'point_step', 'row_step', 'is_dense')
    return new(
        'sensor_msgs/msg/PointCloud2',
        header=header(cloud.stamp_ns, frame),
        fields=fields,
        data=np.frombuffer(plain.data.tobytes(), np.uint8),
        **{name: getattr(plain, name) for name in rest},
    )


def _cloud_v1(cloud: RadarPointCloud, frame: str) -> Any:
    columns = _columns(cloud, OCULII_CHANNELS)
    alien = np.zeros(len(cloud))
    named = {name: columns.get(name, alien) for name in ('x', 'y', 'z', *OCULII_CHANNELS)}
    plain = message_v1({name: column.tolist() for name, column in named.items()})
    return new(
        'sensor_msgs/msg/PointCloud',
        header=header(cloud.stamp_ns, frame),
        points=[new('geometry_msgs/msg/Point32', **vars(point)) for point in plain.points],
        channels=[
            new(
                'sensor_msgs/msg/ChannelFloat32',
                name=channel.name,
                values=np.array(channel.values, np.float32),
            )
            for channel in plain.channels
        ],
    )


def _radar_scan(cloud: RadarPointCloud, frame: str) -> Any:
    columns = _columns(cloud, {'doppler_velocity': DOPPLER_MPS, 'amplitude': POWER_DB})
    names = ('range', 'azimuth', 'elevation', 'doppler_velocity', 'amplitude')
    flat = np.zeros(len(cloud))
    plain: SimpleNamespace = radar_scan({name: columns.get(name, flat).tolist() for name in names})
    returns = [new('radar_msgs/msg/RadarReturn', **vars(each)) for each in plain.returns]
    stamped = header(cloud.stamp_ns, frame)
    return new('radar_msgs/msg/RadarScan', header=stamped, returns=returns)


def drive_messages(
    preset: str, topic: str, drive: MovingDrive, frame: str = 'radar'
) -> Iterator[tuple[str, int, Any]]:
    """Yield odometry and clouds of a drive with the times at which they came."""
    stamps_ns, positions_m = drive.cloud_stamps_ns.tolist(), drive.cloud_poses.positions_m
    for index, stamp_ns in enumerate(stamps_ns):
        yield '/odom', stamp_ns, odometry(stamp_ns, float(positions_m[index, 0]))
        yield topic, stamp_ns, cloud_message(preset, drive.cloud(index), frame)


def driver_bag(path: Path, preset: str, topic: str, drive: MovingDrive) -> Path:
    """Write a drive as a recording of a driver."""
    return write_ros2(path, list(drive_messages(preset, topic, drive)))
