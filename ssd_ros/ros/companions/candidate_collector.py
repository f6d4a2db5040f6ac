# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Write what the localizer answers to a file, until SIGINT or SIGTERM (exit code 0).

    python -m ssd_ros.ros.companions.candidate_collector --output FILE
        [--topic /ssd_localizer/candidates]

The file has one JSON object a line, flushed at once. The first one says that the localizer's
topic is there, so whoever plays clouds may begin:

    {"event": "matched"}

Each answer is one line, an empty list of rows included:

    {"stamp_ns": 1735689600000000001, "receive_ns": 123456789, "frame_id": "map", "rows": [
        {"keyframe_id": 12, "rank": 0, "distance": 0.31, "ratio": 0.7, "relative_yaw": 0.0,
         "map_x": 120.0, "map_y": 0.0, "map_z": 0.0, "flags": 17, ...}]}

Rows have the names of `ssd_ros.recognition.candidates.DTYPE`, NaN is null; `flags & 1` is
accepted. stamp_ns is that of the query, receive_ns CLOCK_MONOTONIC at arrival (see bag_player).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
import sys
import time

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import PointCloud2
from ssd_ros.recognition import candidates
from ssd_ros.ros.companions.json_lines import ANSWERS_MARK, JsonLines
from ssd_ros.ros.node.run import run, spin, StartupError


class CandidateCollector(Node):
    """Append each answer to a file."""

    def __init__(self, topic: str, output: JsonLines) -> None:
        """Subscribe; the file stays the caller's."""
        super().__init__('candidate_collector')
        self._output = output
        self._topic = topic
        self.create_subscription(PointCloud2, topic, self._on_candidates, QoSProfile(depth=100))
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(0.1, self._look_for_publisher, clock=clock)

    def _look_for_publisher(self) -> None:
        if self.count_publishers(self._topic):
            self._output.write({'event': 'matched'})
            self.destroy_timer(self._timer)

    def _on_candidates(self, msg: PointCloud2) -> None:
        receive_ns = time.monotonic_ns()
        stamp = msg.header.stamp
        rows = candidates.from_msg(msg)
        self._output.write(
            {
                'stamp_ns': stamp.sec * 10**9 + stamp.nanosec,
                'receive_ns': receive_ns,
                'frame_id': msg.header.frame_id,
                'rows': [
                    {name: row[name].item() for name in candidates.DTYPE.names or ()}
                    for row in rows
                ],
            }
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Collect until told to stop; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog='candidate_collector', description='collect candidates')
    parser.add_argument('--output', type=Path, required=True, help='file of JSON lines')
    parser.add_argument('--topic', default='/ssd_localizer/candidates')
    options, ros_args = parser.parse_known_args(argv)
    return run('candidate_collector', lambda: _collect(options), ros_args)


def _collect(options: argparse.Namespace) -> None:
    try:
        output = JsonLines(options.output, ANSWERS_MARK)
    except (OSError, ValueError) as error:
        raise StartupError(f'cannot write {options.output}: {error}') from error
    with output:
        node = CandidateCollector(options.topic, output)
        try:
            spin(node)
        finally:
            node.destroy_node()


if __name__ == '__main__':
    sys.exit(main())
