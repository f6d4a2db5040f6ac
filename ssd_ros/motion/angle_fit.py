# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An angle that is constant but for what turns add to it, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

# Reconstructed.
_STRAIGHT_PER_M = 0.03  # of turns this tight the arm tells less than of half of those straight on
_NOISE_RAD, _NUM_NOISE = math.radians(1.0), 4  # prior of the noise, worth so many angles
_LEAST_RAD = math.radians(0.3)  # of the robust scale
_FLOOR_RAD = math.radians(0.1)  # what stays of faults that all angles have alike
_NUM_ITERATIONS = 5


@dataclass(frozen=True, slots=True)
class AngleFit:
    """
    What a fit of angles found.

    :param rad: straight on
    :param sigma_rad: its standard deviation
    :param arm_m: what turns add, by their curvature
    :param arm_sigma_m: likewise
    """

    rad: float
    sigma_rad: float
    arm_m: float
    arm_sigma_m: float


def fit_angle(
    angles_rad: NDArray[np.float64],
    curvatures_per_m: NDArray[np.float64],
    arm_m: float,
    arm_std_m: float,
    period_rad: float = math.tau,
) -> AngleFit:
    """
    Fit `angle = rad + arm * curvature` by iteratively reweighted least squares (Cauchy).

    :param angles_rad: shape (N,), in order of time, N >= 2
    :param curvatures_per_m: shape (N,), positive to the left
    :param arm_m: expected, with the standard deviation `arm_std_m`
    :param period_rad: angles that differ by it are the same
    :return: its angle within half a period about 0
    """
    weights = 1 / (1 + (curvatures_per_m / _STRAIGHT_PER_M) ** 2)
    turns = math.tau / period_rad
    centre = float(np.angle(weights @ np.exp(1j * turns * angles_rad))) / turns
    apart = np.remainder(angles_rad - centre + period_rad / 2, period_rad) - period_rad / 2
    rows = np.column_stack([np.ones(len(apart)), curvatures_per_m])
    prior, expected = np.diag([0.0, arm_std_m**-2]), np.array([0.0, arm_m])
    solution = np.array([np.median(apart), arm_m])
    for _ in range(_NUM_ITERATIONS):
        residual = apart - rows @ solution
        scale = max(1.4826 * float(np.median(np.abs(residual))), _LEAST_RAD)
        used = weights / (1 + (residual / (2 * scale)) ** 2)
        noise = _noise_rad(residual, used, scale)
        information = (rows.T * used) @ rows / noise**2 + prior
        right = rows.T @ (used * apart) / noise**2 + prior @ expected
        solution = np.linalg.solve(information, right)
    covariance = np.linalg.inv(information)
    sigma, arm_sigma = np.sqrt(np.diag(covariance)).tolist()
    rad = math.remainder(centre + float(solution[0]), period_rad)
    return AngleFit(rad, math.hypot(sigma, _FLOOR_RAD), float(solution[1]), arm_sigma)


def _noise_rad(residual: NDArray[np.float64], weights: NDArray[np.float64], scale: float) -> float:
    """Return the standard deviation of angles, enlarged as far as neighbours are alike."""
    square, num = float(weights @ residual**2), float(weights.sum())
    pairs = np.sqrt(weights[1:] * weights[:-1])
    alike = float(pairs @ (residual[1:] * residual[:-1])) / max(square, 1e-12)
    alike = min(max(alike, 0.0), 0.9)
    # The weights make the angles look better than they are, the robust scale does not.
    square = max(square, num * scale**2) + _NUM_NOISE * _NOISE_RAD**2
    return math.sqrt(square / (num + _NUM_NOISE) * (1 + alike) / (1 - alike))
