# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check that ROS itself reads the parameter files of the drivers, after that of the node."""

from __future__ import annotations

from pathlib import Path

import pytest
from rclpy.node import Node
from ssd_ros.ros.parameters.file import read_parameter_files
from ssd_ros.ros.parameters.server import ParameterServer
from support.ros import Peer

CONFIG = Path(__file__).parents[3] / 'config'
DRIVERS = sorted((CONFIG / 'drivers').glob('*.yaml'))


@pytest.mark.parametrize('path', DRIVERS, ids=lambda path: path.stem)
def test_a_driver_file_changes_the_parameters_of_the_node(peer: Peer, path: Path) -> None:
    files = ['--params-file', str(CONFIG / 'localize.yaml'), '--params-file', str(path)]
    node = Node(
        'ssd_localizer',
        context=peer.node.context,
        cli_args=['--ros-args', *files],
    )
    try:
        assert ParameterServer(node).current == read_parameter_files([path])
    finally:
        node.destroy_node()
