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
from ssd_ros.ros.parameters.node import OPTIONS
import yaml

ROOT = Path(__file__).parents[2]
PATH = ROOT / 'launch' / 'localize.launch.py'
DRIVERS = ROOT / 'config' / 'drivers'
ARGUMENTS = {
    'index', 'encoder', 'model', 'device', 'driver', 'points_topic', 'stamp_source', 'odom_topic',
    'base_frame', 'map_frame', 'odom_frame', 'online_index', 'adapters', 'initialpose_topic',
    'initialpose_mode', 'publish_tf', 'namespace', 'use_sim_time', 'autostart', 'rviz',
    'log_level',
}  # fmt: skip
HERCULES = yaml.safe_load((DRIVERS / 'hercules.yaml').read_text())['/**']['ros__parameters']


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
    passed = {**constant('OVERRIDES'), **constant('LISTS')}
    assert set(passed.values()) | set(constant('SWITCHES')) <= parameters
    assert set(passed) | set(constant('SWITCHES')) <= ARGUMENTS


def test_no_argument_is_dead() -> None:
    text = PATH.read_text()
    passed = {*constant('OVERRIDES'), *constant('LISTS'), *constant('SWITCHES')}
    for name in ARGUMENTS - passed:
        assert f"value['{name}']" in text


@pytest.fixture
def launch_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    pytest.importorskip('launch_ros', reason='launch_ros comes with a sourced ROS only')
    index = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'ssd_ros'
    index.parent.mkdir(parents=True)
    index.touch()
    (tmp_path / 'share' / 'ssd_ros').mkdir()
    (tmp_path / 'share' / 'ssd_ros' / 'config').symlink_to(PATH.parents[1] / 'config')
    program = tmp_path / 'lib' / 'ssd_ros' / 'localize'
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    spec = importlib.util.spec_from_file_location('localize_launch', PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nodes_of(launch_file: ModuleType, **given: str) -> tuple[Any, Any, Any]:
    """Return the context, the localizer and RViz as the launch file makes them."""
    from launch import LaunchContext

    context = LaunchContext()
    context.launch_configurations.update(given)
    for argument in launch_file.generate_launch_description().get_launch_arguments():
        argument.execute(context)
    localizer, rviz = launch_file.make_nodes(context)
    return context, localizer, rviz


def parameters_of(context: Any, node: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the parameter files of a node, and what is set after them."""
    from launch_ros.utilities import evaluate_parameters

    *files, values = evaluate_parameters(context, node._Node__parameters)
    return [file.name for file in files], values


def test_launch_declares_every_argument(launch_file: ModuleType) -> None:
    declared = launch_file.generate_launch_description().get_launch_arguments()
    assert {argument.name for argument in declared} == ARGUMENTS | {'params_file'}


def test_by_default_the_node_is_started_with_its_parameter_file_alone(
    launch_file: ModuleType,
) -> None:
    context, localizer, rviz = nodes_of(launch_file)
    assert (localizer.node_package, localizer.node_executable) == ('ssd_ros', 'localize')
    files, values = parameters_of(context, localizer)
    assert files == ['localize.yaml']
    assert values == {'use_sim_time': False, 'autostart': True}
    assert not rviz.condition.evaluate(context)


def test_arguments_reach_the_node_with_their_types(launch_file: ModuleType) -> None:
    context, localizer, rviz = nodes_of(
        launch_file,
        index='2026',
        driver='ars548_upo',
        points_topic='/front/points, /rear/points',
        adapters='rtabmap',
        odom_frame='wheels',
        use_sim_time='true',
        stamp_source='header',
        online_index='true',
    )
    files, values = parameters_of(context, localizer)
    assert files == ['localize.yaml', 'ars548_upo.yaml']
    assert values == {
        'index_path': '2026',
        'odom_frame': 'wheels',
        'input_topics': ('/front/points', '/rear/points'),
        'adapters': ('rtabmap',),
        'stamp_source': 'header',
        'online_index': True,
        'use_sim_time': True,
        'autostart': True,
    }
    assert not rviz.condition.evaluate(context)


@pytest.mark.parametrize(
    ('given', 'frame'), [({}, 'map_view'), ({'map_frame': 'utm'}, 'utm_view')]
)
def test_rviz_looks_from_the_middle_of_the_map(
    launch_file: ModuleType, given: dict[str, str], frame: str
) -> None:
    _, _, rviz = nodes_of(launch_file, **given)
    assert rviz._Node__arguments[2:] == ['-f', frame]


@pytest.mark.parametrize(
    ('given', 'topic'),
    [
        ({}, 'points'),
        ({'driver': 'hercules'}, HERCULES['input_topics'][0]),
        ({'driver': 'hercules', 'points_topic': '/front/points,/rear/points'}, '/front/points'),
    ],
)
def test_rviz_shows_the_clouds_that_the_node_gets(
    launch_file: ModuleType, given: dict[str, str], topic: str
) -> None:
    from launch.utilities import perform_substitutions

    context, _, rviz = nodes_of(launch_file, **given)
    ((before, after),) = rviz._Node__remappings
    assert perform_substitutions(context, before) == 'points'
    assert perform_substitutions(context, after) == topic


def test_an_unknown_driver_is_refused_with_those_that_are_known(launch_file: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"unknown driver 'ars'; choose from .*ars548_upo"):
        nodes_of(launch_file, driver='ars')


@pytest.mark.parametrize(
    ('given', 'reason'),
    [
        ({'params_file': 'nope.yaml'}, 'params_file:=nope.yaml: there is no such file'),
        ({'params_file': '/'}, 'params_file:=/: there is no such file'),
        ({'rviz': 'true'}, "rviz:=true needs RViz: .* \"package 'rviz2' not found"),
        ({'rviz': 'maybe'}, 'rviz:=maybe is neither true nor false'),
        ({'autostart': 'never'}, 'autostart:=never is neither'),
        ({'log_level': 'loud'}, 'log_level:=loud; choose from debug, info'),
    ],
)
def test_what_cannot_be_started_is_refused_before_anything_is(
    launch_file: ModuleType, given: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        nodes_of(launch_file, **given)


def test_a_workspace_without_the_program_is_refused(
    launch_file: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / 'lib' / 'ssd_ros' / 'localize').unlink()
    with pytest.raises(ValueError, match='is the workspace of ssd_ros sourced'):
        nodes_of(launch_file)


def test_a_misspelt_argument_ends_the_launch_with_a_code(launch_file: ModuleType) -> None:
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    source = PythonLaunchDescriptionSource(str(PATH))
    service = LaunchService(argv=['indexes:=x'], noninteractive=True)
    include = IncludeLaunchDescription(source, launch_arguments=[('indexes', 'x')])
    service.include_launch_description(LaunchDescription([include]))
    assert service.run() == 1
