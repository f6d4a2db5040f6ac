# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small map whose places are random numbers, over a few squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.maps.files import MapContent, MapInfo
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory

NUM_VIEWS, SIZE = 6, 32
INFO = MapInfo('a' * 64, 'b' * 64, NUM_VIEWS, keyframe_distance_m=20.0, source='City/01')


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def city(num: int = 120, step_m: float = 20.0, seed: int = 0, size: int = SIZE) -> MapContent:
    """Return a drive along a diagonal and back beside it, of numbers that half precision holds."""
    generator = np.random.default_rng(seed)
    places = generator.normal(size=(num, 1, size))
    rings = unit(places + generator.normal(size=(num, NUM_VIEWS, size)) * 0.6)
    rings = rings.astype(np.float16).astype(np.float32)
    way = np.concatenate([np.arange(num // 2), np.arange(num - num // 2)[::-1]]) * step_m
    positions_m = np.stack([way - 700, way * 0.5 - 90, np.zeros(num)], axis=1)
    poses = Trajectory(np.arange(num) + 1, positions_m, quaternion_from_yaw(way * 0.001))
    returns_cm = generator.integers(-9999, 9999, (num, 8, 2), np.int16)
    return MapContent(rings.reshape(-1, size), poses, returns_cm, INFO)


def query_near(content: MapContent, row: int, noise: float = 0.1) -> NDArray[np.float32]:
    blur = np.random.default_rng(row).normal(size=content.descriptors.shape[1]) * noise
    return unit(content.descriptors[row] + blur)
