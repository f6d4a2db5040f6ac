# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A LiDAR, spinning or looking ahead: one scan of a session at any time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.lidar.beams import cast, Columns, GROUND, NOTHING
from ssd_ros.simulator.lidar.surfaces import Surfaces, VisibleSession
from ssd_ros.simulator.lidar.weather import air_of, wet_share
from ssd_ros.simulator.random_streams import drawn, from_pool, stream
from ssd_ros.simulator.scene.visibility import panorama, Place
from ssd_ros.simulator.sensors import LidarConfig
from ssd_ros.simulator.visits.drive import Motion
from ssd_ros.simulator.visits.session import Session

_FADING = 0.25  # standard deviation of the logarithm of a beam's power; reconstructed
_WIND_MPS = 0.5  # of what is in the air
_AIRBORNE_PERCENT = 3.0  # apparent reflectance


class Origin(IntEnum):
    """What a return really is."""

    STATIC = 0
    MOVER = 1
    GROUND = 2
    AIRBORNE = 3


@dataclass(frozen=True, slots=True)
class LidarReturns:
    """
    One scan of a LiDAR with its truth; all arrays of N rows, in the order of the beams.

    :param xyz_m: shape (N, 3), in the frame that the sensor had when it measured the point
    :param intensity: apparent reflectance in percent, shape (N,)
    :param velocity_mps: range rate, positive = receding, shape (N,)
    :param origin: Origin of each return
    """

    xyz_m: NDArray[np.float32]
    intensity: NDArray[np.float32]
    velocity_mps: NDArray[np.float32]
    origin: NDArray[np.int64]


class _Beams(NamedTuple):
    """
    What the beams of a scan meet, columns by rings.

    :param range_m: shape (C, R), so are the others
    :param strength: reflectance times cosine of incidence
    :param rows: number of the surface, NOTHING or GROUND
    """

    range_m: NDArray[np.float32]
    strength: NDArray[np.float32]
    rows: NDArray[np.int32]


class SimulatedLidar:
    """The LiDAR of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._config = session.conditions.lidar
        self._air = air_of(session.conditions)
        self._visible = VisibleSession(session)
        self._azimuths_rad = _azimuths_rad(self._config)
        config = self._config
        elevations_deg = np.linspace(config.highest_deg, config.lowest_deg, config.num_rings)
        self._tangents = np.tan(np.deg2rad(elevations_deg))
        self._cosines = (1 / np.sqrt(1 + self._tangents**2)).astype(np.float32)

    def scan(self, time_s: float, frame: int) -> LidarReturns:
        """
        Simulate one scan about a time of the session.

        :param frame: number of the scan, for its random streams
        """
        config, motion = self._config, self._session.drive.motion(time_s)
        surfaces = self._visible.at(time_s, config.max_range_m)
        columns = self._columns(motion)
        beams = self._beams(surfaces, columns, motion, frame)
        seen = self._is_seen(beams, frame)
        floating_m = self._floating_m(frame)
        is_floating = (floating_m < beams.range_m) | (~seen & (floating_m < config.max_range_m))
        noise = config.range_noise_m * self._draw('standard_normal', 'lidar-noise', frame)
        range_m = np.where(is_floating, floating_m, beams.range_m) + noise
        shown = (seen | is_floating) & (range_m > config.min_range_m)
        column, ring = np.nonzero(shown & (range_m < config.max_range_m))
        chosen = column, ring
        origin = np.where(
            is_floating[chosen], Origin.AIRBORNE, _origin(surfaces, beams.rows[chosen])
        )
        flat_m, azimuth = range_m[chosen] * self._cosines[ring], self._azimuths_rad[column]
        xyz_m = [flat_m * np.cos(azimuth), flat_m * np.sin(azimuth), flat_m * self._tangents[ring]]
        percent = np.where(is_floating, _AIRBORNE_PERCENT, 100 * beams.strength)[chosen]
        return LidarReturns(
            np.column_stack(xyz_m).astype(np.float32),
            percent.astype(np.float32),
            self._velocity(motion, surfaces, beams.rows[chosen], origin, columns, chosen, frame),
            origin,
        )

    def _columns(self, motion: Motion) -> Columns:
        """Return the beams' columns, each from where the sensor is when it looks there."""
        num = len(self._azimuths_rad)
        times_s = (np.arange(num) / num - 0.5) * self._config.sweep_s
        starts_m = np.array([motion.x_m, motion.y_m]) + times_s[:, None] * motion.velocity_mps
        angles = motion.yaw_rad + motion.yaw_rate_radps * times_s + self._azimuths_rad
        return Columns(starts_m, np.column_stack([np.cos(angles), np.sin(angles)]))

    def _beams(self, surfaces: Surfaces, columns: Columns, motion: Motion, frame: int) -> _Beams:
        config = self._config
        flat_m, strength, rows = cast(
            panorama(surfaces.shapes, _place(config, motion)),
            surfaces.reflectance,
            surfaces.matter,
            columns,
            self._tangents,
            config.height_m,
            config.max_range_m,
            self._draw('random', 'lidar-passing', frame),
        )
        range_m = flat_m / self._cosines
        strength *= wet_share(self._session.conditions, rows == GROUND)
        strength *= np.exp(np.float32(-2 * self._air.extinction_per_m) * range_m)
        return _Beams(np.where(rows == NOTHING, np.inf, range_m), strength, rows)

    def _is_seen(self, beams: _Beams, frame: int) -> NDArray[np.bool_]:
        """Return which beams come back with enough power, shape (C, R)."""
        share = self._config.range_of_10_percent_m / np.maximum(beams.range_m, 1)
        power = 10 * beams.strength * share**2
        fading = self._draw('standard_normal', 'lidar-fading', frame)
        return np.asarray(power * np.exp(np.float32(_FADING) * fading) > 1)

    def _floating_m(self, frame: int) -> NDArray[np.float32]:
        """Return how far off each beam meets something in the air that it sees, (C, R)."""
        share = self._air.airborne_share
        if share == 0:
            return np.full((len(self._azimuths_rad), len(self._tangents)), np.inf, np.float32)
        draw = self._draw('random', 'lidar-airborne', frame)
        # What is left of the draw of those that meet something is uniform again.
        left = np.maximum(1 - draw / np.float32(share), np.float32(1e-6))
        range_m = 1 - self._air.airborne_range_m * np.log(left)
        return np.where(draw < share, range_m, np.inf).astype(np.float32)

    def _velocity(
        self,
        motion: Motion,
        surfaces: Surfaces,
        rows: NDArray[np.int32],
        origin: NDArray[np.int64],
        columns: Columns,
        chosen: tuple[NDArray[np.int64], NDArray[np.int64]],
        frame: int,
    ) -> NDArray[np.float32]:
        """Return the range rate of each return, shape (N,)."""
        velocity_mps = np.zeros((len(rows), 2))
        is_mover = origin == Origin.MOVER
        velocity_mps[is_mover] = surfaces.velocity_mps[rows[is_mover]]
        velocity_mps -= motion.velocity_mps
        ahead = columns.directions[chosen[0]] * self._cosines[chosen[1], None]
        noise = self._draw('standard_normal', 'lidar-doppler', frame)[chosen]
        wind_mps = _WIND_MPS * (origin == Origin.AIRBORNE)
        rate = (velocity_mps * ahead).sum(axis=1)
        return (rate + np.hypot(self._config.velocity_noise_mps, wind_mps) * noise).astype(
            np.float32
        )

    def _draw(self, kind: str, component: str, frame: int) -> NDArray[np.float32]:
        """Return one random number for each beam, shape (C, R)."""
        session = self._session
        rng = stream(session.world.seed, component, session.index, frame)
        draw = from_pool if session.conditions.is_quick else drawn
        return draw(rng, kind, (len(self._azimuths_rad), len(self._tangents)))


def _azimuths_rad(config: LidarConfig) -> NDArray[np.float64]:
    """Return where the columns look, counter-clockwise from ahead, in the order of turning."""
    half_rad, num = math.radians(config.half_fov_deg), config.num_columns
    if config.half_fov_deg == 180:
        return np.asarray(-np.arange(num) * (2 * math.pi / num), np.float64)  # from ahead
    return np.asarray(half_rad - (np.arange(num) + 0.5) * (2 * half_rad / num), np.float64)


def _place(config: LidarConfig, motion: Motion) -> Place:
    """Return from where the LiDAR looks; one that does not turn looks ahead."""
    shift_m = config.sweep_s / 2 * math.hypot(*motion.velocity_mps)
    reach_m = config.max_range_m + shift_m
    if config.half_fov_deg > 85:
        return Place(motion.x_m, motion.y_m, shift_m, reach_m)
    ahead = math.cos(motion.yaw_rad), math.sin(motion.yaw_rad)
    return Place(motion.x_m, motion.y_m, shift_m, reach_m, *ahead)


def _origin(surfaces: Surfaces, rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return what surfaces are, shape (N,)."""
    moves = np.append((surfaces.velocity_mps != 0).any(axis=1), [False, False])
    return np.where(
        rows == GROUND, Origin.GROUND, np.where(moves[rows], Origin.MOVER, Origin.STATIC)
    )
