# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message types of recordings: as they define them, and those that plain ROS lacks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
import re
from typing import Any

from rosbags.interfaces import Connection, MessageDefinitionFormat, Nodetype
from rosbags.interfaces.typing import Typesdict
from rosbags.typesys import get_types_from_idl, get_types_from_msg, get_typestore, Stores
from rosbags.typesys.store import Typestore

_LIVOX_POINT = (
    'uint32 offset_time\nfloat32 x\nfloat32 y\nfloat32 z\nuint8 reflectivity\nuint8 tag\n'
    'uint8 line\n'
)
_LIVOX = (
    'std_msgs/Header header\nuint64 timebase\nuint32 point_num\nuint8 lidar_id\nuint8[3] rsvd\n'
    'CustomPoint[] points\n'
)
# As the packages radar_msgs (ROS), navtech_msgs (ASRL, norlab), messages (Navtech) and
# livox_ros_driver, livox_ros_driver2 (Livox, README of both) define them. Navtech's arrays of
# bytes are numbers in network order, but for bin_size.
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
    'livox_ros_driver/msg/CustomPoint': _LIVOX_POINT,
    'livox_ros_driver/msg/CustomMsg': _LIVOX,
    'livox_ros_driver2/msg/CustomPoint': _LIVOX_POINT,
    'livox_ros_driver2/msg/CustomMsg': _LIVOX,
}
# Versions of the drivers differ in these, and little of them is used.
_VARYING = ('navtech_msgs/msg/RadarConfigurationMsg', 'messages/msg/RadarConfigurationMessage')


class WrongDefinition(ValueError):
    """A recording's definition of a message type does not have what ROS's has."""


@cache
def radar_typestore(is_ros1: bool = False) -> Typestore:
    """Return the types of ROS, of the radars and of Livox."""
    store = get_typestore(Stores.ROS1_NOETIC if is_ros1 else Stores.ROS2_JAZZY)
    for name, text in DEFINITIONS.items():
        store.register(get_types_from_msg(text, name))
    return store


def typestore_of(connection: Connection, is_ros1: bool) -> Typestore:
    """
    Return the types of a connection: as the recording defines them, else as they are known here.

    What other connections define, rightly or not, does not matter.

    :raise WrongDefinition: it defines one without a field that is needed
    """
    known = radar_typestore(is_ros1)
    defined = _defined_types(connection)
    if not defined:
        return known
    types = {**known.fielddefs, **defined}
    reached = _reached(connection.msgtype, types)
    for name in reached:
        have = dict(types[name][1])
        wanted = dict(known.fielddefs.get(name, ((), ()))[1])
        wrong = [field for field, kind in wanted.items() if have.get(field) != kind]
        if wrong and name not in _VARYING:
            raise WrongDefinition(
                f'{connection.topic} is recorded with a definition of {name} that lacks '
                f'{", ".join(wrong)}, or has it of another type'
            )
    store = get_typestore(Stores.EMPTY)
    store.register({name: types[name] for name in reached})
    return store


def _defined_types(connection: Connection) -> Typesdict:
    """Parse the definition in the recording; rosbag2 joins several files of IDL by lines of =."""
    definition = connection.msgdef
    types: Typesdict = {}
    if definition.format == MessageDefinitionFormat.MSG and definition.data.strip():
        types.update(get_types_from_msg(definition.data, connection.msgtype))
    elif definition.format == MessageDefinitionFormat.IDL:
        for text in definition.data.split('=' * 80 + '\n'):
            types.update(get_types_from_idl(re.sub(r'\AIDL: .*\n', '', text)))
    return types


def _reached(name: str, types: Typesdict) -> list[str]:
    """Return a type and those nested in it, as far as they are defined."""
    found = [name]
    for outer in found:  # grows on the way
        inner = {_element(descriptor) for _, descriptor in types[outer][1]}
        found += sorted(inner & types.keys() - {*found})
    return found


def _element(descriptor: Any) -> str:
    """Return the name of a field's type, of an array that of its elements."""
    kind, what = descriptor
    if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
        return _element(what[0])
    return str(what) if kind == Nodetype.NAME else ''
