# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The velocity that most directions of a scan agree on.

RANSAC (Fischler and Bolles, 1981) by triples of returns, with its usual stopping rule, then least
squares. Where directions are counted, each has one vote, however many returns it has: a lorry
beside the vehicle does not outvote the road. What a cloud without elevation does not tell, the
velocity along z, is taken to be small.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

VERTICAL_MPS = 1.0  # reconstructed, a prior: vehicles do not fly
_MAX_DRAWS = 600  # enough to find what a quarter of the returns agree on
_LOG_MISS = math.log(1e-2)  # chance that no draw is of such returns alone, as is usual
_MAX_JUDGES = 1000  # returns that choose among the draws: of more, every second, third, ...
_DIRECTION_RAD = math.radians(1.0)  # reconstructed: about a radar's resolution
_PRIOR = (0.1 / VERTICAL_MPS) ** 2  # noise of Doppler against that of the prior
_NUM_REFITS = 5
_FLAT = 0.02  # reconstructed: such a spread of elevation (rad) does not tell the velocity along z
_SAME_MPS, _NUM_LEVELS, _WHOLE = 1e-3, 6, 0.05  # that show Doppler in steps


@dataclass(frozen=True, slots=True)
class Returns:
    """
    Returns of one scan.

    :param directions: shape (N, 3), unit length
    :param speeds_mps: shape (N,), by which the radar nears each of them
    :param weights: shape (N,); those of one direction have 1 together
    :param is_flat: they do not tell the velocity along z, which is taken to be small
    """

    directions: NDArray[np.float64]
    speeds_mps: NDArray[np.float64]
    weights: NDArray[np.float64]
    is_flat: bool

    def __len__(self) -> int:
        return len(self.speeds_mps)

    def select(self, chosen: NDArray[np.bool_]) -> Returns:
        """Return some of them; their weights stay what they are."""
        return Returns(
            self.directions[chosen], self.speeds_mps[chosen], self.weights[chosen], self.is_flat
        )

    def votes(self, chosen: NDArray[np.bool_]) -> float:
        """Return how many directions speak for something."""
        return float(self.weights[chosen].sum())


def returns_of(directions: NDArray[np.float64], speeds_mps: NDArray[np.float64]) -> Returns:
    """
    Give each direction over the ground one vote.

    :param directions: shape (N, 3), unit length
    :param speeds_mps: shape (N,)
    """
    sector = _sectors(_azimuths_rad(directions), 0.37)
    is_flat = bool(directions[:, 2].std() < _FLAT)
    return Returns(directions, speeds_mps, 1 / np.bincount(sector)[sector], is_flat)


def num_directions(directions: NDArray[np.float64]) -> int:
    """
    Count distinct directions over the ground; one on the border of two sectors is one.

    :param directions: shape (N, 3), unit length
    """
    azimuth_rad = _azimuths_rad(directions)
    # Not where a radar with steps of whole or half degrees has its returns.
    sectors = [_sectors(azimuth_rad, border) for border in (0.04, 0.37, 0.7)]
    return min(int(np.count_nonzero(np.bincount(sector))) for sector in sectors)


def _azimuths_rad(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.arctan2(directions[:, 1], directions[:, 0]))


def _sectors(azimuth_rad: NDArray[np.float64], border: float) -> NDArray[np.int64]:
    """Return the number of the sector of each azimuth, the borders shifted by a share of one."""
    return ((azimuth_rad + math.pi) / _DIRECTION_RAD + border).astype(np.int64)


def doppler_step_mps(speeds_mps: NDArray[np.float64]) -> float:
    """Return the step of Doppler that comes in steps, 0 if none is seen."""
    levels = np.sort(speeds_mps)
    levels = levels[np.diff(levels, prepend=-math.inf) > _SAME_MPS]
    if len(levels) < _NUM_LEVELS:
        return 0.0
    steps = levels - levels[0]
    step_mps = float(np.diff(levels).min())
    is_whole = np.abs(steps / step_mps - np.rint(steps / step_mps)) < _WHOLE
    return step_mps if is_whole.all() else 0.0


class Ransac:
    """Draw triples of returns; the same draws each time."""

    def __init__(self, num_draws: int, max_condition: float, inlier_mps: float, seed: int) -> None:
        """
        Begin the draws.

        :param num_draws: of the first round; the share of returns that agree tells how many more
        :param max_condition: of the normal matrix of a draw
        :param inlier_mps: within which a return agrees with a velocity
        """
        self._num_draws = num_draws
        self._max_condition = max_condition
        self._inlier_mps = inlier_mps
        self._generator = np.random.default_rng(seed)

    def agree(self, returns: Returns, velocity: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which returns stand still if the radar has this velocity, shape (N,)."""
        errors_mps = returns.speeds_mps - returns.directions @ velocity
        return np.asarray(np.abs(errors_mps) < self._inlier_mps)

    def most_agreed(
        self, returns: Returns, least_share: float = 0.0
    ) -> NDArray[np.float64] | None:
        """
        Return the velocity of the best draw, fitted to all that agree with it, shape (3,).

        :param least_share: of the returns; what fewer agree on need not be found
        :return: None if no three returns give a velocity, or no fourth one agrees
        """
        velocity, is_clear = self._best_draw(returns, least_share)
        before: NDArray[np.bool_] | None = None
        # Once where the first round told, as when the models were trained; else until it stays.
        for _ in range(1 if is_clear else _NUM_REFITS):
            if velocity is None:
                return None
            agree = self.agree(returns, velocity)
            if before is not None and (agree == before).all():
                break
            before, velocity = agree, _least_squares(returns.select(agree))
        return velocity

    def _best_draw(
        self, returns: Returns, least_share: float
    ) -> tuple[NDArray[np.float64] | None, bool]:
        """Return the velocity that most returns agree with, and whether the first round told."""
        if len(returns) < 3:
            return None, True
        judges = returns.select(np.arange(len(returns)) % -(-len(returns) // _MAX_JUDGES) == 0)
        best, most, share = None, 0, least_share
        num_drawn = num_sound = 0
        size = self._num_draws
        while size > 0:
            velocities = self._draw(returns, size, returns.is_flat or num_drawn > 0)
            counts = _num_agreeing(judges, velocities, self._inlier_mps)
            if len(counts) and counts.max() > most:
                best, most = velocities[counts.argmax()], int(counts.max())
                share = max(most / len(judges), least_share)
            num_drawn, num_sound = num_drawn + size, num_sound + len(velocities)
            missing = _num_draws(share) - num_sound
            size = min(num_drawn, missing, _MAX_DRAWS - num_drawn)
        return best, num_drawn == self._num_draws

    def _draw(self, returns: Returns, num: int, is_slow_along_z: bool) -> NDArray[np.float64]:
        """
        Return the velocities of those of some draws that determine one, shape (M, 3).

        :param is_slow_along_z: three returns at much the same elevation tell the rest, too
        """
        triples = _distinct_triples(len(returns), num, self._generator)
        left, right = returns.directions[triples], returns.speeds_mps[triples][..., None]
        normal = np.swapaxes(left, 1, 2) @ left
        if is_slow_along_z:
            normal[:, 2, 2] += _PRIOR
            left, right = normal, np.swapaxes(left, 1, 2) @ right
        eigenvalues = np.linalg.eigvalsh(normal)
        sound = eigenvalues[:, 2] <= self._max_condition * eigenvalues[:, 0]
        return np.asarray(np.linalg.solve(left[sound], right[sound])[..., 0])


def _num_agreeing(
    returns: Returns, velocities: NDArray[np.float64], inlier_mps: float
) -> NDArray[np.int64]:
    """
    Return how many returns agree with each velocity, shape (M,).

    No product of matrices: the threads of BLAS wait busily for each other, which on a loaded
    machine takes ten times as long.

    :param velocities: shape (M, 3)
    """
    errors_mps = np.repeat(-returns.speeds_mps[None], len(velocities), axis=0)
    for axis, direction in enumerate(returns.directions.T):
        errors_mps += velocities[:, axis, None] * direction
    return np.count_nonzero(np.abs(errors_mps, out=errors_mps) < inlier_mps, axis=1)


def _num_draws(share: float) -> int:
    """Return after how many draws three of so large a share were hardly missed."""
    if share <= 0:
        return _MAX_DRAWS
    return min(math.ceil(_LOG_MISS / math.log1p(-min(share**3, 1 - 1e-9))), _MAX_DRAWS)


def _least_squares(returns: Returns) -> NDArray[np.float64] | None:
    if len(returns) < 4:  # three leave no residual to judge the fit by
        return None
    u = returns.directions
    normal = u.T @ u
    if returns.is_flat:
        normal[2, 2] += _PRIOR
    if np.linalg.cond(normal) > 1e12:  # no unique solution in double precision
        return None
    return np.asarray(np.linalg.solve(normal, u.T @ returns.speeds_mps))


def _distinct_triples(
    num_points: int, num_draws: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return random triples of distinct indices, shape (num_draws, 3)."""
    limits = np.array([num_points, num_points - 1, num_points - 2])
    first, second, third = (generator.random((num_draws, 3)) * limits).astype(np.int64).T
    # The second skips the first's place; the third skips both, the smaller one first.
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    third += third >= low
    third += third >= high
    return np.stack([first, second, third], axis=1)
