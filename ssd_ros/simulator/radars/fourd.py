# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The 4D radar: one list of detections of a session at any time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.radars.detection import detect
from ssd_ros.simulator.radars.echoes import cloud_echoes, cloud_pattern_db, CloudBudget, Viewpoint
from ssd_ros.simulator.radars.sources import Echoes, echoes_of_scene, Streams
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.sensors import CloudRadarConfig
from ssd_ros.simulator.visits.drive import Motion
from ssd_ros.simulator.visits.session import Session

_STREAMS = Streams('4d-movers', '4d-fluctuation', '4d-detection')
_MIN_RCS_DBSM, _MAX_RCS_DBSM = -20, 40  # what the sensor reports
_FALSE_ALARM_SPEED_MPS = 15.0
_GHOST_STRETCH, _GHOST_LOSS_DB = (1.15, 2.0), (3.0, 15.0)
_GHOST_TURN_DEG = 7.0
# Wet snow before the radar, for each mm/h of water; reconstructed.
_FLAKES_PER_MM, _FLAKE_RANGE_M, _FLAKE_SPEED_MPS = 5.0, 6.0, 0.5


class Origin(IntEnum):
    """What a detection really is."""

    STATIC = 0
    MOVER = 1
    GHOST = 2
    FALSE_ALARM = 3
    SNOW = 4


@dataclass(frozen=True, slots=True)
class Detections:
    """
    One scan of the 4D radar with its truth; all arrays of shape (N,).

    :param azimuth_rad: counter-clockwise from forward
    :param velocity_mps: range rate, positive = receding
    :param origin: Origin of each detection
    :param ego_velocity_mps: true velocity of the radar, x and y in its frame
    """

    range_m: NDArray[np.float64]
    azimuth_rad: NDArray[np.float64]
    elevation_rad: NDArray[np.float64]
    velocity_mps: NDArray[np.float64]
    rcs_dbsm: NDArray[np.float64]
    origin: NDArray[np.int64]
    ego_velocity_mps: tuple[float, float]

    @property
    def xyz_m(self) -> NDArray[np.float64]:
        """Cartesian positions in the sensor frame, shape (N, 3)."""
        flat = self.range_m * np.cos(self.elevation_rad)
        return np.column_stack(
            [
                flat * np.cos(self.azimuth_rad),
                flat * np.sin(self.azimuth_rad),
                self.range_m * np.sin(self.elevation_rad),
            ]
        )


def cloud_detections(session: Session, time_s: float, frame: int) -> Detections:
    """
    Simulate one scan at a time of the session.

    :param frame: number of the scan, for its random streams
    """
    config = session.conditions.cloud
    motion = session.drive.motion(time_s)
    yaw_rad = motion.yaw_rad + np.deg2rad(session.conditions.cloud_yaw_deg)
    echoes, uniform, is_mover = _echoes(session, motion, yaw_rad, time_s, frame)
    cells, strongest = detect(config, echoes, uniform)
    rng = stream(session.world.seed, '4d-noise', session.index, frame)
    measured = _measured(config, cells, rng)
    measured[4] += session.conditions.cloud_gain_db
    rng = stream(session.world.seed, '4d-ghosts', session.index, frame)
    ghosts, alarms = _ghosts(config, measured, rng), _false_alarms(config, rng)
    vx, vy = motion.velocity_mps
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    ego = (float(cos * vx + sin * vy), float(cos * vy - sin * vx))
    rng = stream(session.world.seed, '4d-snow', session.index, frame)
    flakes = _flakes(config, session.conditions.snow_mm_per_h, ego, rng)
    parts = {
        Origin.STATIC: measured,
        Origin.GHOST: ghosts,
        Origin.FALSE_ALARM: alarms,
        Origin.SNOW: flakes,
    }
    origin = np.repeat(list(parts), [part.shape[1] for part in parts.values()])
    origin[: measured.shape[1]][is_mover[strongest]] = Origin.MOVER
    rows = np.concatenate(list(parts.values()), axis=1)
    rows[4] = np.minimum(np.round(rows[4]), _MAX_RCS_DBSM)
    if config.azimuth_step_deg > 0:
        step_rad = np.deg2rad(config.azimuth_step_deg)
        rows[1] = step_rad * np.round(rows[1] / step_rad)
    shown = (
        (rows[4] >= _MIN_RCS_DBSM)
        & (rows[0] < config.max_range_m)
        & (np.abs(rows[1]) <= np.deg2rad(config.half_fov_deg))
    )
    shown_index = np.flatnonzero(shown)[: config.max_detections]
    range_m, azimuth, elevation, velocity, rcs_dbsm = rows[:, shown_index]
    return Detections(range_m, azimuth, elevation, velocity, rcs_dbsm, origin[shown_index], ego)


def _echoes(session: Session, motion: Motion, yaw_rad: float, time_s: float, frame: int) -> Echoes:
    """Return what static and moving scatterers send back, 5 rows."""
    config = session.conditions.cloud
    view = Viewpoint(
        motion.x_m, motion.y_m, config.height_m, yaw_rad, *motion.velocity_mps, 0.0, 0.0
    )
    budget = CloudBudget(
        gain=10 ** ((config.snr_db - session.conditions.cover_loss_db) / 10) * 100.0**4,
        least=config.least_snr,
        max_range_m=config.max_range_m,
        half_fov_rad=np.deg2rad(config.half_fov_deg),
        half_elevation_rad=np.deg2rad(config.half_elevation_deg),
        attenuation_db_per_m=session.attenuation_db_per_m,
    )
    return echoes_of_scene(
        cloud_echoes,
        session,
        session.cloud_scatterers,
        _STREAMS,
        view,
        budget,
        time_s,
        frame,
    )


def _measured(
    config: CloudRadarConfig, cells: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return detections with measurement noise; the ratio in row 4 becomes RCS."""
    range_m, azimuth, elevation, velocity, snr = cells
    snr_db = 10 * np.log10(snr)
    pattern_db = cloud_pattern_db(azimuth, elevation)
    rcs_dbsm = snr_db - config.snr_db + 40 * np.log10(range_m / 100) - pattern_db
    noise = rng.standard_normal((5, len(range_m)))
    blur = 1 + 2 / np.sqrt(snr / 10)
    return np.stack(
        [
            range_m + config.range_noise_m * noise[0],
            azimuth
            + np.deg2rad(config.azimuth_noise_deg)
            * blur
            / np.maximum(np.cos(azimuth), 0.45)
            * noise[1],
            elevation + np.deg2rad(config.elevation_noise_deg) * blur * noise[2],
            velocity + config.velocity_noise_mps * noise[3],
            rcs_dbsm + config.rcs_offset_db + config.rcs_noise_db * noise[4],
        ]
    )


def _ghosts(
    config: CloudRadarConfig, measured: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return multipath copies of some detections: farther, weaker, with a wrong Doppler."""
    chosen = rng.random(measured.shape[1]) < config.ghost_probability
    ghosts = measured[:, chosen].copy()
    num = ghosts.shape[1]
    ghosts[0] *= rng.uniform(*_GHOST_STRETCH, num)
    ghosts[1] += np.deg2rad(rng.uniform(-_GHOST_TURN_DEG, _GHOST_TURN_DEG, num))
    ghosts[3] *= rng.uniform(0.8, 1.2, num)
    ghosts[4] -= rng.uniform(*_GHOST_LOSS_DB, num)
    return ghosts


def _false_alarms(config: CloudRadarConfig, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return detections of nothing, just above what the radar can see at their range."""
    num = int(rng.poisson(config.num_false_alarms))
    range_m = rng.uniform(5, config.max_range_m, num)
    azimuth = rng.uniform(-1, 1, num) * np.deg2rad(config.half_fov_deg)
    elevation = np.deg2rad(rng.normal(0, 4, num))
    velocity = rng.uniform(-_FALSE_ALARM_SPEED_MPS, _FALSE_ALARM_SPEED_MPS, num)
    floor_dbsm = 10 * np.log10(config.min_snr) - config.snr_db + 40 * np.log10(range_m / 100)
    floor_dbsm = np.maximum(floor_dbsm + config.rcs_offset_db, _MIN_RCS_DBSM)
    rcs_dbsm = floor_dbsm + rng.exponential(2, num)
    return np.stack([range_m, azimuth, elevation, velocity, rcs_dbsm])


def _flakes(
    config: CloudRadarConfig,
    snow_mm_per_h: float,
    ego_velocity_mps: tuple[float, float],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return weak detections of snow close by, which stands still but for the wind."""
    num = int(rng.poisson(_FLAKES_PER_MM * snow_mm_per_h))
    range_m = 1 + rng.exponential(_FLAKE_RANGE_M, num)
    azimuth = rng.uniform(-1, 1, num) * np.deg2rad(config.half_fov_deg)
    elevation = np.deg2rad(rng.uniform(-1, 1, num) * config.half_elevation_deg)
    vx, vy = ego_velocity_mps
    towards = np.cos(elevation) * (vx * np.cos(azimuth) + vy * np.sin(azimuth))
    velocity = -towards + _FLAKE_SPEED_MPS * rng.standard_normal(num)
    rcs_dbsm = _MIN_RCS_DBSM + rng.exponential(3, num)
    return np.stack([range_m, azimuth, elevation, velocity, rcs_dbsm])
