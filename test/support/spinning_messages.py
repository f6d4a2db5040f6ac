# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of spinning radars as their drivers send them, in a recording."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer
from ssd_ros.datasets.bags.recorded_types import radar_typestore

STORE = radar_typestore()
SECOND_NS = 1_000_000_000


def new(msgtype: str, **attributes: Any) -> Any:
    return STORE.types[msgtype](**attributes)


def header(stamp_ns: int) -> Any:
    sec, nanosec = divmod(stamp_ns, SECOND_NS)
    stamp = new('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)
    return new('std_msgs/msg/Header', stamp=stamp, frame_id='navtech')


def image(pixels: NDArray[np.uint8], stamp_ns: int = 5 * SECOND_NS, step: int = 0) -> Any:
    height, width = pixels.shape
    return new(
        'sensor_msgs/msg/Image',
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding='8UC1',
        is_bigendian=0,
        step=step or width,
        data=pixels.repeat(step // width).ravel() if step else pixels.ravel(),
    )


def b_scan(
    rows: NDArray[np.uint8], counts: NDArray[np.uint16], stamp_ns: int = 5 * SECOND_NS
) -> Any:
    return new(
        'navtech_msgs/msg/RadarBScanMsg',
        b_scan_img=image(rows, stamp_ns),
        encoder_values=counts,
        timestamps=np.zeros(len(rows), np.uint64),
    )


def network(value: int, num_bytes: int = 2) -> NDArray[np.uint8]:
    return np.frombuffer(value.to_bytes(num_bytes, 'big'), np.uint8)


def sweep(count: int, stamp_ns: int, data: NDArray[np.uint8]) -> Any:
    """Return the message of one azimuth."""
    return new(
        'messages/msg/RadarFftDataMessage',
        header=header(stamp_ns),
        angle=network(0),  # the driver computes it wrongly
        azimuth=network(count),
        sweep_counter=network(1),
        ntp_seconds=network(0, 4),
        ntp_split_seconds=network(0, 4),
        data=data,
        data_length=network(len(data)),
    )


def bag_of(
    path: Path,
    topic: str,
    messages: Iterable[Any],
    storage: StoragePlugin = StoragePlugin.SQLITE3,
    others: Iterable[tuple[str, Any]] = (),
) -> Path:
    """Write messages of one topic a millisecond apart, then others."""
    with Writer(path, version=8, storage_plugin=storage) as writer:
        connections: dict[str, Any] = {}
        everything = [*((topic, message) for message in messages), *others]
        for number, (name, message) in enumerate(everything):
            msgtype = message.__msgtype__
            if name not in connections:
                connections[name] = writer.add_connection(name, msgtype, typestore=STORE)
            data = STORE.serialize_cdr(message, msgtype)
            writer.write(connections[name], 6 * SECOND_NS + number * 1_000_000, data)
    return path
