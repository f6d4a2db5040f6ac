# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What tests of adapters need: a closure with round numbers, and two nodes that talk by DDS."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from dataclasses import replace
from typing import Any

from support.ros import wait_until  # skips the tests where rclpy is absent

# isort: split
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.messages.geometry import pose_from_xyzrpy

SECOND = 1_000_000_000
QUERY_NS = 1_700_000_100 * SECOND


def closure(**changes: Any) -> LoopClosure:
    """
    Make a closure.

    The keyframe lies at (10, 20) and looks along +y; the base is 2 m before it, 1 m to its left
    and turned by 30 degrees: in the map at (9, 22), looking at 120 degrees.
    """
    usual = LoopClosure(
        query_stamp_ns=QUERY_NS,
        keyframe_id=3,
        map_id=77,
        keyframe_stamp_ns=QUERY_NS - 60_000_000_000,
        map_keyframe=pose_from_xyzrpy([10.0, 20.0, 0.0, 0.0, 0.0, np.pi / 2]),
        keyframe_base=pose_from_xyzrpy([2.0, 1.0, 0.0, 0.0, 0.0, np.pi / 6]),
        covariance=np.diag([1.0, 4.0, 1.0, 0.01, 0.01, 0.04]),
        confidence=0.99,
        is_live=False,
    )
    return replace(usual, **changes)


class Pair:
    """The node that has the adapter, and the back end; each has a DDS participant of its own."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._executors: list[SingleThreadedExecutor] = []
        self.host = self._add('adapter_host', stack)
        self.back_end = self._add('back_end', stack)

    def _add(self, name: str, stack: contextlib.ExitStack) -> Node:
        context = Context()
        rclpy.init(context=context)
        stack.callback(rclpy.shutdown, context=context)
        node = Node(name, context=context)
        stack.callback(node.destroy_node)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        stack.callback(executor.shutdown)
        self._executors.append(executor)
        return node

    def step(self) -> None:
        """Serve what is ready on both sides."""
        for executor in self._executors:
            executor.spin_once(timeout_sec=0.01)

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Serve both nodes until the condition holds."""
        return wait_until(condition, what, self.step)

    def offer(self, kind: Any, name: str, answer: Callable[[Any, Any], Any]) -> list[Any]:
        """Offer a service in the back end and return the list that its requests go to."""
        requests: list[Any] = []

        def serve(request: Any, response: Any) -> Any:
            requests.append(request)
            return answer(request, response)

        self.back_end.create_service(kind, name, serve)
        return requests

    def speak(self, kind: Any, topic: str, qos: Any = 10) -> Any:
        """Return a publisher of the back end that the host listens to."""
        publisher = self.back_end.create_publisher(kind, topic, qos)
        self.wait(publisher.get_subscription_count, f'a subscriber of {topic}')
        return publisher
