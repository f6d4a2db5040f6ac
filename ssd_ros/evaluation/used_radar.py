# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a result rests on: the scans of a drive, those without a pose, and what its poses are."""

from __future__ import annotations

from dataclasses import dataclass

from ssd_ros.datasets.sequence import RadarSequence, sensor_scans, SENSORS


@dataclass(frozen=True, slots=True)
class UsedRadar:
    """
    One radar, or the LiDAR, of a drive.

    :param sensor: a name in SENSORS
    :param num_without_pose: of the scans; they are left out
    :param poses: what became of the poses, in words; empty if they were not checked
    """

    drive: str
    sensor: str
    num_scans: int
    num_without_pose: int
    poses: str = ''

    def __post_init__(self) -> None:
        if self.sensor not in SENSORS:
            raise ValueError(f'sensor is {self.sensor!r}, expected one of {list(SENSORS)}')
        if not 0 <= self.num_without_pose <= self.num_scans:
            raise ValueError(f'{self.num_without_pose} of {self.num_scans} scans have no pose')


def used_radar(drive: RadarSequence, sensor: str, poses: str = '') -> UsedRadar:
    """
    Count the scans of a radar.

    :param poses: what became of its poses, in words
    """
    scans = sensor_scans(drive, sensor)
    num_without_pose = len(scans) - len(scans.poses.at(scans.stamps_ns)[0])
    return UsedRadar(drive.name, sensor, len(scans), num_without_pose, poses)
