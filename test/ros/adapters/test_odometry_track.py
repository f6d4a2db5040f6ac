# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What adapters remember of a drive outlives messages that are late or odd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ssd_ros.ros.adapters.graph_nodes import GraphNode, GraphNodes
from ssd_ros.ros.adapters.odometry_track import OdometryTrack
from support.localizer import odometry_msg
from support.ros import Peer

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


@pytest.fixture
def track(peer: Peer) -> Iterator[OdometryTrack]:
    track = OdometryTrack(peer.node)
    yield track
    track.destroy()


def hear(track: OdometryTrack, seconds: float, x_m: float) -> None:
    """Hand a message on as the executor does."""
    track._on_odometry(odometry_msg(x_m, START + round(seconds * SECOND)))


def drive(track: OdometryTrack, first: int, end: int) -> None:
    """Drive at 10 m/s, a message every 100 ms."""
    for number in range(first, end):
        hear(track, number / 10, float(number))


def moved_m(track: OdometryTrack, start_s: float, end_s: float) -> float | None:
    motion = track.motion(START + round(start_s * SECOND), START + round(end_s * SECOND))
    return None if motion is None else float(motion.position_m[0])


@pytest.mark.parametrize('odd_s', [3599.95, 3598.7, 3700.0, 7200.0, 0.0, -1e8])
def test_an_hour_is_kept_whatever_one_message_says(track: OdometryTrack, odd_s: float) -> None:
    drive(track, 0, 36_000)
    hear(track, odd_s, 35_999.5)
    drive(track, 36_000, 36_001)
    assert len(track) == 36_001
    assert moved_m(track, 10.0, 3600.0) == pytest.approx(35_900.0)
    assert moved_m(track, 3599.0, 3599.97) == pytest.approx(9.7)


def test_a_bag_that_begins_again_is_found_within_three_messages(track: OdometryTrack) -> None:
    drive(track, 0, 500)
    drive(track, 0, 3)
    assert len(track) == 3
    assert moved_m(track, 0.0, 0.2) == pytest.approx(2.0)


def test_motion_across_an_odometry_that_begins_anew_is_not_known(track: OdometryTrack) -> None:
    drive(track, 0, 100)
    for number in range(100, 200):  # at its origin again
        hear(track, number / 10, float(number - 100))
    assert moved_m(track, 1.0, 9.0) == pytest.approx(80.0)
    assert moved_m(track, 11.0, 19.0) == pytest.approx(80.0)
    assert moved_m(track, 9.0, 11.0) is None
    assert moved_m(track, 9.0, 9.95) is None  # between two frames


def nodes(num: int) -> GraphNodes:
    graph = GraphNodes()
    for number in range(num):
        assert not graph.add(GraphNode(START + number * SECOND, number + 1))
    return graph


def test_3600_nodes_are_kept_whatever_one_message_says() -> None:
    for odd in (
        GraphNode(START + 3599 * SECOND - 50_000_000, 3599),
        GraphNode(START, 3601),
        GraphNode(START + 10_000 * SECOND, 3601),
        GraphNode(START + 3600 * SECOND, 7),
    ):
        graph = nodes(3600)
        assert not graph.add(odd)
        assert not graph.add(GraphNode(START + 3601 * SECOND, 3602))
        assert 3601 <= len(graph) <= 3602
        assert graph.is_of_this_drive(1)
        nearest = graph.nearest(START + 100 * SECOND)
        assert nearest is not None
        assert nearest.number == 101


def test_nodes_of_another_drive_or_another_map_replace_those_before() -> None:
    for again in (-1000, 3600):  # a bag again; the map of RTAB-Map emptied
        graph = nodes(3600)
        begun = [graph.add(GraphNode(START + (again + n) * SECOND, n + 1)) for n in range(4)]
        assert begun == [False, False, True, False]
        assert len(graph) == 4
