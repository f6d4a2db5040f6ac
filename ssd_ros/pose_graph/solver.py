# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses in the plane and what ties them together, solved by GTSAM's iSAM2 as they come."""

from __future__ import annotations

from collections.abc import Iterable
import itertools
import math

import gtsam
import numpy as np
from numpy.typing import NDArray

_RELINEARIZE_FROM = 0.01  # metres and radians
_MORE_STEPS = 3  # when ties that pulled are found wrong


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
        self._proposed: list[gtsam.BetweenFactorPose2] = []
        self._wanted: set[int] = set()
        self._slots: dict[int, int] = {}  # of the believed ties among all factors of the solver
        self._num_slots = 0

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

    def propose(
        self, first: int, second: int, step: gtsam.Pose2, covariance: NDArray[np.float64]
    ) -> int:
        """
        Say how two poses may lie to each other; return the number of the tie, not yet believed.

        :param step: T_first_second
        :param covariance: shape (3, 3), in the axes of the second
        """
        noise = gtsam.noiseModel.Robust.Create(
            self._loss, gtsam.noiseModel.Gaussian.Covariance(covariance)
        )
        self._proposed.append(gtsam.BetweenFactorPose2(first, second, step, noise))
        return len(self._proposed) - 1

    def believe(self, ties: Iterable[int], rivals: Iterable[int]) -> None:
        """Let of some proposed ties only those pull that are believed."""
        self._wanted.difference_update(rivals)
        self._wanted.update(ties)

    def solve(self) -> None:
        """Find the poses anew; costs nothing if nothing was added."""
        joining = sorted(self._wanted - self._slots.keys())
        leaving = sorted(self._slots.keys() - self._wanted)
        first_slot = self._num_slots + self._new_factors.size()
        for tie in joining:
            self._new_factors.add(self._proposed[tie])
        if self._new_factors.empty() and not leaving:
            return
        removed = [self._slots.pop(tie) for tie in leaving]
        self._slots.update(zip(joining, itertools.count(first_slot)))
        self._num_slots += self._new_factors.size()
        self._solver.update(self._new_factors, self._new_values, removed)
        for _ in range(_MORE_STEPS if leaving else 0):
            self._solver.update()  # the poses are far from where they belong
        self._estimate = self._solver.calculateEstimate()
        self._new_factors = gtsam.NonlinearFactorGraph()
        self._new_values = gtsam.Values()

    def pose(self, key: int) -> gtsam.Pose2:
        """Return where a pose is, by the last solution or its first guess."""
        return self._estimate.atPose2(key)

    def weights(self) -> list[float]:
        """
        Return what is left of each proposed tie, 1 = all, 0 = not believed.

        Believed ones have Cauchy's 1 / (1 + (error / w)^2).
        """
        # The factor's error is w^2 / 2 * log(1 + (error / w)^2).
        scale = -2 / self._robust_width**2
        return [
            math.exp(scale * tie.error(self._estimate)) if number in self._slots else 0.0
            for number, tie in enumerate(self._proposed)
        ]
