# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Listen to a running graph for a while, and write what radars, odometry and TF say as rosbag2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import time
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.rosbag2 import Writer
from ssd_ros.data_origin import Origin
from ssd_ros.datasets.bags.recorded_types import radar_typestore
from ssd_ros.datasets.bags.rosbag2 import POSES
from ssd_ros.datasets.bags.rosbag2_writer import bag_written
from ssd_ros.datasets.bags.spinning_topic import CONFIGURATIONS
from ssd_ros.ros.companions.own_node import own_node
from ssd_ros.ros.inputs.scan_decoders import MESSAGE_TYPES
from ssd_ros.ros.messages.topics import NODE
from ssd_ros.ros.messages.types import message_class

TF = 'tf2_msgs/msg/TFMessage'
WANTED = (*MESSAGE_TYPES.values(), *CONFIGURATIONS, *POSES, TF)
_MAX_BYTES = 256 << 20  # of a topic: a minute of a spinning radar, and of a camera as much
_QUEUE = 100
_DISCOVERY_S = 1.0
_LOOK_S = 0.5  # topics may come later
_CLOCK = '/clock'


@dataclass(frozen=True, slots=True)
class Heard:
    """
    What came of listening.

    :param counts: topic -> messages that were written
    :param silent: topics that somebody publishes and on which nothing came
    :param unknown: topic -> why it cannot be heard: the package of its type is missing
    :param num_topics: of the graph, whatever their type
    :param is_localized: the node runs already
    :param has_clock: somebody publishes the time
    """

    counts: Counter[str]
    silent: tuple[str, ...]
    unknown: dict[str, str]
    num_topics: int
    is_localized: bool
    has_clock: bool


class _Recorder:
    """Subscribe to what comes up and write it down."""

    def __init__(self, node: Node, writer: Writer) -> None:
        self._node, self._writer = node, writer
        self._store = radar_typestore()
        self._connections: dict[str, Any] = {}
        self._subscriptions: dict[str, Any] = {}
        self._left_bytes: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.unknown: dict[str, str] = {}

    def look(self) -> None:
        """Subscribe to topics that are new, and give up those that have said enough."""
        for name, (kind, *_) in self._node.get_topic_names_and_types():
            if kind in WANTED and name not in self._left_bytes and f'/{NODE}/' not in name:
                self._subscribe(name, kind)
        for name, left in self._left_bytes.items():
            if left <= 0 and name in self._subscriptions:
                self._node.destroy_subscription(self._subscriptions.pop(name))

    @property
    def silent(self) -> tuple[str, ...]:
        """Topics on which nothing came."""
        return tuple(sorted(name for name in self._subscriptions if not self.counts[name]))

    def _subscribe(self, name: str, kind: str) -> None:
        publishers = self._node.get_publishers_info_by_topic(name)
        if not publishers:
            return
        self._left_bytes[name] = _MAX_BYTES
        try:
            cls = message_class(kind)
        except ImportError as error:
            self.unknown[name] = str(error)
            return
        profiles = [each.qos_profile for each in publishers]
        is_reliable = all(each.reliability == ReliabilityPolicy.RELIABLE for each in profiles)
        is_latched = all(each.durability == DurabilityPolicy.TRANSIENT_LOCAL for each in profiles)
        qos = QoSProfile(
            depth=_QUEUE,
            reliability=(
                ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT
            ),
            durability=(
                DurabilityPolicy.TRANSIENT_LOCAL if is_latched else DurabilityPolicy.VOLATILE
            ),
        )
        self._connections[name] = self._writer.add_connection(name, kind, typestore=self._store)
        self._subscriptions[name] = self._node.create_subscription(
            cls, name, partial(self._write, name), qos, raw=True
        )

    def _write(self, name: str, data: bytes) -> None:
        now_ns = self._node.get_clock().now().nanoseconds
        if now_ns <= 0 or self._left_bytes[name] <= 0:  # before the first /clock
            return
        self._writer.write(self._connections[name], now_ns, data)
        self.counts[name] += 1
        self._left_bytes[name] -= len(data)


def record_graph(path: Path, seconds: float, is_enough: Callable[[], bool] = bool) -> Heard:
    """
    Record topics of the types in WANTED, but those of the node itself.

    :param path: directory of the bag
    :param seconds: to listen, after a second to find who is there
    :param is_enough: asked now and then; ends it earlier
    :raise OSError: it cannot be written
    """
    with (
        own_node('ssd_ros_doctor') as (node, executor),
        bag_written(path, 'sqlite3', 'running graph', Origin()) as writer,
    ):
        return _heard(node, executor, _Recorder(node, writer), seconds, is_enough)


def _heard(
    node: Node,
    executor: SingleThreadedExecutor,
    recorder: _Recorder,
    seconds: float,
    is_enough: Callable[[], bool],
) -> Heard:
    _spin(executor, _DISCOVERY_S)
    has_clock = node.count_publishers(_CLOCK) > 0
    if has_clock:
        node.set_parameters([Parameter('use_sim_time', value=True)])
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0 and not is_enough():
        recorder.look()
        _spin(executor, min(left_s, _LOOK_S))
    others = [name for name, _ in node.get_node_names_and_namespaces()]
    return Heard(
        recorder.counts,
        recorder.silent,
        recorder.unknown,
        len(node.get_topic_names_and_types()),
        NODE in others,
        has_clock,
    )


def _spin(executor: SingleThreadedExecutor, seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        executor.spin_once(timeout_sec=left_s)
