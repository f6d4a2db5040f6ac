# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the candidate row byte by byte, and against messages that went through CDR."""

from __future__ import annotations

from collections.abc import Callable
import struct
from typing import Any

import numpy as np
import pytest
from rosbags.typesys import get_typestore, Stores
from ssd_ros.recognition import candidates
from ssd_ros.recognition.candidates import DTYPE, FIELDS, Flag

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
# The row as C would have it, without a byte of padding.
ROW = struct.Struct('<4f 3d 4f 6f 2I iI 2H 8f I')
# One value of each field, exact in its type; ids are beyond what float32 can hold.
VALUES = (
    1.5, -2.5, 3.5, 0.25, 500_000.123, 4_500_000.456, -30.0, 0.0, 0.0, 0.5, -0.5, -3.0, 0.125,
    0.75, 0.5, 0.25, 1.0, 2**24 + 1, 2**32 - 1, -1, 999_999_999, 65_535, 17,
    -0.5, 0.25, 0.5, -0.125, 0.75, 0.0625, -0.03125, 0.5, 2**32 - 2,
)  # fmt: skip


def one_row() -> np.ndarray[Any, np.dtype[np.void]]:
    return np.array([VALUES], DTYPE)


class Message:
    """The attributes of sensor_msgs/PointCloud2, before anything is set."""


def message_of(rows: np.ndarray[Any, np.dtype[np.void]]) -> Any:
    """Send rows through CDR, as a bag or DDS does."""
    filled = candidates.to_msg(rows, Message(), TYPES['sensor_msgs/msg/PointField'])
    attributes = dict(vars(filled), data=np.frombuffer(filled.data, np.uint8))
    stamp = TYPES['builtin_interfaces/msg/Time'](sec=1, nanosec=2)
    header = TYPES['std_msgs/msg/Header'](stamp=stamp, frame_id='map')
    msg = TYPES['sensor_msgs/msg/PointCloud2'](header=header, **attributes)
    data = STORE.serialize_cdr(msg, 'sensor_msgs/msg/PointCloud2')
    return STORE.deserialize_cdr(data, 'sensor_msgs/msg/PointCloud2')


def test_a_row_is_136_bytes_without_padding() -> None:
    assert ROW.size == DTYPE.itemsize == 136
    assert one_row().tobytes() == ROW.pack(*VALUES)


def test_fields_lie_where_the_document_says() -> None:
    offsets = {name: (offset, datatype) for name, offset, datatype in FIELDS}
    # 7 = FLOAT32, 8 = FLOAT64, 6 = UINT32, 5 = INT32, 4 = UINT16.
    assert offsets['intensity'] == (12, 7)
    assert offsets['map_x'] == (16, 8)
    assert offsets['relative_yaw'] == (56, 7)
    assert offsets['keyframe_id'] == (80, 6)
    assert offsets['kf_stamp_sec'] == (88, 5)
    assert offsets['flags'] == (98, 4)
    assert offsets['relative_x'] == (100, 7)
    assert offsets['covariance_y_yaw'] == (124, 7)
    assert offsets['map_revision'] == (132, 6)
    assert len(FIELDS) == 32


@pytest.mark.parametrize('num_rows', [0, 1, 3])
def test_rows_survive_a_message_bit_for_bit(num_rows: int) -> None:
    rows = np.repeat(one_row(), num_rows)
    rows['rank'] = np.arange(num_rows)
    msg = message_of(rows)
    assert (msg.height, msg.width) == (1, num_rows)
    assert (msg.point_step, msg.row_step) == (136, 136 * num_rows)
    assert msg.is_dense
    assert candidates.from_msg(msg).tobytes() == rows.tobytes()


def test_recorded_rows_without_age_and_revision_are_read() -> None:
    msg = message_of(np.repeat(one_row(), 2))
    msg.fields = msg.fields[:-2]
    msg.point_step, msg.row_step = 128, 256
    msg.data = np.frombuffer(ROW.pack(*VALUES)[:128] * 2, np.uint8)
    rows = candidates.from_msg(msg)
    assert rows['map_revision'].tolist() == [0, 0]
    assert np.isnan(rows['age']).all()
    rows['age'], rows['map_revision'] = VALUES[-2:]
    assert rows.tobytes() == ROW.pack(*VALUES) * 2
    msg.data = msg.data[:-1]
    with pytest.raises(ValueError, match='has 255 bytes, expected 256 for 2 rows'):
        candidates.from_msg(msg)


def test_flags_are_bits() -> None:
    assert Flag.ACCEPTED | Flag.YAW_VALID == 17
    assert [flag.value for flag in Flag] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


def test_rows_of_another_type_are_not_sent() -> None:
    with pytest.raises(ValueError, match='expected \\(N,\\) DTYPE'):
        candidates.to_msg(np.zeros(2, np.float32), Message(), Message)


def rename_a_field(msg: Any) -> None:
    msg.fields[17].name = 'id'


def move_a_field(msg: Any) -> None:
    msg.fields[3].offset = 8


def widen_the_step(msg: Any) -> None:
    msg.point_step = 104


def swap_the_bytes(msg: Any) -> None:
    msg.is_bigendian = True


def lose_a_byte(msg: Any) -> None:
    msg.data = msg.data[:-1]


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (rename_a_field, "field 'keyframe_id' is absent, expected offset 80 and datatype 6"),
        (move_a_field, r"field 'intensity' is \(8, 7\), expected offset 12"),
        (widen_the_step, 'point_step is 104, expected 136'),
        (swap_the_bytes, 'point_step is 136, big endian, expected 136'),
        (lose_a_byte, 'has 135 bytes, expected 136 for 1 rows'),
    ],
)
def test_a_message_that_is_no_candidate_list_is_refused(
    spoil: Callable[[Any], None], reason: str
) -> None:
    msg = message_of(one_row())
    spoil(msg)
    with pytest.raises(ValueError, match=reason):
        candidates.from_msg(msg)


def test_sensor_msgs_py_reads_the_same_rows() -> None:
    point_cloud2 = pytest.importorskip(
        'sensor_msgs_py.point_cloud2', reason='sensor_msgs_py comes with a sourced ROS only'
    )
    from sensor_msgs.msg import PointCloud2, PointField

    msg = candidates.to_msg(one_row(), PointCloud2(), PointField)
    assert point_cloud2.read_points(msg).tobytes() == ROW.pack(*VALUES)
