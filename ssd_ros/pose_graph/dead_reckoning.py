# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where odometry alone has the nodes of a graph, and how far that may be from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import carried
from ssd_ros.pose_graph.planar import adjoint, composed, Poses


@dataclass(frozen=True, slots=True)
class Reckoned:
    """
    A place that a chain of measurements leads to.

    :param number: places of one chain ascend
    :param chain: places of two of them are of frames not related
    :param pose: shape (3,), in the frame of the chain, whose origin is its first place
    :param spread: shape (3, 3), covariance of all noise up to here, as a tangent at the origin
    :param driven_m: shape (2,), the part of the position that errs by the scale of the odometry
    """

    number: int
    chain: int
    pose: Poses
    spread: NDArray[np.float64]
    driven_m: NDArray[np.float64]


class DeadReckoning:
    """Nodes by odometry alone."""

    def __init__(self) -> None:
        self._nodes: list[Reckoned] = []

    def __getitem__(self, number: int) -> Reckoned:
        return self._nodes[number]

    def begin(self, chain: int) -> None:
        """Add the first node of a segment."""
        self._nodes.append(_origin(len(self._nodes), chain, np.zeros(3)))

    def step(self, step: Poses, stds: NDArray[np.float64]) -> None:
        """
        Add a node.

        :param step: shape (3,), T_last_node
        :param stds: shape (3,), in the axes of the new node
        """
        last = self._nodes[-1]
        pose = composed(last.pose, step)
        spread = last.spread + carried(adjoint(pose), np.diag(np.square(stds)))
        self._nodes.append(Reckoned(len(self._nodes), last.chain, pose, spread, pose[:2]))


def in_map(map_id: int, pose: Poses) -> Reckoned:
    """Return a place in a map, which has no drift; its chain is no segment's."""
    return _origin(0, -1 - map_id, pose)


def _origin(number: int, chain: int, pose: Poses) -> Reckoned:
    return Reckoned(number, chain, pose, np.zeros((3, 3)), np.zeros(2))
