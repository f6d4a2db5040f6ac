# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the launch file: its text everywhere, its working where launch_ros is."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ssd_ros.ros.parameters import OPTIONS

PATH = Path(__file__).parents[1] / 'launch' / 'localize.launch.py'
ARGUMENTS = {
    'index', 'model', 'points_topic', 'base_frame', 'map_frame', 'namespace', 'use_sim_time',
    'autostart', 'log_level',
}  # fmt: skip


def constant(name: str) -> Any:
    """Return what the launch file assigns to a name, without running it."""
    for statement in ast.parse(PATH.read_text()).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == name:  # type: ignore[attr-defined]
            return ast.literal_eval(statement.value)
    raise AssertionError(f'{PATH} assigns nothing to {name}')


def test_the_arguments_are_those_of_the_document_each_described() -> None:
    assert {name for name, _, _ in constant('ARGUMENTS')} == ARGUMENTS
    assert all(description for _, _, description in constant('ARGUMENTS'))


def test_every_argument_becomes_a_parameter_that_the_node_has() -> None:
    parameters = {option.name for option in OPTIONS} | {'use_sim_time'}
    assert set(constant('OVERRIDES').values()) | set(constant('SWITCHES')) <= parameters
    assert set(constant('OVERRIDES')) | set(constant('SWITCHES')) <= ARGUMENTS


def test_no_argument_is_dead() -> None:
    text = PATH.read_text()
    passed = set(constant('OVERRIDES')) | set(constant('SWITCHES'))
    for name in ARGUMENTS - passed:
        assert f"value['{name}']" in text


@pytest.fixture
def launch_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    pytest.importorskip('launch_ros', reason='launch_ros comes with a sourced ROS only')
    index = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'ssd_ros'
    index.parent.mkdir(parents=True)
    index.touch()
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    spec = importlib.util.spec_from_file_location('localize_launch', PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_launch_declares_every_argument(launch_file: ModuleType) -> None:
    declared = launch_file.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in declared} == ARGUMENTS | {'params_file'}


def test_launch_starts_the_node_with_its_default_arguments(launch_file: ModuleType) -> None:
    from launch import LaunchContext

    context = LaunchContext()
    for argument in launch_file.generate_launch_description().get_launch_arguments():
        argument.execute(context)
    (node,) = launch_file.make_node(context)
    assert (node.node_package, node.node_executable) == ('ssd_ros', 'localize')
