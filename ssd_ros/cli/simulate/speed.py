# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a scan of each simulated sensor takes."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any, NamedTuple

import numpy as np
from ssd_ros.simulator.config import Conditions
from ssd_ros.simulator.recordings.sequence import SimulatedSequence
from ssd_ros.simulator.scene.world import World
from ssd_ros.simulator.sensors import LIDARS
from ssd_ros.simulator.visits.session import Session


class SensorTimes(NamedTuple):
    """
    Means over some scans.

    :param seconds: of processor time
    :param unit: of the points
    """

    seconds: float
    num_points: float
    unit: str = 'points'


def sensor_times(seed: int, num_scans: int) -> dict[str, SensorTimes]:
    """
    Simulate scans all over a lap.

    :return: by sensor
    """
    world = World(seed)
    drives = {
        name: SimulatedSequence(Session(world, 0, Conditions(lidar=lidar)), lidar_rate_hz=10.0)
        for name, lidar in LIDARS.items()
    }
    plain = next(iter(drives.values()))
    times = {
        '4D radar': _times(plain.cloud, len(plain.cloud_stamps_ns), num_scans),
        'spinning radar': _times(plain.scan, len(plain.scan_stamps_ns), num_scans),
    }
    for name, drive in drives.items():
        times[f'{name} LiDAR'] = _times(drive.lidar, len(drive.lidar_stamps_ns), num_scans)
    return times


def _times(scan: Callable[[int], Any], num: int, num_scans: int) -> SensorTimes:
    scan(0)  # compiles
    indices = np.linspace(0, num - 1, num_scans).astype(int).tolist()
    start = time.process_time()
    scans = [scan(index) for index in indices]
    seconds = (time.process_time() - start) / num_scans
    if hasattr(scans[0], 'power'):
        return SensorTimes(seconds, scans[0].power.size, 'pixels')
    return SensorTimes(seconds, float(np.mean([len(cloud) for cloud in scans])))
