# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Start the localizer: `ros2 launch ssd_ros localize.launch.py index:=map.ssd`.

An argument that is left empty keeps the value of the parameter file.
"""

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

# (argument, default, description)
ARGUMENTS = [
    ('index', '', 'map directory made by build_db'),
    ('model', '', 'ONNX encoder of the 4D radar; empty = the shipped one'),
    ('points_topic', 'points', 'sensor_msgs/PointCloud2 of the 4D radar'),
    ('base_frame', '', 'frame whose pose is published'),
    ('map_frame', '', 'frame of the map'),
    ('namespace', '', 'namespace of the node'),
    ('use_sim_time', 'false', 'take the time from /clock'),
    ('autostart', 'true', 'configure and activate at start'),
    ('log_level', 'info', 'debug, info, warn, error or fatal'),
]
# Launch argument -> parameter of the node.
OVERRIDES = {
    'index': 'index_path',
    'model': 'model_path',
    'base_frame': 'base_frame',
    'map_frame': 'map_frame',
}
SWITCHES = ['use_sim_time', 'autostart']


def make_node(context: LaunchContext) -> list[Node]:
    """Turn the arguments into one node."""
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    parameters = {
        # A path such as 2026 stays text.
        parameter: ParameterValue(value[argument], value_type=str)
        for argument, parameter in OVERRIDES.items()
        if value[argument]
    }
    # A substitution is converted to the type, a plain text would have to have it already.
    parameters |= {
        name: ParameterValue(LaunchConfiguration(name), value_type=bool) for name in SWITCHES
    }
    return [
        Node(
            package='ssd_ros',
            executable='localize',
            name='ssd_localizer',
            namespace=value['namespace'],
            parameters=[LaunchConfiguration('params_file'), parameters],
            remappings=[('points', value['points_topic'])],
            arguments=['--ros-args', '--log-level', value['log_level']],
            output='screen',
        )
    ]


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
            OpaqueFunction(function=make_node),
        ]
    )
