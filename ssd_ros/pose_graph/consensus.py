# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which ties are believed: a largest set that agrees, and of two such the one that odometry knows.

Pairwise consistency maximisation (Mangelson et al., ICRA 2018), grown with each tie as by Chang et
al. (2021): every pair of believed ties agrees over the odometry between them. Wrong ties that are
wrong alike agree as well as right ones do, and may be as many. Then the sets in dispute are judged
by how far odometry and what both sides believe have to be bent for each: as one measurement, since
a lie is no truer for being told again.
"""

from __future__ import annotations

from collections.abc import Iterator
import math

import numpy as np
from numpy.typing import NDArray
from ssd_ros.pose_graph.config import ConsensusConfig
from ssd_ros.pose_graph.dead_reckoning import Reckoned
from ssd_ros.pose_graph.planar import Poses
from ssd_ros.pose_graph.tie_errors import TieErrors

_MAX_ASKED = 16  # ties of a side that speak for it: more say the same


class Consensus:
    """
    Ties between two chains, or within one.

    :param is_loop: the two chains are one, so that odometry can tell how they lie
    """

    def __init__(self, is_loop: bool, config: ConsensusConfig) -> None:
        self._is_loop = is_loop
        self._config = config
        self._errors = TieErrors(is_loop, config.odometry_scale_std)
        self._agree = np.zeros((64, 64), bool)
        self._drift: NDArray[np.float64] = np.zeros(0)  # chi-square against odometry
        self.believed: NDArray[np.int64] = np.zeros(0, np.int64)  # in the order of their numbers

    def add(self, a: Reckoned, b: Reckoned, step: Poses, noise: NDArray[np.float64]) -> bool:
        """
        Add a tie, numbered from 0, and judge anew which are believed.

        :param step: shape (3,), T_a_b
        :param noise: shape (3, 3), its covariance in the axes of b
        :return: whether it was added: an earlier one of the same two places may say the same
        """
        newest = self._errors.add(a, b, step, noise)
        row = self._errors.disagreement(newest) <= self._config.max_disagreement
        if (row & self._errors.is_twin(newest)).any():
            self._errors.remove_last()
            return False
        self._drift = np.append(self._drift, self._errors.drift(newest) if self._is_loop else 0.0)
        possible = self._drift <= self._config.max_disagreement
        row &= possible & possible[newest]
        if newest == len(self._agree):
            self._agree = np.pad(self._agree, (0, newest))
        self._agree[newest, : newest + 1] = self._agree[: newest + 1, newest] = row
        if self._joins(newest):
            self.believed = np.append(self.believed, newest)
            return True
        for challenger in self._challengers(newest):
            if self._is_better(challenger):
                self.believed = challenger
        return True

    def _joins(self, tie: int) -> bool:
        """Return whether a tie agrees with all believed ones, with each and with all at once."""
        if not len(self.believed) or not self._agree[tie, self.believed].all():
            return False
        shift = self._errors.shift(np.array([tie]), _few(self.believed))
        return shift <= self._config.max_disagreement

    def _challengers(self, tie: int) -> Iterator[NDArray[np.int64]]:
        """Yield sets in which a tie might be right: with the believed, the popular, the likely."""
        agree = self._agree[: len(self._errors), : len(self._errors)]
        friends = np.flatnonzero(agree[tie])
        fame = agree[:, friends].sum(axis=0)
        is_believed = np.isin(friends, self.believed)
        for order in (
            np.lexsort((-fame, ~is_believed)),
            np.argsort(-fame, kind='stable'),
            np.argsort(self._drift[friends], kind='stable'),
        ):
            yield self._agreeing(tie, friends[order])

    def _agreeing(self, tie: int, friends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a tie and those of its friends, first ones first, of which each two agree."""
        may_join = self._agree[tie].copy()
        may_join[tie] = False
        chosen = [tie]
        for friend in friends.tolist():
            if may_join[friend]:
                chosen.append(friend)
                may_join &= self._agree[friend]
        return np.sort(np.array(chosen, dtype=np.int64))

    def _is_better(self, challenger: NDArray[np.int64]) -> bool:
        """Return whether a set takes the place of what is believed, or of odometry alone."""
        shared = _few(np.intersect1d(challenger, self.believed))
        new = np.setdiff1d(challenger, self.believed)
        old = np.setdiff1d(self.believed, challenger)
        if not len(self.believed):
            if not self._is_loop and len(new) < self._config.min_fixes:
                return False
            return self._cost(new, shared) < self._config.max_shift
        if not len(new) or not len(old):
            return False
        return self._cost(new, shared) < self._cost(old, shared) - self._config.margin

    def _cost(self, ties: NDArray[np.int64], shared: NDArray[np.int64]) -> float:
        support = self._config.support_weight * math.log(len(ties))
        return self._errors.shift(_few(ties), shared) - support


def _few(ties: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most so many, evenly."""
    if len(ties) <= _MAX_ASKED:
        return ties
    return ties[np.linspace(0, len(ties) - 1, _MAX_ASKED).round().astype(np.int64)]
