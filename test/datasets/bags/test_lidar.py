# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the LiDAR of recordings of ROS 1 and 2, alone and beside a radar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import RadarSequence
from support.recordings import ROS2, write_ros1, write_ros2

SECOND = 1_000_000_000
LIDAR = Rosbag2Config(sensors=('lidar',))
BOTH = Rosbag2Config(sensors=('4d', 'lidar'))


def header(stamp_ns: int) -> Any:
    stamp = ROS2.types['builtin_interfaces/msg/Time'](
        sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND
    )
    return ROS2.types['std_msgs/msg/Header'](stamp=stamp, frame_id='lidar')


def cloud(stamp_ns: int, *names: str, num: int = 3) -> Any:
    """Return a PointCloud2 of float32 fields; field k of point i is 10 i + k + 1."""
    field = ROS2.types['sensor_msgs/msg/PointField']
    values = 10 * np.arange(num)[:, None] + np.arange(1, len(names) + 1)
    return ROS2.types['sensor_msgs/msg/PointCloud2'](
        header=header(stamp_ns),
        height=1,
        width=num,
        fields=[field(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(names)],
        is_bigendian=False,
        point_step=4 * len(names),
        row_step=4 * len(names) * num,
        data=values.astype(np.float32).ravel().view(np.uint8),
        is_dense=True,
    )


def livox(stamp_ns: int) -> Any:
    points = [
        ROS2.types['livox_ros_driver/msg/CustomPoint'](0, 3.0 + k, 4.0, 0.5, 10 * k, 0, 0)
        for k in range(3)
    ]
    return ROS2.types['livox_ros_driver/msg/CustomMsg'](
        header(stamp_ns), 0, 3, 1, np.zeros(3, np.uint8), points
    )


def pose(stamp_ns: int, x: float) -> Any:
    types = ROS2.types
    return types['geometry_msgs/msg/PoseStamped'](
        header(stamp_ns),
        types['geometry_msgs/msg/Pose'](
            types['geometry_msgs/msg/Point'](x, 0.0, 0.0),
            types['geometry_msgs/msg/Quaternion'](0.0, 0.0, 0.0, 1.0),
        ),
    )


def drive(path: Path, lidar: Any, is_ros1: bool) -> Path:
    """Write two clouds of a radar, two of a LiDAR and the poses of the drive."""
    messages = []
    for k in (1, 2):
        radar = cloud(k * SECOND, 'x', 'y', 'z', 'doppler', 'power')
        messages += [('/radar', k * SECOND, radar), ('/lidar', k * SECOND, lidar(k * SECOND))]
        messages.append(('/pose', k * SECOND, pose(k * SECOND, 5.0 * k)))
    if is_ros1:
        return write_ros1(path.with_suffix('.bag'), messages)
    return write_ros2(path, messages)


def velodyne(stamp_ns: int) -> Any:
    return cloud(stamp_ns, 'x', 'y', 'z', 'intensity', 'ring')


@pytest.mark.parametrize('is_ros1', [False, True])
@pytest.mark.parametrize(
    ('message', 'xyz_m', 'intensity'),
    [(velodyne, [11, 12, 13], [4, 14, 24]), (livox, [4, 4, 0.5], [0, 10, 20])],
)
def test_the_lidar_of_a_recording_is_the_topic_without_doppler(
    tmp_path: Path, message: Any, xyz_m: list[float], intensity: list[float], is_ros1: bool
) -> None:
    path = drive(tmp_path / 'bag', message, is_ros1)
    for config, num_clouds in ((LIDAR, 0), (BOTH, 2)):
        sequence = open_sequence(path, config=config)
        assert isinstance(sequence, RadarSequence)
        assert sequence.lidar_stamps_ns.tolist() == [SECOND, 2 * SECOND]
        assert sequence.lidar_poses.positions_m[:, 0].tolist() == [5, 10]
        scan = sequence.lidar(1)
        assert scan.stamp_ns == 2 * SECOND
        assert scan.xyz_m[1].tolist() == xyz_m
        assert scan.intensity.tolist() == intensity
        assert scan.radial_velocity_mps is None
        assert len(sequence.cloud_stamps_ns) == num_clouds
    np.testing.assert_allclose(sequence.cloud(0).radial_velocity_mps, [4, 14, 24])


def test_a_lidar_that_nobody_asked_for_is_left_alone(tmp_path: Path) -> None:
    sequence = open_sequence(drive(tmp_path / 'bag', velodyne, False))
    assert len(sequence.lidar_stamps_ns) == len(sequence.lidar_poses) == 0
    with pytest.raises(IndexError, match='bag was opened without its LiDAR'):
        sequence.lidar(0)


def test_an_fmcw_lidar_is_told_from_a_radar_by_its_name(tmp_path: Path) -> None:
    def aeva(stamp_ns: int) -> Any:
        return cloud(stamp_ns, 'x', 'y', 'z', 'velocity', 'intensity')

    path = drive(tmp_path / 'bag', aeva, False)
    assert len(open_sequence(path, config=LIDAR).lidar_stamps_ns) == 0
    named = Rosbag2Config(sensors=('4d', 'lidar'), lidar_source='/lidar')
    sequence = open_sequence(path, config=named)
    scan = sequence.lidar(0)
    assert scan.radial_velocity_mps is not None
    assert scan.radial_velocity_mps.tolist() == [4, 14, 24]
    assert sequence.cloud(0).rcs_dbsm.shape == (3,)


def test_two_lidars_must_be_told_apart(tmp_path: Path) -> None:
    path = write_ros2(
        tmp_path / 'bag', [(name, 5, velodyne(SECOND)) for name in ('/front', '/rear')]
    )
    with pytest.raises(ValueError, match=r"without Doppler, \['/front', '/rear'\]: name that"):
        open_sequence(path, config=LIDAR)
    named = Rosbag2Config(sensors=('lidar',), lidar_source='/rear')
    assert len(open_sequence(path, config=named).lidar_stamps_ns) == 1
    lost = Rosbag2Config(sensors=('lidar',), lidar_source='/left')
    with pytest.raises(ValueError, match="has no topic '/left'"):
        open_sequence(path, config=lost)
