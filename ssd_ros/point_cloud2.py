# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Decode and encode sensor_msgs/PointCloud2 of 4D radars without importing ROS.

Live messages (rclpy) and recorded ones (rosbags) have the same attributes, so both work. Fields
are found by name: drivers agree on neither names nor layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from ssd_ros.ars548 import ARS548_DTYPE, ars548_records
from ssd_ros.point_fields import (
    checked_bytes,
    DATATYPES,
    FieldLayout,
    INT8,
    last_point_is_repeated,
    view_of_points,
)
from ssd_ros.point_fields import PointCloudError as PointCloudError
from ssd_ros.radar import RadarPointCloud

# What each role is called by the drivers, in lower case, best first.
_ALIASES: dict[str, tuple[str, ...]] = {
    'x': ('x',),
    'y': ('y',),
    'z': ('z',),
    'range': ('range', 'r', 'radial_distance'),
    'azimuth': ('azimuth', 'azimuth_angle', 'alpha', 'bearing'),
    'elevation': ('elevation', 'elevation_angle', 'beta'),
    'doppler': (
        'doppler',
        'v',
        'v_r',
        'velocity',
        'range_rate',
        'radial_speed',
        'radial_velocity',
        'v_doppler_mps',
        'doppler_velocity',
    ),
    'intensity': (
        'rcs',
        'radar_cross_section',
        'snr',
        'snr_db',
        'signal_noise_ratio',
        'power',
        'amplitude',
        'reflected_power',
        'intensity',
    ),
}
_CARTESIAN = {'x', 'y', 'z'}
_SPHERICAL = {'range', 'azimuth', 'elevation'}
_RCS_NAMES = ('rcs', 'radar_cross_section')
# Altos packs a radar into a colour type: h = Doppler, s = RCS in m^2, v = a moving flag.
_ALTOS = {'doppler': 'h', 'intensity': 's'}

INTENSITY_KINDS = ('auto', 'dbsm', 'linear_m2', 'relative_db')
ANGLE_UNITS = ('auto', 'rad', 'deg')


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """How the clouds of one driver are to be read; the defaults suit the known drivers."""

    # Role -> field name, where the names known here do not fit: {'doppler': 'my_speed'}.
    field_map: Mapping[str, str] = field(default_factory=dict)
    doppler_sign: int = 1  # -1 for a driver whose velocity is positive towards the radar
    angle_unit: str = 'auto'  # of clouds without x, y, z; auto: degrees if any exceeds 2 pi
    intensity_kind: str = 'auto'  # auto: by the field's name and type
    # Level given to the median of a scan whose field holds dB of no known reference (power, SNR):
    # reconstructed, the median of a real ARS548 list.
    relative_median_dbsm: float = 2.0
    require_doppler: bool = True
    min_range_m: float = 0.0
    max_range_m: float = 1000.0

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.field_map) - set(_ALIASES)):
            raise ValueError(f'unknown role {unknown} in field_map; choose from {list(_ALIASES)}')
        if self.doppler_sign not in (1, -1):
            raise ValueError(f'doppler_sign is {self.doppler_sign}, expected 1 or -1')
        if self.angle_unit not in ANGLE_UNITS:
            raise ValueError(f'unknown angle_unit {self.angle_unit!r}; choose from {ANGLE_UNITS}')
        if self.intensity_kind not in INTENSITY_KINDS:
            raise ValueError(
                f'unknown intensity_kind {self.intensity_kind!r}; choose from {INTENSITY_KINDS}'
            )
        if not 0 <= self.min_range_m < self.max_range_m:
            raise ValueError(f'empty range interval {self.min_range_m} .. {self.max_range_m} m')


@dataclass(frozen=True, slots=True)
class DecodeStats:
    """What one message held and how many points were dropped for which reason."""

    num_received: int
    num_zero: int = 0  # x = y = z = 0: padding
    num_not_finite: int = 0
    num_too_far: int = 0
    num_too_near: int = 0
    num_repeated: int = 0  # a last point that copies the one before: a known player's fault
    has_doppler: bool = True
    intensity_kind: str = 'dbsm'

    @property
    def num_dropped(self) -> int:
        """Points of the message that are not in the cloud."""
        return (
            self.num_zero
            + self.num_not_finite
            + self.num_too_far
            + self.num_too_near
            + self.num_repeated
        )


class DecodedCloud(NamedTuple):
    """A cloud and what was left out of it."""

    cloud: RadarPointCloud
    stats: DecodeStats


ARS548_FIELDS = tuple(
    FieldLayout(name, int(offset), DATATYPES[dtype.str[1:]], 1)
    for name, (dtype, offset, *_) in (ARS548_DTYPE.fields or {}).items()
)


def decode_point_cloud2(msg: Any, config: DecoderConfig | None = None) -> DecodedCloud:
    """
    Return the radar detections of a sensor_msgs/PointCloud2 and what was dropped.

    A zero stamp and an empty frame_id are passed on as they are.

    :raise PointCloudError: the data are short, the layout is impossible or a field is missing
    """
    config = config or DecoderConfig()
    stamp_ns = int(msg.header.stamp.sec) * 1_000_000_000 + int(msg.header.stamp.nanosec)
    frame_id = str(msg.header.frame_id)
    if int(msg.width) * int(msg.height) == 0:
        return DecodedCloud(_empty_cloud(stamp_ns, frame_id), DecodeStats(0))
    raw = checked_bytes(msg)
    fields = _fields_by_role(msg, config)
    points = view_of_points(msg, raw, fields)
    # Absurd bytes give absurd floats: what overflows is dropped below, not warned about.
    with np.errstate(all='ignore'):
        xyz_m = _xyz_of(points, fields, config)
        velocity_mps = np.zeros(points.size, np.float32)
        if 'doppler' in fields:
            velocity_mps[:] = points['doppler'].ravel()
            velocity_mps *= np.float32(config.doppler_sign)
        kind = _intensity_kind(fields['intensity'], config)
        rcs_dbsm = _rcs_from_intensity(points['intensity'].ravel(), kind)
        cloud = RadarPointCloud(stamp_ns, xyz_m, rcs_dbsm, velocity_mps, frame_id)
        keep, dropped = _judge(cloud, config, last_point_is_repeated(msg, raw))
    if not keep.all():
        cloud = cloud.select(keep)
    if kind == 'relative_db' and len(cloud):
        shift = np.float32(config.relative_median_dbsm) - np.median(cloud.rcs_dbsm)
        np.add(cloud.rcs_dbsm, shift, out=cloud.rcs_dbsm)
    stats = DecodeStats(points.size, *dropped, 'doppler' in fields, kind)
    return DecodedCloud(cloud, stats)


def encode_point_cloud2(cloud: RadarPointCloud) -> dict[str, Any]:
    """
    Return the attributes of a PointCloud2 with the ARS548 layout, all but the header.

    `fields` are FieldLayout and `data` is bytes: the caller turns both into the types of its
    message (rclpy is fast with array.array('B', data), rosbags wants a uint8 array).
    """
    data = ars548_records(cloud).tobytes()
    return {
        'height': 1,
        'width': len(cloud),
        'fields': ARS548_FIELDS,
        'is_bigendian': False,
        'point_step': ARS548_DTYPE.itemsize,
        'row_step': len(data),
        'data': data,
        'is_dense': True,
    }


def _empty_cloud(stamp_ns: int, frame_id: str) -> RadarPointCloud:
    none = np.empty(0, np.float32)
    return RadarPointCloud(stamp_ns, np.empty((0, 3), np.float32), none, none, frame_id)


def _fields_by_role(msg: Any, config: DecoderConfig) -> dict[str, Any]:
    """Find the field of each role; elevation (and Doppler, if so configured) may be absent."""
    by_name: dict[str, Any] = {}
    for point_field in msg.fields:
        by_name.setdefault(point_field.name.lower(), point_field)
    chosen = dict(_ALTOS) if {'h', 's', 'v'} <= by_name.keys() else {}
    chosen |= {role: name.lower() for role, name in config.field_map.items()}
    fields: dict[str, Any] = {}
    for role, aliases in _ALIASES.items():
        names = (chosen[role],) if role in chosen else aliases
        name = next((name for name in names if name in by_name), None)
        if name is not None:
            fields[role] = by_name[name]
        elif role in config.field_map:
            raise _missing(f'{role} (field_map says {config.field_map[role]!r})', msg)
    # Angles are worth less than coordinates: drivers disagree on their unit and frame.
    unused = _SPHERICAL if fields.keys() >= _CARTESIAN else _CARTESIAN
    fields = {role: fields[role] for role in fields if role not in unused}
    if unused is _CARTESIAN and not {'range', 'azimuth'} <= fields.keys():
        raise _missing('x, y, z or range and azimuth', msg)
    if 'intensity' not in fields:
        raise _missing('intensity or RCS', msg)
    if 'doppler' not in fields and config.require_doppler:
        raise _missing('Doppler', msg)
    return fields


def _missing(what: str, msg: Any) -> PointCloudError:
    names = [point_field.name for point_field in msg.fields]
    return PointCloudError(
        'missing_field', f'point cloud has no field for {what}; it has {names}: set field_map'
    )


def _xyz_of(
    points: NDArray[np.void], fields: Mapping[str, Any], config: DecoderConfig
) -> NDArray[np.float32]:
    xyz_m = np.empty((points.size, 3), np.float32)
    if fields.keys() >= _CARTESIAN:
        for column, name in enumerate(('x', 'y', 'z')):
            xyz_m[:, column] = points[name].ravel()
        return xyz_m
    range_m = points['range'].ravel().astype(np.float64)
    azimuth_rad = points['azimuth'].ravel().astype(np.float64)
    elevation_rad: NDArray[np.float64] = np.zeros(points.size)
    if 'elevation' in fields:
        elevation_rad[:] = points['elevation'].ravel()
    unit = config.angle_unit
    if unit == 'auto':
        largest = np.max(np.abs(azimuth_rad), where=np.isfinite(azimuth_rad), initial=0.0)
        in_degrees = fields['azimuth'].name.lower() == 'bearing' or largest > 2 * math.pi
        unit = 'deg' if in_degrees else 'rad'
    if unit == 'deg':
        np.deg2rad(azimuth_rad, out=azimuth_rad)
        np.deg2rad(elevation_rad, out=elevation_rad)
    flat_m = range_m * np.cos(elevation_rad)
    xyz_m[:, 0] = flat_m * np.cos(azimuth_rad)
    xyz_m[:, 1] = flat_m * np.sin(azimuth_rad)
    xyz_m[:, 2] = range_m * np.sin(elevation_rad)
    return xyz_m


def _intensity_kind(point_field: Any, config: DecoderConfig) -> str:
    """Return what the intensity field means: dB over noise are no dBsm."""
    if config.intensity_kind != 'auto':
        return config.intensity_kind
    name = point_field.name.lower()
    # The one known driver with 8-bit `intensity` (NCUT, ARS548) writes RCS there.
    if name in _RCS_NAMES or point_field.datatype == INT8:
        return 'dbsm'
    return 'linear_m2' if name == _ALTOS['intensity'] else 'relative_db'


def _rcs_from_intensity(intensity: NDArray[Any], kind: str) -> NDArray[np.float32]:
    values = intensity.astype(np.float32)
    # No echo (0 m^2) has no level in dB: it becomes -inf and is dropped as not finite.
    if kind == 'linear_m2':
        np.log10(values, out=values)
        values *= 10
    return values


def _judge(
    cloud: RadarPointCloud, config: DecoderConfig, last_is_repeated: bool
) -> tuple[NDArray[np.bool_], tuple[int, int, int, int, int]]:
    """
    Decide which points are measurements.

    :return: points to keep, shape (N,); numbers of zero, not finite, far, near, repeated ones
    """
    x, y, z = cloud.xyz_m.T
    squared_range = x * x + y * y + z * z
    # A sum is finite only if all its parts are.
    finite = np.isfinite(x + y + z + cloud.rcs_dbsm + cloud.radial_velocity_mps)
    zero = squared_range == 0
    near = squared_range < config.min_range_m**2
    # Not `>`: the square of a huge coordinate overflows to infinity, that of NaN is NaN.
    far = ~(squared_range <= config.max_range_m**2)
    keep = finite & ~(zero | near | far)
    num_repeated = int(last_is_repeated and bool(keep[-1]))
    if num_repeated:
        keep[-1] = False
    elif keep.all():
        return keep, (0, 0, 0, 0, 0)
    counts = [zero, ~finite & ~zero, finite & far, finite & near & ~zero]
    num_zero, num_not_finite, num_far, num_near = map(int, map(np.count_nonzero, counts))
    return keep, (num_zero, num_not_finite, num_far, num_near, num_repeated)
