# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which driver sent the clouds of a 4D radar, by the names of their fields and of their topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ssd_ros.radar.messages import MESSAGE_TYPES
from ssd_ros.ros.parameters.file import read_parameter_files
from ssd_ros.ros.parameters.node import NodeParameters, OPTIONS, value_of
from ssd_ros.shared_files import shared_file

# What tells them apart; a file of config/drivers each, whose parameters count.
FIELDS: Mapping[str, str] = {
    'altos': 'x y z h s v',
    'arbe': 'x y z rgb range azimuth elevation doppler power range_bin',
    'ars548_ncut': 'x y z intensity doppler classification',
    'ars548_nebula': 'x y z azimuth elevation range range_rate rcs measurement_id',
    'ars548_upo': 'x y z v r RCS azimuth elevation',
    'autoware_radar_scan': '',
    'bosch_premium': 'x y z radial_distance radial_velocity radar_cross_section',
    'hercules': 'x y z v r RCS azimuth elevation',
    'oculii_driver2': 'x y z alpha beta range doppler power recoveredSpeed',
    'oculii_v1': 'Doppler Range Power Alpha Beta',
    'reve': 'x y z snr_db noise_db v_doppler_mps',
    'snail_ars548': 'x y z doppler intensity range_std azimuth_std doppler_std',
    'snail_oculii': 'x y z Doppler Range Power Alpha Beta rangeAccu aziAccu',
    'srr520_nebula': 'range azimuth range_rate rcs pdh00 snr',
    'ti_mmwave': 'x y z intensity velocity',
    'ti_mmwave_ros2': 'x y z intensity range velocity bearing',
    'tj4d': 'x y z V_r Range Power Alpha Beta',
    'umrr': 'x y z radial_speed power rcs noise snr',
    'vod_zf': 'x y z RCS v_r v_r_compensated time',
}
_WHERE = frozenset({'input_topics', 'frame_override'})


@dataclass(frozen=True, slots=True)
class Driver:
    """
    A driver whose messages look like those that came.

    :param names: of files in config/drivers, the likeliest first; all read the clouds alike
    :param by_topic: its topic has the name that the first one's has by default, too
    :param topics: of the driver by default
    :param parameters: that read it, without those of topics and frames
    """

    names: tuple[str, ...]
    by_topic: bool
    topics: tuple[str, ...]
    parameters: Mapping[str, Any]

    @property
    def words(self) -> str:
        """Which one it is and why."""
        first, *others = self.names
        why = 'by its topic and the names of its fields' if self.by_topic else 'by its fields'
        alike = f'; {", ".join(others)} read it alike' if others else ''
        return f'{first}, {why}{alike}'


def driver_of(topic: str, message_type: str, message: Any) -> Driver | None:
    """
    Return the driver that a message may be of, None if it is of none that is known.

    :param message_type: such as sensor_msgs/msg/PointCloud2
    """
    fields = set(field_names(message))
    found = []
    for name, signature in FIELDS.items():
        parameters = driver_parameters(name)
        kind = 'pointcloud2' if parameters.input_type == 'auto' else parameters.input_type
        if MESSAGE_TYPES[kind] == message_type and fields >= set(signature.split()):
            is_usual = any(_is_same(topic, usual) for usual in parameters.input_topics)
            found.append((is_usual, len(signature.split()), name, parameters))
    if not found:
        return None
    found.sort(key=lambda each: (not each[0], -each[1], each[2]))
    by_topic, num_fields, name, parameters = found[0]
    values = _differences(parameters)
    alike = [
        other
        for is_usual, num, other, its in found[1:]
        if (is_usual, num) == (by_topic, num_fields) and _differences(its) == values
    ]
    return Driver((name, *alike), by_topic, parameters.input_topics, values)


def field_names(message: Any) -> Sequence[str]:
    """Return what a cloud says of its points beside x, y, z of the first version."""
    return [
        str(field.name)
        for field in getattr(message, 'fields', None) or getattr(message, 'channels', None) or ()
    ]


def driver_parameters(name: str) -> NodeParameters:
    """
    Return the parameters of a driver.

    :raise OSError: its file does not ship
    """
    return read_parameter_files([shared_file(f'config/drivers/{name}.yaml')])


def _differences(parameters: NodeParameters) -> dict[str, Any]:
    """Return what differs from the defaults."""
    usual = NodeParameters()
    names = [option.name for option in OPTIONS if option.name not in _WHERE]
    return {
        name: value_of(parameters, name)
        for name in names
        if value_of(parameters, name) != value_of(usual, name)
    }


def _is_same(topic: str, usual: str) -> bool:
    """Return whether a topic is the usual one, in whatever namespace."""
    return f'/{topic.strip("/")}'.endswith(f'/{usual.strip("/")}')
