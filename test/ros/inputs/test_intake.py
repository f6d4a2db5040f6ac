# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which stamp a scan gets and what is said about messages without one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.radar.point_cloud2 import encode_point_cloud2
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.ros.inputs.intake import Intake, stamp_of_scan

SECOND_NS = 1_000_000_000
NOW_NS = 1_700_000_000 * SECOND_NS


@pytest.mark.parametrize(
    ('header_ns', 'source', 'expected'),
    [
        (NOW_NS - SECOND_NS, 'auto', (NOW_NS - SECOND_NS, False)),
        (NOW_NS - 3 * SECOND_NS, 'auto', (NOW_NS, True)),
        (NOW_NS + 3 * SECOND_NS, 'auto', (NOW_NS, True)),
        (0, 'auto', (NOW_NS, True)),
        (0, 'header', (0, False)),
        (5, 'header', (5, False)),
        (NOW_NS - SECOND_NS, 'receive', (NOW_NS, False)),
    ],
)
def test_the_stamp_follows_the_source(
    header_ns: int, source: str, expected: tuple[int, bool]
) -> None:
    assert stamp_of_scan(header_ns, NOW_NS, source, max_skew_s=2.0) == expected


def test_before_the_first_clock_message_the_header_is_believed() -> None:
    assert stamp_of_scan(5 * SECOND_NS, 0, 'auto', max_skew_s=2.0) == (5 * SECOND_NS, False)


def message(stamp_ns: int, num_points: int = 2) -> Any:
    """Return a message as the decoder sees it, with detections at 10 m, 20 m ..."""
    x = np.arange(1, num_points + 1, dtype=np.float32) * 10
    xyz_m = np.stack([x, 0 * x, 0 * x], axis=1)
    cloud = RadarPointCloud(0, xyz_m, np.zeros_like(x), np.zeros_like(x))
    stamp = SimpleNamespace(sec=stamp_ns // SECOND_NS, nanosec=stamp_ns % SECOND_NS)
    header = SimpleNamespace(stamp=stamp, frame_id='radar')
    return SimpleNamespace(header=header, **encode_point_cloud2(cloud))


class Listener:
    """An intake and what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.intake = Intake(DecoderConfig(), self.said.append)

    def hear(self, msg: Any, source: str = 'auto') -> RadarPointCloud | None:
        return self.intake.receive(msg, 1.0, NOW_NS, source, 2.0)


def test_a_zero_stamp_is_replaced_by_the_time_of_arrival_with_a_warning() -> None:
    listener = Listener()
    cloud = listener.hear(message(0))
    assert cloud is not None
    assert cloud.stamp_ns == NOW_NS
    assert len(cloud) == 2
    assert 'see stamp_source and max_stamp_skew' in listener.said[0]


def test_a_message_in_time_says_nothing_and_is_measured() -> None:
    listener = Listener()
    cloud = listener.hear(message(NOW_NS - 30_000_000))
    assert cloud is not None
    assert cloud.stamp_ns == NOW_NS - 30_000_000
    assert listener.said == []
    statistics = listener.intake.statistics
    assert (statistics.points_in, statistics.points_dropped) == (2, 0)
    assert statistics.stamp_skew_s == pytest.approx(0.03)
    assert statistics.frame_id == 'radar'


def test_stamps_that_go_back_are_counted() -> None:
    listener = Listener()
    for stamp_ns in (5 * SECOND_NS, 6 * SECOND_NS, 3 * SECOND_NS, 4 * SECOND_NS):
        listener.hear(message(stamp_ns), 'header')
    assert listener.intake.statistics.num_time_jumps == 1
    assert listener.said == ['time went back to 3.000 s: started a new window of scans']


def test_messages_without_a_scan_are_counted_by_reason() -> None:
    listener = Listener()
    short = message(NOW_NS)
    short.data = short.data[:-1]
    assert listener.hear(short) is None
    assert listener.hear(message(NOW_NS, num_points=0)) is None
    zeros = message(NOW_NS)
    zeros.data = bytes(len(zeros.data))
    assert listener.hear(zeros) is None
    errors = listener.intake.statistics.errors
    assert errors == {'short_data': 1, 'empty': 1, 'no_valid_point': 1}
    assert listener.said[1:] == [
        'empty cloud: does the driver lose packets?', 'none of 2 points is valid'
    ]  # fmt: skip
