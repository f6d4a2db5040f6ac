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


# One turn of 400 azimuths and 500 bins: an echo 9 m ahead to the right, at 36 degrees.
ROWS = np.zeros((400, 500), np.uint8)
ROWS[40, 205] = 200
COUNTS = (np.arange(400) * 14).astype(np.uint16)


def azimuth(index: int, stamp_ns: int) -> Any:
    return sweep(int(COUNTS[index]), stamp_ns, ROWS[index])


def sweeps(num: int, first: int) -> list[Any]:
    """Return messages of azimuths from `first` on, 400 a turn, one a millisecond."""
    return [
        azimuth((first + i) % 400, 5 * SECOND_NS + (first + i) * 1_000_000) for i in range(num)
    ]


def points() -> Any:
    """Return the cells of the turn as Navtech does: y to the right, and count = size."""
    azimuth_rad, range_m = np.radians([0, 36, 36]), np.array([2.0, 205 * 0.0438, np.nan])
    xyz = np.stack([range_m * np.cos(azimuth_rad), range_m * np.sin(azimuth_rad), 0 * range_m])
    data = np.ascontiguousarray(np.vstack([xyz, [[90, 200, 255]]]).T, '<f4')
    fields = [
        new('sensor_msgs/msg/PointField', name=name, offset=4 * i, datatype=7, count=len(data))
        for i, name in enumerate(['x', 'y', 'z', 'intensity'])
    ]
    return new(
        'sensor_msgs/msg/PointCloud2',
        header=header(5 * SECOND_NS),
        height=1,
        width=len(data),
        fields=fields,
        is_bigendian=False,
        point_step=16,
        row_step=16 * len(data),
        data=data.view(np.uint8).ravel(),
        is_dense=True,
    )


RECORDINGS = [
    ('hercules', [image(ROWS.T)]),
    ('hercules', [image(ROWS.T, step=1200)]),
    ('mulran', [image(ROWS.T)]),
    ('navtech_usl', [image(ROWS.T)]),
    ('utias', [image(np.hstack([np.zeros((400, 11), np.uint8), ROWS]))]),
    ('navtech_image', [image(ROWS)]),
    ('navtech_fft', sweeps(400, 0)),
    ('navtech_points', [points()]),
    ('navtech_b_scan', [b_scan(ROWS, COUNTS)]),
    ('fomo', [b_scan(ROWS, COUNTS)]),
]


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
