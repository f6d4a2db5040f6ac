# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The row of `~/candidates`: one loop-closure candidate as 136 bytes of a PointCloud2.

No standard message carries a candidate list, so the node publishes a point cloud with named
fields. This module is all that a user of the topic needs; it does not import ROS:

    rows = ssd_ros.recognition.candidates.from_msg(msg)
    best = rows[0]['keyframe_id'], rows[0]['relative_yaw']

The pose of the query's base frame in the keyframe's frame is (relative_x, relative_y,
relative_yaw) with the covariance beside it: T_map_query = T_map_keyframe * T_keyframe_query, so a
positive yaw means that the query looks to the left of the keyframe. A candidate that was not laid
over the keyframe's returns has the yaw of a view only: its x, y and covariance are NaN.
"""

from __future__ import annotations

import array
from collections.abc import Sequence
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ssd_ros.motion.trajectory import wrap_angle, yaw_from_quaternion

# Name, offset, type. Naturally aligned with no padding at the end, which sensor_msgs_py of Humble
# could not write.
_LAYOUT = (
    ('x', 0, '<f4'),  # position of the keyframe in the map, in single precision, for RViz
    ('y', 4, '<f4'),
    ('z', 8, '<f4'),
    ('intensity', 12, '<f4'),  # = confidence, RViz's default colour
    ('map_x', 16, '<f8'),  # the position in full: float32 has steps of 0.5 m at 4.5e6 m
    ('map_y', 24, '<f8'),
    ('map_z', 32, '<f8'),
    ('qx', 40, '<f4'),  # orientation of the keyframe in the map
    ('qy', 44, '<f4'),
    ('qz', 48, '<f4'),
    ('qw', 52, '<f4'),
    ('relative_yaw', 56, '<f4'),  # rad, (-pi, pi]; NaN = not estimated
    ('relative_yaw_std', 60, '<f4'),  # rad
    ('distance', 64, '<f4'),  # between unit descriptors, 0 (same) .. 2
    ('ratio', 68, '<f4'),  # distance / best one outside ambiguity_radius; >= 1 = aliased
    ('confidence', 72, '<f4'),  # P(correct); NaN while the map has no calibration
    ('support', 76, '<f4'),  # share of recent queries that agree; NaN without odometry
    ('keyframe_id', 80, '<u4'),  # number of the keyframe in the map
    ('map_id', 84, '<u4'),  # CRC-32 of the UUID text of the map
    ('kf_stamp_sec', 88, '<i4'),  # time of the keyframe
    ('kf_stamp_nanosec', 92, '<u4'),
    ('rank', 96, '<u2'),  # 0 = best
    ('flags', 98, '<u2'),  # see Flag
    ('relative_x', 100, '<f4'),  # m, in the keyframe's frame; NaN = not laid over, as all below
    ('relative_y', 104, '<f4'),  # m
    ('covariance_xx', 108, '<f4'),  # m^2; that of the yaw is relative_yaw_std^2
    ('covariance_xy', 112, '<f4'),  # m^2
    ('covariance_yy', 116, '<f4'),  # m^2
    ('covariance_x_yaw', 120, '<f4'),  # m rad
    ('covariance_y_yaw', 124, '<f4'),  # m rad
    ('age', 128, '<f4'),  # s, of the answer since the newest scan came; NaN = not known
    ('map_revision', 132, '<u4'),  # changes with anything in the map; 0 = not known
)


def _dtype(layout: Sequence[tuple[str, int, str]], itemsize: int) -> np.dtype[np.void]:
    names, offsets, formats = zip(*layout, strict=True)
    return np.dtype({'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': itemsize})


DTYPE = _dtype(_LAYOUT, 136)

# Constants of sensor_msgs/PointField.
_DATATYPES = {'u2': 4, 'i4': 5, 'u4': 6, 'f4': 7, 'f8': 8}
# (name, offset, datatype) as in sensor_msgs/PointField; count is 1 for all.
FIELDS = tuple((name, offset, _DATATYPES[kind[1:]]) for name, offset, kind in _LAYOUT)
# Rows before `age` and `map_revision` are read from recordings still.
_EARLIER_STEP = 128
_EARLIER = _dtype(_LAYOUT[:-2], _EARLIER_STEP)

# Reconstructed: at most 1 % of the wrong keyframes of simulated validation worlds overlap so much,
# of clouds of 15 to 800 points, clustered ones and single walls; test_overlap.py has the likes.
VERIFIED_OVERLAP = 0.23


class Flag(IntFlag):
    """Bits of `flags`."""

    ACCEPTED = 1
    AMBIGUOUS = 2
    SEQUENCE_CONSISTENT = 4
    GEOMETRICALLY_VERIFIED = 8  # its returns overlap the keyframe's by VERIFIED_OVERLAP or more
    YAW_VALID = 16
    LIVE_SESSION = 32
    STATIONARY = 64
    LOW_POINTS = 128
    UNKNOWN_RADAR = 256  # unlike those that the calibration knows: not accepted by default
    SUBMAP = 512  # asked by a submap, of which no calibration knows: not accepted by default
    PLACE_SERVER = 1024  # of the map of a place server, not of the own ones


DECISIONS = ('accepted', 'ambiguous', 'rejected')


def decisions(rows: NDArray[np.void]) -> NDArray[np.str_]:
    """
    Return one of DECISIONS about each row, by its flags.

    :param rows: shape (N,), type DTYPE
    :return: shape (N,)
    """
    flags = rows['flags']
    is_refused = (flags & (Flag.LOW_POINTS | Flag.UNKNOWN_RADAR)) != 0
    is_ambiguous = ((flags & Flag.AMBIGUOUS) != 0) & ~is_refused
    return np.where(flags & Flag.ACCEPTED, DECISIONS[0], np.where(is_ambiguous, *DECISIONS[1:]))


def planar_poses(rows: NDArray[np.void]) -> NDArray[np.float64]:
    """
    Return where the vehicle is by each row: x, y (m) and yaw (rad) in the map.

    A candidate that was not verified says no more than the place of its keyframe.

    :param rows: shape (N,), type DTYPE
    :return: shape (N, 3)
    """
    quaternions = np.stack([rows[name] for name in ('qx', 'qy', 'qz', 'qw')], axis=-1)
    yaws_rad = yaw_from_quaternion(quaternions.astype(np.float64))
    forward, left = (np.nan_to_num(rows[name]) for name in ('relative_x', 'relative_y'))
    x = rows['map_x'] + np.cos(yaws_rad) * forward - np.sin(yaws_rad) * left
    y = rows['map_y'] + np.sin(yaws_rad) * forward + np.cos(yaws_rad) * left
    return np.stack([x, y, wrap_angle(yaws_rad + rows['relative_yaw'])], axis=-1)


def to_msg(rows: NDArray[np.void], msg: Any, field_type: Any) -> Any:
    """
    Fill a PointCloud2 with candidates, all but its header.

    :param rows: shape (N,), type DTYPE, best first; N = 0 says "asked, nothing found"
    :param msg: a sensor_msgs.msg.PointCloud2
    :param field_type: sensor_msgs.msg.PointField
    :return: the same message
    """
    if rows.dtype != DTYPE or rows.ndim != 1:
        raise ValueError(f'rows have type {rows.dtype} and {rows.ndim} axes, expected (N,) DTYPE')
    msg.height, msg.width = 1, len(rows)
    msg.fields = [
        field_type(name=name, offset=offset, datatype=datatype, count=1)
        for name, offset, datatype in FIELDS
    ]
    msg.is_bigendian = False
    msg.point_step, msg.row_step = DTYPE.itemsize, DTYPE.itemsize * len(rows)
    # Other types than array are copied or checked element by element.
    msg.data = array.array('B', rows.tobytes())
    msg.is_dense = True
    return msg


def from_msg(msg: Any) -> NDArray[np.void]:
    """
    Return the candidates of a message, live (rclpy) or recorded (rosbags), best first.

    Recorded rows of 128 bytes lack `age` and `map_revision`, which are as if not known.

    :return: shape (N,), type DTYPE
    :raise ValueError: the message is not a candidate list
    """
    found = {field.name: (int(field.offset), int(field.datatype)) for field in msg.fields}
    is_earlier = msg.point_step == _EARLIER_STEP
    for name, offset, datatype in FIELDS[:-2] if is_earlier else FIELDS:
        if found.get(name) != (offset, datatype):
            raise ValueError(
                f'not a candidate list: field {name!r} is {found.get(name, "absent")}, '
                f'expected offset {offset} and datatype {datatype}'
            )
    step = _EARLIER_STEP if is_earlier else DTYPE.itemsize
    if msg.is_bigendian or msg.point_step != step:
        raise ValueError(
            f'not a candidate list: point_step is {msg.point_step}'
            f'{", big endian" if msg.is_bigendian else ""}, expected {DTYPE.itemsize}'
        )
    num_rows = int(msg.width) * int(msg.height)
    if len(msg.data) != num_rows * step:
        raise ValueError(
            f'candidate list has {len(msg.data)} bytes, '
            f'expected {num_rows * step} for {num_rows} rows'
        )
    return _completed(msg.data) if is_earlier else np.frombuffer(msg.data, DTYPE)


def _completed(data: Any) -> NDArray[np.void]:
    """Return earlier rows with the fields that came later."""
    earlier = np.frombuffer(data, _EARLIER)
    rows = np.zeros(len(earlier), DTYPE)
    for name in _EARLIER.names or ():
        rows[name] = earlier[name]
    rows['age'] = np.nan
    return rows
