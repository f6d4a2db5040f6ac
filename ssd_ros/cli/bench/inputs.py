# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random inputs of usual size for the measurements of `bench`."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.encoders.place_encoder import PlaceEncoder
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.radar.ars548 import ARS548_DTYPE, ars548_records
from ssd_ros.radar.types import RadarPointCloud, SpinningRadarScan, uniform_azimuths_rad
from ssd_ros.verification import NUM_RETURNS, returns_of_points

NUM_POINTS = 800
NUM_VIEWS = 36
QUERY_IN_KEYFRAME = (3.0, 1.0, 0.08)  # x, y in metres, yaw in radians
_POINT_FIELDS = {'f4': 7, 'i1': 1}  # constants of sensor_msgs/PointField


def radar_message() -> Any:
    """Return a full ARS548 scan at 10 m/s as a PointCloud2 without ROS: packed, unaligned."""
    generator = np.random.default_rng(0)
    range_m = generator.uniform(2, 149, NUM_POINTS)
    azimuth_rad = np.radians(generator.uniform(-59, 59, NUM_POINTS))
    xyz_m = np.stack(
        [range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad), np.ones(NUM_POINTS)], axis=1
    )
    speed_mps = -10 * xyz_m[:, 0] / np.linalg.norm(xyz_m, axis=1)
    rcs_dbsm = np.rint(generator.normal(0, 8, NUM_POINTS))
    cloud = RadarPointCloud(
        0, xyz_m.astype(np.float32), rcs_dbsm.astype(np.float32), speed_mps.astype(np.float32)
    )
    layout: Mapping[str, Any] = ARS548_DTYPE.fields or {}
    fields = [
        SimpleNamespace(
            name=name, offset=entry[1], datatype=_POINT_FIELDS[entry[0].str[1:]], count=1
        )
        for name, entry in layout.items()
    ]
    step = ARS548_DTYPE.itemsize
    header = SimpleNamespace(stamp=SimpleNamespace(sec=1, nanosec=0), frame_id='radar')
    return SimpleNamespace(
        header=header,
        height=1,
        width=NUM_POINTS,
        fields=fields,
        is_bigendian=False,
        point_step=step,
        row_step=step * NUM_POINTS,
        data=ars548_records(cloud).tobytes(),
        is_dense=True,
    )


def random_database(num_rows: int, student: PlaceEncoder) -> PlaceDatabase:
    """Return a map of random descriptors, keyframes 2 m apart along a line."""
    num_keyframes = round(num_rows / NUM_VIEWS)
    size = student.contract.descriptor_size
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((num_keyframes * NUM_VIEWS, size), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    positions_m = np.zeros((num_keyframes, 3))
    positions_m[:, 0] = np.arange(num_keyframes) * 2.0
    poses = Trajectory(
        np.arange(num_keyframes), positions_m, quaternion_from_yaw(np.zeros(num_keyframes))
    )
    info = MapInfo(student.contract.descriptor_space, '', NUM_VIEWS, 2.0)
    returns_cm = generator.integers(-10_000, 10_000, (num_keyframes, NUM_RETURNS, 2), np.int16)
    return PlaceDatabase(MapContent(rows, poses, returns_cm, info))


def spinning_scan() -> SpinningRadarScan:
    """Return a scan of the size that the simulator makes, noise with strong echoes."""
    generator = np.random.default_rng(0)
    power = generator.integers(20, 70, (856, 400), dtype=np.uint8)
    power[generator.random(power.shape) < 0.05] = 150
    return SpinningRadarScan(0, power, uniform_azimuths_rad(400), 150 / 856)


def query_and_keyframe() -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Return points in the frame of a query and the returns of a keyframe that saw them too."""
    generator = np.random.default_rng(0)
    range_m = generator.uniform(5, 80, NUM_RETURNS)
    azimuth_rad = generator.uniform(-np.pi, np.pi, NUM_RETURNS)
    seen = np.stack([range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)], axis=1)
    x_m, y_m, yaw_rad = QUERY_IN_KEYFRAME
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    moved = (seen - [x_m, y_m]) @ np.array([[cos, -sin], [sin, cos]])
    ahead = np.abs(np.arctan2(moved[:, 1], moved[:, 0])) < np.radians(60)
    points = np.repeat(moved[ahead], 2, axis=0)[:NUM_POINTS]
    points = points + generator.normal(0, 0.2, points.shape)
    return points.astype(np.float32), returns_of_points(seen.astype(np.float32))
