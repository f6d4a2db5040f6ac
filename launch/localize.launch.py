# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Start the localizer: `ros2 launch ssd_ros localize.launch.py index:=map.ssd`.

An argument that is left empty keeps the value of the parameter files: params_file, and after it
that of the driver.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

# (argument, default, description)
ARGUMENTS = [
    ('index', '', 'map directory made by build_db'),
    ('encoder', '', 'network, or scan_context, which needs no training; that of the map'),
    ('model', '', 'encoder of the 4D radar, ONNX or JSON; empty = the shipped one'),
    ('driver', '', 'driver of the 4D radar, a file of config/drivers, such as ars548_upo'),
    ('points_topic', '', 'topic of the 4D radar'),
    ('odom_topic', 'odom', 'odometry of the vehicle'),
    ('base_frame', '', 'frame whose pose is published'),
    ('map_frame', '', 'frame of the map'),
    ('odom_frame', '', 'frame of the odometry'),
    ('adapters', '', 'back ends that want more than topics, such as rtabmap,nav2'),
    ('initialpose_topic', '/initialpose', 'where a back end takes its pose; RTAB-Map: '
     '/rtabmap/initialpose'),
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
    'base_frame': 'base_frame',
    'map_frame': 'map_frame',
    'odom_frame': 'odom_frame',
}
LISTS = {'points_topic': 'input_topics', 'adapters': 'adapters'}
SWITCHES = ['use_sim_time', 'autostart']


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


def make_nodes(context: LaunchContext) -> list[Node]:
    """Turn the arguments into the localizer and, if asked for, RViz."""
    share = Path(get_package_share_directory('ssd_ros'))
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    parameters = {
        # A path such as 2026 stays text.
        parameter: ParameterValue(value[argument], value_type=str)
        for argument, parameter in OVERRIDES.items()
        if value[argument]
    }
    parameters |= {
        parameter: [item.strip() for item in value[argument].split(',')]
        for argument, parameter in LISTS.items()
        if value[argument]
    }
    # A substitution is converted to the type, a plain text would have to have it already.
    switches = {
        name: ParameterValue(LaunchConfiguration(name), value_type=bool) for name in SWITCHES
    }
    driver = [driver_file(share, value['driver'])] if value['driver'] else []
    localizer = Node(
        package='ssd_ros',
        executable='localize',
        name='ssd_localizer',
        namespace=value['namespace'],
        parameters=[LaunchConfiguration('params_file'), *driver, parameters | switches],
        remappings=[
            ('initialpose', value['initialpose_topic']),
            ('odom', value['odom_topic']),
        ],
        arguments=['--ros-args', '--log-level', value['log_level']],
        output='screen',
    )
    fixed_frame = ['-f', value['map_frame']] if value['map_frame'] else []
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        namespace=value['namespace'],  # the topics of the configuration are relative
        arguments=['-d', str(share / 'config' / 'localize.rviz'), *fixed_frame],
        parameters=[{'use_sim_time': switches['use_sim_time']}],
        condition=IfCondition(value['rviz']),
    )
    return [localizer, rviz]


def generate_launch_description() -> LaunchDescription:
    """Return what ros2 launch runs."""
    share = get_package_share_directory('ssd_ros')
    return LaunchDescription(
        [
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
