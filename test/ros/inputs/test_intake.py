# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check which stamp a scan gets and what is said about messages without one."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ssd_ros.motion.stamp_order import Admitted
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.radar.point_cloud2 import encode_point_cloud2
from ssd_ros.radar.types import RadarPointCloud, Scan
from ssd_ros.ros.inputs.intake import Intake
from ssd_ros.ros.inputs.scan_decoders import cloud_decoder
from ssd_ros.ros.inputs.stamp_source import StampSource
from ssd_ros.ros.parameters.inputs import InputParameters

SECOND_NS = 1_000_000_000
MS = 1_000_000
NOW_NS = 1_700_000_000 * SECOND_NS


def message(stamp_ns: int, num_points: int = 2) -> Any:
    """Return a message as the decoder sees it, with detections at 10 m, 20 m ..."""
    x = np.arange(1, num_points + 1, dtype=np.float32) * 10
    xyz_m = np.stack([x, 0 * x, 0 * x], axis=1)
    cloud = RadarPointCloud(0, xyz_m, np.zeros_like(x), np.zeros_like(x))
    stamp = SimpleNamespace(sec=stamp_ns // SECOND_NS, nanosec=stamp_ns % SECOND_NS)
    header = SimpleNamespace(stamp=stamp, frame_id='radar')
    return SimpleNamespace(header=header, **encode_point_cloud2(cloud))


class Listener:
    """An intake at 10 Hz and what it said."""

    def __init__(self, source: str = 'auto') -> None:
        self.said: list[str] = []
        parameters = InputParameters(stamp_source=source)
        stamps = StampSource(lambda: parameters, self.said.append)
        self.intake = Intake(cloud_decoder(DecoderConfig()), self.said.append, stamps, 'points')
        self.num_heard = 0

    def hear(self, msg: Any) -> Admitted[Scan]:
        self.num_heard += 1
        elapsed_ns = self.num_heard * 100 * MS
        return self.intake.receive(msg, elapsed_ns / 1e9, NOW_NS + elapsed_ns)

    def stamps_s(self, ahead_s: Sequence[float]) -> list[float]:
        """Hear clouds whose stamps are so much ahead of their arrival; return the stamps used."""
        stamps_ns: list[int] = []
        for seconds in ahead_s:
            header_ns = NOW_NS + (self.num_heard + 1) * 100 * MS + round(seconds * 1e9)
            stamps_ns += [cloud.stamp_ns for _, cloud in self.hear(message(header_ns)).samples]
        return [round((stamp_ns - NOW_NS) / 1e9, 3) for stamp_ns in stamps_ns]


def test_a_zero_stamp_is_replaced_by_the_time_of_arrival_and_said_once() -> None:
    listener = Listener()
    stamps_ns = [listener.hear(message(0)).samples[0][1].stamp_ns for _ in range(20)]
    assert stamps_ns == [NOW_NS + number * 100 * MS for number in range(1, 21)]
    (text,) = listener.said
    assert text.startswith('stamps of points are 1.7e+09 s behind: all inputs are stamped by')


def test_a_message_in_time_says_nothing_and_is_measured() -> None:
    listener = Listener()
    assert listener.stamps_s([-0.03]) == [0.07]
    assert listener.said == []
    statistics = listener.intake.statistics
    assert (statistics.points_in, statistics.points_dropped) == (2, 0)
    assert statistics.stamp_skew_s == pytest.approx(0.03)
    assert statistics.frame_id == 'radar'


@pytest.mark.parametrize('source', ['auto', 'header'])
@pytest.mark.parametrize(
    ('ahead_s', 'reason'),
    [(1.5, 'ahead'), (3600, 'ahead'), (-1.3, 'late'), (-3600, 'late'), (-0.15, 'late')],
)
def test_one_odd_stamp_is_left_out_and_counted(source: str, ahead_s: float, reason: str) -> None:
    listener = Listener(source)
    used_s = listener.stamps_s([*[-0.02] * 20, ahead_s, *[-0.02] * 20])
    expected_s = [0.08 + 0.1 * number for number in range(41) if number != 20]
    assert used_s == pytest.approx(expected_s, abs=1e-3)
    assert listener.intake.statistics.errors == {reason: 1}
    stamps = listener.intake.statistics.stamps
    assert (getattr(stamps, reason), stamps.restarts, stamps.steps) == (1, 0, 0)


@pytest.mark.parametrize('stamp_ns', [0, -5 * SECOND_NS, (2**31 + 1) * SECOND_NS])
def test_a_stamp_that_says_nothing_is_left_out(stamp_ns: int) -> None:
    listener = Listener('header')
    listener.stamps_s([0.0] * 10)
    assert listener.hear(message(stamp_ns)).samples == ()
    assert len(listener.stamps_s([0.0] * 10)) == 10
    assert listener.intake.statistics.errors.total() == 1


def test_a_bag_that_begins_again_is_found_with_its_third_scan_and_none_is_lost() -> None:
    listener = Listener('header')
    listener.stamps_s([0.0] * 50)
    for number in range(2):
        assert listener.hear(message(NOW_NS - 5 * SECOND_NS + number * 100 * MS)) == Admitted()
    admitted = listener.hear(message(NOW_NS - 5 * SECOND_NS + 200 * MS))
    assert admitted.is_restart
    assert [stamp_ns - NOW_NS for stamp_ns, _ in admitted.samples] == [
        -5_000 * MS, -4_900 * MS, -4_800 * MS
    ]  # fmt: skip
    assert listener.intake.statistics.stamps.restarts == 1
    assert listener.said[-1] == (
        'time went back to 1699999995.200 s: started a new window of scans'
    )


def test_a_clock_that_is_set_to_now_goes_on_with_the_drive() -> None:
    listener = Listener('header')
    since_1970_s = -NOW_NS / 1e9 + 100
    used_s = listener.stamps_s([since_1970_s] * 30 + [0.0] * 30)
    assert len(used_s) == 60
    assert listener.intake.statistics.stamps.restarts == 0
    assert listener.said[-1].startswith('the clock of points was set by +1699999900')


def test_messages_without_a_scan_are_counted_by_reason() -> None:
    listener = Listener()
    short = message(NOW_NS)
    short.data = short.data[:-1]
    assert listener.hear(short) == Admitted()
    assert listener.hear(message(NOW_NS, num_points=0)) == Admitted()
    zeros = message(NOW_NS)
    zeros.data = bytes(len(zeros.data))
    assert listener.hear(zeros) == Admitted()
    errors = listener.intake.statistics.errors
    assert errors == {'short_data': 1, 'empty': 1, 'no_valid_point': 1}
    assert listener.said[1:] == [
        'empty cloud: does the driver lose packets?', 'none of 2 points is valid'
    ]  # fmt: skip
