# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording holds: the topics that a radar or odometry may have sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ssd_ros.cli.doctor.findings import Finding, MEND, NOTE
from ssd_ros.datasets.bags.cloud_topics import cloud_topics
from ssd_ros.datasets.bags.files import is_recording
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.bags.rosbag2 import POSES
from ssd_ros.datasets.spinning.preset import MESSAGE_TYPES, POINTS
from ssd_ros.radar.fields import DecoderConfig
from ssd_ros.ros.parameters.inputs import InputParameters


def contents_of(path: Path, parameters: InputParameters) -> list[Finding]:
    """
    Return a line for each topic that matters; none of what is no recording of ROS.

    :param parameters: of the node, which say what radar is asked for
    :raise ValueError: the recording is damaged
    """
    if not is_recording(path):
        return []
    with closing(BagReader(path)) as reader:
        if parameters.sensor == 'spinning':
            return [*_turns(reader), *_poses(reader)]
        return [*_clouds(reader, parameters.decoder_config()), *_poses(reader)]


def _turns(reader: BagReader) -> Iterator[Finding]:
    topics = reader.topics_of(MESSAGE_TYPES)
    if not topics:
        yield Finding(MEND, 'topics', 'no topic may be of a spinning radar: was it recorded?')
    for name in topics:
        (kind, *_) = connections = reader.connections(name, MESSAGE_TYPES)
        count = sum(connection.msgcount for connection in connections)
        what = 'turns of a spinning radar, or pictures of a camera'
        if kind.msgtype == POINTS:
            what = 'turns only with --spinning-preset navtech_points'
        yield Finding(NOTE, 'turns', f'{name} ({kind.msgtype}), {count} messages: {what}')


def _clouds(reader: BagReader, config: DecoderConfig) -> Iterator[Finding]:
    topics = cloud_topics(reader, config)
    if not topics:
        yield Finding(MEND, 'topics', 'no topic has clouds: was the driver recorded?')
    for topic in topics:
        what = 'a radar: its clouds have Doppler' if topic.has_doppler else 'no Doppler: a lidar?'
        text = f'{topic.name} ({topic.type}), {topic.num_messages} messages: {what}'
        yield Finding(NOTE, 'clouds', text)
    if topics and not any(topic.has_doppler for topic in topics):
        text = 'no topic of clouds has Doppler: name its field in field_map of --params'
        yield Finding(MEND, 'topics', text)


def _poses(reader: BagReader) -> Iterator[Finding]:
    for name in reader.topics_of(POSES):
        connections = reader.connections(name, POSES)
        count = sum(connection.msgcount for connection in connections)
        text = f'{name} ({connections[0].msgtype}), {count} messages'
        yield Finding(NOTE, 'poses', text)
