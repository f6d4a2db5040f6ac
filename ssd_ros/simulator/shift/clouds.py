# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What another radar, or one mounted otherwise, would have made of a 4D radar scan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.records import check_limits, Limits

_ALARM_RANGE_M = 5.0  # the nearest false alarm
_ALARM_SPEED_MPS = 15.0
_ALARM_ELEVATION_DEG = 4.0
_MEAN_RCS_DBSM = 5.0  # of an RCS that means nothing
_LIMITS = {
    'max_range_m': Limits(1, 1000),
    'half_fov_deg': Limits(1, 90),
    'gain_db': Limits(-100, 100),
    'range_scale': Limits(0.5, 2),
    'num_false_alarms': Limits(0, 10_000),
    **dict.fromkeys(('yaw_deg', 'pitch_deg', 'roll_deg'), Limits(-90, 90)),
}


@dataclass(frozen=True, slots=True)
class CloudChange:
    """
    How a radar differs from the plain one; in this order.

    :param yaw_deg: counter-clockwise turn of the radar that its extrinsics do not know of; with
        pitch (down) and roll (to the right)
    :param half_fov_deg: seen to either side
    :param range_scale: by which measured ranges are too long
    :param num_false_alarms: more in a scan, anywhere, as strong as echoes
    :param rcs_std_db: of an RCS that has nothing to do with the echoes; None = that of the echoes
    :param num_points: kept of a scan, at random; None = all
    """

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    max_range_m: float = 150.0
    half_fov_deg: float = 60.0
    range_scale: float = 1.0
    num_false_alarms: float = 0.0
    gain_db: float = 0.0
    rcs_std_db: float | None = None
    num_points: int | None = None

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        if self.num_points is not None and self.num_points < 1:
            raise ValueError(f'num_points is {self.num_points}, expected 1 or more')
        if self.rcs_std_db is not None and not 0 <= self.rcs_std_db <= 100:
            raise ValueError(f'rcs_std_db is {self.rcs_std_db}, expected 0 ... 100')

    def of(self, cloud: RadarPointCloud, rng: np.random.Generator) -> RadarPointCloud:
        """Return what this radar makes of a scan of the plain one."""
        cloud = turned(cloud, self.yaw_deg, self.pitch_deg, self.roll_deg)
        cloud = stretched(within(cloud, self.max_range_m, self.half_fov_deg), self.range_scale)
        if self.num_false_alarms:
            cloud = with_false_alarms(cloud, self, rng)
        rcs_dbsm = cloud.rcs_dbsm + np.float32(self.gain_db)
        if self.rcs_std_db is not None:
            rcs_dbsm = rng.normal(_MEAN_RCS_DBSM, self.rcs_std_db, len(cloud)).astype(np.float32)
        cloud = replace(cloud, rcs_dbsm=rcs_dbsm)
        return cloud if self.num_points is None else thinned(cloud, self.num_points, rng)


def turned(
    cloud: RadarPointCloud, yaw_deg: float, pitch_deg: float, roll_deg: float
) -> RadarPointCloud:
    """Return the scan of a radar that is turned by yaw, then pitch, then roll (REP-103)."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_z = _rotation(yaw, 0, 1)
    about_y = _rotation(pitch, 2, 0)
    about_x = _rotation(roll, 1, 2)
    # The columns are the axes of the turned radar, so that this is its inverse for rows.
    xyz_m = cloud.xyz_m.astype(np.float64) @ (about_z @ about_y @ about_x)
    return replace(cloud, xyz_m=xyz_m.astype(np.float32))


def within(cloud: RadarPointCloud, max_range_m: float, half_fov_deg: float) -> RadarPointCloud:
    """Return the part of a scan that is near enough and ahead enough."""
    x, y, _ = cloud.xyz_m.T
    is_near = np.linalg.norm(cloud.xyz_m, axis=1) < max_range_m
    return cloud.select(is_near & (np.abs(np.degrees(np.arctan2(y, x))) <= half_fov_deg))


def stretched(cloud: RadarPointCloud, scale: float) -> RadarPointCloud:
    """Return a scan with ranges of a wrong scale."""
    return replace(cloud, xyz_m=cloud.xyz_m * np.float32(scale))


def thinned(cloud: RadarPointCloud, num_points: int, rng: np.random.Generator) -> RadarPointCloud:
    """Return a scan of at most so many points, chosen at random."""
    keep = np.zeros(len(cloud), bool)
    keep[rng.permutation(len(cloud))[:num_points]] = True
    return cloud.select(keep)


def with_false_alarms(
    cloud: RadarPointCloud, change: CloudChange, rng: np.random.Generator
) -> RadarPointCloud:
    """Return a scan with detections of nothing that look like the others but for their place."""
    num = int(rng.poisson(change.num_false_alarms)) if len(cloud) else 0
    range_m = rng.uniform(_ALARM_RANGE_M, max(change.max_range_m, _ALARM_RANGE_M), num)
    azimuth = np.radians(rng.uniform(-change.half_fov_deg, change.half_fov_deg, num))
    elevation = np.radians(rng.normal(0, _ALARM_ELEVATION_DEG, num))
    flat_m = range_m * np.cos(elevation)
    xyz_m = np.column_stack(
        [flat_m * np.cos(azimuth), flat_m * np.sin(azimuth), range_m * np.sin(elevation)]
    )
    velocity_mps = rng.uniform(-_ALARM_SPEED_MPS, _ALARM_SPEED_MPS, num)
    return RadarPointCloud(
        cloud.stamp_ns,
        np.concatenate([cloud.xyz_m, xyz_m.astype(np.float32)]),
        np.concatenate([cloud.rcs_dbsm, rng.choice(cloud.rcs_dbsm, num)]),
        np.concatenate([cloud.radial_velocity_mps, velocity_mps.astype(np.float32)]),
        cloud.frame_id,
    )


def _rotation(angle_rad: float, first: int, second: int) -> NDArray[np.float64]:
    """Return the matrix that turns one axis towards another."""
    matrix = np.eye(3)
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    matrix[[first, second], [first, second]] = cos
    matrix[second, first], matrix[first, second] = sin, -sin
    return matrix
