# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Latitude and longitude as metres in a zone of UTM, on WGS 84.

The series of Krueger (1912) to the third power of n, as in Karney, Transverse Mercator with an
accuracy of a few nanometers (2011), eq. 7-11, 35: within the zone and those beside it to 1 mm.
"""

from __future__ import annotations

import math
import re

_FLATTENING = 1 / 298.257223563
_SEMI_MAJOR_M = 6_378_137.0
_SCALE, _FALSE_EAST_M, _FALSE_NORTH_M = 0.9996, 500_000.0, 10_000_000.0
_N = _FLATTENING / (2 - _FLATTENING)
_RECTIFYING_M = _SEMI_MAJOR_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_ALPHA = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16,
    13 * _N**2 / 48 - 3 * _N**3 / 5,
    61 * _N**3 / 240,
)
_FAR_DEG = 12.0  # from the middle of the zone, the series says nothing any more


def zone_of(origin: str) -> int | None:
    """
    Return the zone that the origin of a map names, such as `UTM 52N`; None if it names none.

    :param origin: see MapInfo
    """
    found = re.fullmatch(r'utm\s*(?:zone\s*)?(\d{1,2})\s*[a-z]?', origin.strip().casefold())
    zone = int(found[1]) if found else 0
    return zone if 1 <= zone <= 60 else None


def utm_of(latitude_deg: float, longitude_deg: float, zone: int) -> tuple[float, float]:
    """
    Return east and north in metres; south of the equator north counts from 10,000 km below it.

    :raise ValueError: that is no place, or none that the zone knows
    """
    if not (abs(latitude_deg) <= 90 and abs(longitude_deg) <= 360):
        raise ValueError(
            f'latitude {latitude_deg:g} and longitude {longitude_deg:g} are no place on Earth'
        )
    from_middle_deg = math.remainder(longitude_deg - (6 * zone - 183), 360)
    if abs(from_middle_deg) > _FAR_DEG or abs(latitude_deg) > 84:
        raise ValueError(
            f'latitude {latitude_deg:.3f} and longitude {longitude_deg:.3f} are far from UTM zone '
            f'{zone}'
        )
    sine, eccentricity = math.sin(math.radians(latitude_deg)), 2 * math.sqrt(_N) / (1 + _N)
    conformal = math.sinh(
        math.atanh(sine) - eccentricity * math.atanh(eccentricity * sine)
    )  # tangent of the conformal latitude
    to_east = math.radians(from_middle_deg)
    xi = math.atan2(conformal, math.cos(to_east))
    eta = math.asinh(math.sin(to_east) / math.hypot(conformal, math.cos(to_east)))
    north, east = xi, eta
    for j, alpha in enumerate(_ALPHA, 1):
        north += alpha * math.sin(2 * j * xi) * math.cosh(2 * j * eta)
        east += alpha * math.cos(2 * j * xi) * math.sinh(2 * j * eta)
    shift_m = _FALSE_NORTH_M if latitude_deg < 0 else 0.0
    stretch_m = _SCALE * _RECTIFYING_M
    return _FALSE_EAST_M + stretch_m * east, shift_m + stretch_m * north
