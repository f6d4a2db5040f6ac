# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Watch a node from its start to the first pose that it accepts, and what it says until then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
import json
import math
import re
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from ssd_ros.ros.companions.own_node import own_node
from ssd_ros.ros.messages.topics import NODE
from std_msgs.msg import String
from std_srvs.srv import Trigger

_LOADING_S = 60.0  # until the node is up
_STEP_S = 0.2
_ASK_S = 1.0
_TELL_S = 10.0
_FIGURE = re.compile(r'-?\d[\d.]*')


@dataclass(slots=True)
class Watched:
    """
    What was seen of a node.

    :param keyframes: of its maps, None = it did not come up
    :param pose: x (m), y (m), yaw (rad) of the first accepted pose, None = there was none
    :param frame: of the pose
    :param after_s: from the start of watching to the pose, or to the end
    :param reasons: why the newest window was not accepted, once a second, figures left out
    :param examples: each with the figures of the last time
    :param problems: statuses of /diagnostics that are not OK, as they stood last
    """

    keyframes: int | None = None
    pose: tuple[float, float, float] | None = None
    frame: str = ''
    after_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """The most common reason with the figures of the last time, '' if none was heard."""
        return self.examples[self.reasons.most_common(1)[0][0]] if self.reasons else ''


class _Watch:
    """The subscriptions, and the question that is asked once a second."""

    def __init__(self, node: Node, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()
        self._asked: Any = None
        self._next_ask_s = 0.0
        self._next_tell_s = time.monotonic() + _TELL_S
        self.seen = Watched()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._client = node.create_client(Trigger, f'/{NODE}/query')
        node.create_subscription(String, f'/{NODE}/map_info', self._on_maps, latched)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        node.create_subscription(PoseWithCovarianceStamped, f'/{NODE}/pose', self._on_pose, 10)

    def step(self) -> None:
        """Ask why nothing is accepted, if it is time."""
        now_s = time.monotonic()
        if self._asked is not None and self._asked.done():
            self._take(self._asked.result().message)
            self._asked = None
        if self._asked is None and now_s >= self._next_ask_s and self._client.service_is_ready():
            self._asked, self._next_ask_s = (
                self._client.call_async(Trigger.Request()),
                now_s + _ASK_S,
            )
        if now_s >= self._next_tell_s:
            self._next_tell_s = now_s + _TELL_S
            self._say('no pose yet')
            if self.seen.reason:
                self._tell(f'mostly: {self.seen.reason}')

    def _take(self, text: str) -> None:
        try:
            reply = json.loads(text)
            decision, reason = str(reply['decision']), str(reply['reason'])
        except (KeyError, TypeError, ValueError):
            return
        if decision != 'accepted':
            kind = _FIGURE.sub('#', reason)
            self.seen.reasons[kind] += 1
            self.seen.examples[kind] = reason

    def _on_maps(self, msg: String) -> None:
        try:
            maps = json.loads(msg.data)['maps']
            self.seen.keyframes = sum(int(each['keyframes']) for each in maps)
        except (KeyError, TypeError, ValueError, RecursionError):  # of somebody else
            return
        self._tell(f'the node is up, with {self.seen.keyframes} keyframes of {len(maps)} map(s)')

    def _on_diagnostics(self, msg: DiagnosticArray) -> None:
        for status in msg.status:
            owner, _, name = status.name.partition(': ')
            if owner != NODE:
                continue
            values = {item.key: item.value for item in status.values}
            if status.level == DiagnosticStatus.OK:
                self.seen.problems.pop(name, None)
                if name == 'input' and _number(values.get('rate_hz', '')) > 0:
                    text = f'scans come, {values["rate_hz"]} a second'
                    self._tell(
                        f'{text}, {values.get("points_used", "no")} static points in the window'
                    )
            else:
                self.seen.problems[name] = status.message
                self._tell(f'{name}: {status.message}')

    def _on_pose(self, msg: PoseWithCovarianceStamped) -> None:
        if self.seen.pose is not None:
            return
        position, turned = msg.pose.pose.position, msg.pose.pose.orientation
        yaw_rad = math.atan2(2 * turned.w * turned.z, 1 - 2 * turned.z**2)
        self.seen.pose = position.x, position.y, yaw_rad
        self.seen.frame = msg.header.frame_id

    def _tell(self, text: str) -> None:
        """Say a sentence, the like of it but for its figures once."""
        kind = _FIGURE.sub('#', text)
        if kind not in self._said:
            self._said.add(kind)
            self._say(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def watch_node(
    seconds: float, say: Callable[[str], None], is_running: Callable[[], bool]
) -> Watched:
    """
    Wait for the first accepted pose.

    :param seconds: at most, once the node is up; it may take a minute to load
    :param say: takes sentences on how far it has come
    :param is_running: whether the node is
    """
    with own_node('ssd_ros_quickstart') as (node, executor):
        return _watched(executor, _Watch(node, say), seconds, is_running)


def _watched(
    executor: SingleThreadedExecutor,
    watch: _Watch,
    seconds: float,
    is_running: Callable[[], bool],
) -> Watched:
    start_s, seen = time.monotonic(), watch.seen
    end_s = start_s + _LOADING_S
    was_up = False
    while seen.pose is None and time.monotonic() < end_s and is_running():
        executor.spin_once(timeout_sec=_STEP_S)
        watch.step()
        if seen.keyframes is not None and not was_up:
            was_up, start_s = True, time.monotonic()
            end_s = start_s + seconds
    seen.after_s = time.monotonic() - start_s
    return seen
