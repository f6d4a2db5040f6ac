# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What tests of ROS processes need. Importing it skips the test file where rclpy is absent.

Nothing sleeps and hopes: everything waits for a condition, at most LIMIT_S.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

import pytest

if os.environ.get('SSD_ROS_REQUIRE_RCLPY') != '1':
    pytest.importorskip('rclpy', reason='rclpy is not installed (make test installs it)')

from builtin_interfaces.msg import Time
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2, PointField
from ssd_ros.radar.point_cloud2 import encode_point_cloud2
from ssd_ros.radar.types import RadarPointCloud
from std_msgs.msg import Header

LIMIT_S = 60.0  # generous: a loaded machine must not fail a test
ROOT = Path(__file__).parents[2]


def wait_until(condition: Callable[[], Any], what: str, step: Callable[[], None]) -> Any:
    """Return the first true value of the condition; fail after LIMIT_S."""
    deadline = time.monotonic() + LIMIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f'waited {LIMIT_S} s for {what}'
        step()
    return value


class Peer:
    """A node in the test's own process, spun while the test waits."""

    def __enter__(self) -> Peer:
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = Node('test_peer', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Spin until the condition holds."""
        return wait_until(condition, what, lambda: self._executor.spin_once(timeout_sec=0.05))

    def listen(self, kind: type, topic: str, qos: Any = 10) -> list[Any]:
        """Subscribe and return the list that messages are appended to."""
        messages: list[Any] = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        self.wait(lambda: self.node.count_publishers(topic), f'a publisher of {topic}')
        return messages

    def speak(self, kind: type, topic: str, qos: Any = 10) -> Any:
        """Return a publisher that somebody listens to."""
        publisher = self.node.create_publisher(kind, topic, qos)
        self.wait(publisher.get_subscription_count, f'a subscriber of {topic}')
        return publisher

    def call(self, kind: Any, name: str, request: Any = None) -> Any:
        """Call a service and return its response."""
        client = self.node.create_client(kind, name)
        self.wait(client.service_is_ready, f'service {name}')
        reply = client.call_async(kind.Request() if request is None else request)
        self.wait(reply.done, f'the reply of {name}')
        self.node.destroy_client(client)
        return reply.result()


@dataclass
class Running:
    """One process of a test and what it printed."""

    process: subprocess.Popen[bytes]
    output: Path

    def text(self) -> str:
        return self.output.read_text()

    def wait_for_text(self, text: str) -> None:
        """Wait until the process has printed something."""
        self.wait_for_file(self.output, text)

    def wait_for_file(self, path: Path, text: str) -> None:
        """Wait until a file that the process writes contains something."""

        def written() -> bool:
            return path.exists() and text in path.read_text()

        wait_until(
            lambda: written() or self.process.poll() is not None,
            f'{text!r} in {path}',
            lambda: time.sleep(0.02),
        )
        assert written(), self.text()

    def end(self, *signals: signal.Signals) -> int:
        """Send the signals, if any, and return the exit code."""
        for number in signals:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


class Processes:
    """Start modules of ssd_ros as processes of their own; none may outlive the block."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started: list[Running] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        left = [running for running in self._started if running.process.poll() is None]
        for running in left:
            running.process.kill()
            running.process.wait(LIMIT_S)
        if error is None:
            assert left == [], [running.process.args for running in left]

    def start(self, module: str, *arguments: str) -> Running:
        return self._start(module, '-m', f'ssd_ros.ros.{module}', *arguments)

    def start_command(self, name: str, *arguments: str) -> Running:
        """Start a command of `ssd_ros`."""
        return self._start(name, '-m', 'ssd_ros', name, *arguments)

    def start_program(self, path: Path, **parameters: object) -> Running:
        """Start a file of Python that runs the node, with parameters."""
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        return self._start(path.stem, str(path), *parameter_arguments(parameters), env=environment)

    def _start(self, name: str, *arguments: str, env: dict[str, str] | None = None) -> Running:
        output = self._directory / f'{name}_{len(self._started)}.txt'
        command = [sys.executable, *arguments]
        with output.open('w') as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, cwd=ROOT, env=env
            )
        self._started.append(Running(process, output))
        return self._started[-1]

    def start_localizer(self, **parameters: object) -> Running:
        """Start the node with parameters; `accept__max_ratio` means accept.max_ratio."""
        return self.start('node.localize_node', *parameter_arguments(parameters))


def parameter_arguments(parameters: Mapping[str, object]) -> list[str]:
    """Return the arguments that give a node parameters."""
    arguments = ['--ros-args']
    for name, value in parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        arguments += ['-p', f'{name.replace("__", ".")}:={text}']
    return arguments


def points_msg(cloud: RadarPointCloud, stamp_ns: int | None = None) -> PointCloud2:
    """Return a cloud as the ARS548 driver sends it."""
    attributes = encode_point_cloud2(cloud)
    attributes['fields'] = [
        PointField(name=item.name, offset=item.offset, datatype=item.datatype, count=item.count)
        for item in attributes['fields']
    ]
    attributes['data'] = array.array('B', attributes['data'])
    seconds, nanoseconds = divmod(cloud.stamp_ns if stamp_ns is None else stamp_ns, 10**9)
    header = Header(stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=cloud.frame_id)
    return PointCloud2(header=header, **attributes)
