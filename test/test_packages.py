# Copyright 2026 The ssd_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check what is said of libraries that are not installed, and what of those that do not load."""

from __future__ import annotations

import pytest
from ssd_ros.packages import require, way_out


def test_what_is_installed_is_not_asked_for() -> None:
    require('numpy', 'json')


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        require('numpy', 'no_such_package')
    assert caught.value.name == 'no_such_package'


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('cv2', 'cv2 is not installed: pip install opencv-python-headless'),
        ('rosbags.interfaces', 'rosbags is not installed: pip install rosbags'),
        ('sensor_msgs.msg', 'sensor_msgs is not installed: source ROS 2 '),
        ('std_srvs', 'std_srvs is not installed: source ROS 2 '),
    ],
)
def test_where_a_package_comes_from_goes_by_its_first_name(name: str, expected: str) -> None:
    assert way_out(ModuleNotFoundError(name=name)).startswith(expected)


@pytest.mark.parametrize('name', ['ssd_ros.no_such_module', 'somebody', None])
def test_a_fault_of_ours_keeps_its_traceback(name: str | None) -> None:
    fault = ModuleNotFoundError('text', name=name)
    with pytest.raises(ModuleNotFoundError) as caught:
        way_out(fault)
    assert caught.value is fault
