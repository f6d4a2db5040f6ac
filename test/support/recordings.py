# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recording of ROS 2 as people have it: of ROS 1, in parts, without its description."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from ssd_ros.datasets.bags.recorded_types import radar_typestore

ROS1, ROS2 = radar_typestore(is_ros1=True), radar_typestore()


def messages_of(bag: Path) -> list[tuple[str, int, Any]]:
    """Return topic, log time and message of each message of a bag of ROS 2."""
    with Reader(bag) as reader:
        return [
            (connection.topic, time_ns, ROS2.deserialize_cdr(data, connection.msgtype))
            for connection, time_ns, data in reader.messages()
        ]


def in_ros1(message: Any, seq: int) -> Any:
    """Return a message of ROS 2 as one of ROS 1, whose headers are numbered."""
    if isinstance(message, list):
        return [in_ros1(element, seq) for element in message]
    if not hasattr(message, '__msgtype__'):
        return message
    names = [name for name, _ in ROS1.fielddefs[message.__msgtype__][1]]
    return ROS1.types[message.__msgtype__](
        **{name: seq if name == 'seq' else in_ros1(getattr(message, name), seq) for name in names}
    )


def write_ros1(
    path: Path,
    messages: Sequence[tuple[str, int, Any]],
    compression: Writer1.CompressionFormat | None = None,
    first_seq: int = 0,
) -> Path:
    """Write messages of ROS 2 as a bag of ROS 1."""
    writer = Writer1(path)
    if compression is not None:
        writer.set_compression(compression)
    with writer:
        connections: dict[str, Any] = {}
        for seq, (topic, time_ns, message) in enumerate(messages, start=first_seq):
            name = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, name, typestore=ROS1)
            data = ROS1.serialize_ros1(in_ros1(message, seq), name)
            writer.write(connections[topic], time_ns, data)
    return path


def write_ros2(
    path: Path, messages: Sequence[tuple[str, int, Any]], storage: str = 'mcap'
) -> Path:
    """Write messages as a bag of ROS 2, a folder."""
    with Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()]) as writer:
        connections: dict[str, Any] = {}
        for topic, time_ns, message in messages:
            name = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, name, typestore=ROS2)
            writer.write(connections[topic], time_ns, ROS2.serialize_cdr(message, name))
    return path


def in_parts(folder: Path, messages: Sequence[tuple[str, int, Any]], suffix: str) -> Path:
    """Write each message to a file of its own, named bag_0, bag_1, ...; metadata.yaml is lost."""
    folder.mkdir()
    for number, message in enumerate(messages):
        part = folder / f'bag_{number}{suffix}'
        if suffix == '.bag':
            write_ros1(part, [message])
            continue
        whole = write_ros2(folder / 'part', [message], {'.db3': 'sqlite3'}.get(suffix, 'mcap'))
        (whole / f'part{suffix}').rename(part)
        (whole / 'metadata.yaml').unlink()
        whole.rmdir()
    return folder
