# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The graph: odometry, loop closures of the live session and fixes in prior maps."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
import math

import gtsam
import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.covariance import carried
from ssd_ros.motion.trajectory import quaternion_from_yaw, Trajectory
from ssd_ros.pose_graph.candidate_edges import candidate_edges, CandidateEdge
from ssd_ros.pose_graph.config import DEFAULT_CONFIG, PoseGraphConfig
from ssd_ros.pose_graph.dead_reckoning import DeadReckoning, in_map, Reckoned
from ssd_ros.pose_graph.odometry_track import OdometryTrack
from ssd_ros.pose_graph.solver import Solver
from ssd_ros.pose_graph.ties import from_pose2, Tie, TieGroup

_FIRST_NODE_STD = 1e-4  # all others are relative to it
_NEW_SEGMENT_STD = 30.0  # about where the last one ended; larger ones the solver cannot take
_MAX_WAITING = 100  # queries that odometry has not reached yet


@dataclass(frozen=True, slots=True)
class UsedEdge:
    """
    A candidate in the graph.

    :param weight: 1 = believed, 0 = outvoted by the others
    """

    edge: CandidateEdge
    weight: float


class PoseGraph:
    """
    Poses of one drive, a node every few metres, in the frame of its odometry.

    A candidate of the live session ties two nodes together, one of a prior map ties a node to the
    map, whose place is found as well. Candidates may come before the odometry of their time.
    """

    def __init__(self, config: PoseGraphConfig = DEFAULT_CONFIG) -> None:
        self._config = config
        self._solver = Solver(config.robust_width)
        self._track = OdometryTrack()
        self._nodes: list[int] = []  # numbers of the odometry poses that are nodes
        self._node_stamps_ns: list[int] = []
        self._waiting: deque[CandidateEdge] = deque(maxlen=_MAX_WAITING)
        self._reckoning = DeadReckoning()
        self._groups: dict[tuple[int, int], TieGroup] = {}
        self._origins: dict[int, gtsam.Pose2] = {}  # T_map_origin of each map in the graph
        self._used: list[CandidateEdge] = []

    @property
    def newest_stamp_ns(self) -> int | None:
        """Of the odometry, None before the first."""
        return self._track.stamps_ns[-1] if len(self._track) else None

    @property
    def map_ids(self) -> list[int]:
        """Maps that the drive has been placed in, first one first."""
        return list(self._origins)

    @property
    def nodes(self) -> NDArray[np.int64]:
        """Which poses of the trajectory are nodes, shape (N,)."""
        return np.array(self._nodes, dtype=np.int64)

    def add_odometry(self, stamp_ns: int, pose: NDArray[np.float64], segment: int = 0) -> None:
        """
        Add where the base is.

        :param pose: shape (3,): x, y in metres and yaw in radians, odometry frame
        :param segment: of the odometry: candidates alone tie one to another
        :raise ValueError: the pose is not finite, or not newer than the last one
        """
        if not np.isfinite(pose).all():
            raise ValueError(f'the odometry pose is {pose}, expected finite numbers')
        newest = gtsam.Pose2(*map(float, pose))
        self._track.append(stamp_ns, newest, segment)
        if not self._nodes:
            self._add_node(newest)
            self._reckoning.begin(segment)
            self._solver.fix(_node(0), newest, _FIRST_NODE_STD)
        elif segment != self._track.segments[-2]:
            guess = self._node_pose(len(self._nodes) - 1)  # not far from where it was lost
            self._add_node(guess)
            self._reckoning.begin(segment)
            self._solver.fix(_node(len(self._nodes) - 1), guess, _NEW_SEGMENT_STD)
        else:
            step = self._track.poses[self._nodes[-1]].between(newest)
            if math.hypot(step.x(), step.y()) >= self._config.node_spacing_m:
                self._add_step(step)
        self._add_waiting()
        self._solver.solve()

    def add_candidates(self, stamp_ns: int, rows: NDArray[np.void]) -> None:
        """
        Add the accepted ones of an answer.

        :param stamp_ns: of the query
        :param rows: shape (N,), type `ssd_ros.recognition.candidates.DTYPE`, best first
        """
        self._waiting.extend(candidate_edges(stamp_ns, rows, self._config.noise))
        self._add_waiting()
        self._solver.solve()

    def odometry(self) -> Trajectory:
        """Return the poses as odometry has them."""
        return _trajectory(self._track.stamps_ns, self._track.poses)

    def trajectory(self, map_id: int | None = None) -> Trajectory:
        """
        Return as many poses as odometry has, as the graph has them.

        :param map_id: the map whose frame they are in; None = that of the odometry
        """
        frame = gtsam.Pose2()
        if map_id is not None:
            frame = self._origins[map_id].compose(self._solver.pose(_origin(map_id)).inverse())
        moved = []
        ends = [*self._nodes[1:], len(self._track)]
        for node, (first, end) in enumerate(zip(self._nodes, ends, strict=False)):
            poses = self._track.poses[first:end]
            change = frame.compose(self._node_pose(node)).compose(poses[0].inverse())
            moved += [change.compose(pose) for pose in poses]
        return _trajectory(self._track.stamps_ns, moved)

    def used_edges(self) -> list[UsedEdge]:
        """Return the candidates in the graph."""
        weights = self._solver.weights()
        return [UsedEdge(edge, weight) for edge, weight in zip(self._used, weights, strict=True)]

    def _add_step(self, step: gtsam.Pose2) -> None:
        """Add a node that odometry ties to the last one."""
        last, root = len(self._nodes) - 1, math.sqrt(math.hypot(step.x(), step.y()))
        position_std_m = root * self._config.odometry_std_m
        stds = np.array([position_std_m, position_std_m, root * self._config.odometry_yaw_std_rad])
        self._add_node(self._node_pose(last).compose(step))
        self._reckoning.step(from_pose2(step), stds)
        self._solver.tie(_node(last), _node(last + 1), step, stds)

    def _add_node(self, guess: gtsam.Pose2) -> None:
        self._solver.add_pose(_node(len(self._nodes)), guess)
        self._nodes.append(len(self._track) - 1)
        self._node_stamps_ns.append(self._track.stamps_ns[-1])

    def _add_waiting(self) -> None:
        """Add the candidates that odometry has reached, drop those from before it began."""
        waiting = list(self._waiting)
        self._waiting.clear()
        for edge in waiting:
            if self._track.covers(edge.query_stamp_ns):
                self._add_closure(edge) if edge.is_live else self._add_fix(edge)
            elif not len(self._track) or edge.query_stamp_ns > self._track.stamps_ns[-1]:
                self._waiting.append(edge)

    def _add_closure(self, edge: CandidateEdge) -> None:
        if not self._track.covers(edge.keyframe_stamp_ns):
            return
        node, node_keyframe = self._beside_node(edge.keyframe_stamp_ns)
        radar = gtsam.Pose2(*self._config.radar_in_base)
        self._tie(edge, self._reckoning[node], node_keyframe.compose(radar))

    def _add_fix(self, edge: CandidateEdge) -> None:
        self._tie(edge, in_map(edge.map_id, from_pose2(edge.map_keyframe)), gtsam.Pose2())

    def _tie(self, edge: CandidateEdge, a: Reckoned, a_keyframe: gtsam.Pose2) -> None:
        """
        Tie a place to the node beside a query, unless others know better.

        :param a_keyframe: T_a_keyframe
        """
        number, node_query = self._beside_node(edge.query_stamp_ns)
        b = self._reckoning[number]
        if a is b:
            return
        step = a_keyframe.compose(edge.keyframe_query).compose(node_query.inverse())
        covariance = carried(node_query.AdjointMap(), edge.covariance)
        tie = Tie(edge, a, b, step, covariance)
        if edge.is_live:
            tie = tie.in_order_of_time()
        group = self._groups.setdefault(tie.chains, TieGroup(tie.chains, self._config.consensus))
        group.add(tie)
        if group.is_loop or group.believed:
            self._propose(group)

    def _propose(self, group: TieGroup) -> None:
        """Let the believed ties pull, once it is known where the chain of their keyframes is."""
        for tie in group.ties[len(group.numbers) :]:
            number = self._solver.propose(*self._ends(group, tie), tie.covariance)
            group.numbers.append(number)
            self._used.append(tie.edge)
        self._solver.believe([group.numbers[tie] for tie in group.believed], group.numbers)

    def _ends(self, group: TieGroup, tie: Tie) -> tuple[int, int, gtsam.Pose2]:
        """Return the two keys of a tie and T_first_second."""
        if tie.edge.is_live:
            return _node(tie.a.number), _node(tie.b.number), tie.step
        map_id = tie.edge.map_id
        if map_id not in self._origins:
            # Near the drive: a map's own origin may be a thousand kilometres away.
            near = group.ties[group.believed[-1]]
            self._origins[map_id] = near.edge.map_keyframe.compose(near.step)
            self._solver.add_pose(_origin(map_id), self._node_pose(near.b.number))
        step = self._origins[map_id].between(tie.edge.map_keyframe).compose(tie.step)
        return _origin(map_id), _node(tie.b.number), step

    def _beside_node(self, stamp_ns: int) -> tuple[int, gtsam.Pose2]:
        """Return the last node before a stamp and T_node_base at the stamp, by odometry."""
        node = bisect_right(self._node_stamps_ns, stamp_ns) - 1
        return node, self._track.poses[self._nodes[node]].between(self._track.at(stamp_ns))

    def _node_pose(self, node: int) -> gtsam.Pose2:
        return self._solver.pose(_node(node))


def _node(number: int) -> int:
    return int(gtsam.symbol('x', number))


def _origin(map_id: int) -> int:
    return int(gtsam.symbol('m', map_id))


def _trajectory(stamps_ns: Sequence[int], poses: Sequence[gtsam.Pose2]) -> Trajectory:
    planar = np.array([from_pose2(pose) for pose in poses]).reshape(-1, 3)
    return Trajectory(
        np.array(stamps_ns, dtype=np.int64),
        np.column_stack([planar[:, :2], np.zeros(len(planar))]),
        quaternion_from_yaw(planar[:, 2]),
    )
