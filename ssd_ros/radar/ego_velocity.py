# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Ego-velocity from the Doppler of one 4D radar scan, and which returns stand still.

Three-point RANSAC with least squares: a static return along the unit direction u has the radial
velocity -u . v_ego. Constants of the configuration: SHeRLoc's released code, as collected in the
project's method specification, section 2.2; the others are reconstructed, chosen on made-up
clouds with 5 to 60 % movers.

A velocity is refused that random Doppler could give as well (a contrario: Moisan and Stival,
2004), and one beside which another has at least half as many votes: unknown is better than wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.radar.ransac import (
    doppler_step_mps,
    num_directions,
    Ransac,
    Returns,
    returns_of,
    VERTICAL_MPS,
)


@dataclass(frozen=True, slots=True)
class EgoVelocityConfig:
    """Gate of usable returns and the constants of the RANSAC."""

    max_range_m: float = 150.0
    min_rcs_dbsm: float = -50.0
    min_z_m: float = -5.0
    max_azimuth_deg: float = 60.0
    max_elevation_deg: float = 45.0
    standstill_quantile: float = 0.9
    # Slower than this at the quantile, or by most directions, means standing still.
    standstill_mps: float = 0.1
    num_draws: int = 20  # at least; the share of returns that agree tells how many more
    max_condition: float = 1e3  # of the normal matrix of a draw
    inlier_mps: float = 0.2
    max_sigma_mps: float = 1.0  # per axis; a vaguer estimate is refused
    seed: int = 0


class Motion(Enum):
    """What one scan says about the vehicle's motion."""

    UNKNOWN = 'unknown'
    STANDSTILL = 'standstill'
    MOVING = 'moving'


@dataclass(frozen=True, slots=True)
class EgoVelocity:
    """
    Estimate from one scan.

    :param motion: UNKNOWN if there were too few, in too few directions or too contradictory
    :param velocity_mps: shape (3,), sensor frame; zeros unless MOVING
    :param sigma_mps: shape (3,), standard deviation per axis; infinite if UNKNOWN
    :param usable: shape (N,) bool; returns to keep: gated and static, or ALL if UNKNOWN
    """

    motion: Motion
    velocity_mps: NDArray[np.floating]
    sigma_mps: NDArray[np.floating]
    usable: NDArray[np.bool_]

    @property
    def known_mps(self) -> NDArray[np.floating] | None:
        """The velocity, None if it is not known."""
        return None if self.motion is Motion.UNKNOWN else self.velocity_mps


def unknown_velocity(num_returns: int) -> EgoVelocity:
    """Return what a scan of so many returns tells that tells nothing."""
    usable = np.ones(num_returns, dtype=bool)
    return EgoVelocity(Motion.UNKNOWN, np.zeros(3), np.full(3, np.inf), usable)


_MIN_DIRECTIONS = 4  # over the ground; a velocity needs more, for there is more to be fitted
_SIMILAR = 0.45  # of the votes of the best velocity: those of another that put it into doubt
_STEPS = 0.75  # of Doppler, within which a static return is found
_COARSE = 0.15  # of what the limit is raised by for them: returns side by side are rounded alike
_DOPPLER_SPAN_MPS = 20.0  # over which the Doppler of movers spreads
_LOG_FALSE_ALARMS = math.log(1e-2)
_NOISE_MPS, _NUM_NOISE = 1 / 15, 3  # prior of the noise of Doppler, worth so many returns
_MAX_NOISE = 1.2  # of Doppler, in inlier distances; broader cannot be told from movers
_STANDSTILL_SIGMA_MPS = 0.05
_Fit = tuple[NDArray[np.float64], NDArray[np.float64]]  # velocity and its deviation, (3,)


def estimate_ego_velocity(
    xyz_m: NDArray[np.float32],
    rcs_dbsm: NDArray[np.float32],
    radial_velocity_mps: NDArray[np.float32],
    config: EgoVelocityConfig,
) -> EgoVelocity:
    """
    Estimate the velocity of the sensor and mark the static returns.

    :param xyz_m: shape (N, 3), sensor frame
    :param rcs_dbsm: shape (N,)
    :param radial_velocity_mps: shape (N,), positive = receding
    """
    xyz = xyz_m.astype(np.float64)
    range_m = np.sqrt(np.einsum('ij,ij->i', xyz, xyz))
    gated = np.flatnonzero(_gate(xyz, range_m, rcs_dbsm, config))
    unknown = unknown_velocity(len(xyz))
    if len(gated) <= 2:
        return unknown
    directions = xyz[gated] / range_m[gated, None]
    returns = returns_of(directions, -radial_velocity_mps[gated].astype(np.float64))
    speeds, limit_mps = returns.speeds_mps, _limit_mps(returns, config)
    quantile = min(int(config.standstill_quantile * len(gated)), len(gated) - 1)
    motion, fitted = Motion.MOVING, None
    is_still = np.partition(np.abs(speeds), quantile)[quantile] < config.standstill_mps
    if not is_still:
        fitted = _moving(returns, limit_mps, config)
        # Who stands in traffic has more that moves around it, but is itself as slow.
        is_still = fitted is not None and np.hypot(*fitted[0][:2]) < config.standstill_mps
    if is_still:
        motion, fitted = Motion.STANDSTILL, _standstill(returns, config)
    if fitted is None:
        return unknown
    velocity, sigma = fitted
    usable = np.zeros(len(xyz), dtype=bool)
    usable[gated[np.abs(speeds - directions @ velocity) <= limit_mps]] = True
    return EgoVelocity(motion, velocity, sigma, usable)


def _gate(
    xyz: NDArray[np.float64],
    range_m: NDArray[np.float64],
    rcs_dbsm: NDArray[np.float32],
    config: EgoVelocityConfig,
) -> NDArray[np.bool_]:
    x, y, z = xyz.T
    max_azimuth, max_elevation = np.radians([config.max_azimuth_deg, config.max_elevation_deg])
    return (
        (range_m > 0)
        & (range_m < config.max_range_m)
        & (rcs_dbsm > config.min_rcs_dbsm)
        & (z > config.min_z_m)
        & (np.abs(np.arctan2(y, x)) < max_azimuth)
        & (np.abs(z) < range_m * np.sin(max_elevation))
    )


def _standstill(returns: Returns, config: EgoVelocityConfig) -> _Fit | None:
    slow = returns.select(np.abs(returns.speeds_mps) < config.inlier_mps)
    slow = replace(slow, is_flat=True)  # what stands does not rise, either
    sigma = _deviation(slow, np.zeros(3), config.inlier_mps, config.max_sigma_mps)
    return None if sigma is None else (np.zeros(3), np.hypot(sigma, _STANDSTILL_SIGMA_MPS))


def _moving(returns: Returns, limit_mps: float, config: EgoVelocityConfig) -> _Fit | None:
    """
    Return the velocity that most directions agree on, None if it is not beyond doubt.

    :param limit_mps: within which a return agrees
    """
    ransac = Ransac(config.num_draws, config.max_condition, limit_mps, config.seed)
    velocity = ransac.most_agreed(returns)
    if velocity is None:
        return None
    agree = ransac.agree(returns, velocity)
    rest = returns.select(~agree)
    share = _least_rival(returns.votes(agree)) / max(float(rest.weights.sum()), 1.0)
    rival = ransac.most_agreed(rest, share) if share <= 1 else None
    if rival is not None:
        others = ransac.agree(returns, rival)
        if returns.votes(others) > returns.votes(agree):
            velocity, agree, others = rival, others, agree
        if returns.votes(others & ~agree) > _least_rival(returns.votes(agree)):
            return None
    # Any velocity can have three votes; to stand still is one that needs none.
    standing = ransac.agree(returns, np.zeros(3))
    if returns.votes(standing & ~agree) + 3 > _least_rival(returns.votes(agree)):
        return None
    if _log_false_alarms(returns, agree, limit_mps) > _LOG_FALSE_ALARMS:
        return None
    sigma = _deviation(returns.select(agree), velocity, limit_mps, config.max_sigma_mps)
    coarse_mps = _COARSE * (limit_mps - config.inlier_mps)
    return None if sigma is None else (velocity, np.hypot(sigma, coarse_mps))


def _least_rival(votes: float) -> float:
    """Return how many votes of another velocity put one with so many into doubt."""
    return _SIMILAR * (votes - 3) + 3


def _limit_mps(returns: Returns, config: EgoVelocityConfig) -> float:
    """Return within which a return agrees: at least what the steps of coarse Doppler need."""
    return max(config.inlier_mps, _STEPS * doppler_step_mps(returns.speeds_mps))


def _log_false_alarms(returns: Returns, agree: NDArray[np.bool_], limit_mps: float) -> float:
    """Return the logarithm of how many velocities have so many votes where Doppler is random."""
    num, agreeing = float(returns.weights.sum()), returns.votes(agree)
    if agreeing <= 3:
        return math.inf
    log_chance = math.log(min(2 * limit_mps / _DOPPLER_SPAN_MPS, 1.0))
    # Triples that give a velocity, times sets of other directions that may agree with it.
    log_tests = math.lgamma(num + 1) - math.lgamma(4) - math.lgamma(agreeing - 2)
    log_tests -= math.lgamma(num - agreeing + 1)
    return log_tests + (agreeing - 3) * log_chance


def _deviation(
    static: Returns, velocity: NDArray[np.float64], limit_mps: float, max_sigma_mps: float
) -> NDArray[np.float64] | None:
    """
    Return the standard deviation of each axis, None if it is too large or not to be told.

    What did not agree was left out, so what is left looks better than it is: see _noise_mps.

    :param static: the returns that agree
    """
    if num_directions(static.directions) < _MIN_DIRECTIONS:
        return None
    residual = static.speeds_mps - static.directions @ velocity
    num_free = max(len(static) - 3, 0)
    mean_square = (residual @ residual + _NUM_NOISE * _NOISE_MPS**2) / (num_free + _NUM_NOISE)
    noise_mps = _noise_mps(math.sqrt(mean_square), limit_mps)
    information = static.directions.T @ static.directions / noise_mps**2
    if static.is_flat:
        information[2, 2] += VERTICAL_MPS**-2
    eigenvalues, axes = np.linalg.eigh(information)
    if eigenvalues[0] <= 1e-9:
        return None
    sigma = np.sqrt((axes**2 / eigenvalues).sum(axis=1))
    return sigma if (sigma <= max_sigma_mps).all() else None


def _noise_mps(rms_mps: float, limit_mps: float) -> float:
    """
    Return the noise that a fit is as uncertain by, infinite if it fills the limits evenly.

    For Gaussian noise of deviation s that is cut off at the limits, the rest has a smaller
    variance v, and a fit to the rest varies as with noise of s^2 / sqrt(v) (influence function of
    a mean that leaves out what lies farther away).
    """
    return float(np.interp(rms_mps / limit_mps, _CUT_RMS, _CUT_NOISE, right=math.inf)) * limit_mps


def _cut_off() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return root mean squares of noise that is cut off at 1, and what a fit varies by."""
    noise = np.linspace(0.01, _MAX_NOISE, 120)
    inside = np.array([math.erf(1 / (math.sqrt(2) * each)) for each in noise])
    density = np.exp(-0.5 / noise**2) / (math.sqrt(2 * math.pi) * noise)
    rms = noise * np.sqrt(1 - 2 * density / inside)
    return np.append(0.0, rms), np.append(0.0, noise**2 / rms)


_CUT_RMS, _CUT_NOISE = _cut_off()
