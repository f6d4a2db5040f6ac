# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which node of RTAB-Map's graph was made when."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

from ssd_ros.motion.stamp_order import EVIDENCE, StampOrder
from ssd_ros.ros.messages.geometry import Pose

MAX_APART_ALONE_NS = 50_000_000  # of a moment and its node without odometry: .5 m at 10 m/s


class GraphNode(NamedTuple):
    """One node; its stamp is that of the data that it was made from."""

    stamp_ns: int
    number: int


class Anchor(NamedTuple):
    """A node near a moment, and T_node_base of that moment."""

    number: int
    node_base: Pose


class GraphNodes:
    """The nodes of this drive, in order of time."""

    def __init__(self) -> None:
        self._nodes: list[GraphNode] = []
        self._low: list[GraphNode] = []  # newer than those, but with lower numbers
        self._order: StampOrder[GraphNode] = StampOrder(sorts_in=True)

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self._nodes)

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the last node."""
        return self._nodes[-1].stamp_ns if self._nodes else None

    def is_of_this_drive(self, number: int) -> bool:
        """Return whether a node was made since we listen: numbers only grow."""
        return bool(self._nodes) and number >= self._nodes[0].number

    def add(self, node: GraphNode, arrival_ns: int | None = None) -> bool:
        """
        Remember a node; what is late is sorted in.

        :param arrival_ns: on a clock that nobody sets; None = not known
        :return: whether a bag or the map began anew, and the nodes before are forgotten
        """
        admitted = self._order.admit(node.stamp_ns, node, arrival_ns)
        begins_anew = admitted.is_restart
        if begins_anew:
            self._nodes, self._low = [], []
        elif admitted.step_ns < 0:
            newest_ns = admitted.samples[-1][0]
            self._nodes = [known for known in self._nodes if known.stamp_ns <= newest_ns]
        for _, known in admitted.samples:
            begins_anew |= self._insert(known)
        return begins_anew

    def _insert(self, node: GraphNode) -> bool:
        """Add a node and return whether enough of them in a row have too low numbers."""
        if not self._nodes or node < self._nodes[-1] or node.number > self._nodes[-1].number:
            insort(self._nodes, node)
            self._low = []
            return False
        self._low.append(node)
        if len(self._low) < EVIDENCE:
            return False
        self._nodes, self._low = self._low, []
        return True

    def nearest(self, stamp_ns: int) -> GraphNode | None:
        """Return the node nearest in time."""
        after = bisect_left(self._nodes, (stamp_ns,))
        around = self._nodes[max(after - 1, 0) : after + 1]
        return min(around, key=lambda node: abs(node.stamp_ns - stamp_ns), default=None)
