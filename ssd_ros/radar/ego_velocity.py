# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Ego-velocity from the Doppler of one 4D radar scan, and which returns stand still.

Three-point RANSAC with least squares: a static return along the unit direction u has the radial
velocity -u . v_ego. Constants: SHeRLoc's released code, as collected in the project's method
specification, section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EgoVelocityConfig:
    """Gate of usable returns and the constants of the RANSAC."""

    max_range_m: float = 150.0
    min_rcs_dbsm: float = -50.0
    min_z_m: float = -5.0
    max_azimuth_deg: float = 60.0
    max_elevation_deg: float = 45.0
    standstill_quantile: float = 0.9
    standstill_mps: float = 0.1  # slower than this at the quantile means standing still
    num_draws: int = 20
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

    :param motion: UNKNOWN if there were too few or too contradictory returns
    :param velocity_mps: shape (3,), sensor frame; zeros unless MOVING
    :param sigma_mps: shape (3,), standard deviation per axis; infinite if UNKNOWN
    :param usable: shape (N,) bool; returns to keep: gated and static, or ALL if UNKNOWN
    """

    motion: Motion
    velocity_mps: NDArray[np.floating]
    sigma_mps: NDArray[np.floating]
    usable: NDArray[np.bool_]


_STANDSTILL_SIGMA_MPS = 0.05
_Fit = tuple[NDArray[np.floating], NDArray[np.floating]]  # velocity and its deviation, (3,)


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
    unknown = EgoVelocity(
        Motion.UNKNOWN, np.zeros(3), np.full(3, np.inf), np.ones(len(xyz), dtype=bool)
    )
    if len(gated) <= 2:
        return unknown
    directions = xyz[gated] / range_m[gated, None]
    speeds = -radial_velocity_mps[gated].astype(np.float64)

    quantile = min(int(config.standstill_quantile * len(gated)), len(gated) - 1)
    if np.partition(np.abs(speeds), quantile)[quantile] < config.standstill_mps:
        motion = Motion.STANDSTILL
        fitted: _Fit | None = (np.zeros(3), np.full(3, _STANDSTILL_SIGMA_MPS))
    else:
        motion, fitted = Motion.MOVING, _fit(directions, speeds, config)
    if fitted is None:
        return unknown
    velocity, sigma = fitted
    usable = np.zeros(len(xyz), dtype=bool)
    usable[gated[np.abs(speeds - directions @ velocity) <= config.inlier_mps]] = True
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


def _fit(
    directions: NDArray[np.float64], speeds: NDArray[np.float64], config: EgoVelocityConfig
) -> _Fit | None:
    """Return velocity and its standard deviation by RANSAC and a refit, None if refused."""
    draws = _distinct_triples(len(speeds), config)
    chosen = directions[draws]
    normal = np.swapaxes(chosen, 1, 2) @ chosen
    eigenvalues = np.linalg.eigvalsh(normal)
    sound = eigenvalues[:, 2] <= config.max_condition * eigenvalues[:, 0]
    if not sound.any():
        return None
    velocities = np.linalg.solve(chosen[sound], speeds[draws[sound]][..., None])[..., 0]
    inliers = np.abs(speeds[:, None] - directions @ velocities.T) < config.inlier_mps
    inlier = inliers[:, inliers.sum(axis=0).argmax()]
    num_free = int(inlier.sum()) - 3
    if num_free < 1:  # exactly three inliers leave no residual to judge the fit by
        return None
    u, y = directions[inlier], speeds[inlier]
    normal = u.T @ u
    if np.linalg.cond(normal) > 1e12:  # no unique solution in double precision
        return None
    velocity = np.linalg.solve(normal, u.T @ y)
    residual = y - u @ velocity
    sigma = np.sqrt(residual @ residual / num_free * np.diag(np.linalg.inv(normal)))
    return (velocity, sigma) if (sigma < config.max_sigma_mps).all() else None


def _distinct_triples(num_points: int, config: EgoVelocityConfig) -> NDArray[np.int64]:
    """Return random triples of distinct indices, shape (num_draws, 3)."""
    generator = np.random.default_rng(config.seed)
    limits = np.array([num_points, num_points - 1, num_points - 2])
    first, second, third = (generator.random((config.num_draws, 3)) * limits).astype(np.int64).T
    # The second skips the first's place; the third skips both, the smaller one first.
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    third += third >= low
    third += third >= high
    return np.stack([first, second, third], axis=1)
