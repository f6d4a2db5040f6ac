# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that each preset reads the layout of its driver to the same physical values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from ssd_ros.radar.fields import PointCloudError
from ssd_ros.radar.messages import DECODERS
from ssd_ros.radar.point_cloud2 import decode_point_cloud2
from ssd_ros.ros.parameters.node import NodeParameters, value_of
from support.radar_messages_of_drivers import Layout, message, message_v1, radar_scan
import yaml

DRIVERS = Path(__file__).parents[2] / 'config' / 'drivers'

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
PRESETS = sorted(path.stem for path in DRIVERS.glob('*.yaml'))


def values_of(name: str) -> dict[str, Any]:
    """Return the parameters of a preset by dotted names."""
    content = yaml.safe_load((DRIVERS / f'{name}.yaml').read_text())
    flat: dict[str, Any] = {}
    for key, value in content['/**']['ros__parameters'].items():
        nested = value if isinstance(value, dict) else {'': value}
        flat |= {f'{key}.{inner}'.strip('.'): item for inner, item in nested.items()}
    return flat


def preset(name: str) -> NodeParameters:
    return NodeParameters.from_values(values_of(name))


def decoded(name: str, msg: Any) -> tuple[Any, Any]:
    """Decode with a preset, by the type of message that it says."""
    parameters = preset(name)
    kind = 'pointcloud2' if parameters.input_type == 'auto' else parameters.input_type
    return DECODERS[kind](msg, parameters.decoder_config())


def assert_physical(name: str, msg: Any, rcs_dbsm: list[float]) -> None:
    cloud, stats = decoded(name, msg)
    np.testing.assert_allclose(cloud.xyz_m, XYZ_M, atol=1e-5)
    np.testing.assert_allclose(cloud.radial_velocity_mps, DOPPLER_MPS)
    np.testing.assert_allclose(cloud.rcs_dbsm, rcs_dbsm, atol=1e-5)
    assert (stats.num_received, stats.num_dropped) == (2, 0)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('name', sorted(CLOUDS))
def test_the_cloud_of_a_driver_is_read_to_its_physical_values(name: str, order: str) -> None:
    driver = CLOUDS[name]
    columns = {**dict(zip('xyz', np.transpose(XYZ_M), strict=True)), **driver.values}
    assert_physical(name, message(driver.layout, driver.step, columns, order), driver.rcs_dbsm)


def test_the_first_version_of_the_cloud_is_read_as_well() -> None:
    columns = dict(zip('xyz', np.transpose(XYZ_M).tolist(), strict=True)) | OCULII_CHANNELS
    assert_physical('oculii_v1', message_v1(columns), FROM_POWER_DBSM)


def test_a_radar_scan_is_read_from_its_angles() -> None:
    columns = {**DIRECTION, 'doppler_velocity': DOPPLER_MPS, 'amplitude': POWER_DB}
    assert_physical('autoware_radar_scan', radar_scan(columns), FROM_POWER_DBSM)


def test_a_flat_radar_lies_in_the_plane() -> None:
    columns = {'range': [5.0], 'azimuth': [np.pi / 6], 'range_rate': [1.5], 'rcs': [7.0]}
    cloud, _ = decoded('srr520_nebula', message(SRR520, 44, columns))
    np.testing.assert_allclose(cloud.xyz_m, [[4.330127, 2.5, 0]], rtol=1e-6)
    assert (cloud.radial_velocity_mps.tolist(), cloud.rcs_dbsm.tolist()) == ([1.5], [7])


def test_the_conversion_of_autoware_is_refused_because_its_doppler_is_lost() -> None:
    layout = [*XYZ, ('intensity', 12, 'f4')]
    with pytest.raises(PointCloudError, match='no field for Doppler'):
        decode_point_cloud2(message(layout, 16, {'x': [3], 'y': [4], 'z': [0], 'intensity': [9]}))


def test_there_is_a_test_for_every_preset_and_a_preset_for_every_test() -> None:
    others = ['oculii_v1', 'autoware_radar_scan', 'srr520_nebula']
    assert sorted([*CLOUDS, *others]) == PRESETS


@pytest.mark.parametrize('name', PRESETS)
def test_a_preset_names_its_topics_and_only_what_differs_from_the_defaults(name: str) -> None:
    parameters, values = preset(name), values_of(name)
    assert 'input_topics' in values
    same = [key for key in values if value_of(parameters, key) == value_of(NodeParameters(), key)]
    assert same == []


def test_the_table_of_drivers_has_every_preset() -> None:
    rows = [line for line in (DRIVERS / 'README.md').read_text().splitlines() if '| `' in line]
    assert sorted(row.split('`')[1] for row in rows) == PRESETS
