# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hand work from any thread to the executor's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import itertools

from rclpy.node import Node
from ssd_ros.ros.adapters.closure import LoopClosure
from ssd_ros.ros.adapters.outcomes import Outcomes

_MAX_WAITING = 100  # the oldest go first: closures may come faster than the executor turns


class Inbox:
    """Closures on their way into the executor's thread, which alone touches the adapter."""

    def __init__(
        self, node: Node, work: Callable[[LoopClosure], None], outcomes: Outcomes
    ) -> None:
        """
        Be empty.

        :param work: called in the executor's thread
        """
        self._node = node
        self._work = work
        self._outcomes = outcomes
        self._waiting: deque[tuple[int, LoopClosure]] = deque(maxlen=_MAX_WAITING)
        self._numbers = itertools.count()
        self._next = 0
        self._guard = node.create_guard_condition(self._drain)

    def put(self, closure: LoopClosure) -> None:
        """Wake the executor; any thread may call this."""
        self._waiting.append((next(self._numbers), closure))
        self._guard.trigger()

    def destroy(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._node.destroy_guard_condition(self._guard)

    def _drain(self) -> None:
        while self._waiting:
            number, closure = self._waiting.popleft()
            if number > self._next:
                self._outcomes.fail(
                    'overflowed',
                    'closures came faster than the executor turned: the oldest were dropped',
                    times=number - self._next,
                )
            self._next = number + 1
            with self._outcomes.guard():
                self._work(closure)
