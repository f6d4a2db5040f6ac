# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording holds: the topics that a radar or odometry may have sent, and TF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ssd_ros.cli.doctor.findings import Finding, MEND, NOTE
from ssd_ros.cli.doctor.tf_tree import TF_TYPE, TfTree
from ssd_ros.datasets.bags.cloud_topics import cloud_topics, CloudTopic, LIDARS
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.bags.rosbag2 import POSES
from ssd_ros.datasets.spinning.preset import MESSAGE_TYPES, POINTS
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.ros.messages.topics import NODE

_ODOMETRY = POSES[0]
_MAX_TRANSFORMS = 2000  # messages that are looked at


@dataclass(frozen=True, slots=True)
class PoseTopic:
    """
    A topic of poses and what its first message says.

    :param frame: of the poses
    :param child: whose pose it is, '' if the message does not say
    """

    name: str
    type: str
    num_messages: int
    frame: str
    child: str

    @property
    def is_odometry(self) -> bool:
        """Whether the node can take it."""
        return self.type == _ODOMETRY


@dataclass(frozen=True, slots=True)
class Contents:
    """
    The topics of a recording that matter.

    :param clouds: of any sensor
    :param turns: topic, type and number of messages that may be turns of a spinning radar
    :param poses: the likeliest odometry first
    :param tf: None = there is no TF in it
    """

    clouds: Sequence[CloudTopic]
    turns: Sequence[tuple[str, str, int]]
    poses: Sequence[PoseTopic]
    tf: TfTree | None

    @property
    def radars(self) -> list[CloudTopic]:
        """The topics of 4D radars, that of most messages first."""
        found = [topic for topic in self.clouds if topic.has_doppler and topic.type not in LIDARS]
        return sorted(found, key=lambda topic: -topic.num_messages)

    def findings(self, sensor: str) -> Iterator[Finding]:
        """Yield a line for each topic."""
        yield from self._of_turns() if sensor == 'spinning' else self._of_clouds()
        for topic in self.poses:
            text = f'{topic.name} ({topic.type}), {topic.num_messages} messages'
            yield Finding(NOTE, 'poses', text)

    def _of_turns(self) -> Iterator[Finding]:
        if not self.turns:
            yield Finding(MEND, 'topics', 'no topic may be of a spinning radar: was it recorded?')
        radars = [topic.name for topic in self.radars]
        for name, kind, count in self.turns:
            if name in radars:
                continue
            what = 'turns of a spinning radar, or pictures of a camera'
            if kind == POINTS:
                what = 'turns only with --spinning-preset navtech_points'
            yield Finding(NOTE, 'turns', f'{name} ({kind}), {count} messages: {what}')

    def _of_clouds(self) -> Iterator[Finding]:
        if not self.clouds:
            yield Finding(MEND, 'topics', 'no topic has clouds: was the driver recorded?')
        for topic in self.clouds:
            what = 'a radar: its clouds have Doppler'
            if not topic.has_doppler:
                what = 'no Doppler: a lidar?'
            text = f'{topic.name} ({topic.type}), {topic.num_messages} messages: {what}'
            yield Finding(NOTE, 'clouds', text)
        if self.clouds and not any(topic.has_doppler for topic in self.clouds):
            text = 'no topic of clouds has Doppler: name its field in field_map of --params'
            yield Finding(MEND, 'topics', text)


def contents_of(reader: BagReader, config: DecoderConfig) -> Contents:
    """
    Look through the topics.

    :param config: how clouds are to be read
    :raise ValueError: the recording is damaged
    """
    turns = [
        (name, first_connection(reader, name, MESSAGE_TYPES), _count(reader, name, MESSAGE_TYPES))
        for name in reader.topics_of(MESSAGE_TYPES)
    ]
    return Contents(cloud_topics(reader, config), turns, _poses(reader), _tf(reader))


def first_connection(reader: BagReader, name: str, types: Sequence[str]) -> str:
    """Return the type of a topic."""
    kind: str = reader.connections(name, types)[0].msgtype
    return kind


def first_message(reader: BagReader, name: str, types: Sequence[str]) -> Any:
    """Return the first message of a topic, None if it has none that can be read."""
    try:
        for _, message in reader.messages(reader.connections(name, types)):
            return message
    except ValueError:
        pass
    return None


def _count(reader: BagReader, name: str, types: Sequence[str]) -> int:
    return sum(connection.msgcount for connection in reader.connections(name, types))


def _poses(reader: BagReader) -> list[PoseTopic]:
    found = []
    for name in reader.topics_of(POSES):
        message = first_message(reader, name, POSES)
        frame = '' if message is None else message.header.frame_id
        child = getattr(message, 'child_frame_id', '')
        kind, count = first_connection(reader, name, POSES), _count(reader, name, POSES)
        found.append(PoseTopic(name, kind, count, frame, child))
    return sorted(found, key=_unlikeliness)


def _unlikeliness(topic: PoseTopic) -> tuple[bool, bool, bool, int]:
    """Return what is smallest for the topic that the node should take for odometry."""
    is_ours = topic.name.startswith(f'/{NODE}/')
    return is_ours, not topic.is_odometry, 'odom' not in topic.name, -topic.num_messages


def _tf(reader: BagReader) -> TfTree | None:
    topics = reader.topics_of([TF_TYPE])
    if not topics:
        return None
    tree = TfTree()
    for name in topics:
        messages = reader.messages(reader.connections(name, [TF_TYPE]))
        for _, message in islice(messages, _MAX_TRANSFORMS):
            tree.add(message)
    return tree
