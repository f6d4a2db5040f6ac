# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The subscription to one radar: message type and reliability follow whoever publishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.topic_endpoint_info import TopicEndpointInfo
from ssd_ros.radar.messages import MESSAGE_TYPES as CLOUD_TYPES
from ssd_ros.ros.inputs.scan_decoders import MESSAGE_TYPES
from ssd_ros.ros.messages.types import message_class

try:
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks, UnsupportedEventTypeError

_QUEUE = 5
_LONG_QUEUES = {'fft_data': 800}  # of one azimuth a message: two turns
# Reliability has a parameter of its own, which may follow the publishers.
_OVERRIDES = QoSOverridingOptions((QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH))


class Choice(NamedTuple):
    """
    How to subscribe.

    :param kind: one of MESSAGE_TYPES
    :param is_reliable: publishers that are best effort do not match then
    """

    kind: str
    is_reliable: bool


class RadarSubscription:
    """Listen to one topic; call `refresh` now and then, where `auto` leaves something open."""

    def __init__(
        self,
        node: Node,
        topic: str,
        input_type: str,
        qos_reliability: str,
        on_message: Callable[[str, Any], None],
        on_incompatible_qos: Callable[[], None],
        on_lost: Callable[[int], None],
    ) -> None:
        """
        Subscribe.

        :param input_type: a key of MESSAGE_TYPES, or auto
        :param qos_reliability: best_effort, reliable or auto
        :param on_message: gets the kind of the message, too
        :param on_lost: gets the number of messages that the middleware newly misses; below 0 if
            one of them came after all
        :raise ImportError: the package that defines the message is not installed
        """
        self._node = node
        self._topic = topic
        self._input_type = input_type
        self._qos_reliability = qos_reliability
        self._on_message = on_message
        self._on_incompatible_qos = on_incompatible_qos
        self._on_lost = on_lost
        self._choice = Choice(
            'pointcloud2' if input_type == 'auto' else input_type, qos_reliability == 'reliable'
        )
        self._subscription = self._created()

    @property
    def topic_name(self) -> str:
        """Name of the topic after remapping."""
        name: str = self._subscription.topic_name
        return name

    @property
    def choice(self) -> Choice:
        """What is subscribed to now."""
        return self._choice

    def refresh(self) -> None:
        """
        Follow the publishers that there are.

        :raise ImportError: the package that defines their message is not installed
        """
        if 'auto' not in (self._input_type, self._qos_reliability):
            return
        publishers = self._node.get_publishers_info_by_topic(self._topic)
        choice = choose(self._choice, publishers, self._input_type, self._qos_reliability)
        if choice == self._choice:
            return
        message_class(MESSAGE_TYPES[choice.kind])
        # DDS has one type a topic in a process: the old one goes before the new one comes.
        self.destroy()
        self._choice = choice
        self._subscription = self._created()

    def destroy(self) -> None:
        """Take the subscription down."""
        self._node.destroy_subscription(self._subscription)

    def _created(self) -> Any:
        callbacks = SubscriptionEventCallbacks(
            incompatible_qos=lambda event: self._on_incompatible_qos(),
            message_lost=lambda event: self._on_lost(_num_lost(event)),
        )
        try:
            return self._created_with(callbacks)
        except UnsupportedEventTypeError:  # not every middleware knows what it loses
            callbacks.message_lost = None
            return self._created_with(callbacks)

    def _created_with(self, callbacks: SubscriptionEventCallbacks) -> Any:
        kind, is_reliable = self._choice
        reliability = ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT
        return self._node.create_subscription(
            message_class(MESSAGE_TYPES[kind]),
            self._topic,
            lambda msg: self._on_message(kind, msg),
            QoSProfile(depth=_LONG_QUEUES.get(kind, _QUEUE), reliability=reliability),
            qos_overriding_options=_OVERRIDES,
            event_callbacks=callbacks,
        )


def choose(
    current: Choice,
    publishers: Sequence[TopicEndpointInfo],
    input_type: str,
    qos_reliability: str,
) -> Choice:
    """
    Return how to subscribe, given who publishes; without anybody nothing changes.

    A spinning radar must be named: it needs another model.
    """
    published = {publisher.topic_type for publisher in publishers}
    kind, is_reliable = current
    if input_type == 'auto':
        kinds = [kind for kind, name in CLOUD_TYPES.items() if name in published]
        kind = kinds[0] if kinds else kind
    of_kind = [each for each in publishers if each.topic_type == MESSAGE_TYPES[kind]]
    if qos_reliability == 'auto' and of_kind:
        is_reliable = all(
            each.qos_profile.reliability == ReliabilityPolicy.RELIABLE for each in of_kind
        )
    return Choice(kind, is_reliable)


def _num_lost(event: Any) -> int:
    """Return how many messages more are lost according to an event of the middleware."""
    # For messages in fragments Fast DDS (2.14) is off by 2**31 every other time.
    return int((event.total_count_change + 2**30) % 2**31 - 2**30)
