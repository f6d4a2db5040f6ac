# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that each preset reads the layout of its driver to the same physical values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ssd_ros.radar.fields import PointCloudError
from ssd_ros.radar.messages import DECODERS
from ssd_ros.radar.point_cloud2 import decode_point_cloud2
from ssd_ros.ros.parameters.node import NodeParameters, value_of
from support.drivers.layouts import (
    CLOUDS,
    DIRECTION,
    DOPPLER_MPS,
    FROM_POWER_DBSM,
    OCULII_CHANNELS,
    POWER_DB,
    SRR520,
    XYZ,
    XYZ_M,
)
from support.drivers.messages import message, message_v1, radar_scan
import yaml

DRIVERS = Path(__file__).parents[2] / 'config' / 'drivers'

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
