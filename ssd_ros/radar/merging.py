# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One query from several 4D radars: what the others see in the field of view of the primary one.

The model knows one radar that looks over 120 degrees, so the result is a cloud of the primary
radar. Which returns of another radar stand still is decided by that radar's own Doppler
ego-velocity. Those within the primary's field of view are moved into its frame at its time and
get the range rate that it would have measured; everything else of the other radar is left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.ego_velocity import (
    EgoVelocity,
    EgoVelocityConfig,
    estimate_ego_velocity,
    Motion,
)
from ssd_ros.radar.types import RadarPointCloud


@dataclass(frozen=True, slots=True)
class MergeConfig:
    """Which returns of another radar are added."""

    fov_deg: float = 120.0  # whole angle of the primary radar, as in the model's contract
    # Reconstructed: scans farther apart in time are not merged. Two radars at 10 Hz are at most
    # 0.1 s apart; how the vehicle turns in between is not known.
    max_age_s: float = 0.15
    ego_velocity: EgoVelocityConfig = field(default_factory=EgoVelocityConfig)


DEFAULT_CONFIG = MergeConfig()


@dataclass(frozen=True, slots=True)
class PlacedCloud:
    """
    A scan of another radar.

    :param primary_radar: shape (4, 4), T_primary_radar, the pose of the radar in the primary one
    """

    cloud: RadarPointCloud
    primary_radar: NDArray[np.float64]


class RadarMerger:
    """Hold the newest scan of each other radar until the primary one has measured."""

    def __init__(self, config: MergeConfig = DEFAULT_CONFIG) -> None:
        self._config = config
        self._held: dict[Hashable, PlacedCloud] = {}

    def hold(self, radar: Hashable, placed: PlacedCloud) -> None:
        """Keep the scan of another radar in place of its last one."""
        self._held[radar] = placed

    def merged(self, primary: RadarPointCloud) -> RadarPointCloud:
        """Return a scan of the primary radar with what the others add; each scan adds once."""
        held, self._held = self._held, {}
        max_age_ns = self._config.max_age_s * 1e9
        near = [
            placed
            for placed in held.values()
            if abs(primary.stamp_ns - placed.cloud.stamp_ns) <= max_age_ns
        ]
        return merge_clouds(primary, near, self._config) if near else primary


def merge_clouds(
    primary: RadarPointCloud, others: Sequence[PlacedCloud], config: MergeConfig = DEFAULT_CONFIG
) -> RadarPointCloud:
    """
    Return all returns of the primary radar and the static ones of the others in its view.

    A radar whose own velocity is not known adds nothing: its movers could not be told.
    """
    motion = _motion_of(primary, config)
    moving = [(placed, _motion_of(placed.cloud, config)) for placed in others]
    known = [(placed, other) for placed, other in moving if other.motion is not Motion.UNKNOWN]
    if not known:
        return primary
    velocity_mps = motion.velocity_mps
    if motion.motion is Motion.UNKNOWN:  # the turning of the vehicle is neglected here
        first, other = known[0]
        velocity_mps = first.primary_radar[:3, :3] @ other.velocity_mps
    parts = [
        _seen_by_primary(primary.stamp_ns, placed, other.usable, velocity_mps, config)
        for placed, other in known
    ]
    return RadarPointCloud(
        primary.stamp_ns,
        np.concatenate([primary.xyz_m, *(part.xyz_m for part in parts)]),
        np.concatenate([primary.rcs_dbsm, *(part.rcs_dbsm for part in parts)]),
        np.concatenate(
            [primary.radial_velocity_mps, *(part.radial_velocity_mps for part in parts)]
        ),
        primary.frame_id,
    )


def _motion_of(cloud: RadarPointCloud, config: MergeConfig) -> EgoVelocity:
    return estimate_ego_velocity(
        cloud.xyz_m, cloud.rcs_dbsm, cloud.radial_velocity_mps, config.ego_velocity
    )


def _seen_by_primary(
    stamp_ns: int,
    placed: PlacedCloud,
    usable: NDArray[np.bool_],
    velocity_mps: NDArray[np.floating],
    config: MergeConfig,
) -> RadarPointCloud:
    """
    Return the static returns of another radar as the primary one would have measured them.

    :param usable: shape (N,) bool, which returns stand still
    :param velocity_mps: shape (3,), of the primary radar in its own frame
    """
    cloud = placed.cloud
    rotation, shift_m = placed.primary_radar[:3, :3], placed.primary_radar[:3, 3]
    elapsed_s = (stamp_ns - cloud.stamp_ns) / 1e9
    xyz_m = cloud.xyz_m[usable] @ rotation.T + (shift_m - velocity_mps * elapsed_s)
    range_m = np.linalg.norm(xyz_m, axis=1)
    azimuth_rad = np.arctan2(xyz_m[:, 1], xyz_m[:, 0])
    seen = (range_m > 0) & (np.abs(azimuth_rad) <= math.radians(config.fov_deg / 2))
    xyz_m = xyz_m[seen]
    return RadarPointCloud(
        stamp_ns,
        xyz_m.astype(np.float32),
        cloud.rcs_dbsm[usable][seen],
        (-(xyz_m @ velocity_mps) / range_m[seen]).astype(np.float32),
        cloud.frame_id,
    )
