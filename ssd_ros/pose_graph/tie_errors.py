# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How well ties agree with odometry and with each other, in standard deviations.

A tie says how a place `a` lies to a place `b`, odometry how `a` and `b` lie in their chains. Both
together say how the chain of `a` lies in that of `b`: not at all elsewhere, if the chains are one.
The noise of odometry is Brownian motion, so what two ties have in common of it is that of the
stretch that both span.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from ssd_ros.pose_graph.dead_reckoning import Reckoned
from ssd_ros.pose_graph.planar import adjoint, composed, inverted, logarithm, Poses, rotated

_SPREAD = ('f8', (3, 3))
_DTYPE = np.dtype(
    [
        ('a', 'i8'),
        ('b', 'i8'),
        ('spread_a', *_SPREAD),
        ('spread_b', *_SPREAD),
        ('driven_a_m', 'f8', 2),
        ('driven_b_m', 'f8', 2),
        ('pose_b', 'f8', 3),
        ('chain_chain', 'f8', 3),  # T of the chain of a in that of b
        ('noise', *_SPREAD),  # of the tie, in the axes of b
    ]
)
# How two chains that nothing else ties together may lie to each other: metres, metres, radians.
_ANYWHERE = np.diag(np.square([30.0, 30.0, 3.0]))


class TieErrors:
    """
    Ties between the same two chains.

    :param is_loop: the two chains are one
    :param scale_std: share by which all distances of odometry may be too long alike
    """

    def __init__(self, is_loop: bool, scale_std: float) -> None:
        self._is_loop = is_loop
        self._scale_std = scale_std
        self._room = np.zeros(64, _DTYPE)
        self._num = 0

    def __len__(self) -> int:
        return self._num

    def add(self, a: Reckoned, b: Reckoned, step: Poses, noise: NDArray[np.float64]) -> int:
        """
        Add a tie and return its number, from 0.

        :param step: shape (3,), T_a_b
        :param noise: shape (3, 3), its covariance in the axes of b
        """
        if self._num == len(self._room):
            self._room = np.concatenate([self._room, np.zeros_like(self._room)])
        chain_chain = composed(composed(a.pose, step), inverted(b.pose))
        self._room[self._num] = (
            *(a.number, b.number, a.spread, b.spread, a.driven_m, b.driven_m),
            *(b.pose, chain_chain, noise),
        )
        self._num += 1
        return self._num - 1

    def remove_last(self) -> None:
        """Forget the newest tie."""
        self._num -= 1

    def is_twin(self, tie: int) -> NDArray[np.bool_]:
        """Return which others tie the same two places, shape (N,)."""
        ties = self._room[: self._num]
        same = (ties['a'] == ties['a'][tie]) & (ties['b'] == ties['b'][tie])
        same[tie] = False
        return np.asarray(same)

    def disagreement(self, tie: int) -> NDArray[np.float64]:
        """Return chi-square of a tie against each, three degrees of freedom, shape (N,)."""
        all_ties = self._room[: self._num]
        one = all_ties[tie]
        there = one['pose_b']
        between = composed(inverted(one['chain_chain']), all_ties['chain_chain'])
        errors = logarithm(composed(composed(inverted(there), between), there))
        ties = self._in_frame(all_ties, one['chain_chain'])
        own = ties[tie : tie + 1]
        common = self._common(own, ties)
        covariance = self._common(ties, ties) + self._common(own, own)
        covariance -= common + np.swapaxes(common, -1, -2)
        covariance = _carried(adjoint(inverted(there)), covariance)
        here_there = adjoint(composed(inverted(there), ties['pose_b']))
        covariance += _carried(here_there, ties['noise']) + one['noise']
        return _chi_square(errors, covariance)

    def drift(self, tie: int) -> float:
        """Return chi-square of a tie against odometry alone, three degrees of freedom."""
        return self.shift(np.array([tie]), np.zeros(0, np.int64))

    def shift(self, ties: NDArray[np.int64], believed: NDArray[np.int64]) -> float:
        """
        Return chi-square of the one shift that ties have in common, three degrees of freedom.

        It asks odometry, and other ties that are believed: right ones are shifted by no more than
        drift, and ties that are wrong alike by what they are wrong. However many say the same, it
        counts once.

        :param ties: shape (N,), N >= 1, numbers of ties
        :param believed: shape (M,)
        """
        chosen = self._room[np.concatenate([believed, ties])]
        frame = np.zeros(3) if self._is_loop else chosen['chain_chain'][0]
        chosen = self._in_frame(chosen, frame)
        to_b = inverted(chosen['pose_b'])
        error = composed(inverted(frame), chosen['chain_chain'])
        errors = logarithm(composed(composed(to_b, error), chosen['pose_b']))
        to_axes = adjoint(to_b)
        common = self._common(chosen[:, None], chosen[None, :])
        if not self._is_loop:
            common = common + _carried(adjoint(chosen['pose_b'][0]), _ANYWHERE)
        blocks = to_axes[:, None] @ common @ np.swapaxes(to_axes, -1, -2)[None, :]
        each = np.arange(len(chosen))
        blocks[each, each] += chosen['noise']
        covariance = np.swapaxes(blocks, 1, 2).reshape(3 * len(chosen), -1)
        shifts = np.where(each[:, None, None] >= len(believed), to_axes, 0.0).reshape(-1, 3)
        solved = np.linalg.solve(covariance, np.column_stack([shifts, errors.ravel()]))
        evidence, weighted = shifts.T @ solved[:, :3], shifts.T @ solved[:, 3]
        return float(weighted @ np.linalg.solve(evidence, weighted))

    def _in_frame(self, ties: NDArray[np.void], frame: Poses) -> NDArray[np.void]:
        """Return copies with the chain of a laid into that of b, if they are two."""
        if self._is_loop:
            return ties
        ties, back = ties.copy(), inverted(frame)
        ties['spread_a'] = _carried(adjoint(back), ties['spread_a'])
        ties['driven_a_m'] = rotated(ties['driven_a_m'], back[2])
        return ties

    def _common(self, first: NDArray[np.void], second: NDArray[np.void]) -> NDArray[np.float64]:
        """Return the covariance that odometry gives the errors of two ties, shape (..., 3, 3)."""
        if self._is_loop:
            start = _later(first, second, 'a', first['a'] > second['a'])
            end = _later(first, second, 'b', first['b'] < second['b'])
            overlap = np.minimum(first['b'], second['b']) > np.maximum(first['a'], second['a'])
            drift = np.where(overlap[..., None, None], end - start, 0.0)
        else:
            drift = _later(first, second, 'a', first['a'] < second['a'])
            drift = drift + _later(first, second, 'b', first['b'] < second['b'])
        stretch_m = self._scale_std * (first['driven_b_m'] - first['driven_a_m'])
        other_m = self._scale_std * (second['driven_b_m'] - second['driven_a_m'])
        drift[..., :2, :2] += stretch_m[..., :, None] * other_m[..., None, :]
        return np.asarray(drift)


def _later(
    first: NDArray[np.void], second: NDArray[np.void], end: str, is_first: NDArray[np.bool_]
) -> NDArray[np.float64]:
    spread = f'spread_{end}'
    return np.where(is_first[..., None, None], first[spread], second[spread])


def _carried(
    jacobian: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(jacobian @ covariance @ np.swapaxes(jacobian, -1, -2))


def _chi_square(
    errors: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the squared Mahalanobis lengths; shapes (N, 3) and (N, 3, 3)."""
    solved = np.linalg.solve(covariance, errors[..., None])[..., 0]
    return np.asarray((errors * solved).sum(axis=-1))
