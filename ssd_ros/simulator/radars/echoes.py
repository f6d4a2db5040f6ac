# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
From elements to echoes: RCS by aspect, occlusion, and what each radar measures of a scatterer.

The kernels are compiled; randomness comes in as arrays, so that it stays reproducible.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from ssd_ros.compiled import compiled
from ssd_ros.simulator.scene.sight_lines import transmission

RANGE_MARGIN_M = 5.0  # beyond the last bin, for echoes that reach into it


class Viewpoint(NamedTuple):
    """
    Where a radar is and how it moves.

    :param sweep_s: duration of a turn about the stamp, 0 for a radar that does not turn
    :param vx: velocity in the world frame
    """

    x: float
    y: float
    z: float
    yaw_rad: float
    vx: float
    vy: float
    yaw_rate_radps: float
    sweep_s: float


class SpinningBudget(NamedTuple):
    """
    Power law of the spinning radar.

    :param gain: counts of 1 m^2 at 1 m
    :param least: echoes below these counts are left out
    """

    gain: float
    least: float
    max_range_m: float
    scintillation: float
    attenuation_db_per_m: float


class CloudBudget(NamedTuple):
    """
    Power law of the 4D radar.

    :param gain: signal-to-noise ratio of 1 m^2 at 1 m
    :param least: echoes below this ratio are left out
    """

    gain: float
    least: float
    max_range_m: float
    half_fov_rad: float
    half_elevation_rad: float
    attenuation_db_per_m: float


@compiled(inline='always')
def _cross_section(s, index, to_radar_x, to_radar_y):  # type: ignore[no-untyped-def]
    """Return the RCS in m^2 towards the radar; a surface is invisible from behind."""
    turn = 1.0 - (s.normal_x[index] * to_radar_x + s.normal_y[index] * to_radar_y)
    if turn >= 1.0 and s.diffuse_sharpness[index] > 0:
        return 0.0
    diffuse = s.diffuse[index] * math.exp(-turn * s.diffuse_sharpness[index])
    return diffuse + s.specular[index] * math.exp(-turn * s.specular_sharpness[index])


@compiled(inline='always')
def _spinning_elevation_gain(tangent):  # type: ignore[no-untyped-def]
    """Return the pattern: a narrow beam at the horizon, filled towards the ground."""
    degrees = math.degrees(tangent)
    if degrees < -0.8:
        return (0.8 / degrees) ** 2
    if abs(degrees) <= 0.3:
        return 1.0
    return math.exp(-(((abs(degrees) - 0.3) / 1.6) ** 2))


@compiled()
def spinning_echoes(  # type: ignore[no-untyped-def]
    s, velocity, exponential, around, lines, view, budget
):
    """
    Return the echoes of one turn, each seen from where the radar is when it looks there.

    :param s: Scatterers
    :param velocity: of each scatterer, shape (N, 2)
    :param exponential: random, mean 1, shape (N,)
    :param around: Panorama of what hides something, with its Lines
    :return: numbers of those that come back, shape (M,), and range, azimuth, power, shape (3, M)
    """
    num = len(s.x)
    index, kept = np.empty(num, np.int32), 0
    found = np.empty((3, num), np.float32)
    for i in range(num):
        dx, dy = s.x[i] - view.x, s.y[i] - view.y
        square = max(dx * dx + dy * dy, 0.25)
        if square > (budget.max_range_m + RANGE_MARGIN_M) ** 2:
            continue
        fluctuation = exponential[i]
        if s.fluctuates[i] == 0:
            fluctuation = 1 - budget.scintillation + budget.scintillation * fluctuation
        ceiling = budget.gain * (s.diffuse[i] + s.specular[i]) * fluctuation
        if ceiling < budget.least * square:
            continue
        azimuth = (view.yaw_rad - math.atan2(dy, dx)) % (2 * math.pi)
        time_s = (azimuth / (2 * math.pi) - 0.5) * view.sweep_s
        x0, y0 = view.x + view.vx * time_s, view.y + view.vy * time_s
        x1, y1 = s.x[i] + velocity[i, 0] * time_s, s.y[i] + velocity[i, 1] * time_s
        dx, dy, dz = x1 - x0, y1 - y0, s.z[i] - view.z
        flat = max(math.sqrt(dx * dx + dy * dy), 0.5)
        range_m = math.sqrt(flat * flat + dz * dz)
        power = budget.gain * fluctuation * _cross_section(s, i, -dx / flat, -dy / flat)
        power *= _spinning_elevation_gain(dz / flat) / (range_m * range_m)
        if budget.attenuation_db_per_m > 0:
            power *= 10 ** (-0.1 * budget.attenuation_db_per_m * range_m)
        # The receiver is desensitised close by.
        power *= min(range_m / 6.0, 1.0) ** 2
        if power < budget.least:
            continue
        start, end = (x0, y0, view.z), (x1, y1, s.z[i])
        least = math.sqrt(budget.least / power)
        passed = transmission(around, lines, start, end, s.owner[i], least)
        if passed == 0:
            continue
        yaw = view.yaw_rad + view.yaw_rate_radps * time_s
        index[kept] = i
        found[0, kept] = range_m
        found[1, kept] = (yaw - math.atan2(dy, dx)) % (2 * math.pi)
        found[2, kept] = power * passed * passed
        kept += 1
    return index[:kept], found[:, :kept]


@compiled()
def cloud_echoes(  # type: ignore[no-untyped-def]
    s, velocity, exponential, around, lines, view, budget
):
    """
    Return the echoes of one 4D scan, with Doppler.

    :param s: Scatterers
    :param velocity: of each scatterer, shape (N, 2)
    :param exponential: random, mean 1, shape (N,)
    :param around: Panorama of what hides something, with its Lines
    """
    num = len(s.x)
    index, kept = np.empty(num, np.int32), 0
    found = np.empty((5, num), np.float32)
    cos_yaw, sin_yaw = math.cos(view.yaw_rad), math.sin(view.yaw_rad)
    # Somewhat more than the field of view, which is compared with the angles below.
    widest = 1.000001 * math.tan(budget.half_fov_rad)
    steepest = 1.000001 * math.tan(budget.half_elevation_rad)
    for i in range(num):
        dx, dy, dz = s.x[i] - view.x, s.y[i] - view.y, s.z[i] - view.z
        square = dx * dx + dy * dy
        ahead = cos_yaw * dx + sin_yaw * dy
        if ahead <= 0 or square > budget.max_range_m**2 or square < 1.0:
            continue
        ceiling = budget.gain * (s.diffuse[i] + s.specular[i]) * exponential[i]
        if ceiling < budget.least * square * square:
            continue
        flat = math.sqrt(square)
        across = cos_yaw * dy - sin_yaw * dx
        if abs(across) > widest * ahead or abs(dz) > steepest * flat:
            continue
        range_m = math.sqrt(square + dz * dz)
        azimuth = math.atan2(across, ahead)
        elevation = math.atan2(dz, flat)
        if abs(azimuth) > budget.half_fov_rad or abs(elevation) > budget.half_elevation_rad:
            continue
        gain_db = cloud_pattern_db(azimuth, elevation) - budget.attenuation_db_per_m * range_m
        snr = budget.gain * exponential[i] * 10 ** (0.1 * gain_db)
        snr *= _cross_section(s, i, -dx / flat, -dy / flat) / range_m**4
        if snr < budget.least:
            continue
        start, end = (view.x, view.y, view.z), (s.x[i], s.y[i], s.z[i])
        least = math.sqrt(budget.least / snr)
        passed = transmission(around, lines, start, end, s.owner[i], least)
        if passed == 0:
            continue
        closing = (view.vx - velocity[i, 0]) * dx + (view.vy - velocity[i, 1]) * dy
        index[kept] = i
        found[0, kept] = range_m
        found[1, kept] = azimuth
        found[2, kept] = elevation
        found[3, kept] = -closing / range_m
        found[4, kept] = snr * passed * passed
        kept += 1
    return index[:kept], found[:, :kept]


@compiled()
def cloud_pattern_db(azimuth_rad, elevation_rad):  # type: ignore[no-untyped-def]
    """Return the two-way antenna pattern of the 4D radar."""
    across, up = azimuth_rad / math.radians(60), elevation_rad / math.radians(14)
    return -12 * across * across - 6 * up * up
