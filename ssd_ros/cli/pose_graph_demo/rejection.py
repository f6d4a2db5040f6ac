# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What false closures do to a pose graph, with consensus and with the robust loss alone."""

from __future__ import annotations

from dataclasses import dataclass
import math
import time

import numpy as np
from numpy.typing import NDArray
from ssd_ros.cli.common.parallel import Report
from ssd_ros.cli.pose_graph_demo.false_closures import answers, FalseClosures, laps, planar
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.config import ConsensusConfig, PoseGraphConfig
from ssd_ros.pose_graph.graph import PoseGraph
from ssd_ros.pose_graph.trajectory_files import absolute_trajectory_error_m
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.odometry import drifting_odometry, OdometryDrift

CONSENSUS = PoseGraphConfig(node_spacing_m=6.0)
LOSS_ALONE = PoseGraphConfig(
    node_spacing_m=6.0,
    consensus=ConsensusConfig(max_disagreement=math.inf, max_shift=math.inf),
)
_BELIEVED = 0.05  # a candidate of less weight hardly pulls
_MAX_SCALE_ERROR = 0.015


@dataclass(frozen=True, slots=True)
class Graph:
    """
    A drive as a graph has it.

    :param positions_m: shape (N, 2)
    :param ate_m: absolute trajectory error
    :param update_ms: shape (N,), processor time of each pose of the odometry and its candidates
    :param weights: of the candidates by the stamp of the query
    """

    positions_m: NDArray[np.float64]
    ate_m: float
    update_ms: NDArray[np.float64]
    weights: dict[int, float]

    def share_believed(self, stamps_ns: set[int]) -> float:
        """Return which share of some queries' candidates in the graph pulls, 0 without any."""
        believed = [
            self.weights[stamp_ns] > _BELIEVED for stamp_ns in stamps_ns & set(self.weights)
        ]
        return float(np.mean(believed)) if believed else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    One drive with false closures.

    :param best: without them
    :param alone: with the robust loss alone
    :param consensus: as the graph is by default
    """

    seed: int
    false: FalseClosures
    odometry_ate_m: float
    best: Graph
    alone: Graph
    consensus: Graph
    right_believed: float
    false_believed: float

    @property
    def ratio(self) -> float:
        """Of the errors with consensus and without false closures."""
        return self.consensus.ate_m / self.best.ate_m

    @property
    def ratio_alone(self) -> float:
        """The same by the robust loss alone."""
        return self.alone.ate_m / self.best.ate_m


def outcomes(job: tuple[int, list[FalseClosures]], report: Report) -> list[Outcome]:
    """Drive the laps of a seed with each kind of false closures."""
    seed, kinds = job
    report(0, len(kinds))
    drive = laps(seed)
    scale_error = float(stream(seed, 'scale').uniform(-_MAX_SCALE_ERROR, _MAX_SCALE_ERROR))
    drift = OdometryDrift(scale_error=scale_error)
    odometry = drifting_odometry(drive, stream(seed, 'odometry'), drift)
    found: list[Outcome] = []
    best: dict[frozenset[int], Graph] = {}  # kinds may name the same answers false
    for false in kinds:
        rows, lies = answers(drive, false, seed)
        right = {stamp_ns: rows[stamp_ns] for stamp_ns in rows if stamp_ns not in lies}
        if frozenset(lies) not in best:
            best[frozenset(lies)] = _driven(drive, odometry, right, CONSENSUS)
        consensus = _driven(drive, odometry, rows, CONSENSUS)
        found.append(
            Outcome(
                seed,
                false,
                _ate_m(odometry, drive),
                best[frozenset(lies)],
                _driven(drive, odometry, rows, LOSS_ALONE),
                consensus,
                consensus.share_believed(set(right)),
                consensus.share_believed(lies),
            )
        )
        report(1, len(kinds))
    return found


def _driven(
    drive: Trajectory,
    odometry: Trajectory,
    rows: dict[int, NDArray[np.void]],
    config: PoseGraphConfig,
) -> Graph:
    graph, update_ms = PoseGraph(config), []
    for stamp_ns, pose in zip(drive.stamps_ns.tolist(), planar(odometry), strict=True):
        started_s = time.process_time()
        graph.add_odometry(stamp_ns, pose)
        if stamp_ns in rows:
            graph.add_candidates(stamp_ns, rows[stamp_ns])
        update_ms.append(1e3 * (time.process_time() - started_s))
    found = graph.trajectory()
    weights = {used.edge.query_stamp_ns: used.weight for used in graph.used_edges()}
    return Graph(found.positions_m[:, :2], _ate_m(found, drive), np.array(update_ms), weights)


def _ate_m(found: Trajectory, drive: Trajectory) -> float:
    return absolute_trajectory_error_m(found.positions_m[:, :2], drive.positions_m[:, :2])
