# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The spinning radar: one 360 degree scan of a session at any time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.simulator.radars.echoes import spinning_echoes, SpinningBudget, Viewpoint
from ssd_ros.simulator.radars.image import deposit, point_response, to_pixels
from ssd_ros.simulator.radars.sources import Echoes, echoes_of_scene, Streams
from ssd_ros.simulator.random_streams import drawn, from_pool, stream
from ssd_ros.simulator.sensors import SpinningRadarConfig
from ssd_ros.simulator.visits.session import Session

_STREAMS = Streams('spin-movers', 'spin-fluctuation', 'spin-phase')
_DOUBLE_BOUNCE_COUNTS = 2e4  # stronger echoes come back once more, from the own car
_DOUBLE_BOUNCE_GAIN = 10**-1.6
# Multipath by way of another surface (arXiv 2007.05280): as that of the 4D radar; reconstructed.
_GHOST_COUNTS = 300.0  # weaker echoes have ghosts that drown in noise
_GHOST_STRETCH, _GHOST_TURN_DEG, _GHOST_LOSS_DB = (1.15, 2.0), 7.0, (3.0, 15.0)
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
    response = point_response(config)
    rng = stream(session.world.seed, 'spin-ghosts', session.index, frame)
    for part, turns in (
        (echoes, phases),
        _double_bounces(echoes, phases),
        _ghosts(config, echoes, rng),
    ):
        deposit(field, row_power, part, turns, config.bin_m, config.least_counts, response)
    rng = stream(session.world.seed, 'spin-noise', session.index, frame)
    draw = from_pool if session.conditions.is_quick else drawn
    noise = draw(rng, 'standard_normal', (*shape[:2], shape[2] + 2))
    streaks = _STREAK_GAIN * row_power * rng.uniform(0.3, 3, config.num_azimuths)
    is_disturbed = rng.random(config.num_azimuths) < _INTERFERENCE_PROBABILITY
    streaks += is_disturbed * rng.exponential(_INTERFERENCE_COUNTS, config.num_azimuths)
    noise_power = noise_counts(config, session.attenuation_db_per_m)
    noise_power += _SNOW_COUNTS * session.conditions.snow_mm_per_h
    image: NDArray[np.uint8] = to_pixels(field, noise, noise_power, streaks, config.upsampling)
    np.minimum(image, config.saturation_px, out=image)
    if config.pixel_step > 1:
        image -= image % np.uint8(config.pixel_step)
    return image


def _double_bounces(
    echoes: NDArray[np.float32], phases: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what comes back once more from the own car: twice as far."""
    is_strong = echoes[2] > _DOUBLE_BOUNCE_COUNTS
    change = np.array([[2.0], [1.0], [_DOUBLE_BOUNCE_GAIN]], np.float32)
    return echoes[:, is_strong] * change, phases[is_strong]


def _ghosts(
    config: SpinningRadarConfig, echoes: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return multipath copies of some strong echoes: farther, beside them and weaker."""
    is_strong = echoes[2] > _GHOST_COUNTS
    chosen = np.flatnonzero(is_strong)[
        rng.random(np.count_nonzero(is_strong)) < config.ghost_probability
    ]
    num = len(chosen)
    ghosts = echoes[:, chosen]
    ghosts[0] *= rng.uniform(*_GHOST_STRETCH, num)
    ghosts[1] += np.deg2rad(rng.uniform(-_GHOST_TURN_DEG, _GHOST_TURN_DEG, num))
    ghosts[1] %= np.float32(2 * np.pi)
    ghosts[2] *= 10 ** (-0.1 * rng.uniform(*_GHOST_LOSS_DB, num))
    return ghosts, rng.random(num, np.float32)


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
        least=config.least_counts,
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
        time_s,
        frame,
    )
