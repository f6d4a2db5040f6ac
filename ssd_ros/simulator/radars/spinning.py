# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The spinning radar: one 360 degree scan of a session at any time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.radars.echoes import spinning_echoes, SpinningBudget, Viewpoint
from ssd_ros.simulator.radars.image import deposit, LEAST_COUNTS, to_pixels
from ssd_ros.simulator.radars.sources import Echoes, echoes_of_scene, Streams
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.sensors import SpinningRadarConfig
from ssd_ros.simulator.visits.session import Session

_STREAMS = Streams('spin-movers', 'spin-fluctuation', 'spin-phase')
_DOUBLE_BOUNCE_COUNTS = 2e4  # stronger echoes come back once more, from the own car
_DOUBLE_BOUNCE_GAIN = 10**-1.6
_STREAK_GAIN = 2e-6  # noise raised along an azimuth by strong echoes in it
_INTERFERENCE_PROBABILITY = 0.003
_INTERFERENCE_COUNTS = 12.0
_LEAKAGE_COUNTS = 2e3
_LEAKAGE_RANGE_M = 0.6
_SNOW_COUNTS = 0.5  # power that flakes send back, for each mm/h; reconstructed


def spinning_image(session: Session, time_s: float, frame: int) -> NDArray[np.uint8]:
    """
    Simulate one turn about a time of the session.

    :param frame: number of the scan, for its random streams
    :return: shape (num_bins, num_azimuths), half-decibel steps, column 0 forward, clockwise
    """
    config = session.conditions.spinning
    echoes, phases, _ = _echoes(session, time_s, frame)
    shape = (2, config.num_azimuths, config.num_bins)
    field, row_power = np.zeros(shape, np.float32), np.zeros(config.num_azimuths)
    deposit(field, row_power, echoes, phases, config.bin_m)
    again = echoes[:, echoes[2] > _DOUBLE_BOUNCE_COUNTS]
    again = again * np.array([[2.0], [1.0], [_DOUBLE_BOUNCE_GAIN]], np.float32)
    deposit(field, row_power, again, phases[echoes[2] > _DOUBLE_BOUNCE_COUNTS], config.bin_m)
    rng = stream(session.world.seed, 'spin-noise', session.index, frame)
    noise = rng.standard_normal((*shape[:2], shape[2] + 2), np.float32)
    streaks = _STREAK_GAIN * row_power * rng.uniform(0.3, 3, config.num_azimuths)
    is_disturbed = rng.random(config.num_azimuths) < _INTERFERENCE_PROBABILITY
    streaks += is_disturbed * rng.exponential(_INTERFERENCE_COUNTS, config.num_azimuths)
    noise_power = noise_counts(config, session.attenuation_db_per_m)
    noise_power += _SNOW_COUNTS * session.conditions.snow_mm_per_h
    image: NDArray[np.uint8] = to_pixels(field, noise, noise_power, streaks, config.upsampling)
    return image


def noise_counts(config: SpinningRadarConfig, attenuation_db_per_m: float) -> NDArray[np.float64]:
    """Return the mean power of receiver noise, rain and antenna leakage, shape (num_bins,)."""
    range_m = (np.arange(config.num_bins) + 0.5) * config.bin_m
    rain = 0.6 * min(1.5, 1000 * attenuation_db_per_m / 2 / 8)
    receiver = config.noise_counts * (1 + 0.35 * np.exp(-((range_m / 75) ** 4)))
    leakage = _LEAKAGE_COUNTS * np.exp(-((range_m / _LEAKAGE_RANGE_M) ** 2))
    return np.asarray(receiver + leakage + rain)


def _echoes(session: Session, time_s: float, frame: int) -> Echoes:
    """Return what static and moving scatterers send back: range, azimuth and power."""
    config = session.conditions.spinning
    motion = session.drive.motion(time_s)
    view = Viewpoint(
        motion.x_m,
        motion.y_m,
        config.height_m,
        motion.yaw_rad,
        *motion.velocity_mps,
        motion.yaw_rate_radps,
        config.period_s,
    )
    budget = SpinningBudget(
        gain=10 ** (config.brightness_px / 20),
        least=LEAST_COUNTS,
        max_range_m=config.max_range_m,
        scintillation=config.scintillation,
        attenuation_db_per_m=session.attenuation_db_per_m,
    )
    return echoes_of_scene(
        spinning_echoes,
        session,
        session.spinning_scatterers,
        _STREAMS,
        view,
        budget,
        config.max_range_m,
        time_s,
        frame,
    )
