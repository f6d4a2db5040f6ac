# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of a rosbag2, found by topic, type and stamp, without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from ssd_ros.datasets.bags.recorded_types import radar_typestore


@dataclass(frozen=True, slots=True)
class Topic:
    """
    Where the messages of one topic are.

    :param stamps_ns: of the headers, shape (N,), strictly ascending
    :param log_times_ns: by which the bag finds the messages, shape (N,)
    """

    connections: list[Connection]
    stamps_ns: NDArray[np.int64]
    log_times_ns: NDArray[np.int64]


class BagReader:
    """
    A directory with metadata.yaml, or one .db3 or .mcap file.

    Stamps are those of the headers, or of the recorder where a driver leaves them zero.
    """

    def __init__(self, path: Path) -> None:
        """
        Open the bag.

        :raise ValueError: it is damaged
        """
        self.path = path
        with self._damage_named():
            self._reader = AnyReader([path], default_typestore=radar_typestore())
            self._reader.open()

    def close(self) -> None:
        """Close the bag's files."""
        self._reader.close()

    def topics_of(self, types: Sequence[str]) -> list[str]:
        """Return the topics of one of these types."""
        return sorted({c.topic for c in self._reader.connections if c.msgtype in types})

    def connections(self, name: str | None, types: Sequence[str]) -> list[Connection]:
        """
        Return the connections of a topic: the named one, or the only one of the types.

        :raise ValueError: the topic is not there, or without a name there are several
        """
        topics = self.topics_of(types)
        if name is None and len(topics) > 1:
            raise ValueError(f'{self.path} has several topics of {types}: choose from {topics}')
        if name is not None and name not in topics:
            found = sorted({f'{c.topic} ({c.msgtype})' for c in self._reader.connections})
            raise ValueError(f'{self.path} has no topic {name!r} of {types}; it has {found}')
        wanted = [name] if name else topics
        return [c for c in self._reader.connections if c.topic in wanted and c.msgtype in types]

    def index(self, connections: list[Connection]) -> Topic:
        """List the messages; of several with one stamp the first counts."""
        stamps: dict[int, int] = {}
        for stamp_ns, log_time_ns, _ in self.raw_messages(connections):
            stamps.setdefault(stamp_ns, log_time_ns)
        columns = np.array(sorted(stamps.items()), np.int64).reshape(-1, 2)
        return Topic(connections, columns[:, 0].copy(), columns[:, 1].copy())

    def raw_messages(
        self,
        connections: list[Connection],
        first_ns: int | None = None,
        last_ns: int | None = None,
    ) -> Iterator[tuple[int, int, bytes]]:
        """
        Yield stamp, log time and content of messages.

        :param first_ns: log time of the first, likewise `last_ns`; None = all
        """
        if not connections:  # to rosbags, none means all
            return
        stop_ns = None if last_ns is None else last_ns + 1
        with self._damage_named():
            for _, time_ns, data in self._reader.messages(connections, first_ns, stop_ns):
                yield _header_stamp_ns(data) or time_ns, time_ns, data

    def messages(self, connections: list[Connection]) -> Iterator[tuple[int, Any]]:
        """Yield stamp and message of all."""
        for stamp_ns, _, data in self.raw_messages(connections):
            yield stamp_ns, self.deserialized(data, connections)

    def message(self, topic: Topic, index: int) -> Any:
        """Return one message of a topic."""
        stamp_ns, log_time_ns = int(topic.stamps_ns[index]), int(topic.log_times_ns[index])
        for found_ns, _, data in self.raw_messages(topic.connections, log_time_ns, log_time_ns):
            if found_ns == stamp_ns:
                return self.deserialized(data, topic.connections)
        raise ValueError(f'{self.path} no longer has the message at {stamp_ns} ns')

    def deserialized(self, data: bytes, connections: list[Connection]) -> Any:
        """Return the message in the bytes."""
        with self._damage_named():
            return self._reader.deserialize(data, connections[0].msgtype)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            # Damaged bytes lead rosbags into any error: of text, keys, memory, its own, SQLite's.
            raise ValueError(
                f'{self.path} is not a rosbag2 that can be read: {type(error).__name__}: {error}'
            ) from error


def _header_stamp_ns(data: bytes) -> int:
    """Return the stamp of a serialised message that begins with a std_msgs/Header."""
    if len(data) < 12:
        raise ValueError(f'message has {len(data)} bytes, expected a header')
    # CDR: four bytes of encapsulation, whose second tells the byte order, then sec and nanosec.
    sec, nanosec = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return int(sec * 1_000_000_000 + nanosec)
