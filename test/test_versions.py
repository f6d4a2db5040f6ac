# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold the version equal wherever it stands, and package.xml well formed."""

from pathlib import Path
import re
from xml.etree import ElementTree

from ssd_ros import __version__

ROOT = Path(__file__).parents[1]


def test_the_version_is_the_same_everywhere() -> None:
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    setup = re.search(r"version='([^']+)'", (ROOT / 'setup.py').read_text())
    assert package.findtext('version') == __version__
    assert setup is not None
    assert setup.group(1) == __version__


def test_package_xml_is_format_3_and_names_the_build_type() -> None:
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    assert package.get('format') == '3'
    assert package.findtext('export/build_type') == 'ament_python'


def test_no_ros_package_is_a_pip_requirement() -> None:
    """The wheels of ROS must never be installed beside a sourced ROS."""
    assert not re.search(r"'(ros-|rclpy|sensor_msgs)", (ROOT / 'setup.py').read_text())
