# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that the recipes for back ends are YAML that our node takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ssd_ros.ros.adapters import ADAPTERS
from ssd_ros.ros.parameters.node import NodeParameters
from support.ros import ROOT
import yaml

RECIPES = sorted((ROOT / 'config' / 'backends').glob('*.yaml'))


def parameters_in(path: Path, node: str) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())[node]['ros__parameters']


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
def test_our_node_takes_its_part_of_the_recipe(path: Path) -> None:
    parameters = NodeParameters.from_values(parameters_in(path, '/**/ssd_localizer'))
    assert set(parameters.adapters) - {''} <= set(ADAPTERS)


def test_every_recipe_is_in_the_table_and_every_adapter_is_described() -> None:
    text = (ROOT / 'config' / 'backends' / 'README.md').read_text()
    assert len(RECIPES) == 8
    for name in [*(f'({path.name})' for path in RECIPES), *(f'`{name}`' for name in ADAPTERS)]:
        assert name in text


def test_robot_localization_takes_x_y_and_yaw_alone() -> None:
    path = ROOT / 'config' / 'backends' / 'robot_localization.yaml'
    parameters = parameters_in(path, '/**/ekf_filter_node_map')
    used = [index for index, is_used in enumerate(parameters['pose0_config']) if is_used]
    assert (len(parameters['pose0_config']), used) == (15, [0, 1, 5])
    assert len(parameters['odom0_config']) == 15
    assert parameters['pose0'] == '/ssd_localizer/pose'
