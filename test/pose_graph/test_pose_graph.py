# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose graph against drives whose truth is known, right candidates and wrong ones."""

from __future__ import annotations

import math
from pathlib import Path
import re

import numpy as np
from numpy.typing import NDArray
import pytest

pytest.importorskip('gtsam', reason='gtsam is not installed (make test installs it)')

from ssd_ros.motion.trajectory import Trajectory
from ssd_ros.pose_graph.candidate_edges import candidate_edges
from ssd_ros.pose_graph.config import ConsensusConfig, EdgeNoise, PoseGraphConfig
from ssd_ros.pose_graph.graph import PoseGraph
from ssd_ros.pose_graph.results import check_results, remove_results, TRAJECTORIES
from ssd_ros.pose_graph.trajectory_files import (
    absolute_trajectory_error_m,
    aligned,
    read_tum,
    write_tum,
)
from ssd_ros.recognition.candidates import Flag
from ssd_ros.targets import TargetError
from support.drives.three_laps import (
    closures,
    odometry,
    planar,
    POSES_A_LAP,
    PRIOR_MAP_ID,
    relative,
    row,
    truth,
)

DRIVE = truth()
ODOMETRY = odometry(DRIVE)
SPARSE = PoseGraphConfig(node_spacing_m=6.0)  # quicker than the default
ALL_BELIEVED = ConsensusConfig(max_disagreement=math.inf, max_shift=math.inf)


def driven(answers: dict[int, NDArray[np.void]], config: PoseGraphConfig = SPARSE) -> PoseGraph:
    graph = PoseGraph(config)
    for stamp_ns, pose in zip(DRIVE.stamps_ns.tolist(), planar(ODOMETRY), strict=True):
        graph.add_odometry(stamp_ns, pose)
        if stamp_ns in answers:
            graph.add_candidates(stamp_ns, answers[stamp_ns])
    return graph


def error_m(found: Trajectory) -> float:
    return absolute_trajectory_error_m(found.positions_m[:, :2], DRIVE.positions_m[:, :2])


def is_right(graph: PoseGraph) -> NDArray[np.bool_]:
    """Return for each used edge whether it names the place that the query saw."""
    right = []
    for used in graph.used_edges():
        stamps_ns = np.array([used.edge.keyframe_stamp_ns, used.edge.query_stamp_ns])
        keyframe, query = DRIVE.at(stamps_ns)[1].positions_m[:, :2]
        right.append(np.hypot(*(keyframe - query)) < 5)
    return np.array(right)


def straight(graph: PoseGraph, num: int = 11) -> None:
    """Drive along x, a metre and a second a step."""
    for second in range(num):
        graph.add_odometry(second * 10**9, np.array([second, 0.0, 0.0]))


def test_without_candidates_the_graph_is_the_odometry() -> None:
    graph = driven({})
    assert error_m(ODOMETRY) == pytest.approx(3.7, abs=0.1)
    np.testing.assert_allclose(graph.trajectory().positions_m, ODOMETRY.positions_m, atol=1e-6)
    assert graph.map_ids == []


def test_loop_closures_take_away_most_of_the_drift() -> None:
    graph = driven(closures(DRIVE))
    # What is left is the scale of the odometry, 1.5 % of the size of the loop: no closure sees it.
    assert error_m(graph.trajectory()) < 1.1
    assert len(graph.used_edges()) > 150
    assert 170 < len(graph.nodes) < 200  # 1172 m, a node every 6 to 6.7 m


@pytest.mark.parametrize('is_tied', [True, False])
def test_closures_tie_two_segments_together(is_tied: bool) -> None:
    """In the middle of the drive, odometry begins anew at its origin, turned by a radian."""
    graph, half = PoseGraph(SPARSE), len(DRIVE) // 2
    answers, poses = closures(DRIVE) if is_tied else {}, planar(ODOMETRY)
    cos, sin = math.cos(1.0), math.sin(1.0)
    away_m = poses[half:, :2] - poses[half, :2]
    poses[half:] = np.column_stack(
        [away_m @ np.array([[cos, sin], [-sin, cos]]), poses[half:, 2] + 1]
    )
    for number, (stamp_ns, pose) in enumerate(zip(DRIVE.stamps_ns.tolist(), poses, strict=True)):
        graph.add_odometry(stamp_ns, pose, int(number >= half))
        if stamp_ns in answers:
            graph.add_candidates(stamp_ns, answers[stamp_ns])
    assert error_m(graph.odometry()) > 30
    if is_tied:
        assert error_m(graph.trajectory()) < 1.3
    else:
        assert error_m(graph.trajectory()) > 3


def test_wrong_candidates_are_outvoted() -> None:
    graph = driven(closures(DRIVE, wrong_share=0.2))
    assert error_m(graph.trajectory()) < 1.2
    weights = np.array([used.weight for used in graph.used_edges()])
    right = is_right(graph)
    assert np.mean(~right) > 0.15
    assert weights[~right].max() < 0.05
    assert np.median(weights[right]) > 0.3


def test_without_the_robust_loss_the_same_wrong_candidates_ruin_the_drive() -> None:
    config = PoseGraphConfig(node_spacing_m=8.0, robust_width=1e3, consensus=ALL_BELIEVED)
    assert error_m(driven(closures(DRIVE, wrong_share=0.2), config).trajectory()) > 10


def test_a_prior_map_gives_the_drive_its_place_even_far_from_the_map_origin() -> None:
    answers = closures(DRIVE, 0.2, PRIOR_MAP_ID)
    utm = np.array([500_000.0, 4_500_000.0])
    for rows in answers.values():
        rows['map_x'] += utm[0]
        rows['map_y'] += utm[1]
    graph = driven(answers)
    assert graph.map_ids == [PRIOR_MAP_ID]
    found = graph.trajectory(PRIOR_MAP_ID).positions_m[POSES_A_LAP:, :2] - utm
    errors_m = np.hypot(*(found - DRIVE.positions_m[POSES_A_LAP:, :2]).T)
    assert np.sqrt(np.mean(errors_m**2)) < 0.2
    assert errors_m.max() < 0.5


def test_candidates_that_disagree_place_no_map() -> None:
    graph = PoseGraph(PoseGraphConfig(consensus=ConsensusConfig(min_fixes=3)))
    straight(graph)
    for number, place in enumerate(([0.0, 0.0, 0.0], [50.0, 0.0, 0.0], [0.0, 90.0, 1.0])):
        rows = row(np.array(place), 1, np.zeros(3), PRIOR_MAP_ID)
        graph.add_candidates(2 * number * 10**9, rows)
    assert graph.map_ids == []
    assert graph.used_edges() == []
    # At 6 and 8 s the vehicle is where the first one says.
    for second in (6, 8):
        rows = row(np.array([second, 0.0, 0.0]), 1, np.zeros(3), PRIOR_MAP_ID)
        graph.add_candidates(second * 10**9, rows)
    assert graph.map_ids == [PRIOR_MAP_ID]
    assert len(graph.used_edges()) == 5


def test_a_query_between_two_nodes_is_carried_to_the_node_before_it_by_odometry() -> None:
    graph = PoseGraph(PoseGraphConfig(node_spacing_m=4.0, odometry_std_m=1.0))
    straight(graph)
    # Nodes at 0, 4 and 8 m. At 9.5 s the vehicle says: I am 8.5 m before where I was at 1 s, so
    # odometry is 0 m long for it, while the odometry between says 8.5 m.
    rows = row(np.zeros(3), 10**9, np.array([8.5, 0.0, 0.0]))
    graph.add_candidates(9_500_000_000, rows)
    np.testing.assert_allclose(graph.trajectory().positions_m[:, 0], np.arange(11), atol=1e-6)
    assert graph.used_edges()[0].weight == pytest.approx(1.0)


def test_the_keyframes_of_a_radar_off_the_base_are_seen_from_the_base() -> None:
    graph = PoseGraph(PoseGraphConfig(node_spacing_m=4.0, radar_in_base=(2.0, 0.0, 0.0)))
    straight(graph)
    # The keyframe of 1 s lies at 3 m, 5 m behind the base of 8 s.
    graph.add_candidates(8 * 10**9, row(np.zeros(3), 10**9, np.array([5.0, 0.0, 0.0])))
    np.testing.assert_allclose(graph.trajectory().positions_m[:, 0], np.arange(11), atol=1e-6)


def test_candidates_that_come_before_the_odometry_wait_for_it() -> None:
    graph = PoseGraph()
    rows = row(np.zeros(3), 10**9, np.array([8.0, 0.0, 0.0]))
    graph.add_candidates(9 * 10**9, rows)
    straight(graph, 9)
    assert graph.used_edges() == []
    straight_on = np.array([9.0, 0.0, 0.0])
    graph.add_odometry(9 * 10**9, straight_on)
    assert [used.edge.query_stamp_ns for used in graph.used_edges()] == [9 * 10**9]


def test_candidates_from_before_the_odometry_began_are_dropped() -> None:
    graph = PoseGraph()
    graph.add_candidates(-5, row(np.zeros(3), -9, np.zeros(3)))
    straight(graph)
    graph.add_candidates(9 * 10**9, row(np.zeros(3), -9, np.zeros(3)))
    assert graph.used_edges() == []


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('flags', int(Flag.YAW_VALID | Flag.LIVE_SESSION)),
        ('flags', int(Flag.ACCEPTED | Flag.LIVE_SESSION)),
        ('relative_yaw', math.nan),
        ('relative_y', math.inf),
        ('covariance_xx', math.nan),
        ('covariance_xy', 9.0),  # more than both variances: no covariance
        ('relative_yaw_std', math.nan),
        ('map_x', math.nan),
        ('map_z', -1e9),
        ('relative_x', 1e30),
        ('qw', 0.0),
        ('covariance_yy', 1e7),
        ('relative_yaw_std', 1e30),
    ],
)
def test_what_is_not_accepted_or_impossible_makes_no_edge(field: str, value: float) -> None:
    rows = row(np.zeros(3), 10**9, np.array([8.0, 0.0, 0.0]))
    assert len(candidate_edges(9 * 10**9, rows, EdgeNoise())) == 1
    rows[field] = value
    assert candidate_edges(9 * 10**9, rows, EdgeNoise()) == []


def test_one_candidate_of_each_map_and_query_is_used() -> None:
    live = row(np.zeros(3), 10**9, np.zeros(3))
    prior = row(np.ones(3), 1, np.zeros(3), PRIOR_MAP_ID)
    edges = candidate_edges(5, np.concatenate([live, live, prior, prior]), EdgeNoise())
    assert [edge.is_live for edge in edges] == [True, False]


def test_the_covariance_is_turned_into_the_axes_of_the_query() -> None:
    rows = row(np.zeros(3), 10**9, np.array([1.0, 2.0, math.pi / 2]))
    rows['covariance_xx'], rows['covariance_yy'] = 4.0, 1.0
    rows['covariance_x_yaw'], rows['relative_yaw_std'] = 0.1, 0.2
    (edge,) = candidate_edges(5, rows, EdgeNoise(position_std_m=0.5, yaw_std_rad=0.1))
    # The query looks along the keyframe's y: its own y is the keyframe's -x.
    expected = [[1.25, 0.0, 0.0], [0.0, 4.25, -0.1], [0.0, -0.1, 0.05]]
    np.testing.assert_allclose(edge.covariance, expected, atol=1e-6)


def test_a_row_that_was_not_verified_says_only_that_the_keyframe_is_near() -> None:
    rows = row(np.zeros(3), 10**9, np.array([math.nan, math.nan, 0.3]))
    (edge,) = candidate_edges(5, rows, EdgeNoise(unverified_std_m=3.0))
    assert (edge.keyframe_query.x(), edge.keyframe_query.y()) == (0.0, 0.0)
    assert edge.covariance[0, 0] == pytest.approx(9.04)


def test_relative_poses_of_the_test_drive_follow_the_convention() -> None:
    seen = relative(np.array([1.0, 1.0, math.pi / 2]), np.array([1.0, 4.0, math.pi]))
    np.testing.assert_allclose(seen, [3.0, 0.0, math.pi / 2], atol=1e-12)


@pytest.mark.parametrize(
    ('stamp_ns', 'x_m', 'message'),
    [(10 * 10**9, 11.0, 'expected ascending stamps'), (11 * 10**9, math.nan, 'finite')],
)
def test_impossible_odometry_is_refused(stamp_ns: int, x_m: float, message: str) -> None:
    graph = PoseGraph()
    straight(graph)
    with pytest.raises(ValueError, match=message):
        graph.add_odometry(stamp_ns, np.array([x_m, 0.0, 0.0]))
    assert graph.newest_stamp_ns == 10 * 10**9


@pytest.mark.parametrize('name', ['node_spacing_m', 'odometry_std_m', 'robust_width'])
def test_a_weight_that_is_no_positive_number_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f'{name} is 0.0, expected more than 0'):
        PoseGraphConfig(**{name: 0.0})
    with pytest.raises(ValueError, match='position_std_m is nan'):
        EdgeNoise(position_std_m=math.nan)
    with pytest.raises(ValueError, match='min_fixes is 0'):
        ConsensusConfig(min_fixes=0)
    with pytest.raises(ValueError, match='radar_in_base is'):
        PoseGraphConfig(radar_in_base=(0.0, math.nan, 0.0))


def test_the_error_is_what_alignment_leaves() -> None:
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    turned = square @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + [30.0, -7.0]
    np.testing.assert_allclose(aligned(turned, square), square, atol=1e-12)
    # Twice as large about the same middle: every corner is off by half a diagonal.
    assert absolute_trajectory_error_m(2 * turned, square) == pytest.approx(math.sqrt(0.5))
    with pytest.raises(ValueError, match=r'expected \(N, 2\) twice'):
        aligned(square, square[:3])


def test_a_trajectory_of_another_program_stays_whatever_its_decimals(tmp_path: Path) -> None:
    mine = '1700000000.000000123 1.000000 2.000000 0.000000 0.000000 0.000000 0.000000 1.000000\n'
    for name in TRAJECTORIES:
        (tmp_path / name).write_text(mine)
        for work in (check_results, remove_results):
            with pytest.raises(TargetError, match=f'{name} exists and was not made by ssd_ros'):
                work(tmp_path)
        with pytest.raises(TargetError, match=f'{name} exists and was not made by ssd_ros'):
            write_tum(tmp_path / name, DRIVE)
        assert (tmp_path / name).read_text() == mine
        (tmp_path / name).unlink()
        write_tum(tmp_path / name, DRIVE)
    remove_results(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_trajectory_file_comes_back_to_the_nanosecond(tmp_path: Path) -> None:
    write_tum(tmp_path / 'drive.tum', DRIVE)
    back = read_tum(tmp_path / 'drive.tum')
    np.testing.assert_array_equal(back.stamps_ns, DRIVE.stamps_ns)
    np.testing.assert_allclose(back.positions_m, DRIVE.positions_m, atol=1e-6)
    np.testing.assert_allclose(back.quaternions_xyzw, DRIVE.quaternions_xyzw, atol=1e-6)
    comment, first, *_ = (tmp_path / 'drive.tum').read_text().splitlines()
    assert re.fullmatch(r'# made by ssd_ros \d.*', comment)
    assert first.startswith('1700000000.000000123 74.88')
    (tmp_path / 'short.tum').write_text('1.0 2.0\n')
    with pytest.raises(ValueError, match=r'short\.tum:1 has 2 numbers, expected 8'):
        read_tum(tmp_path / 'short.tum')
