# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which node of RTAB-Map's graph was made when."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple


class GraphNode(NamedTuple):
    """One node; its stamp is that of the data that it was made from."""

    stamp_ns: int
    number: int


class GraphNodes:
    """The nodes of this drive, in order of time."""

    def __init__(self) -> None:
        self._nodes: list[GraphNode] = []

    @property
    def newest_ns(self) -> int | None:
        """Stamp of the last node."""
        return self._nodes[-1].stamp_ns if self._nodes else None

    def is_of_this_drive(self, number: int) -> bool:
        """Return whether a node was made since we listen: numbers only grow."""
        return bool(self._nodes) and number >= self._nodes[0].number

    def add(self, node: GraphNode) -> bool:
        """
        Remember a node.

        :return: whether time or numbers went back: a bag or the map began anew, and the nodes
            before are forgotten
        """
        went_back = bool(self._nodes) and (
            node.stamp_ns < self._nodes[-1].stamp_ns or node.number < self._nodes[-1].number
        )
        if went_back:
            self._nodes.clear()
        self._nodes.append(node)
        return went_back

    def nearest(self, stamp_ns: int) -> GraphNode | None:
        """Return the node nearest in time."""
        after = bisect_left(self._nodes, (stamp_ns,))
        around = self._nodes[max(after - 1, 0) : after + 1]
        return min(around, key=lambda node: abs(node.stamp_ns - stamp_ns), default=None)
