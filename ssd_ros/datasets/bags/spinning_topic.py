# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scans of a spinning radar in a recording, one message a turn or one an azimuth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Connection
from ssd_ros.datasets.bags.reader import BagReader
from ssd_ros.datasets.spinning.messages import DECODERS
from ssd_ros.datasets.spinning.preset import FFT_DATA, PRESETS, SpinningPreset, UNNAMED
from ssd_ros.datasets.spinning.scan import scan_from_sweeps
from ssd_ros.datasets.spinning.sweeps import count_of
from ssd_ros.radar.types import SpinningRadarScan

CONFIGURATIONS = ('navtech_msgs/msg/RadarConfigurationMsg',
                   'messages/msg/RadarConfigurationMessage')  # fmt: skip


class Scans(Protocol):
    """The scans of one topic; stamps shape (M,), ascending."""

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """Stamp of each scan."""
        ...

    def scan(self, index: int) -> SpinningRadarScan:
        """Read one scan."""
        ...


def open_scans(
    reader: BagReader,
    topic: str | None,
    preset_name: str | None,
    range_resolution_m: float | None,
) -> Scans:
    """
    Find the scans of a recording and how they are laid out.

    :param topic: None = that of the preset, or the only one of its type
    :param preset_name: one of PRESETS, None = by the type of the messages
    :param range_resolution_m: None = of the radar's configuration message in the recording, else
        of the preset
    :raise ValueError: preset or topic are not there, or without a name there are several topics
    """
    if preset_name is not None and preset_name not in PRESETS:
        raise ValueError(f'unknown spinning preset {preset_name!r}; choose from {list(PRESETS)}')
    types = list(UNNAMED) if preset_name is None else [PRESETS[preset_name].message_type]
    if topic is None and preset_name is not None:
        usual = PRESETS[preset_name].topic
        topic = usual if usual in reader.topics_of(types) else None
    connections = reader.connections(topic, types)
    if not connections:
        return _MessagePerTurn(reader, [], SpinningPreset())
    message_type = connections[0].msgtype
    preset = UNNAMED[message_type] if preset_name is None else PRESETS[preset_name]
    preset = _configured(preset, reader, range_resolution_m)
    if message_type == FFT_DATA:
        return _MessagePerAzimuth(reader, connections, preset)
    return _MessagePerTurn(reader, connections, preset)


def _configured(
    preset: SpinningPreset, reader: BagReader, range_resolution_m: float | None
) -> SpinningPreset:
    """
    Return the preset with what the radar itself told, if it did.

    :param range_resolution_m: counts more than what the radar told
    """
    for topic in reader.topics_of(CONFIGURATIONS):
        for _, message in reader.messages(reader.connections(topic, CONFIGURATIONS)):
            resolution_m = range_resolution_m or _bin_size_m(message)
            if not (math.isfinite(resolution_m) and 0 < resolution_m < 10):
                raise ValueError(f'{reader.path}: {topic} says bins of {resolution_m} m')
            # Some drivers leave it at zero.
            encoder_size = _encoder_size(message) or preset.encoder_size
            return replace(preset, range_resolution_m=resolution_m, encoder_size=encoder_size)
    return replace(preset, range_resolution_m=range_resolution_m or preset.range_resolution_m)


def _bin_size_m(configuration: Any) -> float:
    size = getattr(configuration, 'bin_size', math.nan)
    if isinstance(size, float):
        return size
    # Navtech's own: ten-thousandths of a metre in eight bytes of the host's order.
    return int.from_bytes(size.tobytes(), 'little') / 10_000


def _encoder_size(configuration: Any) -> int:
    size = getattr(configuration, 'encoder_size', 0)
    return size if isinstance(size, int) else int.from_bytes(size.tobytes(), 'big')


class _MessagePerTurn:
    def __init__(
        self, reader: BagReader, connections: list[Connection], preset: SpinningPreset
    ) -> None:
        self._reader = reader
        self._preset = preset
        self._topic = reader.index(connections)

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        return self._topic.stamps_ns

    def scan(self, index: int) -> SpinningRadarScan:
        message = self._reader.message(self._topic, index)
        read = DECODERS[self._topic.connections[0].msgtype]
        return read(message, int(self.stamps_ns[index]), self._preset)


@dataclass(frozen=True, slots=True)
class _Turn:
    """
    Messages of one turn.

    :param stamp_ns: of the azimuth in the middle
    :param first_ns: log time of the first message, likewise `last_ns`
    """

    stamp_ns: int
    first_ns: int
    last_ns: int
    num_azimuths: int


class _MessagePerAzimuth:
    def __init__(
        self, reader: BagReader, connections: list[Connection], preset: SpinningPreset
    ) -> None:
        self._reader = reader
        self._connections = connections
        self._preset = preset
        turns = list(self._turns())
        # The recording begins and ends in the middle of a turn.
        whole = max((turn.num_azimuths for turn in turns), default=0) / 2
        by_stamp = {turn.stamp_ns: turn for turn in turns if turn.num_azimuths > whole}
        self._whole_turns = [by_stamp[stamp_ns] for stamp_ns in sorted(by_stamp)]

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        return np.array([turn.stamp_ns for turn in self._whole_turns], np.int64)

    def scan(self, index: int) -> SpinningRadarScan:
        turn = self._whole_turns[index]
        counts, sweeps = [], []
        raw = self._reader.raw_messages(self._connections, turn.first_ns, turn.last_ns)
        for message in map(self._reader.deserialized, raw):
            counts.append(count_of(message))
            sweeps.append(np.asarray(message.data, np.uint8))
        return scan_from_sweeps(np.array(counts, np.uint16), sweeps, turn.stamp_ns, self._preset)

    def _turns(self) -> Iterator[_Turn]:
        """Split the messages where the encoder begins anew."""
        stamps: list[int] = []
        first_ns = last_ns = last_count = 0
        for raw in self._reader.raw_messages(self._connections):
            count = count_of(self._reader.deserialized(raw))
            if stamps and count < last_count:
                yield _Turn(stamps[len(stamps) // 2], first_ns, last_ns, len(stamps))
                stamps = []
            if not stamps:
                first_ns = raw.log_time_ns
            stamps.append(raw.stamp_ns)
            last_ns, last_count = raw.log_time_ns, count
        if stamps:
            yield _Turn(stamps[len(stamps) // 2], first_ns, last_ns, len(stamps))
