# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of a recording, found by topic, type and stamp, without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
from heapq import merge
import logging
from pathlib import Path
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Connection
from rosbags.rosbag1 import Reader as Reader1
from rosbags.typesys.store import Typestore
from ssd_ros.datasets.bags.files import open_readers, way_out
from ssd_ros.datasets.bags.recorded_types import typestore_of, WrongDefinition

_ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'

_logger = logging.getLogger(__name__)


class RawMessage(NamedTuple):
    """
    A message as it was recorded.

    :param header_ns: stamp of the header, 0 where the driver leaves it so
    """

    header_ns: int
    log_time_ns: int
    data: bytes
    connection: Connection

    @property
    def stamp_ns(self) -> int:
        """Stamp of the header, or of the recorder where that is zero."""
        return self.header_ns or self.log_time_ns


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
    A recording of ROS 2 (a folder, .db3 or .mcap) or of ROS 1 (.bag).

    Stamps are those of the headers, or of the recorder where a driver leaves them zero.
    """

    def __init__(self, path: Path) -> None:
        """
        Open the recording.

        :raise ValueError: it is damaged
        """
        self.path = path
        self._stores: dict[tuple[str, str], Typestore] = {}
        with ExitStack() as opened, self._damage_named():
            readers = open_readers(path, opened)
            self._readers = readers
            self._is_ros1 = any(isinstance(reader, Reader1) for reader in readers)
            # Those of a folder belong to the reader's own storage, so not by their owner.
            self._by_reader = [list(reader.connections) for reader in readers]
            self._opened = opened.pop_all()

    @property
    def _connections(self) -> list[Connection]:
        return [connection for part in self._by_reader for connection in part]

    def close(self) -> None:
        """Close the recording's files."""
        self._opened.close()

    def topics_of(self, types: Sequence[str]) -> list[str]:
        """Return the topics of one of these types, those with messages if any has some."""
        found = [c for c in self._connections if c.msgtype in types]
        with_messages = [c for c in found if c.msgcount] or found
        return sorted({c.topic for c in with_messages})

    def connections(self, name: str | None, types: Sequence[str]) -> list[Connection]:
        """
        Return the connections of a topic: the named one, or the only one of the types.

        :raise ValueError: the topic is not there, or without a name there are several
        """
        topics = self.topics_of(types) if name is None else [name]
        if len(topics) > 1:
            raise ValueError(f'{self.path} has several topics of {types}: choose from {topics}')
        chosen = [c for c in self._connections if c.topic in topics and c.msgtype in types]
        if name is not None and not chosen:
            found = sorted({f'{c.topic} ({c.msgtype})' for c in self._connections})
            raise ValueError(f'{self.path} has no topic {name!r} of {types}; it has {found}')
        return chosen

    def index(self, connections: list[Connection]) -> Topic:
        """List the messages; of several with one stamp the first counts."""
        stamps: dict[int, int] = {}
        for raw in self.raw_messages(connections):
            stamps.setdefault(raw.stamp_ns, raw.log_time_ns)
        columns = np.array(sorted(stamps.items()), np.int64).reshape(-1, 2)
        return Topic(connections, columns[:, 0].copy(), columns[:, 1].copy())

    def raw_messages(
        self,
        connections: list[Connection],
        first_ns: int | None = None,
        last_ns: int | None = None,
    ) -> Iterator[RawMessage]:
        """
        Yield messages in the order in which they were recorded.

        Those too short for a header are left out with one warning.

        :param first_ns: log time of the first, likewise `last_ns`; None = all
        """
        stop_ns, num_short = None if last_ns is None else last_ns + 1, 0
        parts = [
            reader.messages(chosen, first_ns, stop_ns)
            for reader, own in zip(self._readers, self._by_reader, strict=True)
            # To rosbags, none means all.
            if (chosen := [connection for connection in own if connection in connections])
        ]
        with self._damage_named():
            for connection, time_ns, data in merge(*parts, key=lambda message: message[1]):
                if len(data) < 12:
                    num_short += 1
                    continue
                yield RawMessage(self._stamp_ns(data), time_ns, data, connection)
        if num_short:
            _logger.warning('%s: left out %d messages without a header', self.path, num_short)

    def messages(self, connections: list[Connection]) -> Iterator[tuple[int, Any]]:
        """Yield stamp and message of all."""
        for raw in self.raw_messages(connections):
            yield raw.stamp_ns, self.deserialized(raw)

    def message(self, topic: Topic, index: int) -> Any:
        """Return one message of a topic."""
        stamp_ns, log_time_ns = int(topic.stamps_ns[index]), int(topic.log_times_ns[index])
        for raw in self.raw_messages(topic.connections, log_time_ns, log_time_ns):
            if raw.stamp_ns == stamp_ns:
                return self.deserialized(raw)
        raise ValueError(f'{self.path} no longer has the message at {stamp_ns} ns')

    def deserialized(self, raw: RawMessage) -> Any:
        """
        Return the message in the bytes.

        :raise ValueError: they do not hold one, or the recording defines its type wrongly
        """
        connection = raw.connection
        key = connection.msgtype, connection.msgdef.data
        with self._damage_named():
            if key not in self._stores:
                self._stores[key] = typestore_of(connection, self._is_ros1)
            store = self._stores[key]
            if self._is_ros1:
                return store.deserialize_ros1(raw.data, connection.msgtype)
            return store.deserialize_cdr(raw.data, connection.msgtype)

    def _stamp_ns(self, data: bytes) -> int:
        """Return the stamp of a serialised message that begins with a std_msgs/Header."""
        if self._is_ros1:  # seq, secs and nsecs, always little-endian
            _, sec, nanosec = struct.unpack_from('<III', data)
        elif data.startswith(_ZSTD_MAGIC):
            raise ValueError(
                'its messages are compressed one by one and metadata.yaml does not say so: run '
                f'`ros2 bag reindex {self.path}`'
            )
        else:  # CDR: four bytes of encapsulation, whose second tells the byte order
            sec, nanosec = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
        return int(sec * 1_000_000_000 + nanosec)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except WrongDefinition as error:
            raise ValueError(f'{self.path}: {error}') from error
        except Exception as error:
            if isinstance(error, ValueError) and str(self.path) in str(error):
                raise
            # Damaged bytes lead rosbags into any error: of text, keys, memory, its own, SQLite's.
            raise ValueError(
                f'{self.path} is not a recording that can be read: {type(error).__name__}: '
                f'{error}; {way_out(self.path)}'
            ) from error
