# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle is roughly, as another sensor, a back end or a person says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from ssd_ros.datasets.utm import utm_of, zone_of
from ssd_ros.maps.neighbours import Prior
from ssd_ros.recognition.decision import OUTSIDE
from ssd_ros.records import shortened
from ssd_ros.ros.health.texts import PRIOR_LEFT_OUT, PRIOR_OUTSIDE, PRIOR_STALE
from ssd_ros.ros.messages.qos import qos_profile
from ssd_ros.ros.messages.topics import PRIOR_TOPICS
from ssd_ros.ros.messages.types import message_class
from ssd_ros.ros.parameters.node import NodeParameters

# All reconstructed.
_NUM_SIGMAS = 3.0
_MIN_RADIUS_M = 50.0  # a hand that clicks, an antenna that is not the radar
_UNKNOWN_STD_M = 50.0  # of a fix whose covariance is not known
_SPEED_MPS = 40.0  # by which the circle grows with its age
_TOLD_S = 30.0  # so long the fault of a message is told
_MAX_MISSES = 10  # queries in a row without an accepted place, after which all is searched
_STATUS_NO_FIX, _COVARIANCE_UNKNOWN = -1, 0  # of NavSatStatus and NavSatFix


class _Place(NamedTuple):
    """
    A prior as it came.

    :param stamp_ns: 0 = not stamped
    """

    x_m: float
    y_m: float
    radius_m: float
    stamp_ns: int
    receive_s: float


@dataclass(slots=True)
class _Counts:
    """What came of the messages."""

    messages: int = 0
    used: int = 0
    left_out: int = 0


class PriorInput:
    """The newest message of the topic; written by the executor's thread, used by the worker's."""

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], NodeParameters],
        origins: Callable[[], Sequence[str]],
        own_ns: Callable[[], int],
    ) -> None:
        """
        Listen, if the parameters name a source.

        :param origins: returns those of the maps in use
        :param own_ns: returns the stamp of the last pose that this node gave a back end, which is
            no news where both share a topic
        """
        self._node, self._parameters = node, parameters
        self._origins, self._own_ns = origins, own_ns
        self._counts, self._outside = _Counts(), ''
        self._problem, self._problem_s = '', 0.0
        self._newest: _Place | None = None
        self._is_tried = True
        self._num_misses, self._missed = 0, (math.inf, math.inf)
        self._topic = PRIOR_TOPICS.get(parameters().prior.source)
        self._subscription: Any = None
        if topic := self._topic:
            kind, qos = message_class(topic.kind), qos_profile(topic.qos)
            self._subscription = node.create_subscription(kind, topic.name, self._on_message, qos)

    def destroy(self) -> None:
        """Take the topic down."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)

    def clear(self) -> None:
        """Forget what came: another drive begins, or other maps are in use."""
        self._newest, self._outside, self._num_misses = None, '', 0

    def problem(self) -> str:
        """Return what is wrong with the last messages, '' if nothing is."""
        is_new = time.monotonic() - self._problem_s < _TOLD_S
        return (self._problem if is_new else '') or self._outside

    def values(self) -> dict[str, object]:
        """Return what the diagnostics show, nothing without a source."""
        counts = self._counts
        if self._topic is None:
            return {}
        return {
            'prior_messages': counts.messages,
            'prior_used': counts.used,
            'prior_left_out': counts.left_out,
        }

    def at(self, stamp_ns: int) -> Prior | None:
        """Return where a scan was taken; None if it may be anywhere."""
        place = self._newest
        if place is None:
            return None
        age_s = time.monotonic() - place.receive_s
        if place.stamp_ns:
            age_s = (stamp_ns - place.stamp_ns) / 1e9
        was_tried, self._is_tried = self._is_tried, True
        if abs(age_s) > self._parameters().prior.max_age:
            if not was_tried:
                self._leave_out(PRIOR_STALE.format(topic=self._name, age_s=abs(age_s)))
            return None
        if self._num_misses >= _MAX_MISSES:
            return None
        self._counts.used += not was_tried
        return Prior(place.x_m, place.y_m, place.radius_m + _SPEED_MPS * abs(age_s))

    def learn(self, prior: Prior | None, is_placed: bool, reason: str) -> None:
        """
        Take over what came of a query.

        :param prior: that it was searched with
        :param is_placed: a place was accepted
        :param reason: of the decision
        """
        if is_placed:
            self._num_misses, self._outside = 0, ''
        elif prior is not None:
            if not self._num_misses:
                self._missed = prior.x_m, prior.y_m
            self._num_misses += 1
            is_outside = reason == OUTSIDE.format(prior=prior)
            text = PRIOR_OUTSIDE.format(topic=self._name, prior=prior)
            self._outside = text if is_outside else ''

    @property
    def _name(self) -> str:
        return str(self._subscription.topic_name) if self._subscription else ''

    def _leave_out(self, text: str) -> None:
        self._counts.left_out += 1
        self._problem, self._problem_s = text, time.monotonic()

    def _on_message(self, msg: Any) -> None:
        stamp_ns = msg.header.stamp.sec * 10**9 + msg.header.stamp.nanosec
        if stamp_ns and stamp_ns == self._own_ns():
            return
        self._counts.messages += 1
        is_fix = self._parameters().prior.source == 'fix'
        try:
            x_m, y_m, radius_m = self._circle_of_fix(msg) if is_fix else self._circle_of_pose(msg)
            Prior(x_m, y_m, radius_m)  # its values can be
        except ValueError as error:
            self._leave_out(PRIOR_LEFT_OUT.format(topic=self._name, reason=error))
            return
        if math.dist((x_m, y_m), self._missed) > radius_m:
            self._num_misses = 0  # that was elsewhere
        self._newest = _Place(x_m, y_m, radius_m, stamp_ns, time.monotonic())
        self._is_tried, self._problem = False, ''

    def _circle_of_pose(self, msg: Any) -> tuple[float, float, float]:
        frame = self._parameters().map_frame
        if msg.header.frame_id != frame:
            raise ValueError(
                f'it is in frame {shortened(msg.header.frame_id)}, expected {frame}, map_frame'
            )
        position = msg.pose.pose.position
        covariance = np.array(msg.pose.covariance, np.float64).reshape(6, 6)
        return position.x, position.y, _radius_m(covariance[:2, :2])

    def _circle_of_fix(self, msg: Any) -> tuple[float, float, float]:
        if msg.status.status <= _STATUS_NO_FIX:
            raise ValueError(f'it has no fix (status {msg.status.status})')
        zone = next(filter(None, map(zone_of, self._origins())), None)
        if zone is None:
            raise ValueError(
                'no map says in which zone of UTM it is: build it with --origin, such as '
                "'UTM 32N', or give poses in map_frame (prior.source pose)"
            )
        covariance = np.array(msg.position_covariance, np.float64).reshape(3, 3)[:2, :2]
        if msg.position_covariance_type == _COVARIANCE_UNKNOWN:
            covariance = np.eye(2) * _UNKNOWN_STD_M**2
        return *utm_of(msg.latitude, msg.longitude, zone), _radius_m(covariance)


def _radius_m(covariance: NDArray[np.float64]) -> float:
    """
    Return the radius of what a covariance leaves open.

    :param covariance: shape (2, 2), of x and y
    :raise ValueError: it is none
    """
    if not np.isfinite(covariance).all():
        raise ValueError(f'its covariance is {covariance.tolist()}, expected finite numbers')
    if (np.diag(covariance) < 0).any():
        raise ValueError(
            f'its variances are {np.diag(covariance).tolist()}, expected 0 or more: square metres'
        )
    widest = np.linalg.eigvalsh((covariance + covariance.T) / 2).max()
    return max(_NUM_SIGMAS * math.sqrt(widest), _MIN_RADIUS_M)
