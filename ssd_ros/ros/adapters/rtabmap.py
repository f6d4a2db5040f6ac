# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
RTAB-Map: hands it our closures as links of its pose graph.

RTAB-Map names nodes by number and says on `info` which number it gave to the data of which time,
mostly after we have answered: a closure is held until then. Its nodes are rarer than our queries
(one a second), so the odometry carries a query to the nearest node, and a node gets one link.

A keyframe of this drive is found in the same way. So is one of a map, if ours and RTAB-Map's were
made of one drive: `get_map_data` tells the nodes of all drives and when they were made, also in
mapping mode, where the graph has only those of this drive until a link joins it to the old map. Of
other maps the node nearest to us is asked for; those must share their frame.
"""

from __future__ import annotations

import time

import numpy as np
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from rtabmap_msgs.msg import Info, Link
from rtabmap_msgs.srv import AddLink, GetMap, GetNodesInRadius
from ssd_ros.motion.covariance import symmetric
from ssd_ros.ros.adapters.closure import covariance_at_target, LoopClosure
from ssd_ros.ros.adapters.graph_nodes import (
    Anchor,
    GraphNode,
    GraphNodes,
    MAX_APART_ALONE_NS,
)
from ssd_ros.ros.adapters.inbox import Inbox
from ssd_ros.ros.adapters.messages import transform_msg
from ssd_ros.ros.adapters.odometry_track import OdometryTrack
from ssd_ros.ros.adapters.old_nodes import old_nodes_of, OldNodes
from ssd_ros.ros.adapters.outcomes import Outcomes
from ssd_ros.ros.adapters.service import ServiceCaller
from ssd_ros.ros.health.inputs import Status
from ssd_ros.ros.messages.conversions import pose_from_msg
from ssd_ros.ros.messages.geometry import Pose, turn

HOLD_S = 10.0  # RTAB-Map adds a node within a second or two
_USER_CLOSURE = 4  # Link.type; the msg file has no constants
_MAX_APART_NS = 1_000_000_000  # of a query and its node, carried by odometry
_RADIUS_M = 10.0
_NOT_ZERO_M = 1e-3  # RTAB-Map takes a target of all zeros for "around the latest node"


class RtabmapAdapter:
    """Calls add_link for every accepted candidate that RTAB-Map has nodes for."""

    def __init__(self, node: Node, map_frame: str, hold_s: float = HOLD_S) -> None:
        """
        Listen to the nodes that RTAB-Map makes.

        :param hold_s: a closure waits so long for the node of its query
        """
        self._node = node
        self._hold_s = hold_s
        self._outcomes = Outcomes('rtabmap', node)
        self._graph = GraphNodes()
        self._held: list[tuple[float, LoopClosure]] = []  # with the end of its time
        self._linked: set[int] = set()
        self._old = OldNodes()
        self._has_asked = False  # for the old nodes
        self._odometry = OdometryTrack(node)
        self._add_link = ServiceCaller(node, AddLink, '/rtabmap/rtabmap/add_link', self._outcomes)
        self._nodes_in_radius = ServiceCaller(
            node, GetNodesInRadius, '/rtabmap/rtabmap/get_nodes_in_radius', self._outcomes
        )
        self._map_data = ServiceCaller(
            node, GetMap, '/rtabmap/rtabmap/get_map_data', self._outcomes
        )
        self._services = (self._add_link, self._nodes_in_radius, self._map_data)
        self._subscription = node.create_subscription(Info, '/rtabmap/info', self._on_info, 10)
        self._inbox = Inbox(node, self._hold, self._outcomes)
        self._timer = node.create_timer(
            hold_s / 8, self._expire, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def on_loop_closure(self, closure: LoopClosure) -> None:
        """Add a link as soon as RTAB-Map has a node for the query."""
        self._inbox.put(closure)

    def relocalize(self, closure: LoopClosure) -> None:
        """Ignore it: a link moves map to odom as well, and initialpose is a topic of the node."""

    def status(self) -> Status:
        """Return how many links were sent, and how many closures wait for their node."""
        values: dict[str, object] = {'held': len(self._held)}
        if self._has_asked:
            values['old_nodes'] = len(self._old)
        for service in self._services:
            values |= service.presence()
        return self._outcomes.status(values)

    def destroy(self) -> None:
        """Take topics and services down; what is held is dropped."""
        self._held.clear()
        self._inbox.destroy()
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)
        self._odometry.destroy()
        for service in self._services:
            service.destroy()

    def _hold(self, closure: LoopClosure) -> None:
        self._held.append((time.monotonic() + self._hold_s, closure))
        self._settle()

    def _on_info(self, msg: Info) -> None:
        with self._outcomes.guard():
            stamp = msg.header.stamp
            node = GraphNode(stamp.sec * 1_000_000_000 + stamp.nanosec, msg.ref_id)
            if msg.ref_id > 0 and self._graph.add(node, time.monotonic_ns()):
                self._held.clear()
                self._linked.clear()
                self._old, self._has_asked = OldNodes(), False  # the drive may be one of them now
                self._outcomes.count('time_jumps')
            if msg.loop_closure_id > 0:
                self._outcomes.count('closures_of_rtabmap')
            self._settle()

    def _expire(self) -> None:
        now_s = time.monotonic()
        for late in [held for held in self._held if held[0] < now_s]:
            self._held.remove(late)
            self._outcomes.fail(
                'dropped_no_node',
                f'no node of RTAB-Map for a closure in {self._hold_s:g} s: '
                f'does {self._subscription.topic_name} come?',
            )

    def _settle(self) -> None:
        """Link what is held and has its nodes; of several closures of a node, the nearest."""
        newest_ns = self._graph.newest_ns
        if newest_ns is None:
            return
        ready = [closure for _, closure in self._held if closure.query_stamp_ns <= newest_ns]
        self._held = [held for held in self._held if held[1] not in ready]
        for closure in sorted(ready, key=self._apart_ns):
            query = self._anchor(closure.query_stamp_ns)
            if query is None:
                self._outcomes.fail('dropped_far_node', _FAR.format('query'))
            elif query.number in self._linked:
                self._outcomes.count('superseded')
            else:
                self._linked.add(query.number)
                self._find_target(closure, query)

    def _apart_ns(self, closure: LoopClosure) -> int:
        node = self._graph.nearest(closure.query_stamp_ns)
        assert node is not None  # the graph is not empty
        return abs(node.stamp_ns - closure.query_stamp_ns)

    def _anchor(self, stamp_ns: int) -> Anchor | None:
        """Return the node nearest in time, if it is near enough."""
        node = self._graph.nearest(stamp_ns)
        if node is None:
            return None
        apart_ns = abs(node.stamp_ns - stamp_ns)
        moved = self._odometry.motion(node.stamp_ns, stamp_ns)
        if moved is not None and apart_ns <= _MAX_APART_NS:
            return Anchor(node.number, moved)
        return Anchor(node.number, turn(0.0)) if apart_ns <= MAX_APART_ALONE_NS else None

    def _find_target(self, closure: LoopClosure, query: Anchor) -> None:
        if closure.is_live:
            target = self._anchor(closure.keyframe_stamp_ns)
            if target is None:
                self._linked.discard(query.number)
                self._outcomes.fail('dropped_far_node', _FAR.format('keyframe'))
            else:
                self._link_anchor(closure, query, target)
        elif self._has_asked or not self._map_data.is_offered:
            self._find_old(closure, query)
        else:
            self._has_asked = True
            self._map_data.call(
                GetMap.Request(global_map=True, graph_only=True),
                lambda reply: self._on_map_data(closure, query, reply),
            )

    def _on_map_data(self, closure: LoopClosure, query: Anchor, reply: GetMap.Response) -> None:
        nodes = (node for node in reply.data.nodes if not self._graph.is_of_this_drive(node.id))
        self._old = old_nodes_of(nodes)
        self._find_old(closure, query)

    def _find_old(self, closure: LoopClosure, query: Anchor) -> None:
        target = self._old.anchor(closure.keyframe_stamp_ns)
        if target is not None:
            self._outcomes.count('found_by_time')
            self._link_anchor(closure, query, target)
            return
        x, y, z = map(float, closure.map_base.position_m)
        request = GetNodesInRadius.Request(x=x or _NOT_ZERO_M, y=y, z=z, radius=_RADIUS_M)
        self._nodes_in_radius.call(
            request, lambda reply: self._on_nodes_in_radius(closure, query, reply)
        )

    def _on_nodes_in_radius(
        self, closure: LoopClosure, query: Anchor, reply: GetNodesInRadius.Response
    ) -> None:
        found = [
            (distance, number, pose)
            for distance, number, pose in zip(reply.dists_sqr, reply.ids, reply.poses, strict=True)
            if not self._graph.is_of_this_drive(number)
        ]
        if not found:
            self._linked.discard(query.number)
            self._outcomes.fail(
                'dropped_no_map_node',
                'RTAB-Map has no node of an older drive at the time of a keyframe, nor within '
                f'{_RADIUS_M:g} m of a closure: were its map and ours made of one drive, or do '
                'they share their frame?',
            )
            return
        _, number, pose = min(found, key=lambda entry: entry[0])
        self._link(closure, query, number, pose_from_msg(pose))

    def _link_anchor(self, closure: LoopClosure, query: Anchor, target: Anchor) -> None:
        map_target = closure.map_keyframe_base @ target.node_base.inverse()
        self._link(closure, query, target.number, map_target)

    def _link(self, closure: LoopClosure, query: Anchor, target: int, map_target: Pose) -> None:
        """
        Add the edge from the query's node to another one.

        :param target: number of the other node
        :param map_target: T_map_target
        """
        link = Link(from_id=query.number, to_id=target, type=_USER_CLOSURE)
        # The pose of `to` in `from`.
        link.transform = transform_msg(query.node_base @ closure.map_base.inverse() @ map_target)
        information = symmetric(np.linalg.inv(covariance_at_target(closure, map_target)))
        link.information = information.ravel().tolist()
        # RTAB-Map does not say whether it took it: only its log and `info` do.
        self._add_link.call(
            AddLink.Request(link=link), lambda reply: self._outcomes.count('links')
        )


_FAR = (
    'no node of RTAB-Map near the {} of a closure: without odometry on `odom` they must lie '
    f'within {MAX_APART_ALONE_NS / 1e6:g} ms'
)
