# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the signs of recall on drives along a line, of which every answer is made up."""

from __future__ import annotations

from dataclasses import replace
import math

import numpy as np
import pytest
from ssd_ros.bev.preprocessing import RadarImage
from ssd_ros.motion.odometry import OdometryPose
from ssd_ros.radar.ego_velocity import EgoVelocity, Motion
from ssd_ros.recognition.answer import LoopClosureCandidate, Query, Recognition, StageTimes
from ssd_ros.recognition.decision import Decision, REPEATED
from ssd_ros.ros.health.inputs import Level
from ssd_ros.ros.matching.query_health import QueryStatistics
from ssd_ros.ros.matching.recall_proxies import RecallProxies

MAP_ID = 7
ACCEPTED, REJECTED = Decision('accepted', ''), Decision('rejected', '')
STANDING = EgoVelocity(Motion.STANDSTILL, np.zeros(3), np.zeros(3), np.zeros(0, bool))
QUERY = Query(
    0, RadarImage(np.zeros((1, 1), np.uint8), STANDING, np.zeros((0, 2))), None, None, 0, 0
)


def answer(
    x_m: float,
    decision: Decision = ACCEPTED,
    distance: float = 0.5,
    support: float = 1.0,
    is_live: bool = False,
) -> Recognition:
    """Return the answer that the radar stands at x_m in the map and looks along x."""
    candidate = LoopClosureCandidate(
        keyframe_id=0,
        map_id=MAP_ID,
        rank=0,
        relative_yaw_rad=0.0,
        relative_yaw_std_rad=0.05,
        relative_x_m=math.nan,
        relative_y_m=math.nan,
        covariance=np.full((3, 3), math.nan),
        overlap=math.nan,
        distance=distance,
        ratio=0.8,
        agreement=0.0,
        support=support,
        rival=0.0,
        ambiguity=0.0,
        confidence=math.nan,
        decision=decision,
        stamp_ns=0,
        position_m=np.array([x_m, 0.0, 0.0]),
        quaternion_xyzw=np.array([0.0, 0, 0, 1]),
        is_live=is_live,
    )
    return Recognition(0, (candidate,), decision, StageTimes(0, 0, 0, 0), 100, False, STANDING)


def at(travelled_m: float, turned: bool = True) -> OdometryPose:
    """Return odometry of a drive along its own x axis, the map's turned by 90 degrees."""
    planar = np.array([0.0, travelled_m, math.pi / 2]) if turned else None
    return OdometryPose(travelled_m, planar)


def judged(*answers: tuple[Recognition, OdometryPose | None]) -> dict[str, float]:
    proxies = RecallProxies()
    for recognition, odometry in answers:
        proxies.add(recognition, odometry, {MAP_ID: 0.9})
    return proxies.values()


@pytest.mark.parametrize('turned', [True, False])
def test_answers_that_move_as_the_vehicle_does_are_consistent(turned: bool) -> None:
    drive = [(answer(1000.0 + x), at(x, turned)) for x in range(0, 100, 2)]
    values = judged(*drive)
    assert (values['odom_consistency'], values['jump_rate']) == (1, 0)


@pytest.mark.parametrize('turned', [True, False])
def test_an_answer_elsewhere_breaks_the_pair_before_and_the_pair_after(turned: bool) -> None:
    drive = [(answer(1000.0 + x), at(x, turned)) for x in range(0, 60, 10)]
    drive[3] = answer(2000.0), at(30, turned)
    values = judged(*drive)
    assert values['odom_consistency'] == pytest.approx(3 / 5)
    assert values['jump_rate'] == pytest.approx(2 / 5)


def test_only_planar_odometry_sees_that_answers_go_back() -> None:
    planar = judged((answer(0), at(0)), (answer(-30), at(30)))
    speed = judged((answer(0), at(0, False)), (answer(-30), at(30, False)))
    assert (planar['odom_consistency'], speed['odom_consistency']) == (0, 1)


def test_pairs_nearer_than_five_metres_prove_nothing() -> None:
    values = judged(*[(answer(0.0), at(x)) for x in (0, 1, 2, 3, 4)])
    assert math.isnan(values['odom_consistency'])


def test_without_odometry_nothing_is_compared() -> None:
    values = judged((answer(0), None), (answer(500), None))
    assert math.isnan(values['odom_consistency'])
    assert math.isnan(values['jump_rate'])
    # Two parts of a path with an unknown step between them, likewise.
    values = judged((answer(0), at(0)), (answer(500), replace(at(10), segment=1)))
    assert math.isnan(values['jump_rate'])


def test_novelty_and_support_are_shares_of_the_answers() -> None:
    values = judged(
        (answer(0, REJECTED, distance=0.95, support=math.nan), None),
        (answer(0, distance=0.85, support=0.5), None),
        (answer(0, is_live=True, distance=0.95, support=0.6), None),
        (answer(0, distance=0.2, support=0.4), None),
    )
    assert values['novelty_rate'] == pytest.approx(1 / 3)  # the running drive does not count
    assert values['support_rate'] == pytest.approx(2 / 4)


def test_a_map_that_was_not_measured_says_nothing_of_novelty() -> None:
    proxies = RecallProxies()
    proxies.add(answer(0), None, {MAP_ID: 0.0})
    assert math.isnan(proxies.values()['novelty_rate'])


def test_agreement_is_a_median_in_metres() -> None:
    proxies = RecallProxies()
    assert math.isnan(proxies.values()['backend_agreement'])
    for distance_m in (1.0, 2.0, 50.0):
        proxies.add_agreement(distance_m)
    assert proxies.values()['backend_agreement'] == 2


def warned(statistics: QueryStatistics) -> str:
    status = statistics.matching_status(0.0, 1, 0)
    return status.message if status.level is Level.WARN else ''


@pytest.mark.parametrize(
    ('distance', 'message'),
    [(0.5, 'none of the last 200 queries was accepted'), (0.95, '100% of the queries resemble')],
)
def test_two_hundred_queries_without_an_accepted_one_are_a_warning(
    distance: float, message: str
) -> None:
    statistics = QueryStatistics(0.0, num_queries=200, num_since_accept=200)
    for _ in range(200):
        assert not statistics.proxies.add(answer(0, REJECTED, distance), None, {MAP_ID: 0.9})
    assert warned(statistics).startswith(message)
    statistics.num_since_accept = 199
    assert warned(statistics) == ''


def test_a_vehicle_that_stands_where_it_was_found_is_not_warned() -> None:
    statistics = QueryStatistics(0.0)
    for number in range(300):
        decision = REPEATED if number else ACCEPTED
        statistics.count_answer(answer(0, decision), QUERY, {MAP_ID: 0.9}, 0, 0)
    assert (statistics.num_accepted, statistics.num_since_accept) == (1, 0)
    assert warned(statistics) == ''


def test_another_drive_or_map_begins_anew() -> None:
    statistics = QueryStatistics(0.0, num_queries=200, num_since_accept=200)
    for x in (0, 10, 20):
        statistics.proxies.add(answer(0), at(x), {MAP_ID: 0.9})
    assert statistics.proxies.values()['odom_consistency'] == 0
    statistics.begin_anew()
    assert all(math.isnan(value) for value in statistics.proxies.values().values())
    assert warned(statistics) == ''


def test_accepted_places_against_the_odometry_are_a_warning() -> None:
    statistics = QueryStatistics(0.0)
    for number in range(11):
        statistics.proxies.add(answer(500.0 * (number % 2)), at(10.0 * number), {})
    assert warned(statistics).startswith('only 0% of the accepted places agree')
