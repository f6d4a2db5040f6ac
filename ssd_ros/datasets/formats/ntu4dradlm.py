# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
NTU4DRadLM: a bag of ROS 1 with an Oculii Eagle and a Livox Horizon, gt_odom.txt beside it.

The order of the columns of the truth is not documented: it must be that of TUM. Its poses count
for both sensors.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Config, Rosbag2Sequence
from ssd_ros.datasets.pose_files import read_poses
from ssd_ros.datasets.poses import poses_at

OPTIONS = ('points_topic', 'lidar_source')
TRUTH_FILE = 'gt_odom.txt'
POINTS_TOPIC = '/radar_enhanced_pcl'
LIDAR_TOPIC = '/livox/lidar'


def open_ntu4dradlm(root: Path, config: Rosbag2Config | None = None) -> Rosbag2Sequence:
    """
    Open one drive: a folder with its bag, or its parts, and the truth.

    :raise ValueError: the bag is damaged, or a topic is not there, or the truth is no TUM file
    """
    config = config or Rosbag2Config()
    truth = root / TRUTH_FILE
    wanted = replace(
        config,
        points_topic=config.points_topic or POINTS_TOPIC,
        lidar_source=config.lidar_source or LIDAR_TOPIC,
        reads_poses=config.reads_poses and not truth.is_file(),
    )
    sequence = Rosbag2Sequence(root, wanted)
    sequence.name = root.name
    if truth.is_file() and config.reads_poses:
        _require_tum(truth)
        poses = read_poses(truth, sequence.cloud_stamps_ns, sequence.lidar_stamps_ns).poses
        sequence.cloud_poses = poses_at(poses, sequence.cloud_stamps_ns)
        sequence.lidar_poses = poses_at(poses, sequence.lidar_stamps_ns)
    return sequence


def _require_tum(path: Path) -> None:
    """Refuse a file whose last four columns are no rotation: the order would be another one."""
    with path.open(encoding='utf-8-sig', errors='replace') as file:
        for line in file:
            words = line.replace(',', ' ').split()
            if not words or words[0].startswith('#'):
                continue
            try:
                numbers = np.array(words, np.float64)
            except ValueError:
                continue
            length = float(np.linalg.norm(numbers[4:])) if len(numbers) == 8 else 0.0
            if abs(length - 1) > 0.01:
                raise ValueError(
                    f'{path} begins with {len(numbers)} numbers, of which the last four have '
                    f'length {length:.3f}: expected stamp x y z qx qy qz qw, as TUM has it'
                )
            return
