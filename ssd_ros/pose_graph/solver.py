# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses in the plane and what ties them together, solved by GTSAM's iSAM2 as they come."""

from __future__ import annotations

import math

import gtsam
import numpy as np
from numpy.typing import NDArray

_RELINEARIZE_FROM = 0.01  # metres and radians


class Solver:
    """
    An incremental solver in which ties may be wrong.

    :param robust_width: standard deviations from which on an uncertain tie loses weight
    """

    def __init__(self, robust_width: float) -> None:
        parameters = gtsam.ISAM2Params()
        parameters.setRelinearizeThreshold(_RELINEARIZE_FROM)
        parameters.relinearizeSkip = 1
        self._solver = gtsam.ISAM2(parameters)
        self._robust_width = robust_width
        self._loss = gtsam.noiseModel.mEstimator.Cauchy.Create(robust_width)
        self._estimate = gtsam.Values()
        self._new_factors = gtsam.NonlinearFactorGraph()
        self._new_values = gtsam.Values()
        self._uncertain: list[gtsam.BetweenFactorPose2] = []

    def add_pose(self, key: int, guess: gtsam.Pose2) -> None:
        """Add a pose to be found."""
        self._new_values.insert(key, guess)
        self._estimate.insert(key, guess)

    def fix(self, key: int, pose: gtsam.Pose2, std: float) -> None:
        """Say where a pose is, to a standard deviation in metres and radians."""
        noise = gtsam.noiseModel.Isotropic.Sigma(3, std)
        self._new_factors.add(gtsam.PriorFactorPose2(key, pose, noise))

    def tie(self, first: int, second: int, step: gtsam.Pose2, stds: NDArray[np.float64]) -> None:
        """
        Say how two poses lie to each other, for certain.

        :param step: T_first_second
        :param stds: shape (3,), in the axes of the second
        """
        noise = gtsam.noiseModel.Diagonal.Sigmas(stds)
        self._new_factors.add(gtsam.BetweenFactorPose2(first, second, step, noise))

    def tie_if_others_agree(
        self, first: int, second: int, step: gtsam.Pose2, covariance: NDArray[np.float64]
    ) -> None:
        """
        Say how two poses lie to each other, unless that is wrong altogether.

        :param step: T_first_second
        :param covariance: shape (3, 3), in the axes of the second
        """
        noise = gtsam.noiseModel.Robust.Create(
            self._loss, gtsam.noiseModel.Gaussian.Covariance(covariance)
        )
        self._uncertain.append(gtsam.BetweenFactorPose2(first, second, step, noise))
        self._new_factors.add(self._uncertain[-1])

    def solve(self) -> None:
        """Find the poses anew; costs nothing if nothing was added."""
        if self._new_factors.empty():
            return
        self._solver.update(self._new_factors, self._new_values)
        self._estimate = self._solver.calculateEstimate()
        self._new_factors = gtsam.NonlinearFactorGraph()
        self._new_values = gtsam.Values()

    def pose(self, key: int) -> gtsam.Pose2:
        """Return where a pose is, by the last solution or its first guess."""
        return self._estimate.atPose2(key)

    def weights(self) -> list[float]:
        """Return what is left of each uncertain tie, 1 = all: Cauchy's 1 / (1 + (error / w)^2)."""
        # The factor's error is w^2 / 2 * log(1 + (error / w)^2).
        scale = -2 / self._robust_width**2
        return [math.exp(scale * tie.error(self._estimate)) for tie in self._uncertain]
