# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check drives of NTU4DRadLM: bags of ROS 1 with clouds of version 1, a Livox, the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config
from ssd_ros.datasets.formats.open_sequence import open_sequence
from ssd_ros.datasets.sequence import RadarSequence
from support.recordings import ROS2, write_ros1

SECOND = 1_000_000_000
START_S = 1_640_000_000
SENSORS = Rosbag2Config(sensors=('4d', 'lidar'))


def header(stamp_ns: int) -> Any:
    stamp = ROS2.types['builtin_interfaces/msg/Time'](
        sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND
    )
    return ROS2.types['std_msgs/msg/Header'](stamp=stamp, frame_id='sensor')


def radar(stamp_ns: int) -> Any:
    """Return a sensor_msgs/PointCloud as the Oculii Eagle's driver sends it."""
    point = ROS2.types['geometry_msgs/msg/Point32']
    channel = ROS2.types['sensor_msgs/msg/ChannelFloat32']
    values = {'Doppler': [-4.5, -5], 'Range': [30, 8], 'Power': [10, 14], 'Alpha': [0, 0]}
    return ROS2.types['sensor_msgs/msg/PointCloud'](
        header(stamp_ns),
        [point(30.0, 5.0, 0.5), point(8.0, 0.0, 0.0)],
        [channel(name, np.float32(column)) for name, column in values.items()],
    )


def livox(stamp_ns: int) -> Any:
    point = ROS2.types['livox_ros_driver/msg/CustomPoint'](0, 10.0, 2.0, -1.0, 40, 0, 0)
    return ROS2.types['livox_ros_driver/msg/CustomMsg'](
        header(stamp_ns), 0, 1, 1, np.zeros(3, np.uint8), [point]
    )


def drive(root: Path, truth: str) -> Path:
    """Write a folder with two parts of a bag and the truth."""
    root.mkdir()
    for part in (0, 1):
        stamp_ns = (START_S + part) * SECOND
        write_ros1(
            root / f'{root.name}_2022-06-03_{part}.bag',
            [
                ('/radar_enhanced_pcl', stamp_ns, radar(stamp_ns)),
                ('/radar_pcl', stamp_ns, radar(stamp_ns)),
                ('/livox/lidar', stamp_ns, livox(stamp_ns)),
            ],
        )
    (root / 'gt_odom.txt').write_text(truth)
    return root


def tum(order: tuple[int, ...] = tuple(range(8))) -> str:
    rows = [[START_S + k, 5 * k, 7, 0, 0, 0, 0.6, 0.8] for k in (0, 1)]
    return ''.join(' '.join(str(row[place]) for place in order) + '\n' for row in rows)


def test_a_drive_is_recognised_by_its_truth(tmp_path: Path) -> None:
    sequence = open_sequence(drive(tmp_path / 'cp', tum()), config=SENSORS)
    assert isinstance(sequence, RadarSequence)
    assert sequence.name == 'cp'
    assert sequence.cloud_stamps_ns.tolist() == [START_S * SECOND, (START_S + 1) * SECOND]
    assert sequence.cloud(1).radial_velocity_mps.tolist() == [-4.5, -5]
    assert np.ptp(sequence.cloud(1).rcs_dbsm) == 4  # decibels
    assert sequence.lidar(1).xyz_m.tolist() == [[10, 2, -1]]
    assert sequence.lidar(1).intensity.tolist() == [40]
    for poses in (sequence.cloud_poses, sequence.lidar_poses):
        assert poses.positions_m[:, 0].tolist() == [0, 5]


def test_the_weaker_cloud_can_be_named(tmp_path: Path) -> None:
    config = Rosbag2Config(points_topic='/radar_pcl')
    sequence = open_sequence(drive(tmp_path / 'cp', tum()), config=config)
    assert len(sequence.cloud_stamps_ns) == 2
    assert len(sequence.lidar_stamps_ns) == 0  # not asked for


def test_a_truth_in_another_order_is_refused(tmp_path: Path) -> None:
    quaternion_first = drive(tmp_path / 'cp', tum((0, 4, 5, 6, 7, 1, 2, 3)))
    with pytest.raises(ValueError, match=r'gt_odom.txt begins with 8 numbers, of which the last'):
        open_sequence(quaternion_first)


def test_a_bag_without_its_topics_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / 'cp'
    folder.mkdir()
    write_ros1(folder / 'cp.bag', [('/points', 5, radar(SECOND))])
    (folder / 'gt_odom.txt').write_text(tum())
    with pytest.raises(ValueError, match="has no topic '/radar_enhanced_pcl'"):
        open_sequence(folder)
