# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check clouds of the first version and radar scans: what they hold, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Writer
from ssd_ros.datasets.bags.recorded_types import radar_typestore
from ssd_ros.datasets.bags.rosbag2 import Rosbag2Sequence
from ssd_ros.radar.columns import DecodeStats
from ssd_ros.radar.fields import DecoderConfig, PointCloudError
from ssd_ros.radar.point_cloud1 import decode_point_cloud
from ssd_ros.radar.scan import decode_radar_scan
from support.drivers.messages import message_v1, radar_scan

OCULII: dict[str, Any] = {
    'x': [3.0, 0.0, 10.0],
    'y': [4.0, 0.0, -5.0],
    'z': [0.0, 0.0, 1.0],
    'Doppler': [-2.5, 0.0, 1.5],
    'Power': [10.0, 0.0, 14.0],
}
ECHOES: dict[str, Any] = {
    'range': [10.0, np.nan],
    'azimuth': [np.pi / 2, 0.0],
    'elevation': [0.0, 0.0],
    'doppler_velocity': [-2.5, 0.0],
    'amplitude': [10.0, 14.0],
}


def test_points_and_channels_become_a_cloud_without_its_padding() -> None:
    cloud, stats = decode_point_cloud(message_v1(OCULII))
    assert cloud.xyz_m.tolist() == [[3, 4, 0], [10, -5, 1]]
    assert cloud.radial_velocity_mps.tolist() == [-2.5, 1.5]
    assert cloud.rcs_dbsm.tolist() == [0, 4]
    assert (cloud.stamp_ns, cloud.frame_id) == (12_000_000_034, 'radar')
    assert stats == DecodeStats(3, num_zero=1, intensity_kind='power_db')


def test_the_range_rate_may_be_in_any_channel_even_one_that_is_called_like_an_axis() -> None:
    columns = {**OCULII, 'speed': [7.0, 8.0, 9.0], 'X': [1.0, 1.0, 1.0]}
    config = DecoderConfig(field_map={'doppler': 'speed'}, doppler_sign=-1)
    cloud = decode_point_cloud(message_v1(columns), config).cloud
    assert cloud.radial_velocity_mps.tolist() == [-7, -9]
    assert cloud.xyz_m[:, 0].tolist() == [3, 10]
    odd = DecoderConfig(field_map={'doppler': 'x'})
    assert decode_point_cloud(message_v1(columns), odd).cloud.radial_velocity_mps[0] == 3


def test_a_channel_that_is_too_short_is_refused() -> None:
    msg = message_v1({**OCULII, 'Power': [10.0]})
    with pytest.raises(PointCloudError, match="channel 'Power' has 1 values, expected 3") as error:
        decode_point_cloud(msg)
    assert error.value.reason == 'short_data'


def test_a_cloud_without_a_channel_of_the_range_rate_is_refused() -> None:
    columns = {name: OCULII[name] for name in ('x', 'y', 'z', 'Power')}
    with pytest.raises(PointCloudError, match=r"no field for Doppler; it has \['x', 'y', 'z', 'P"):
        decode_point_cloud(message_v1(columns))


def test_a_return_without_a_range_is_dropped() -> None:
    cloud, stats = decode_radar_scan(radar_scan(ECHOES))
    np.testing.assert_allclose(cloud.xyz_m, [[0, 10, 0]], atol=1e-5)
    assert cloud.radial_velocity_mps.tolist() == [-2.5]
    assert stats == DecodeStats(2, num_not_finite=1, intensity_kind='power_db')


def test_empty_messages_are_empty_clouds() -> None:
    assert decode_point_cloud(message_v1({'x': [], 'y': [], 'z': []})).stats == DecodeStats(0)
    assert decode_radar_scan(radar_scan({'range': []})).stats == DecodeStats(0)


def recorded(path: Path, message: Any) -> Path:
    """Write a message into a recording."""
    store = radar_typestore()
    with Writer(path, version=8) as writer:
        msgtype = message.__msgtype__
        connection = writer.add_connection('/radar', msgtype, typestore=store)
        writer.write(connection, 5, store.serialize_cdr(message, msgtype))
    return path


def test_both_are_read_from_recordings(tmp_path: Path) -> None:
    types = radar_typestore().types
    stamp = types['builtin_interfaces/msg/Time'](sec=1, nanosec=2)
    header = types['std_msgs/msg/Header'](stamp=stamp, frame_id='radar')
    point, channel = types['geometry_msgs/msg/Point32'], types['sensor_msgs/msg/ChannelFloat32']
    old = types['sensor_msgs/msg/PointCloud'](
        header=header,
        points=[point(x=3.0, y=4.0, z=0.0)],
        channels=[
            channel(name=name, values=np.array([value], np.float32))
            for name, value in (('Doppler', -2.5), ('Power', 9.0))
        ],
    )
    echo = types['radar_msgs/msg/RadarReturn'](
        range=5.0, azimuth=np.arctan2(4, 3), elevation=0.0, doppler_velocity=-2.5, amplitude=9.0
    )
    scan = types['radar_msgs/msg/RadarScan'](header=header, returns=[echo])
    for number, message in enumerate((old, scan)):
        sequence = Rosbag2Sequence(recorded(tmp_path / f'bag{number}', message))
        cloud = sequence.cloud(0)
        np.testing.assert_allclose(cloud.xyz_m, [[3, 4, 0]], atol=1e-5)
        assert cloud.radial_velocity_mps.tolist() == [-2.5]
        assert (cloud.stamp_ns, cloud.frame_id) == (1_000_000_002, 'radar')
