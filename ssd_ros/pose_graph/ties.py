# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What candidates say of nodes, before it is known whether it is right."""

from __future__ import annotations

from dataclasses import dataclass, field

import gtsam
import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import carried
from ssd_ros.pose_graph.candidate_edges import CandidateEdge
from ssd_ros.pose_graph.config import ConsensusConfig
from ssd_ros.pose_graph.consensus import Consensus
from ssd_ros.pose_graph.dead_reckoning import Reckoned
from ssd_ros.pose_graph.planar import Poses


@dataclass(frozen=True, slots=True)
class Tie:
    """
    How a keyframe's place and the node beside a query lie to each other.

    :param a: node beside the keyframe, or the keyframe in its map
    :param b: node beside the query
    :param step: T_a_b
    :param covariance: shape (3, 3), in the axes of b
    """

    edge: CandidateEdge
    a: Reckoned
    b: Reckoned
    step: gtsam.Pose2
    covariance: NDArray[np.float64] = field(repr=False)

    @property
    def chains(self) -> tuple[int, int]:
        """Of both ends."""
        return self.a.chain, self.b.chain

    def in_order_of_time(self) -> Tie:
        """Return the same with b as the later one, if both are nodes."""
        if self.a.number <= self.b.number:
            return self
        covariance = carried(self.step.AdjointMap(), self.covariance)
        return Tie(self.edge, self.b, self.a, self.step.inverse(), covariance)


class TieGroup:
    """Ties between the same two chains; until one is believed, nobody knows how those lie."""

    def __init__(self, chains: tuple[int, int], config: ConsensusConfig) -> None:
        self.is_loop = chains[0] == chains[1]
        self.ties: list[Tie] = []
        self.numbers: list[int] = []  # of the first ties, in the solver
        self._consensus = Consensus(self.is_loop, config)

    def add(self, tie: Tie) -> None:
        """Add a tie, unless it says of its nodes what an earlier one has said."""
        if self._consensus.add(tie.a, tie.b, from_pose2(tie.step), tie.covariance):
            self.ties.append(tie)

    @property
    def believed(self) -> list[int]:
        """Indices of the ties that are taken for right."""
        return self._consensus.believed.tolist()


def from_pose2(pose: gtsam.Pose2) -> Poses:
    """Return x, y and yaw, shape (3,)."""
    return np.array([pose.x(), pose.y(), pose.theta()])
