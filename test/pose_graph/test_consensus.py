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
    POSES_A_LAP,
    row,
)
from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.config import ConsensusConfig, PoseGraphConfig
from ssd_ros.pose_graph.graph import PoseGraph
from ssd_ros.pose_graph.trajectory_files import absolute_trajectory_error_m
from ssd_ros.recognition.candidates import Flag
from ssd_ros.simulator.random_streams import stream
from ssd_ros.simulator.recordings.odometry import drifting_odometry
from support.drives.three_laps import PRIOR_MAP_ID

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
        (1, FalseClosures('shifted', 0.5, num_first=20)),
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
    rows, _ = answers(laps(1), FalseClosures('shifted', 0.5, num_first=20), 1)
    graph = driven(1, rows, PoseGraphConfig(node_spacing_m=6.0, consensus=ALL_BELIEVED))
    assert error_m(graph.trajectory(), 1) > 5  # with consensus 0.9


def test_right_closures_are_all_believed_when_none_is_false() -> None:
    rows, _ = answers(laps(5), NONE_FALSE, 5)
    graph = driven(5, rows)
    assert share_believed(graph, set(rows)) == 1.0
    everything = driven(5, rows, PoseGraphConfig(node_spacing_m=6.0, consensus=ALL_BELIEVED))
    assert error_m(graph.trajectory(), 5) < 1.02 * error_m(everything.trajectory(), 5)


def in_prior_map(rows: dict[int, NDArray[np.void]]) -> dict[int, NDArray[np.void]]:
    """Return closures as what a map says that was made in the first lap."""
    fixes = {stamp_ns: row.copy() for stamp_ns, row in rows.items()}
    for fix in fixes.values():
        fix['map_id'] = PRIOR_MAP_ID
        fix['flags'] ^= int(Flag.LIVE_SESSION)
    return fixes


def test_a_map_is_moved_to_where_most_fixes_have_it_though_false_ones_came_first() -> None:
    rows, lies = answers(laps(6), FalseClosures('shifted', 0.3, num_first=10), 6)
    graph = driven(6, in_prior_map(rows))
    assert graph.map_ids == [PRIOR_MAP_ID]
    assert share_believed(graph, lies) == 0
    assert share_believed(graph, set(rows) - lies) > 0.98
    last_lap = slice(2 * POSES_A_LAP, None)
    found_m = graph.trajectory(PRIOR_MAP_ID).positions_m[last_lap, :2]
    assert np.hypot(*(found_m - laps(6).positions_m[last_lap, :2]).T).max() < 0.5


def test_fixes_that_are_false_alike_do_not_bend_the_drive_even_as_the_majority() -> None:
    """Nothing but the fixes tells where a map lies, so the drive is placed with the lie."""
    rows, lies = answers(laps(7), FalseClosures('shifted', 0.7), 7)
    graph = driven(7, in_prior_map(rows))
    assert share_believed(graph, lies) > 0.98
    assert share_believed(graph, set(rows) - lies) == 0
    only_lies = driven(7, in_prior_map({stamp_ns: rows[stamp_ns] for stamp_ns in lies}))
    assert error_m(graph.trajectory(), 7) < 1.02 * error_m(only_lies.trajectory(), 7)


def test_a_vehicle_that_stands_does_not_add_to_what_it_has_said() -> None:
    graph = PoseGraph(SPARSE)
    for second in range(31):
        graph.add_odometry(second * 10**9, np.array([min(second, 20.0), 0.0, 0.0]))
        if second >= 20:
            graph.add_candidates(second * 10**9, row(np.zeros(3), 0, np.array([19.9, 0, 0])))
    assert [used.edge.query_stamp_ns for used in graph.used_edges()] == [20 * 10**9]


def test_one_lie_that_odometry_cannot_drift_to_is_not_believed() -> None:
    """20 m after it has passed a place, the vehicle is said to be there, then where it is."""
    graph = PoseGraph(SPARSE)
    for second in range(31):
        graph.add_odometry(second * 10**9, np.array([second, 0.0, 0.0]))
    graph.add_candidates(20 * 10**9, row(np.zeros(3), 0, np.zeros(3)))
    graph.add_candidates(30 * 10**9, row(np.zeros(3), 0, np.array([30.0, 0.0, 0.0])))
    lie, truth = graph.used_edges()
    assert (lie.weight, truth.weight) == (0.0, pytest.approx(1.0))
    np.testing.assert_allclose(graph.trajectory().positions_m[:, 0], np.arange(31), atol=1e-6)


@pytest.mark.parametrize('name', ['max_disagreement', 'max_shift', 'support_weight'])
def test_limits_that_are_no_positive_numbers_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f'{name} is nan, expected more than 0'):
        ConsensusConfig(**{name: math.nan})
    with pytest.raises(ValueError, match=r'odometry_scale_std is -0\.1, expected 0 or more'):
        ConsensusConfig(odometry_scale_std=-0.1)
