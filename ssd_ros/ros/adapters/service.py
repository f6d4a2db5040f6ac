# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Call a service of a back end without waiting for it."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from rclpy.task import Future
from ssd_ros.ros.adapters.outcomes import Outcomes

TIMEOUT_S = 10.0  # Autoware aligns for seconds before it replies


class ServiceCaller:
    """One service; each call ends in a reply, a counted refusal or a counted silence."""

    def __init__(
        self,
        node: Node,
        kind: Any,
        name: str,
        outcomes: Outcomes,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """
        Look for the service.

        :param kind: class of the service
        """
        self._node = node
        self._outcomes = outcomes
        self._timeout_s = timeout_s
        self._client = node.create_client(kind, name)
        self._name = node.resolve_service_name(name)
        self._deadlines: dict[Future, float] = {}
        # Servers fall silent in real time, even while simulated time stands still.
        self._timer = node.create_timer(
            timeout_s / 8, self._expire, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def call(self, request: Any, on_reply: Callable[[Any], None]) -> None:
        """
        Send a request; only the executor's thread may.

        :param on_reply: gets the response, in the executor's thread
        """
        if not self.is_offered:
            self._outcomes.fail(
                'no_server',
                f'nobody offers {self._name}: is the back end running, under this name?',
            )
            return
        self._outcomes.count('sent')
        reply = self._client.call_async(request)
        self._deadlines[reply] = time.monotonic() + self._timeout_s
        reply.add_done_callback(lambda done: self._end(done, on_reply))

    @property
    def is_offered(self) -> bool:
        """Whether somebody offers the service."""
        return bool(self._client.service_is_ready())

    def presence(self) -> dict[str, str]:
        """Return whether somebody offers the service, under its name."""
        return {self._name: 'offered' if self.is_offered else 'absent'}

    def destroy(self) -> None:
        """Let go of the service; replies still under way are ignored."""
        self._deadlines.clear()
        self._node.destroy_timer(self._timer)
        self._node.destroy_client(self._client)

    def _end(self, reply: Future, on_reply: Callable[[Any], None]) -> None:
        if self._deadlines.pop(reply, None) is None:
            return
        with self._outcomes.guard():
            on_reply(reply.result())

    def _expire(self) -> None:
        now_s = time.monotonic()
        late = [reply for reply, deadline_s in self._deadlines.items() if deadline_s < now_s]
        for reply in late:
            del self._deadlines[reply]
            self._client.remove_pending_request(reply)
            self._outcomes.fail('timeouts', f'no reply of {self._name} in {self._timeout_s:g} s')
