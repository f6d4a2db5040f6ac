# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The bond with a lifecycle manager of Nav2: it hears by heartbeats that this node still works.

Nav2's manager forms one with each of its nodes on the topic `bond`, under the name of the node,
after it has activated it, and takes all of them down if the heartbeats of one end. The protocol is
that of bond_core (bondcpp 4.0): each side says `active` at its own pace and hears the other; one
that goes says so until the other has said it, too. The heartbeats come from the executor's thread,
so they end if it hangs. bondpy has the same but in threads of its own, which would beat on.
"""

from __future__ import annotations

from enum import Enum
import time
from typing import Any
import uuid

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import BOND
from ssd_ros.ros.messages.types import message_class

# Of bond/msg/Constants, and what the nodes of Nav2 say of themselves.
_FAREWELL_PERIOD_S = 0.05
_FAREWELL_S = 2.0
_TIMEOUT_S = 4.0


class _State(Enum):
    """What this side is doing; WAITING and FORMED differ only in that the other was heard."""

    SILENT = 'silent'
    WAITING = 'waiting'
    FORMED = 'formed'
    LEAVING = 'leaving'


class Bond:
    """One end of it; only the executor's thread may touch it."""

    def __init__(self, node: Node, period_s: float) -> None:
        """
        Open the topic and say nothing yet.

        :param period_s: between two heartbeats
        :raise ImportError: the package bond is not installed
        """
        self._node = node
        self._period_s = period_s
        self._kind: Any = message_class(BOND.kind)
        self._state = _State.SILENT
        self._instance = self._other = ''
        self._left_until_s = 0.0
        profile = qos_profile(BOND.qos)
        self._publisher = node.create_publisher(self._kind, BOND.name, profile)
        self._subscription = node.create_subscription(
            self._kind, BOND.name, self._on_status, profile
        )
        # Managers count real time, even while simulated time stands still.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(period_s, self._on_time, clock=clock)
        self._timer.cancel()

    def begin(self) -> None:
        """Start the heartbeats, as one whom no manager has met."""
        self._instance, self._other = str(uuid.uuid4()), ''
        self._state = _State.WAITING
        self._every(self._period_s)
        self._say(is_active=True)

    def end(self) -> None:
        """Say that this side goes, until the manager has said so, too."""
        if self._state is _State.FORMED:
            self._state = _State.LEAVING
            self._left_until_s = time.monotonic() + _FAREWELL_S
            self._every(_FAREWELL_PERIOD_S)
            self._say(is_active=False)
        elif self._state is _State.WAITING:
            self._fall_silent()

    def destroy(self) -> None:
        """Take the topic down."""
        if self._state is not _State.SILENT:
            self._fall_silent()
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_publisher(self._publisher)

    def _fall_silent(self) -> None:
        self._state = _State.SILENT
        self._timer.cancel()
        self._say(is_active=False)

    def _every(self, period_s: float) -> None:
        self._timer.timer_period_ns = round(period_s * 1e9)
        self._timer.reset()

    def _on_time(self) -> None:
        if self._state is _State.LEAVING and time.monotonic() > self._left_until_s:
            self._fall_silent()
        else:
            self._say(is_active=self._state is not _State.LEAVING)

    def _on_status(self, msg: Any) -> None:
        if msg.id != self._node.get_name() or msg.instance_id == self._instance:
            return  # of another bond, or our own words
        self._other = self._other or msg.instance_id
        if self._state is _State.SILENT or msg.instance_id != self._other:
            return  # a bond has two ends
        if not msg.active:
            self._fall_silent()
        elif self._state is _State.WAITING:
            self._state = _State.FORMED
            self._node.get_logger().info('a lifecycle manager hears the heartbeats of this node')

    def _say(self, is_active: bool) -> None:
        if not self._node.context.ok():  # after a signal managers hear nothing more, and know
            return
        msg = self._kind(
            id=self._node.get_name(),
            instance_id=self._instance,
            active=is_active,
            heartbeat_timeout=_TIMEOUT_S,
            heartbeat_period=self._period_s,
        )
        msg.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(msg)
