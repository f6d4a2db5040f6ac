# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Start the localizer: `ros2 launch ssd_ros localize.launch.py index:=library.map`.

An argument that is left empty keeps the value of the parameter files: params_file, and after it
that of the driver. What cannot be is refused before anything is started.
"""

from pathlib import Path
import sys

from ament_index_python.packages import get_package_share_directory, PackageNotFoundError
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, SubstitutionFailure
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import ExecutableInPackage
from ssd_ros.ros.messages.topics import view_frame_of
from ssd_ros.ros.parameters.file import read_parameter_files
from ssd_ros.ros.parameters.launch_arguments import (
    choice_of,
    file_of,
    items_of,
    refuse_unknown,
    switch_of,
)

# (argument, default, description)
ARGUMENTS = [
    ('index', '', 'map directory made by build_db'),
    ('encoder', '', 'network, or scan_context, which needs no training; that of the map'),
    ('model', '', 'encoder of the 4D radar, ONNX or JSON; empty = the shipped one'),
    ('device', '', 'where the encoder runs: auto, cpu, cuda, openvino or openvino_bf16'),
    ('driver', '', 'driver of the 4D radar, a file of config/drivers, such as ars548_upo'),
    ('points_topic', '', 'topic of the 4D radar'),
    ('stamp_source', '', 'time of a query: header, receive or auto'),
    ('odom_topic', 'odom', 'odometry of the vehicle'),
    ('base_frame', '', 'frame whose pose is published'),
    ('map_frame', '', 'frame of the map'),
    ('odom_frame', '', 'frame of the odometry'),
    ('online_index', '', 'true = remember the running drive and find its places again'),
    ('adapters', '', 'back ends that want more than topics, such as rtabmap,nav2; [] = none'),
    ('initialpose_topic', '/initialpose', 'where a back end takes its pose; RTAB-Map: '
     '/rtabmap/initialpose'),
    ('initialpose_mode', '', 'when a pose goes there: off, on_request, once or on_lost'),
    ('publish_tf', '', 'true = publish map_frame -> odom_frame, where no back end does'),
    ('namespace', '', 'namespace of the node'),
    ('use_sim_time', 'false', 'take the time from /clock'),
    ('autostart', 'true', 'configure and activate at start'),
    ('rviz', 'false', 'show it in RViz, which the package rviz2 brings'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
]  # fmt: skip
# Launch argument -> parameter of the node.
OVERRIDES = {
    'index': 'index_path',
    'encoder': 'encoder',
    'model': 'model_path',
    'device': 'device',
    'stamp_source': 'stamp_source',
    'base_frame': 'base_frame',
    'map_frame': 'map_frame',
    'odom_frame': 'odom_frame',
    'initialpose_mode': 'initialpose_mode',
}
LISTS = {'points_topic': 'input_topics', 'adapters': 'adapters'}
SWITCHES = ['use_sim_time', 'autostart', 'online_index', 'publish_tf']
LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal']


def check_names(context: LaunchContext) -> None:
    """Refuse a misspelt argument; runs before the known ones get their defaults."""
    known = ['params_file', *(name for name, _, _ in ARGUMENTS)]
    configured = list(context.launch_configurations)
    refuse_unknown(context.argv, known, sys.argv, configured, Path(__file__))


def check_executable(context: LaunchContext, package: str, executable: str, way_out: str) -> None:
    """
    Look for a program before anything is started.

    :raise ValueError: it is not installed
    """
    try:
        ExecutableInPackage(executable, package).perform(context)
    except (PackageNotFoundError, SubstitutionFailure) as error:
        raise ValueError(f'{way_out}: {error}') from error


def driver_file(share: Path, driver: str) -> str:
    """
    Return the parameter file of a driver.

    :raise ValueError: there is none
    """
    folder = share / 'config' / 'drivers'
    if not (folder / f'{driver}.yaml').is_file():
        known = sorted(path.stem for path in folder.glob('*.yaml'))
        raise ValueError(f'unknown driver {driver!r}; choose from {", ".join(known)}')
    return str(folder / f'{driver}.yaml')


def parameters_of(value: dict[str, str]) -> dict[str, object]:
    """Return what the arguments say of the parameters; the empty ones say nothing."""
    given = {name: text for name, text in value.items() if text}
    return {
        # A path such as 2026 stays text.
        **{OVERRIDES[name]: ParameterValue(given[name], value_type=str)
           for name in OVERRIDES if name in given},
        **{LISTS[name]: items_of(given[name]) for name in LISTS if name in given},
        **{name: switch_of(name, given[name]) for name in SWITCHES if name in given},
    }  # fmt: skip


def make_nodes(context: LaunchContext) -> list[Node]:
    """Turn the arguments into the localizer and, if asked for, RViz."""
    share = Path(get_package_share_directory('ssd_ros'))
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    params_file = file_of('params_file', LaunchConfiguration('params_file').perform(context))
    driver = [driver_file(share, value['driver'])] if value['driver'] else []
    parameters = parameters_of(value)
    log_level = choice_of('log_level', value['log_level'], LOG_LEVELS)
    localizer = Node(
        package='ssd_ros',
        executable='localize',
        name='ssd_localizer',
        namespace=value['namespace'],
        parameters=[params_file, *driver, parameters],
        remappings=[
            ('initialpose', value['initialpose_topic']),
            ('odom', value['odom_topic']),
        ],
        arguments=['--ros-args', '--log-level', log_level],
        output='screen',
    )
    preset = read_parameter_files([Path(file) for file in driver])
    view_frame = view_frame_of(value['map_frame'] or preset.map_frame)
    clouds = items_of(value['points_topic'])[0] or preset.input_topics[0]
    is_shown = switch_of('rviz', value['rviz'])
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        namespace=value['namespace'],  # the topics of the configuration are relative
        arguments=['-d', str(share / 'config' / 'localize.rviz'), '-f', view_frame],
        remappings=[('points', clouds)],
        parameters=[{'use_sim_time': parameters.get('use_sim_time', False)}],
        condition=IfCondition(str(is_shown).lower()),
    )
    check_executable(context, 'ssd_ros', 'localize', 'is the workspace of ssd_ros sourced?')
    if is_shown:
        way_out = 'rviz:=true needs RViz: sudo apt install ros-$ROS_DISTRO-rviz2'
        check_executable(context, 'rviz2', 'rviz2', way_out)
    return [localizer, rviz]


def generate_launch_description() -> LaunchDescription:
    """Return what ros2 launch runs."""
    share = get_package_share_directory('ssd_ros')
    return LaunchDescription(
        [
            OpaqueFunction(function=check_names),
            DeclareLaunchArgument(
                'params_file',
                default_value=f'{share}/config/localize.yaml',
                description='YAML with the parameters of the node',
            ),
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            OpaqueFunction(function=make_nodes),
        ]
    )
