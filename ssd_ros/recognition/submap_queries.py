# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queries by submaps: of each scan the place half a submap back, and what was seen about it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.bev.preprocessing import PreprocessingConfig
from ssd_ros.bev.submap import SubmapImage, SubmapWindow
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.recognition.answer import Query, SensorPose

_WHOLE = 0.9  # reconstructed: of the way before its middle; with less it does not show all around


class _Place(NamedTuple):
    """What is kept of a query, by its names."""

    stamp_ns: int
    pose: SensorPose | None
    odometry: OdometryPose | None
    elapsed_ns: int
    segment: int


class SubmapQueries:
    """Turn the queries of a drive, scan by scan, into such of submaps."""

    def __init__(self, length_m: float, preprocessing: PreprocessingConfig) -> None:
        """
        Start without a scan.

        :param length_m: of the way that a submap shows
        :param preprocessing: of the encoder, for spinning radar
        """
        self.length_m = length_m
        self._config = preprocessing
        self._window = SubmapWindow(length_m)
        self.sees_all = False  # of what is asked: maps of spinning radar, which see as far ahead

    def clear(self) -> None:
        """Forget the scans so far."""
        self._window.clear()

    def mount(self, base_radar: NDArray[np.float64]) -> None:
        """Take over how the radar is mounted, see ScanMotion."""
        self._window.mount(base_radar)

    def add(
        self, cloud: RadarPointCloud, query: Query, planar: NDArray[np.float64] | None
    ) -> Query:
        """
        Return the query of the place half a submap back; the same one until there is one.

        :param query: of the scan, by its window
        :param planar: shape (3,): x, y, yaw of the radar in the odometry frame; None = by Doppler
        """
        place = _Place(*(getattr(query, name) for name in _Place._fields))
        ego_velocity = query.image.ego_velocity
        submap = self._window.add(cloud, ego_velocity, planar, query.segment, place)
        if submap is None or submap.before_m < _WHOLE * self.length_m / 2:
            return query
        reach_m = self._config.grid.max_range_m if self.sees_all else self.length_m / 2
        image = SubmapImage(submap, self._config, reach_m, ego_velocity)
        return replace(query, image=image, **submap.middle.tag._asdict())
