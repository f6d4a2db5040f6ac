# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what counters say about the health of the node."""

from __future__ import annotations

import math

import pytest
from ssd_ros.motion.mounting_check import YawError
from ssd_ros.ros.health.inputs import InputStatistics, Level
from ssd_ros.ros.matching.query_health import QueryStatistics

MIN_POINTS = 30


def judged(statistics: InputStatistics, now_s: float) -> tuple[Level, str]:
    status = statistics.status(now_s, '/points', MIN_POINTS)
    return status.level, status.message


def started(at_s: float = 100.0) -> InputStatistics:
    statistics = InputStatistics()
    statistics.start(at_s)
    return statistics


def heard(num: int, at_s: float = 100.0, points: int = 100) -> InputStatistics:
    statistics = started()
    for _ in range(num):
        statistics.count_message(at_s)
        statistics.count_used(points)
    return statistics


def test_a_silent_topic_is_waited_for_then_an_error() -> None:
    statistics = started()
    assert judged(statistics, 101.9) == (Level.OK, 'waiting for the first message')
    level, message = judged(statistics, 105.0)
    assert level is Level.ERROR
    assert message.startswith('no message on /points for 5 s: is the driver running')


def test_a_topic_that_falls_silent_is_an_error() -> None:
    statistics = heard(20)
    assert judged(statistics, 101.0)[0] is Level.OK
    assert judged(statistics, 103.0)[0] is Level.ERROR


def test_silence_while_the_node_was_not_active_does_not_count() -> None:
    statistics = heard(20)
    statistics.start(500.0)
    assert judged(statistics, 501.0)[0] is Level.OK
    assert judged(statistics, 503.0)[0] is Level.ERROR


def test_the_rate_is_that_since_the_last_report() -> None:
    statistics = heard(20)
    assert statistics.status(102.0, '/points', MIN_POINTS).values['rate_hz'] == 10
    statistics.count_message(102.5)
    statistics.count_used(100)
    assert statistics.status(103.0, '/points', MIN_POINTS).values['rate_hz'] == 1


def test_few_points_are_a_warning() -> None:
    assert judged(heard(20, points=29), 101.0) == (Level.WARN, 'few points: 29 in the window')
    assert judged(heard(20, points=30), 101.0)[0] is Level.OK


def test_doppler_against_odometry_is_a_warning_while_it_lasts() -> None:
    statistics = heard(20)
    statistics.is_doppler_opposite = True
    level, message = judged(statistics, 101.0)
    assert (level, message) == (
        Level.WARN,
        'Doppler runs against odometry: is doppler_sign wrong, or the yaw of the radar?',
    )  # fmt: skip
    statistics.is_doppler_opposite = False
    assert judged(statistics, 101.0)[0] is Level.OK


def test_a_radar_that_points_elsewhere_is_a_warning_with_the_way_out() -> None:
    statistics = heard(20)
    statistics.frame_id = 'ars548'
    statistics.yaw_error = YawError(math.radians(5), math.radians(0.1))
    assert judged(statistics, 101.0) == (
        Level.WARN,
        'the 4D radar points 5.0 degrees (+-0.1) to the left of where its mounting says: add '
        '+0.0873 rad to its yaw in radar_extrinsics, or in the static transform of ars548',
    )
    values = statistics.status(101.0, '/points', MIN_POINTS).values
    assert (values['yaw_error_deg'], values['yaw_error_sigma_deg']) == (5.0, 0.1)
    for right in (YawError(), YawError(math.radians(-1), math.radians(0.1))):
        statistics.yaw_error = right
        assert judged(statistics, 101.0)[0] is Level.OK


def test_bad_messages_are_a_warning_and_only_bad_ones_an_error() -> None:
    statistics = heard(3)
    statistics.count_message(100.0)
    statistics.count_error('empty', 'empty cloud')
    assert judged(statistics, 101.0) == (
        Level.WARN, 'some messages were not usable: empty cloud'
    )  # fmt: skip
    statistics.count_message(101.5)
    statistics.count_error('empty', 'empty cloud')
    status = statistics.status(102.0, '/points', MIN_POINTS)
    assert (status.level, status.message) == (Level.ERROR, 'no message was usable: empty cloud')
    assert status.values['refused_empty'] == 2


def test_latencies_are_given_as_median_two_percentiles_and_largest() -> None:
    statistics = QueryStatistics(100.0)
    for duration_ms in range(101):
        statistics.time_stage('encode', float(duration_ms))
    values = statistics.inference_status(101.0, 'CPU').values
    assert values['encode_ms'] == 'p50 50.00 p95 95.00 p99 99.00 max 100.00'


def test_the_duty_cycle_is_that_since_the_last_report() -> None:
    statistics = QueryStatistics(100.0)
    statistics.busy_s = 0.5
    assert statistics.inference_status(101.0, 'CPU').values['duty_cycle'] == 0.5
    assert statistics.inference_status(102.0, 'CPU').values['duty_cycle'] == 0


def test_a_failed_query_is_an_error_once() -> None:
    statistics = QueryStatistics(100.0)
    statistics.num_failed, statistics.last_error = 1, 'ValueError: x'
    status = statistics.inference_status(101.0, 'CPU')
    assert (status.level, status.message) == (Level.ERROR, 'a query failed: ValueError: x')
    assert statistics.inference_status(102.0, 'CPU').level is Level.OK


def test_matching_reports_shares_and_medians() -> None:
    statistics = QueryStatistics(100.0, num_queries=4, num_accepted=1, last_accept_s=101.0)
    statistics.distances.extend([0.2, 0.4, 0.6])
    values = statistics.matching_status(103.0, num_keyframes=7, num_live=0).values
    assert values['accept_rate'] == 0.25
    assert values['top1_distance_p50'] == pytest.approx(0.4)
    assert values['time_since_accept_s'] == 2
    assert values['keyframes'] == 7


def test_of_the_radar_five_queries_in_a_row_tell() -> None:
    statistics = QueryStatistics(100.0)
    told = []
    for unlike in ['', 'a', 'a', 'a', 'a', '', 'b', 'b', 'b', 'b', 'c', 'd', '', '', '', '', '']:
        statistics.tell_radar(unlike)
        told.append(statistics.unlike_radar)
    assert told == [''] * 10 + ['c', 'd', 'd', 'd', 'd', 'd', '']
    statistics.unlike_radar = 'd'
    statistics.begin_anew()
    assert statistics.unlike_radar == ''


def test_a_slow_topic_is_a_warning() -> None:
    statistics = started()
    for number in range(10):
        statistics.count_message(100.0 + number)  # once a second
        statistics.count_used(100)
    level, message = judged(statistics, 109.5)
    assert level is Level.WARN
    assert message.startswith('low rate: 1.0 Hz')


def test_queries_that_take_all_the_time_are_a_warning() -> None:
    statistics = QueryStatistics(100.0)
    statistics.busy_s = 0.97
    status = statistics.inference_status(101.0, 'CPU')
    assert (status.level, status.message[:37]) == (
        Level.WARN, 'queries take all the time, 97% of it:'
    )  # fmt: skip
