# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Load the localizer with clouds at a steady rate and write down how soon it answers.

    python -m ssd_ros.ros.companions.load_probe --output FILE --seconds 60 [--rate 100]
        [--points 10000]

It starts when the localizer says that it is active, and ends with code 0 when the time is over and
the localizer had time to answer the last cloud. The file has one JSON object a line:

    {"t_s": 0.00, "start_s": 51234.5}
    {"t_s": 1.02, "latency_ms": 14.2}
    {"t_s": 2.00, "sent": 200, "diagnostics": {"input": {"level": 0, "message": "receiving",
        "values": {"messages": "200", ...}}, ...}}

t_s counts from the start of publishing, which start_s tells on CLOCK_MONOTONIC; latency_ms is the
time from publishing a cloud to holding its candidates, so it includes both ways through DDS.
"""

from __future__ import annotations

import argparse
import array
from collections import OrderedDict
from collections.abc import Sequence
import math
from pathlib import Path
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import PointCloud2, PointField
from ssd_ros.radar.point_cloud2 import encode_point_cloud2
from ssd_ros.radar.types import RadarPointCloud
from ssd_ros.ros.companions.json_lines import JsonLines, LOAD_MARK
from ssd_ros.ros.messages.conversions import time_msg
from ssd_ros.ros.node.run import run, spin, StartupError
from std_msgs.msg import String

_LOCALIZER = '/ssd_localizer'
_NUM_CLOUDS = 16  # different ones, sent in turn
_SPEED_MPS = 10.0
_MOST_AT_ONCE = 4
_DRAIN_S = 2.0  # after the last cloud: its answer and one more report of the node's health


class LoadProbe(Node):
    """Publish clouds, listen to candidates and diagnostics."""

    def __init__(self, options: argparse.Namespace, output: JsonLines) -> None:
        """Listen; publishing starts with the localizer. The file stays the caller's."""
        super().__init__('load_probe')
        self._output = output
        self._period_s, self._seconds = 1 / options.rate, options.seconds
        self._clouds = [random_cloud(number, options.points) for number in range(_NUM_CLOUDS)]
        self._start_s = math.nan
        self._sent = self._skipped = 0
        self._unanswered: OrderedDict[int, float] = OrderedDict()  # stamp -> time of publishing
        # As radar drivers publish.
        self._publisher = self.create_publisher(PointCloud2, 'points', qos_profile_sensor_data)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        listen = self.create_subscription
        listen(String, f'{_LOCALIZER}/map_info', self._on_active, latched)
        listen(PointCloud2, f'{_LOCALIZER}/candidates', self._on_candidates, QoSProfile(depth=100))
        listen(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_active(self, info: String) -> None:
        if math.isnan(self._start_s):
            self._start_s = time.monotonic()
            self._write({'start_s': self._start_s})
            self.create_timer(self._period_s, self._send_due, clock=_steady())
            self.create_timer(0.1, self._end_when_done, clock=_steady())

    def _send_due(self) -> None:
        elapsed_s = self._elapsed_s()
        if elapsed_s > self._seconds:
            return
        # A timer that comes late does not come twice: make up for it, but not for a long sleep.
        num_late = int(elapsed_s / self._period_s) - self._sent - self._skipped
        self._skipped += max(num_late - _MOST_AT_ONCE, 0)
        for _ in range(min(num_late, _MOST_AT_ONCE)):
            self._send()

    def _send(self) -> None:
        msg = self._clouds[self._sent % _NUM_CLOUDS]
        stamp_ns = time.time_ns()
        msg.header.stamp = time_msg(stamp_ns)
        self._unanswered[stamp_ns] = time.monotonic()
        self._publisher.publish(msg)
        self._sent += 1

    def _end_when_done(self) -> None:
        if self._elapsed_s() > self._seconds + _DRAIN_S:
            self.context.try_shutdown()  # ends spin()

    def _on_candidates(self, msg: PointCloud2) -> None:
        receive_s = time.monotonic()
        stamp_ns = msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec
        sent_s = self._unanswered.get(stamp_ns)
        if sent_s is None:
            return
        # Answers come in order: what is older will not be answered any more.
        while self._unanswered.popitem(last=False)[0] != stamp_ns:
            pass
        self._write({'latency_ms': round((receive_s - sent_s) * 1e3, 3)})

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        if math.isnan(self._start_s):
            return
        statuses = {
            status.name.rpartition(': ')[2]: {
                'level': status.level[0],
                'message': status.message,
                'values': {item.key: item.value for item in status.values},
            }
            for status in msg.status
        }
        self._write({'sent': self._sent, 'diagnostics': statuses})

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._start_s

    def _write(self, record: dict[str, Any]) -> None:
        self._output.write({'t_s': round(self._elapsed_s(), 3), **record})


def random_cloud(seed: int, num_points: int) -> PointCloud2:
    """Return detections anywhere in view, as an ARS548 at 10 m/s sends them; the stamp is 0."""
    generator = np.random.default_rng(seed)
    range_m = generator.uniform(2, 149, num_points)
    azimuth_rad = np.radians(generator.uniform(-59, 59, num_points))
    xyz_m = np.zeros((num_points, 3), np.float32)
    xyz_m[:, 0], xyz_m[:, 1] = range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad)
    cloud = RadarPointCloud(
        0,
        xyz_m,
        generator.normal(0, 8, num_points).astype(np.float32),
        (-_SPEED_MPS * np.cos(azimuth_rad)).astype(np.float32),
    )
    attributes = encode_point_cloud2(cloud)
    attributes['fields'] = [
        PointField(name=item.name, offset=item.offset, datatype=item.datatype, count=item.count)
        for item in attributes['fields']
    ]
    attributes['data'] = array.array('B', attributes['data'])
    msg = PointCloud2(**attributes)
    msg.header.frame_id = 'radar'
    return msg


def _steady() -> Clock:
    return Clock(clock_type=ClockType.STEADY_TIME)


def main(argv: Sequence[str] | None = None) -> int:
    """Load the localizer; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog='load_probe', description='load the localizer')
    parser.add_argument('--output', type=Path, required=True, help='file of JSON lines')
    parser.add_argument('--seconds', type=float, required=True, help='time of publishing')
    parser.add_argument('--rate', type=float, default=20.0, help='clouds per second (%(default)s)')
    parser.add_argument('--points', type=int, default=800, help='in each cloud (%(default)s)')
    options, ros_args = parser.parse_known_args(argv)
    return run('load_probe', lambda: _probe(options), ros_args)


def _probe(options: argparse.Namespace) -> None:
    try:
        output = JsonLines(options.output, LOAD_MARK)
    except (OSError, ValueError) as error:
        raise StartupError(f'cannot write {options.output}: {error}') from error
    with output:
        node = LoadProbe(options, output)
        try:
            spin(node)
        finally:
            node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
