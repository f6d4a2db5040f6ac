# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loop closures that are false alike: what the graph believes, and what becomes of the drive."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
import pytest

pytest.importorskip('gtsam', reason='gtsam is not installed (make test installs it)')

from ssd_ros.cli.pose_graph_demo.false_closures import (
    answers,
    FalseClosures,
    laps,
    planar,
)
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.config import ConsensusConfig, PoseGraphConfig
from ssd_ros.pose_graph.graph import PoseGraph
from ssd_ros.pose_graph.trajectory_files import absolute_trajectory_error_m
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.odometry import drifting_odometry

SPARSE = PoseGraphConfig(node_spacing_m=6.0)
ALL_BELIEVED = ConsensusConfig(max_disagreement=math.inf, max_shift=math.inf)
NONE_FALSE = FalseClosures('shifted', 0.0)


def driven(
    seed: int, rows: dict[int, NDArray[np.void]], config: PoseGraphConfig = SPARSE
) -> PoseGraph:
    drive, graph = laps(seed), PoseGraph(config)
    odometry = drifting_odometry(drive, stream(seed, 'odometry'))
    for stamp_ns, pose in zip(drive.stamps_ns.tolist(), planar(odometry), strict=True):
        graph.add_odometry(stamp_ns, pose)
        if stamp_ns in rows:
            graph.add_candidates(stamp_ns, rows[stamp_ns])
    return graph


def error_m(found: Trajectory, seed: int) -> float:
    truth_m = laps(seed).positions_m[:, :2]
    return absolute_trajectory_error_m(found.positions_m[:, :2], truth_m)


def share_believed(graph: PoseGraph, stamps_ns: set[int]) -> float:
    weights = [used.weight for used in graph.used_edges() if used.edge.query_stamp_ns in stamps_ns]
    return float(np.mean(np.array(weights) > 0.05))


@pytest.mark.parametrize(
    ('seed', 'false'),
    [
        (0, FalseClosures('shifted', 0.5)),
        (1, FalseClosures('shifted', 0.5, num_first=30)),
        (2, FalseClosures('along', 0.5)),
        (3, FalseClosures('scattered', 0.5)),
        (4, FalseClosures('scattered', 0.9)),
    ],
    ids=str,
)
def test_false_closures_cost_no_accuracy(seed: int, false: FalseClosures) -> None:
    rows, lies = answers(laps(seed), false, seed)
    without_lies = {stamp_ns: rows[stamp_ns] for stamp_ns in rows if stamp_ns not in lies}
    graph = driven(seed, rows)
    assert len(lies) >= false.share * 0.8 * len(rows)
    best_m = error_m(driven(seed, without_lies).trajectory(), seed)
    assert error_m(graph.trajectory(), seed) < 1.05 * best_m
    assert share_believed(graph, lies) < 0.01
    assert share_believed(graph, set(without_lies)) > 0.98


def test_the_robust_loss_alone_goes_on_with_the_false_closures_that_came_first() -> None:
    rows, _ = answers(laps(1), FalseClosures('shifted', 0.5, num_first=30), 1)
    graph = driven(1, rows, PoseGraphConfig(node_spacing_m=6.0, consensus=ALL_BELIEVED))
    assert error_m(graph.trajectory(), 1) > 5  # with consensus 0.9


def test_right_closures_are_all_believed_when_none_is_false() -> None:
    rows, _ = answers(laps(5), NONE_FALSE, 5)
    graph = driven(5, rows)
    assert share_believed(graph, set(rows)) == 1.0
    everything = driven(5, rows, PoseGraphConfig(node_spacing_m=6.0, consensus=ALL_BELIEVED))
    assert error_m(graph.trajectory(), 5) < 1.02 * error_m(everything.trajectory(), 5)
