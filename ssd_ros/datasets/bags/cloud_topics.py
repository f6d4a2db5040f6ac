# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording have clouds, and which of them a radar with Doppler sent."""

from __future__ import annotations

from typing import NamedTuple

from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.radar.livox import decode_livox
from ssd_ros.radar.messages import DECODERS, MESSAGE_TYPES

LIDARS = ('livox_ros_driver/msg/CustomMsg', 'livox_ros_driver2/msg/CustomMsg')
CLOUD_DECODERS = {
    MESSAGE_TYPES[kind]: decode for kind, decode in DECODERS.items()
} | dict.fromkeys(LIDARS, decode_livox)
CLOUD_TYPES = tuple(CLOUD_DECODERS)


class CloudTopic(NamedTuple):
    """A topic of clouds and what its first message shows."""

    name: str
    type: str
    num_messages: int
    has_doppler: bool


def cloud_topics(reader: BagReader, config: DecoderConfig) -> list[CloudTopic]:
    """Return the topics of clouds, those with messages if any has some."""
    topics = []
    for name in reader.topics_of(CLOUD_TYPES):
        connections = reader.connections(name, CLOUD_TYPES)
        count = sum(connection.msgcount for connection in connections)
        kind, with_doppler = connections[0].msgtype, has_doppler(reader, name, config)
        topics.append(CloudTopic(name, kind, count, with_doppler))
    return topics


def has_doppler(reader: BagReader, topic: str, config: DecoderConfig) -> bool:
    """Return whether the first cloud of a topic is one of a radar."""
    connections = reader.connections(topic, CLOUD_TYPES)
    try:
        for _, message in reader.messages(connections):
            decoded = CLOUD_DECODERS[connections[0].msgtype](message, config)
            return decoded.stats.has_doppler
    except ValueError:  # of a topic that may not be meant
        pass
    return False
