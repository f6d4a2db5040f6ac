# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Publish the point clouds of a rosbag2 as the sensor did: same bytes, same stamps, same pace.

    python -m ssd_ros.ros.companions.bag_player --bag DIR --topic /radar/points
        [--odometry-topic /odom] [--rate 1.0] [--wait-for 1] [--log FILE]
        [--ros-args -r /radar/points:=/points ...]

It starts when `--wait-for` subscribers of each topic are there (0: at once), and ends with code 0
when all is sent and, as far as subscribers are reliable, received; with 1 and one line on stderr
if it cannot.

`--log` gets one JSON object a line, written as each cloud is published:

    {"stamp_ns": 1735689600000000001, "publish_ns": 123456789}

stamp_ns is header.stamp; publish_ns is CLOCK_MONOTONIC, which all processes of a machine share:
subtract it from receive_ns of candidate_collector with the same stamp_ns to get the latency.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
import sys
import time

from nav_msgs.msg import Odometry
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Reader, ReaderError
from sensor_msgs.msg import PointCloud2
from ssd_ros.ros.companions.json_lines import JsonLines, PUBLISHED_MARK
from ssd_ros.ros.node.run import run, StartupError

_DISCOVERY_LIMIT_S = 30.0
_RECEIPT_LIMIT_S = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Play a bag; returns the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog='bag_player', description='publish clouds of a bag')
    parser.add_argument('--bag', type=Path, required=True, help='rosbag2 directory')
    parser.add_argument('--topic', required=True, help='sensor_msgs/PointCloud2 in the bag')
    parser.add_argument('--odometry-topic', help='nav_msgs/Odometry in the bag, played as well')
    parser.add_argument('--rate', type=float, default=1.0, help='of playing, 2 = twice as fast')
    parser.add_argument('--wait-for', type=int, default=1, help='subscribers to wait for')
    parser.add_argument('--log', type=Path, help='JSON lines of what was published when')
    options, ros_args = parser.parse_known_args(argv)
    if not options.rate > 0:
        parser.error(f'--rate is {options.rate}, expected more than 0')
    return run('bag_player', lambda: _play(options), ros_args)


def _play(options: argparse.Namespace) -> None:
    node = Node('bag_player')
    try:
        kinds = {options.topic: PointCloud2}
        if options.odometry_topic:
            kinds[options.odometry_topic] = Odometry
        publishers = {topic: node.create_publisher(kinds[topic], topic, 10) for topic in kinds}
        with ExitStack() as stack:
            reader = _opened(options.bag, stack)
            log = _log(options.log, stack) if options.log else None
            messages = _messages(reader, kinds)
            for publisher in publishers.values():
                _wait_for(node, publisher, options.wait_for)
            _publish_all(node, publishers, messages, options, log)
        for publisher in publishers.values():
            _wait_for_receipt(node, publisher)
    finally:
        node.destroy_node()


def _opened(bag: Path, stack: ExitStack) -> Reader:
    try:
        return stack.enter_context(Reader(bag))
    except (ReaderError, OSError) as error:
        raise StartupError(f'cannot read bag {bag}: {error}') from error


def _log(path: Path, stack: ExitStack) -> JsonLines:
    try:
        return stack.enter_context(JsonLines(path, PUBLISHED_MARK))
    except (OSError, ValueError) as error:
        raise StartupError(f'cannot write {path}: {error}') from error


def _messages(reader: Reader, kinds: Mapping[str, type]) -> Iterator[tuple[int, str, bytes]]:
    """Return time in the bag, topic and serialised message of all that is to be played."""
    connections = [connection for connection in reader.connections if connection.topic in kinds]
    found = [f'{connection.topic} ({connection.msgtype})' for connection in reader.connections]
    for topic, kind in kinds.items():
        names = {connection.msgtype for connection in connections if connection.topic == topic}
        if [name.rpartition('/')[2] for name in names] != [kind.__name__]:
            raise StartupError(f'no {kind.__name__} on {topic}; the bag has {", ".join(found)}')
    return (
        (time_ns, connection.topic, bytes(data))
        for connection, time_ns, data in reader.messages(connections)
    )


def _wait_for(node: Node, publisher: Publisher, num_subscribers: int) -> None:
    node.get_logger().info(f'waiting for {num_subscribers} subscriber(s)')
    deadline_s = time.monotonic() + _DISCOVERY_LIMIT_S
    while publisher.get_subscription_count() < num_subscribers and node.context.ok():
        if time.monotonic() > deadline_s:
            raise StartupError(
                f'{publisher.get_subscription_count()} of {num_subscribers} subscribers on '
                f'{publisher.topic_name} after {_DISCOVERY_LIMIT_S:.0f} s'
            )
        time.sleep(0.02)


def _publish_all(
    node: Node,
    publishers: Mapping[str, Publisher],
    messages: Iterator[tuple[int, str, bytes]],
    options: argparse.Namespace,
    log: JsonLines | None,
) -> None:
    """Publish at the distances in time that the bag has, divided by the rate."""
    start_s, first_ns = 0.0, None
    for time_ns, topic, data in messages:
        if first_ns is not None:
            due_s = start_s + (time_ns - first_ns) / 1e9 / options.rate
            while (left_s := due_s - time.monotonic()) > 0 and node.context.ok():
                time.sleep(min(left_s, 0.1))  # a signal does not end a longer sleep
        publish_ns = time.monotonic_ns()
        publishers[topic].publish(data)
        if log is not None and topic == options.topic:
            stamp = deserialize_message(data, PointCloud2).header.stamp
            stamp_ns = stamp.sec * 10**9 + stamp.nanosec
            log.write({'stamp_ns': stamp_ns, 'publish_ns': publish_ns})
        if first_ns is None:
            # The first message loads libraries, which may take so long that the next ones would
            # all be late and come at once: time begins behind it.
            start_s, first_ns = time.monotonic(), time_ns


def _wait_for_receipt(node: Node, publisher: Publisher) -> None:
    deadline_s = time.monotonic() + _RECEIPT_LIMIT_S
    while node.context.ok() and time.monotonic() < deadline_s:
        if publisher.wait_for_all_acked(Duration(seconds=0.1)):  # a signal does not end a wait
            return


if __name__ == '__main__':
    sys.exit(main())
