# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Decode the messages of LiDARs without importing ROS: PointCloud2 of any driver, Livox CustomMsg.

Live messages (rclpy) and recorded ones (rosbags) have the same attributes, so both work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.lidar.types import LidarPointCloud
from ssd_ros.radar.columns import header_of
from ssd_ros.radar.fields import PointCloudError
from ssd_ros.radar.point_fields import checked_bytes, view_of_points

# What drivers call what a LiDAR may report beside x, y, z, in lower case, best first.
_INTENSITY = ('intensity', 'reflectivity', 'i')
_VELOCITY = ('velocity', 'radial_velocity', 'doppler', 'doppler_velocity', 'range_rate')


def decode_lidar_cloud2(msg: Any) -> LidarPointCloud:
    """
    Return the points of a sensor_msgs/PointCloud2; what they lack is NaN, or None for Doppler.

    :raise PointCloudError: the data are short, the layout is impossible or x, y or z is missing
    """
    by_name: dict[str, Any] = {}
    for point_field in msg.fields:
        by_name.setdefault(point_field.name.lower(), point_field)
    if missing := [axis for axis in ('x', 'y', 'z') if axis not in by_name]:
        raise PointCloudError(
            'missing_field', f'point cloud has no field {missing}; it has {list(by_name)}'
        )
    chosen = {axis: by_name[axis] for axis in ('x', 'y', 'z')}
    for role, names in (('intensity', _INTENSITY), ('velocity', _VELOCITY)):
        if found := [by_name[name] for name in names if name in by_name]:
            chosen[role] = found[0]
    if int(msg.width) * int(msg.height) == 0:
        columns: dict[str, NDArray[Any]] = {role: np.empty(0) for role in chosen}
    else:
        points = view_of_points(msg, checked_bytes(msg), chosen)
        columns = {role: points[role].reshape(-1) for role in chosen}
    return _cloud_of(msg, columns)


def decode_livox_lidar(msg: Any) -> LidarPointCloud:
    """Return the points of a CustomMsg of livox_ros_driver or livox_ros_driver2."""
    names = {'x': 'x', 'y': 'y', 'z': 'z', 'intensity': 'reflectivity'}
    columns = {
        role: np.array([getattr(point, name) for point in msg.points], np.float32)
        for role, name in names.items()
    }
    return _cloud_of(msg, columns)


LIDAR_DECODERS: Mapping[str, Callable[[Any], LidarPointCloud]] = {
    'sensor_msgs/msg/PointCloud2': decode_lidar_cloud2,
    'livox_ros_driver/msg/CustomMsg': decode_livox_lidar,
    'livox_ros_driver2/msg/CustomMsg': decode_livox_lidar,
}


def _cloud_of(msg: Any, columns: Mapping[str, NDArray[Any]]) -> LidarPointCloud:
    # Absurd bytes give absurd floats: what overflows is left out, not warned about.
    with np.errstate(all='ignore'):
        floats = {role: column.astype(np.float32) for role, column in columns.items()}
    num_points = len(floats['x'])
    xyz_m = np.stack([floats['x'], floats['y'], floats['z']], axis=1)
    intensity = floats.get('intensity', np.full(num_points, np.nan, np.float32))
    stamp_ns, frame_id = header_of(msg)
    return LidarPointCloud(stamp_ns, xyz_m, intensity, floats.get('velocity'), frame_id).measured()
