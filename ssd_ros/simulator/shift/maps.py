# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps that were made otherwise than those that calibration knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
import uuid

import numpy as np
from ssd_ros.datasets.sequence import DelegatingDrive, RadarSequence
from ssd_ros.maps.files import MapContent
from ssd_ros.maps.novelty import database_of
from ssd_ros.maps.place_database import PlaceDatabase
from ssd_ros.motion.trajectory import thin_by_distance, Trajectory
from ssd_ros.radar.types import SpinningRadarScan
from ssd_ros.records import check_limits, Limits
from ssd_ros.simulator.random_streams import stream

_LIMITS = {
    'brightness_px': Limits(-255, 255),
    'position_error_m': Limits(0, 1000),
    'keyframe_distance_m': Limits(0, 1000),
}


@dataclass(frozen=True, slots=True)
class MapChange:
    """
    How a map differs from the plain one.

    :param brightness_px: added to all pixels of the spinning radar, its noise included
    :param position_error_m: root mean square, of each keyframe by itself
    :param keyframe_distance_m: at least, between keyframes
    """

    brightness_px: int = 0
    position_error_m: float = 0.0
    keyframe_distance_m: float = 0.0

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)
        if self.brightness_px and (self.position_error_m or self.keyframe_distance_m):
            raise ValueError('brightness_px goes with no other change of a map')

    def of(self, database: PlaceDatabase, key: str) -> PlaceDatabase:
        """
        Return a map with other poses or fewer keyframes, under another UUID.

        :param key: what it draws random numbers for
        """
        info, poses = database.info, database.keyframes
        kept = thin_by_distance(poses.positions_m, self.keyframe_distance_m)
        rng = stream(info.data_origin.seed or 0, f'shift/{key}')
        error_m = self.position_error_m / np.sqrt(2) * rng.standard_normal((len(poses), 2))
        off = Trajectory(
            poses.stamps_ns,
            poses.positions_m + np.column_stack([error_m, np.zeros(len(poses))]),
            poses.quaternions_xyzw,
        )
        rows = kept[:, None] * info.num_views + np.arange(info.num_views)
        return database_of(
            MapContent(
                database.descriptors()[rows.ravel()],
                off.select(kept),
                database.returns_cm[kept],
                replace(info, uuid=str(uuid.uuid4())),
            )
        )


class BrighterDrive(DelegatingDrive):
    """A drive whose spinning radar has another brightness; satisfies RadarSequence."""

    def __init__(self, drive: RadarSequence, brightness_px: int) -> None:
        super().__init__(drive)
        self._brightness_px = brightness_px

    def scan(self, index: int) -> SpinningRadarScan:
        """Return one spinning radar scan, brighter."""
        scan = self._drive.scan(index)
        power = scan.power.astype(np.int64) + self._brightness_px
        return replace(scan, power=np.clip(power, 0, 255).astype(np.uint8))
