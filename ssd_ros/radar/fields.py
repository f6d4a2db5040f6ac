# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Which field of a radar message means what: drivers agree on neither names nor units.

A role is what a field is for (`doppler`); its name is what the driver calls it (`range_rate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# What each role is called by the drivers, in lower case, best first. Not alpha and beta: the one
# driver that has them (Oculii) counts them in axes of its own, and sends x, y, z as well.
_ALIASES: dict[str, tuple[str, ...]] = {
    'x': ('x',),
    'y': ('y',),
    'z': ('z',),
    'range': ('range', 'r', 'radial_distance'),
    'azimuth': ('azimuth', 'azimuth_angle', 'bearing'),
    'elevation': ('elevation', 'elevation_angle'),
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
        'reflectivity',
    ),
}
ROLES = tuple(_ALIASES)
CARTESIAN = {'x', 'y', 'z'}
_SPHERICAL = {'range', 'azimuth', 'elevation'}
# Altos packs a radar into a colour type: h = Doppler, s = RCS in m^2, v = a moving flag.
_ALTOS = {'doppler': 'h', 'intensity': 's'}

INTENSITY_KINDS = ('auto', 'rcs_dbsm', 'rcs_linear', 'snr_db', 'power_db', 'raw')
ANGLE_UNITS = ('auto', 'rad', 'deg')


class PointCloudError(ValueError):
    """
    A message that cannot be decoded.

    :param reason: short name to count by: `short_data`, `bad_layout` or `missing_field`
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


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
        if unknown := sorted(set(self.field_map) - set(ROLES)):
            raise ValueError(f'unknown role {unknown} in field_map; choose from {list(ROLES)}')
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


def names_by_role(names: Sequence[str], config: DecoderConfig) -> dict[str, str]:
    """
    Find the field of each role; elevation (and Doppler, if so configured) may be absent.

    :param names: of the fields; of two that differ in case at most, the first counts
    :raise PointCloudError: a role that is needed has no field
    """
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(name.lower(), name)
    chosen = dict(_ALTOS) if {'h', 's', 'v'} <= spelt.keys() else {}
    chosen |= {role: name.lower() for role, name in config.field_map.items()}
    found: dict[str, str] = {}
    for role, aliases in _ALIASES.items():
        candidates = (chosen[role],) if role in chosen else aliases
        known = [spelt[name] for name in candidates if name in spelt]
        if known:
            found[role] = known[0]
        elif role in config.field_map:
            raise _missing(f'{role} (field_map says {config.field_map[role]!r})', names)
    # Angles are worth less than coordinates: drivers disagree on their unit and frame.
    unused = _SPHERICAL if found.keys() >= CARTESIAN else CARTESIAN
    found = {role: found[role] for role in found if role not in unused}
    if unused is CARTESIAN and not {'range', 'azimuth'} <= found.keys():
        raise _missing('x, y, z or range and azimuth', names)
    if 'intensity' not in found:
        raise _missing('intensity or RCS', names)
    if 'doppler' not in found and config.require_doppler:
        raise _missing('Doppler', names)
    return found


def _missing(what: str, names: Sequence[str]) -> PointCloudError:
    return PointCloudError(
        'missing_field',
        f'point cloud has no field for {what}; it has {list(names)}: set field_map',
    )


def intensity_kind_of(name: str, is_int8: bool, config: DecoderConfig) -> str:
    """Return what the intensity field means: dB over noise are no dBsm."""
    if config.intensity_kind != 'auto':
        return config.intensity_kind
    match name.lower():
        case 'rcs' | 'radar_cross_section':
            return 'rcs_dbsm'
        case 's':  # Altos
            return 'rcs_linear'
        case 'snr' | 'snr_db' | 'signal_noise_ratio':
            return 'snr_db'
        case 'power' | 'amplitude' | 'reflected_power':
            return 'power_db'
    # The one known driver with 8-bit `intensity` (NCUT, ARS548) writes RCS there.
    return 'rcs_dbsm' if is_int8 else 'raw'
