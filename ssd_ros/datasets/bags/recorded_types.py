# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message types of radars that plain ROS lacks, for recordings that do not define them."""

from __future__ import annotations

from collections.abc import Mapping

from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from rosbags.typesys.store import Typestore

# As the packages radar_msgs (ROS), navtech_msgs (ASRL, norlab) and messages (Navtech) define
# them. Navtech's arrays of bytes are numbers in network order, but for bin_size.
DEFINITIONS: Mapping[str, str] = {
    'radar_msgs/msg/RadarReturn': (
        'float32 range\nfloat32 azimuth\nfloat32 elevation\nfloat32 doppler_velocity\n'
        'float32 amplitude\n'
    ),
    'radar_msgs/msg/RadarScan': 'std_msgs/Header header\nradar_msgs/RadarReturn[] returns\n',
    'navtech_msgs/msg/RadarBScanMsg': (
        'sensor_msgs/Image b_scan_img\nuint16[] encoder_values\nuint64[] timestamps\n'
    ),
    'navtech_msgs/msg/RadarConfigurationMsg': (
        'std_msgs/Header header\nuint16 azimuth_samples\nuint16 encoder_size\n'
        'uint16 azimuth_offset\nfloat32 bin_size\nuint16 range_in_bins\n'
        'uint16 expected_rotation_rate\nfloat32 range_gain\nfloat32 range_offset\n'
    ),
    'messages/msg/RadarFftDataMessage': (
        'std_msgs/Header header\nuint8[] angle\nuint8[] azimuth\nuint8[] sweep_counter\n'
        'uint8[] ntp_seconds\nuint8[] ntp_split_seconds\nuint8[] data\nuint8[] data_length\n'
    ),
    'messages/msg/RadarConfigurationMessage': (
        'std_msgs/Header header\nuint8[] azimuth_samples\nuint8[] encoder_size\n'
        'uint8[] bin_size\nuint8[] range_in_bins\nuint8[] expected_rotation_rate\n'
    ),
}


def radar_typestore() -> Typestore:
    """Return the types of ROS 2 and of the radars."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store
