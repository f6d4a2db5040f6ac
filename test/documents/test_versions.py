# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold the version equal wherever it stands, and package.xml well formed."""

from pathlib import Path
import re
from xml.etree import ElementTree

from ssd_ros import __version__

ROOT = Path(__file__).parents[2]


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


def test_what_the_demo_needs_is_what_an_installation_brings() -> None:
    """All but the wheels of ROS, and the simulator's compiler and pages, which are extras."""
    lines = (ROOT / 'requirements.txt').read_text().splitlines()
    pinned = {line.partition('==')[0] for line in lines if '==' in line}
    of_extras = {'numba', 'Jinja2', 'plotly'}
    wanted = {name for name in pinned if not name.startswith('ros-')} - of_extras
    installed = (ROOT / 'setup.py').read_text().partition('install_requires=')[2]
    installed = installed.partition('extras_require')[0]
    assert [name for name in sorted(wanted) if f"'{name}" not in installed] == []


def test_the_lower_bounds_of_an_installation_are_those_of_the_oldest_leg() -> None:
    bounds = dict(re.findall(r"'([\w-]+)>=([\w.]+)'", (ROOT / 'setup.py').read_text()))
    lines = (ROOT / 'requirements-oldest.txt').read_text().splitlines()
    tested = dict(line.split('==') for line in lines if '==' in line)
    of_training = {'torch', 'onnxscript'}  # no leg of their own
    assert len(bounds) >= 14
    assert {name: tested.get(name) for name in bounds if name not in of_training} == {
        name: bound for name, bound in bounds.items() if name not in of_training
    }


def test_every_leg_names_the_same_packages() -> None:
    """The default, oldest and newest libraries of the vehicle's part and of its tests."""

    def names(file: str) -> set[str]:
        lines = (ROOT / file).read_text().splitlines()
        return {re.split('[=<>;[]', line)[0] for line in lines if re.match(r'\w', line)}

    default = names('requirements.txt') | names('requirements-dev.txt')
    tools = {'ruff', 'mypy', 'types-PyYAML', 'codespell'}
    assert names('requirements-newest.txt') == default - tools
    assert names('requirements-oldest.txt') == default - tools - {'colcon-common-extensions'} | {
        'wheel'
    }
