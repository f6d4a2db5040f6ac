# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The layout of each driver of a 4D radar, and two returns in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from support.drivers.messages import Layout

# What every message below holds: two returns, in metres and m/s.
XYZ_M = [[3, 4, 0], [10, -5, 1]]
DOPPLER_MPS = [-2.5, 1.5]
RCS_DBSM = [-20.0, 30.0]
# Powers 10 dB apart become these: their median is put at 2 dBsm.
POWER_DB, FROM_POWER_DBSM = [12.0, 22.0], [-3.0, 7.0]
# Angles in axes of the sensor's own, as Oculii sends them: nothing may come of these.
ALIEN_RAD = [0.7, -0.7]


def floats(text: str, start: int = 0) -> Layout:
    """Return fields of four bytes, one after the other."""
    return [(name, start + 4 * index, 'f4') for index, name in enumerate(text.split())]


class Driver(NamedTuple):
    """
    Layout of a driver.

    :param values: columns besides x, y, z
    :param rcs_dbsm: that the preset makes of them
    """

    layout: Layout
    step: int
    values: Mapping[str, Any]
    rcs_dbsm: list[float] = RCS_DBSM


XYZ = floats('x y z')
DIRECTION = {
    'range': np.linalg.norm(XYZ_M, axis=1),
    'azimuth': np.arctan2([4, -5], [3, 10]),
    'elevation': np.arcsin(np.array([0, 1]) / np.linalg.norm(XYZ_M, axis=1)),
}
OCULII_CHANNELS = {
    'Doppler': DOPPLER_MPS,
    'Range': DIRECTION['range'],
    'Power': POWER_DB,
    'Alpha': ALIEN_RAD,
    'Beta': ALIEN_RAD,
}
CLOUDS = {
    'ars548_upo': Driver(
        [*floats('x y z v r'), ('RCS', 20, 'i1'), *floats('azimuth elevation', 21)],
        29,
        {'v': DOPPLER_MPS, 'RCS': RCS_DBSM},
    ),
    'ars548_nebula': Driver(
        [
            *XYZ,
            *floats('azimuth azimuth_std elevation elevation_std range range_std', 16),
            *floats('range_rate range_rate_std', 40),
            ('rcs', 48, 'i1'),
            ('measurement_id', 50, 'u2'),
            ('positive_predictive_value', 52, 'u1'),
            ('classification', 53, 'u1'),
            ('multi_target_probability', 54, 'u1'),
            ('object_id', 56, 'u2'),
            ('ambiguity_flag', 58, 'u1'),
        ],
        64,
        {'range_rate': DOPPLER_MPS, 'rcs': RCS_DBSM, 'positive_predictive_value': [1, 0]},
    ),
    'ars548_ncut': Driver(
        [*XYZ, ('intensity', 12, 'i1'), ('doppler', 13, 'f4'), ('classification', 17, 'u1')],
        18,
        {'intensity': RCS_DBSM, 'doppler': DOPPLER_MPS},
    ),
    'hercules': Driver(
        [*XYZ, *floats('v r', 20), ('RCS', 28, 'i1'), *floats('azimuth elevation', 32)],
        48,
        {'v': DOPPLER_MPS, 'RCS': RCS_DBSM},
    ),
    'snail_ars548': Driver(
        floats('x y z doppler intensity range_std azimuth_std elevation_std doppler_std'),
        36,
        {'doppler': DOPPLER_MPS, 'intensity': RCS_DBSM},
    ),
    'snail_oculii': Driver(
        [
            *floats('x y z Doppler Range Power Alpha Beta'),
            *floats('rangeAccu aziAccu eleAccu dopplerAccu recoveredSpeed', 32),
            ('dotFlags', 52, 'u2'),
            ('denoiseFlag', 54, 'u2'),
        ],
        60,
        OCULII_CHANNELS,
        FROM_POWER_DBSM,
    ),
    'oculii_driver2': Driver(
        [
            *floats('x y z alpha beta range doppler power recoveredSpeed'),
            ('dotFlags', 36, 'u2'),
            ('denoiseFlag', 38, 'u2'),
            ('historyFrameFlag', 40, 'u2'),
            ('dopplerCorrectionFlag', 42, 'u2'),
        ],
        44,
        {'alpha': ALIEN_RAD, 'beta': ALIEN_RAD, 'doppler': DOPPLER_MPS, 'power': POWER_DB},
        FROM_POWER_DBSM,
    ),
    'umrr': Driver(
        floats('x y z radial_speed power rcs noise snr azimuth_angle elevation_angle range'),
        44,
        {'radial_speed': DOPPLER_MPS, 'power': POWER_DB, 'snr': [9, 8], 'rcs': RCS_DBSM},
    ),
    'bosch_premium': Driver(
        [
            *XYZ,
            *floats('normal_x normal_y normal_z', 16),
            *floats('radial_distance radial_velocity azimuth_angle elevation_angle', 32),
            *floats('radar_cross_section signal_noise_ratio', 48),
        ],
        64,
        {
            'radial_velocity': DOPPLER_MPS,
            'radar_cross_section': RCS_DBSM,
            'signal_noise_ratio': [9, 8],
        },
    ),
    'ti_mmwave': Driver(
        [*XYZ, *floats('intensity velocity', 16)],
        32,
        {'intensity': POWER_DB, 'velocity': DOPPLER_MPS},
        FROM_POWER_DBSM,
    ),
    'ti_mmwave_ros2': Driver(
        floats('x y z intensity range velocity bearing'),
        28,
        {'intensity': POWER_DB, 'velocity': DOPPLER_MPS, 'bearing': [53.13, -26.57]},
        FROM_POWER_DBSM,
    ),
    'altos': Driver(
        [*XYZ, *floats('h s v', 16)],
        32,
        {'h': DOPPLER_MPS, 's': [0.01, 1000], 'v': [1, 0]},
    ),
    'arbe': Driver(
        [*XYZ, ('rgb', 16, 'u4'), *floats('range azimuth elevation doppler power range_bin', 20)],
        48,
        {'rgb': [2**32 - 1, 255], 'doppler': DOPPLER_MPS, 'power': POWER_DB},
        FROM_POWER_DBSM,
    ),
    'vod_zf': Driver(
        floats('x y z RCS v_r v_r_compensated time'),
        28,
        {'RCS': RCS_DBSM, 'v_r': DOPPLER_MPS, 'v_r_compensated': [0, 0]},
    ),
    'tj4d': Driver(
        floats('x y z V_r Range Power Alpha Beta'),
        32,
        {'V_r': DOPPLER_MPS, 'Power': POWER_DB, 'Alpha': ALIEN_RAD},
        FROM_POWER_DBSM,
    ),
    'reve': Driver(
        floats('x y z snr_db noise_db v_doppler_mps'),
        24,
        {'snr_db': POWER_DB, 'noise_db': [3, 4], 'v_doppler_mps': DOPPLER_MPS},
        FROM_POWER_DBSM,
    ),
}
SRR520 = floats('range azimuth range_rate rcs pdh00 pdh01 pdh02 pdh03 pdh04 pdh05 snr')
