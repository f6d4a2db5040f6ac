# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Those who called a service and wait for the answer of the worker's thread."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from rclpy.node import Node
from rclpy.task import Future
from ssd_ros.ros.outputs.reply import Reply


class Asker(NamedTuple):
    """
    One of them.

    :param future: its result is the Reply
    :param relocalize: give an accepted pose to the back ends
    """

    future: Future
    relocalize: bool


class Askers:
    """Added by the executor's thread, taken by the worker's."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waiting: deque[Asker] = deque()

    def add(self, relocalize: bool) -> Future:
        """Return a future that the executor can wait for."""
        future = Future(executor=self._node.executor)
        # The executor sleeps until something happens to it: this callback does.
        future.add_done_callback(lambda done: None)
        self._waiting.append(Asker(future, relocalize))
        return future

    def take(self) -> list[Asker]:
        """Return all who wait; the caller owes them a reply."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def answer_all(self, reply: Reply) -> None:
        """Give the same reply to all who wait."""
        for asker in self.take():
            asker.future.set_result(reply)
